//! What stands before an honest validator and says something else than it in some answers.

use anyhow::Result;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{json, Value};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer, in bytes.
const MOST: usize = 4 * 1024 * 1024;

/// What asks the validators.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    cicada_program::client(PATIENCE, PATIENCE)
}

/// What a validator answers: the status and the body.
pub(crate) async fn ask(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>)> {
    cicada_program::ask(request, MOST).await.map_err(anyhow::Error::msg)
}

/// An answer, as its reader gets it.
pub type Answer = (StatusCode, Json<Value>);

/// The honest validator behind a front.
pub struct Honest {
    address: String,
    client: reqwest::Client,
}

impl Honest {
    /// The one at an address.
    ///
    /// # Errors
    /// If there is no client.
    pub fn at(address: String) -> Result<Self> {
        Ok(Self { address, client: client()? })
    }

    /// What it answers.
    ///
    /// # Errors
    /// If it does not, or not in JSON.
    pub async fn ask(&self, path: &str) -> Result<(StatusCode, Value)> {
        let request = self.client.get(format!("{}{path}", self.address));
        let (status, body) = ask(request).await?;
        Ok((StatusCode::from_u16(status)?, serde_json::from_slice(&body)?))
    }
}

/// Serves a front on a free port; its address.
///
/// # Errors
/// If there is no port.
pub async fn serve(routes: Router) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// What is told to who asked.
pub fn answered(answer: Result<(StatusCode, Value)>) -> Answer {
    match answer {
        Ok((status, answer)) => (status, Json(answer)),
        Err(error) => (StatusCode::BAD_GATEWAY, Json(json!({ "error": format!("{error:#}") }))),
    }
}

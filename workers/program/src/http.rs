//! What all servers answer alike: failures, and figures for Prometheus.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::Json;
use std::fmt::Display;
use tokio::task::JoinError;

/// Why a request is not answered, as JSON: `{"error": …}`. An error of the program itself is 503.
#[derive(Debug)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// Why, in words.
    pub error: String,
}

impl Failure {
    /// With a status.
    pub fn new(status: StatusCode, error: impl Display) -> Self {
        Self { status, error: format!("{error:#}") }
    }

    /// A wrong question: 400.
    pub fn bad(error: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Not there: 404.
    pub fn absent(error: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// Not as things stand: 409.
    pub fn conflict(error: impl Display) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// There is no room: 503.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too busy: ask again")
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.error }))).into_response()
    }
}

/// The answer to `/metrics`.
pub type Figures = ([(HeaderName, &'static str); 1], String);

/// The answer to `/metrics`, from [`figures_text`](crate::figures_text).
pub fn figures(text: String) -> Figures {
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_is_json_with_its_causes() {
        let why = anyhow::anyhow!("no route").context("the chain is silent");
        let answer = Failure::from(why).into_response();
        assert_eq!(answer.status(), 503);
        let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
        assert_eq!(body, "{\"error\":\"the chain is silent: no route\"}");
        assert_eq!(Failure::absent("x").into_response().status(), 404);
    }
}

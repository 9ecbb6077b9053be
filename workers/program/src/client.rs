//! The HTTP client of every program, and answers of servers that may be anybody's.

use reqwest::redirect::Policy;
use std::time::Duration;

/// A client that asks the address it is given and no other: no proxy, no redirect. It gives a connection
/// `connect`, and a request to the end of its answer `total`, unless the request has its own limit.
///
/// # Errors
/// If the system has no room for one.
pub fn client(connect: Duration, total: Duration) -> reqwest::Result<reqwest::Client> {
    let straight = reqwest::Client::builder().no_proxy().redirect(Policy::none());
    straight.connect_timeout(connect).timeout(total).build()
}

/// Sends a request: the status and the body of its answer.
///
/// # Errors
/// In words: if there is no answer, it breaks off, or has more than `most` bytes.
pub async fn ask(request: reqwest::RequestBuilder, most: usize) -> Result<(u16, Vec<u8>), String> {
    read_answer(request.send().await.map_err(|error| cause(&error))?, most).await
}

/// Reads an answer: its status and its body.
///
/// # Errors
/// In words: if it breaks off, or has more than `most` bytes.
pub async fn read_answer(
    mut answer: reqwest::Response,
    most: usize,
) -> Result<(u16, Vec<u8>), String> {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| cause(&error))? {
        if body.len().saturating_add(part.len()) > most {
            return Err(format!("its answer has more than {most} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok((status, body))
}

/// The innermost cause of a failed request: the outer ones say only that it failed.
pub fn cause(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;
    use axum::body::{Body, Bytes};
    use axum::response::Redirect;
    use axum::routing::get;
    use axum::Router;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    // A body that does not end.
    struct Endless;

    impl hyper::body::Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b'x'; 4_096])))))
        }
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_its_end_and_a_redirect_is_not_followed() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address().unwrap();
        let routes = Router::new()
            .route("/short", get(|| async { "short" }))
            .route("/away", get(|| async { Redirect::to("/short") }))
            .route("/endless", get(|| async { Body::new(Endless) }));
        tokio::spawn(server.serve(routes, std::future::pending()));
        let limit = Duration::from_secs(20);
        let client = client(limit, limit).unwrap();
        let request = |path: &str| client.get(format!("http://{address}{path}"));
        let short = ask(request("/short"), 5).await.unwrap();
        assert_eq!(short, (200, b"short".to_vec()));
        assert_eq!(ask(request("/away"), 5).await.unwrap().0, 303);
        let error = ask(request("/endless"), 1 << 20).await.unwrap_err();
        assert!(error.contains("1048576 bytes"), "{error}");
    }
}

//! Answers of servers that may be anybody's.

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
    async fn an_answer_without_end_is_not_read_to_its_end() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address().unwrap();
        let routes = Router::new()
            .route("/short", get(|| async { "short" }))
            .route("/endless", get(|| async { Body::new(Endless) }));
        tokio::spawn(server.serve(routes, std::future::pending()));
        let ask = |path: &str| reqwest::get(format!("http://{address}{path}"));
        let short = read_answer(ask("/short").await.unwrap(), 5).await.unwrap();
        assert_eq!(short, (200, b"short".to_vec()));
        let error = read_answer(ask("/endless").await.unwrap(), 1 << 20).await.unwrap_err();
        assert!(error.contains("1048576 bytes"), "{error}");
    }
}

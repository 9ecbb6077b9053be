//! Which web pages may use the chain: a browser lets any page connect to this machine, and says which one it is.

use futures::future::{ready, Either, Ready};
use jsonrpsee::server::{http, HttpRequest, HttpResponse};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Pages on this machine are welcome, and these.
const PAGES: [&str; 3] = ["https://polkadot.js.org", "https://dotapps.io", "https://ui.use.ink"];
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses requests of other web pages with status 403. Programs name no page.
#[derive(Clone)]
pub(super) struct KnownPages;

impl<S> Layer<S> for KnownPages {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded(inner)
    }
}

/// What [`KnownPages`] makes of a service.
#[derive(Clone)]
pub(super) struct Guarded<S>(S);

impl<S, B> Service<HttpRequest<B>> for Guarded<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Either<Ready<Result<HttpResponse, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let origin = request.headers().get("origin");
        if origin.is_none_or(|origin| origin.to_str().is_ok_and(is_known)) {
            Either::Right(self.0.call(request))
        } else {
            Either::Left(ready(Ok(http::response::denied())))
        }
    }
}

fn is_known(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let local = host.is_some_and(|host| {
        THIS_MACHINE.iter().any(|name| {
            host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':'))
        })
    });
    local || PAGES.contains(&origin)
}

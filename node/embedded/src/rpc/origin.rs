//! Which web pages may use the chain: a browser lets any page connect to this machine, and says which one it is,
//! and under which name it asks.

use futures::future::{ready, Either, Ready};
use jsonrpsee::server::{http, HttpRequest, HttpResponse};
use std::{
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// Pages on this machine are welcome, and these.
const PAGES: [&str; 3] = ["https://polkadot.js.org", "https://dotapps.io", "https://ui.use.ink"];
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses requests of other web pages with status 403, and those under a name that is not the chain's: a page
/// whose name leads here would be of this very origin. Programs name no page.
#[derive(Clone)]
pub(super) struct KnownPages(Arc<[String]>);

impl KnownPages {
    /// With the chain's names, beside addresses and `localhost`.
    pub(super) fn of(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|name| name.to_ascii_lowercase()).collect())
    }
}

impl<S> Layer<S> for KnownPages {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded(inner, self.0.clone())
    }
}

/// What [`KnownPages`] makes of a service.
#[derive(Clone)]
pub(super) struct Guarded<S>(S, Arc<[String]>);

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
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        let host = text("host").or_else(|| request.uri().authority().map(|host| host.as_str()));
        let is_here = host.is_some_and(|host| is_own(host, &self.1));
        if is_here && text("origin").is_none_or(is_known) {
            Either::Right(self.0.call(request))
        } else {
            Either::Left(ready(Ok(http::response::denied())))
        }
    }
}

/// Whether an authority such as `127.0.0.1:9944` is the chain's.
fn is_own(authority: &str, hosts: &[String]) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    let name = name.to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || address.parse::<IpAddr>().is_ok() || hosts.contains(&name)
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

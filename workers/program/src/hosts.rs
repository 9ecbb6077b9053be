//! Whose pages may ask: a browser sends what any page tells it to, also to this machine.

use axum::extract::{Request, State};
use axum::http::{header, HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The names under which a server is reached, beside addresses and `localhost`: those of a proxy in
/// front of it, for example.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn named(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    // Whether an authority, such as `127.0.0.1:7100`, is this server's.
    fn know(&self, authority: &str) -> bool {
        let name = without_port(authority).to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let own = name == "localhost" || address.parse::<IpAddr>().is_ok();
        own || self.0.contains(&name)
    }

    // Why a request is refused, if it is.
    fn objection(&self, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let host = text(header::HOST);
        if !host.is_some_and(|host| self.know(host)) {
            return Some("this server is not known under the name in `host`: ask by its address, or name it in `hosts`");
        }
        let foreign = text(header::ORIGIN).is_some_and(|origin| {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_none() || authority != host
        });
        let fetch = |part: &str| headers.get(part).and_then(|value| value.to_str().ok());
        // A person may follow a link from anywhere.
        let link = method == Method::GET
            && fetch("sec-fetch-mode") == Some("navigate")
            && fetch("sec-fetch-dest") == Some("document");
        let crossing = fetch("sec-fetch-site") == Some("cross-site") && !link;
        (foreign || crossing).then_some("a page of another origin may not ask here")
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

/// Refuses what another page, or another name for this machine, asks.
pub(crate) async fn refuse_foreign(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Response {
    match hosts.objection(request.method(), request.headers()) {
        Some(reason) => {
            let body = format!("{{\"error\":\"{reason}\"}}");
            (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body)
                .into_response()
        }
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap())
        });
        let hosts = Hosts::named(["Node3.example.org".into()]);
        hosts.objection(&Method::GET, &headers.collect()).is_some()
    }

    #[test]
    fn addresses_localhost_and_given_names_are_served() {
        for host in
            ["127.0.0.1:7100", "[::1]:7100", "10.0.0.7", "localhost:80", "node3.example.org"]
        {
            assert!(!refused(&[("host", host)]), "{host}");
        }
        assert!(!refused(&[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:1")]));
    }

    #[test]
    fn other_names_and_pages_are_not() {
        assert!(refused(&[]));
        for host in
            ["evil.example", "evil.example:7100", "127.0.0.1.evil.example", "localhost.evil"]
        {
            assert!(refused(&[("host", host)]), "{host}");
        }
        for origin in ["http://evil.example", "null", "http://127.0.0.1:2", "http://localhost:1"] {
            assert!(refused(&[("host", "127.0.0.1:1"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_picture_of_another_page_is_refused_and_a_link_is_not() {
        let host = ("host", "127.0.0.1:1");
        let cross = ("sec-fetch-site", "cross-site");
        assert!(refused(&[
            host,
            cross,
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image")
        ]));
        let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert!(!refused(&[host, cross, link[0], link[1]]));
    }
}

//! The HTTP server of every program: what a stranger sends, or does not send, stops nobody else.

use crate::hosts::{refuse_foreign, Hosts};
use crate::room::{Guest, Place, Room};
use anyhow::{Context, Result};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::Router;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// The most bytes of a request's head, as it is buffered.
const HEAD_BYTES: usize = 32 * 1024;
/// How long open requests may take after the end has begun.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the log repeats that connections are refused.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Files that this process wants to be able to open.
const OPEN_FILES: u64 = 65_536;

/// What a server allows its clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections, never more than half of the files that the process may open.
    pub connections: usize,
    /// Connections of one address; of version 6, of one network of 64 bits.
    pub per_address: usize,
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// Bytes of the body of a request.
    pub body_bytes: usize,
    /// For the answer.
    pub answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            per_address: 512,
            head: Duration::from_secs(10),
            body: Duration::from_secs(15),
            body_bytes: 64 * 1024,
            answer: Duration::from_secs(30),
        }
    }
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    hosts: Hosts,
    limits: Limits,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub async fn bind(listen: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(listen).await;
        Ok(Self::of(listener.with_context(|| format!("cannot listen on {listen}"))?))
    }

    /// Over a listener.
    pub fn of(listener: TcpListener) -> Self {
        Self { listener, hosts: Hosts::default(), limits: Limits::default() }
    }

    /// Under these names too, beside its address and `localhost`.
    pub fn known_as(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: Hosts::named(names), ..self }
    }

    /// With other limits.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `ended`, and then what is under way. Handlers find the address of the client in
    /// [`ConnectInfo`].
    pub async fn serve(self, routes: Router, ended: impl Future<Output = ()>) {
        let Self { listener, hosts, limits } = self;
        let guard = axum::middleware::from_fn_with_state(Arc::new(hosts), refuse_foreign);
        let routes = routes.layer(guard);
        let files = usize::try_from(open_files()).unwrap_or(usize::MAX);
        let room = Room::new(limits.connections.min(files / 2), limits.per_address);
        let graceful = GracefulShutdown::new();
        let mut complaints = Complaints::default();
        let mut ended = pin!(ended);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut ended => break,
            };
            match accepted {
                Ok((stream, peer)) => match room.enter(peer.ip()) {
                    Some(place) => {
                        let routes = routes.clone();
                        let watcher = graceful.watcher();
                        tokio::spawn(async move {
                            talk(stream, peer, place, routes, limits, watcher).await;
                        });
                    }
                    None => complaints.say(&format!("too many connections: {peer} is turned away")),
                },
                Err(error) => {
                    complaints.say(&format!("cannot accept connections: {error}"));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        let _ = tokio::time::timeout(LAST_WORDS, graceful.shutdown()).await;
    }
}

// One connection, to its end.
async fn talk(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    routes: Router,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Answers are small and are waited for.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    // Who does not take its answer is not waited for either.
    stream.set_write_timeout(Some(limits.answer));
    let guest = place.guest.clone();
    let service = service_fn(move |request| {
        let (routes, guest) = (routes.clone(), guest.clone());
        async move { Ok::<_, Infallible>(answer(request, peer, routes, &guest, limits).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::select! {
        // Clients may break off.
        _ = watcher.watch(connection) => {}
        () = place.guest.told_to_leave() => {}
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    mut routes: Router,
    guest: &Guest,
    limits: Limits,
) -> Response {
    let (mut head, body) = request.into_parts();
    let body = Limited::new(body, limits.body_bytes).collect();
    let body = match tokio::time::timeout(limits.body, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    guest.set_busy(true);
    head.extensions.insert(ConnectInfo(peer));
    let answered = routes.call(Request::from_parts(head, Body::from(body)));
    let answered = tokio::time::timeout(limits.answer, answered).await;
    guest.set_busy(false);
    match answered {
        Ok(Ok(answer)) => answer,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Lets the process open as many files as it may, up to a bound, and says how many that is.
fn open_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return 1_024;
    };
    let wanted = hard.min(OPEN_FILES).max(soft);
    match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) => wanted,
        Err(_) => soft,
    }
}

// Repeats itself seldom.
#[derive(Default)]
struct Complaints(Option<Instant>);

impl Complaints {
    fn say(&mut self, text: &str) {
        if self.0.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.0 = Some(Instant::now());
            tracing::warn!("{text}");
        }
    }
}

#[cfg(test)]
mod tests;

//! A connection that takes no more requests than it answers: it reads on only while its reader keeps up, and it
//! ends if nobody reads at all.

use futures::{future::BoxFuture, task::AtomicWaker, FutureExt};
use jsonrpsee::{server::middleware::rpc::RpcServiceT, server::MethodResponse, types::Request};
use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{sleep, Sleep},
};
use tower::Layer;

/// How many requests of a connection are computed at once; it reads no further meanwhile.
const REQUESTS: usize = 64;
/// How long a connection's answers may wait for somebody to read them.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a connection may read on.
#[derive(Default)]
struct Gate {
    requests: AtomicUsize,
    stalled: AtomicBool,
    reader: AtomicWaker,
}

impl Gate {
    fn is_open(&self) -> bool {
        self.requests.load(Ordering::SeqCst) < REQUESTS && !self.stalled.load(Ordering::SeqCst)
    }
}

/// The two ends of a connection that know of each other: the stream, and what answers the requests.
pub(super) fn connection(stream: TcpStream) -> (Connection, CountRequests) {
    let gate = Arc::new(Gate::default());
    (Connection { stream, gate: gate.clone(), stall: None }, CountRequests(gate))
}

/// A request that is being computed.
struct Pending(Arc<Gate>);

impl Pending {
    fn new(gate: &Arc<Gate>) -> Self {
        gate.requests.fetch_add(1, Ordering::SeqCst);
        Self(gate.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::SeqCst);
        self.0.reader.wake();
    }
}

/// Counts the requests of a connection.
#[derive(Clone)]
pub(super) struct CountRequests(Arc<Gate>);

impl<S> Layer<S> for CountRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, gate: self.0.clone() }
    }
}

/// What [`CountRequests`] makes of a service.
#[derive(Clone)]
pub(super) struct Counted<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<'a, S> RpcServiceT<'a> for Counted<S>
where
    S: RpcServiceT<'a> + Clone + Send + Sync + 'static,
{
    type Future = BoxFuture<'a, MethodResponse>;

    fn call(&self, request: Request<'a>) -> Self::Future {
        let (inner, pending) = (self.inner.clone(), Pending::new(&self.gate));
        async move {
            let response = inner.call(request).await;
            drop(pending);
            response
        }
        .boxed()
    }
}

/// A stream that stops reading while [`Gate`] is closed.
pub(super) struct Connection {
    stream: TcpStream,
    gate: Arc<Gate>,
    /// Runs while something waits to be written.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Watches what became of an attempt to write.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            self.gate.stalled.store(true, Ordering::SeqCst);
            let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
            if stall.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        } else if self.stall.take().is_some() {
            self.gate.stalled.store(false, Ordering::SeqCst);
            self.gate.reader.wake();
        }
        written
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.gate.is_open() {
            self.gate.reader.register(context.waker());
            // It may have opened before the waker was there.
            if !self.gate.is_open() {
                return Poll::Pending;
            }
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

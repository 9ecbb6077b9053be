//! JSON-RPC: the methods, and the server that they are reached by.

mod archive;
mod author;
mod chain;
mod chain_head;
mod chain_spec;
mod connection;
mod dev;
mod error;
mod followers;
mod length;
mod origin;
mod params;
mod payment;
mod state;
mod storage_query;
mod subscription;
mod system;
mod transaction;

use crate::App;
use connection::connection;
use jsonrpsee::{
    server::{
        stop_channel, BatchRequestConfig, Methods, PingConfig, RandomStringIdProvider,
        ResponsePayload, RpcModule, RpcServiceBuilder, Server,
    },
    types::ErrorObjectOwned,
    ConnectionId, PendingSubscriptionSink,
};
use origin::KnownPages;
use params::Args;
use serde::Serialize;
use serde_json::{json, Value};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceBuilder;

/// How large a request or an answer may be, in bytes.
const MESSAGE_BYTES: u32 = 15 * 1024 * 1024;
/// How many requests may come as one batch.
const BATCH: u32 = 1000;
/// How many messages wait for a connection that does not read before its senders wait as well.
const BUFFERED: u32 = 64;
/// How many subscriptions a connection has at most.
const SUBSCRIPTIONS: u32 = 1024;
/// How many connections beyond the maximum are at least told that there are too many.
const SPARE_CONNECTIONS: usize = 64;
/// How long no connection is taken after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Payload = ResponsePayload<'static, Value>;

/// The methods under construction.
struct Api(RpcModule<App>);

impl Api {
    /// Adds a method that answers at once.
    fn quick<T: Serialize + Clone + 'static>(
        &mut self,
        name: &'static str,
        method: impl Fn(&App, Args) -> Result<T, ErrorObjectOwned> + Send + Sync + 'static,
        aliases: &[&'static str],
    ) {
        let added = self.0.register_method(name, move |params, app, _| {
            Args::new(&params).and_then(|args| method(app, args))
        });
        added.expect("every method has a name of its own");
        self.alias(name, aliases);
    }

    /// Adds a method that computes, so that it gets a thread of its own.
    fn slow<T: Serialize + Clone + 'static>(
        &mut self,
        name: &'static str,
        method: impl Fn(&App, Args) -> Result<T, ErrorObjectOwned> + Clone + Send + Sync + 'static,
        aliases: &[&'static str],
    ) {
        let added = self.0.register_blocking_method(name, move |params, app, _| {
            Args::new(&params).and_then(|args| method(&app, args))
        });
        added.expect("every method has a name of its own");
        self.alias(name, aliases);
    }

    /// Adds a method that answers at once, and to which it matters which connection asks.
    fn connected(
        &mut self,
        name: &'static str,
        method: impl Fn(&Arc<App>, Args, ConnectionId) -> Payload + Clone + Send + Sync + 'static,
    ) {
        let added = self.0.register_async_method(name, move |params, app, extensions| {
            let answer = match (Args::new(&params), extensions.get::<ConnectionId>()) {
                (Ok(args), Some(connection)) => method(&app, args, *connection),
                (Err(error), _) => Payload::error(error),
                (_, None) => Payload::error(error::internal("the connection has no number")),
            };
            async move { answer }
        });
        added.expect("every method has a name of its own");
    }

    /// Adds a subscription by the names of the method, of its messages and of the method that ends it.
    fn subscribe<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        (name, message, end): (&'static str, &'static str, &'static str),
        method: impl Fn(Arc<App>, Args, PendingSubscriptionSink) -> F + Clone + Send + Sync + 'static,
        aliases: &[(&'static str, &'static str)],
    ) {
        let added =
            self.0.register_subscription(name, message, end, move |params, pending, app, _| {
                let method = method.clone();
                async move {
                    match Args::new(&params) {
                        Ok(args) => method(app, args, pending).await,
                        Err(error) => pending.reject(error).await,
                    }
                }
            });
        added.expect("every method has a name of its own");
        for (name_alias, end_alias) in aliases {
            self.alias(name, &[name_alias]);
            self.alias(end, &[end_alias]);
        }
    }

    fn alias(&mut self, name: &'static str, aliases: &[&'static str]) {
        for alias in aliases {
            self.0.register_alias(alias, name).expect("every method has a name of its own");
        }
    }
}

/// All methods.
fn methods(app: Arc<App>) -> RpcModule<App> {
    let mut api = Api(RpcModule::from_arc(app));
    archive::register(&mut api);
    chain::register(&mut api);
    chain_head::register(&mut api);
    chain_spec::register(&mut api);
    state::register(&mut api);
    author::register(&mut api);
    system::register(&mut api);
    payment::register(&mut api);
    transaction::register(&mut api);
    dev::register(&mut api);

    let mut names: Vec<&str> = api.0.method_names().chain(["rpc_methods"]).collect();
    names.sort_unstable();
    let names = json!({ "methods": names });
    api.quick("rpc_methods", move |_, _| Ok(names.clone()), &[]);
    api.0
}

/// Binds `address` and answers requests by HTTP and WebSocket there, as long as the returned future runs. It is
/// known under its addresses, as `localhost` and under the names `hosts`.
///
/// # Errors
/// If the port is taken.
pub async fn serve(
    app: Arc<App>,
    address: SocketAddr,
    max_connections: u32,
    hosts: &[String],
) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let methods = Methods::from(methods(app));
    let builder = Server::builder()
        .set_http_middleware(ServiceBuilder::new().layer(KnownPages::of(hosts)))
        .max_request_body_size(MESSAGE_BYTES)
        .max_response_body_size(MESSAGE_BYTES)
        .max_connections(max_connections)
        .max_subscriptions_per_connection(SUBSCRIPTIONS)
        .set_message_buffer_capacity(BUFFERED)
        .set_batch_request_config(BatchRequestConfig::Limit(BATCH))
        .set_id_provider(RandomStringIdProvider::new(16))
        .enable_ws_ping(
            PingConfig::new()
                .ping_interval(Duration::from_secs(30))
                .inactive_limit(Duration::from_secs(90))
                .max_failures(2),
        )
        .to_service_builder();
    let answering = async move {
        // Nobody stops the server but the end of the process.
        let (stop, _handle) = stop_channel();
        // Those above the maximum are told so; many more are not even answered.
        let open = Arc::new(Semaphore::new(2 * max_connections as usize + SPARE_CONNECTIONS));
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Too many files are open, most likely.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Ok(permit) = open.clone().try_acquire_owned() else { continue };
            let _ = stream.set_nodelay(true);
            let (stream, counter) = connection(stream);
            let service = builder
                .clone()
                .set_rpc_middleware(RpcServiceBuilder::new().layer(counter))
                .build(methods.clone(), stop.clone());
            tokio::spawn(async move {
                if let Err(error) = jsonrpsee::server::serve(stream, service).await {
                    log::debug!("A connection ended: {error}");
                }
                drop(permit);
            });
        }
    };
    Ok((address, answering))
}

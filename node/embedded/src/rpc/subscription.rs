//! Sending news to readers, who may be slow or gone.

use crate::{
    chain::{Chain, Event},
    App,
};
use jsonrpsee::{PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// How long a reader may leave a message waiting when its connection's buffer is full.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a message; false if the reader is gone or does not read, and the subscription should end.
pub(super) async fn send(sink: &SubscriptionSink, message: &impl Serialize) -> bool {
    match SubscriptionMessage::from_json(message) {
        Ok(message) => sink.send_timeout(message, PATIENCE).await.is_ok(),
        Err(error) => {
            log::error!("A message cannot be written as JSON: {error}");
            false
        }
    }
}

/// Sends what `message` makes of the present, then of each event that `choose` takes. A reader who fell too far
/// behind is told the present again.
pub(super) async fn run<T, M: Serialize>(
    app: Arc<App>,
    pending: PendingSubscriptionSink,
    present: impl Fn(&Chain) -> T,
    choose: impl Fn(Event) -> Option<T>,
    mut message: impl FnMut(T) -> Option<M>,
) {
    let (first, mut events) = app.node.follow(&present);
    let Ok(sink) = pending.accept().await else { return };
    let mut next = Some(first);
    loop {
        if let Some(message) = next.take().and_then(&mut message) {
            if !send(&sink, &message).await {
                return;
            }
        }
        let event = tokio::select! {
            event = events.recv() => event,
            () = sink.closed() => return,
        };
        next = match event {
            Ok(event) => choose(event),
            Err(RecvError::Lagged(_)) => {
                let now = app.node.follow(&present);
                events = now.1;
                Some(now.0)
            }
            Err(RecvError::Closed) => return,
        };
    }
}

//! `chain_*`: blocks, their hashes and headers, as they come.

use super::{error, subscription, Api, Args};
use crate::{
    chain::{Block, Chain, Event},
    App,
};
use cicada_runtime::{opaque, BlockNumber, Hash, Header};
use jsonrpsee::{types::ErrorObjectOwned, PendingSubscriptionSink};
use sp_rpc::{list::ListOrValue, number::NumberOrHex};
use sp_runtime::generic::SignedBlock;
use std::sync::Arc;

/// How many hashes are given at once.
const HASHES: usize = 10_000;

pub(super) fn register(api: &mut Api) {
    api.quick("chain_getBlock", block, &[]);
    api.quick("chain_getHeader", header, &[]);
    api.quick("chain_getBlockHash", block_hash, &["chain_getHead"]);
    api.quick(
        "chain_getFinalizedHead",
        |app, _| Ok(app.node.chain(|chain| chain.finalized().hash)),
        &["chain_getFinalisedHead"],
    );
    api.subscribe(
        ("chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads"),
        |app, _, pending| heads(app, pending, Chain::best, best),
        &[
            ("chain_subscribeNewHead", "chain_unsubscribeNewHead"),
            ("subscribe_newHead", "unsubscribe_newHead"),
        ],
    );
    api.subscribe(
        ("chain_subscribeAllHeads", "chain_allHead", "chain_unsubscribeAllHeads"),
        |app, _, pending| heads(app, pending, Chain::best, best),
        &[],
    );
    api.subscribe(
        ("chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads"),
        |app, _, pending| heads(app, pending, Chain::finalized, finalized),
        &[("chain_subscribeFinalisedHeads", "chain_unsubscribeFinalisedHeads")],
    );
}

/// The block with a hash, or the best one without.
pub(super) fn lookup(app: &App, hash: Option<Hash>) -> Option<Arc<Block>> {
    app.node.chain(|chain| match hash {
        Some(hash) => chain.get(&hash).cloned(),
        None => Some(chain.best().clone()),
    })
}

/// [`lookup`] for what cannot do without.
pub(super) fn at(app: &App, hash: Option<Hash>) -> Result<Arc<Block>, ErrorObjectOwned> {
    lookup(app, hash).ok_or_else(|| error::unknown_block(hash.unwrap_or_default()))
}

fn block(
    app: &App,
    mut args: Args,
) -> Result<Option<SignedBlock<opaque::Block>>, ErrorObjectOwned> {
    Ok(lookup(app, args.next("hash")?).map(|block| block.signed()))
}

fn header(app: &App, mut args: Args) -> Result<Option<Header>, ErrorObjectOwned> {
    Ok(lookup(app, args.next("hash")?).map(|block| block.header.clone()))
}

fn block_hash(app: &App, mut args: Args) -> Result<ListOrValue<Option<Hash>>, ErrorObjectOwned> {
    let wanted: Option<ListOrValue<NumberOrHex>> = args.next("hash")?;
    let hash_of = |number: NumberOrHex| {
        let number = BlockNumber::try_from(number.into_u256()).ok();
        app.node.chain(|chain| Some(chain.at(number?)?.hash))
    };
    match wanted {
        None => Ok(ListOrValue::Value(Some(app.node.best().hash))),
        Some(ListOrValue::List(list)) if list.len() > HASHES => {
            Err(error::count(list.len(), HASHES))
        }
        Some(wanted) => Ok(wanted.map(hash_of)),
    }
}

fn best(event: Event) -> Option<Arc<Block>> {
    match event {
        Event::Imported(block) | Event::Reverted { best: block, .. } => Some(block),
        Event::Finalized(_) => None,
    }
}

fn finalized(event: Event) -> Option<Arc<Block>> {
    match event {
        Event::Finalized(block) | Event::Reverted { finalized: block, .. } => Some(block),
        Event::Imported(_) => None,
    }
}

/// Sends the header of the current head, then those of the events that `choose` takes. A reader who is too far
/// behind goes on with the current head.
async fn heads(
    app: Arc<App>,
    pending: PendingSubscriptionSink,
    head: fn(&Chain) -> &Arc<Block>,
    choose: fn(Event) -> Option<Arc<Block>>,
) {
    subscription::run(
        app,
        pending,
        move |chain| head(chain).clone(),
        choose,
        |block| Some(block.header.clone()),
    )
    .await;
}

//! Making blocks when there is something to put into them, and finalizing them a moment later.

use crate::service::{Backend, Client, Pool};
use cicada_runtime::{opaque::Block, Hash};
use futures::{channel::oneshot, future, select, stream, FutureExt, StreamExt};
use futures_timer::Delay;
use sc_basic_authorship::ProposerFactory;
use sc_client_api::{BlockchainEvents, Finalizer};
use sc_consensus::LongestChain;
use sc_consensus_manual_seal::{seal_block, Error as SealError, SealBlockParams};
use sc_transaction_pool_api::TransactionPool;
use sp_blockchain::HeaderBackend;
use std::{
    collections::VecDeque,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many wake-ups one attempt at a block may answer.
const WAKES: usize = 4096;
/// How many blocks may wait for their finalization: the transaction pool stops telling clients about
/// transactions that lie 512 unfinalized blocks back.
const UNFINALIZED: usize = 256;

/// Seals a block whenever the pool has transactions; never an empty one.
///
/// It tries when transactions become ready, and after each block for those that had no room in it.
pub async fn seal_on_demand(
    client: Arc<Client>,
    pool: Arc<Pool>,
    chain: LongestChain<Backend, Block>,
    mut proposers: ProposerFactory<Pool, Client>,
) {
    let transactions = pool.import_notification_stream().map(drop);
    let blocks = client.import_notification_stream().map(drop);
    let mut wakes = stream::select(transactions, blocks).ready_chunks(WAKES);
    let mut block_import = client.clone();

    while wakes.next().await.is_some() {
        // Waits until the pool has taken out what the best block contains.
        if pool.ready_at(client.info().best_hash).await.next().is_none() {
            continue;
        }
        let (sender, sealed) = oneshot::channel();
        seal_block(SealBlockParams {
            create_empty: false,
            finalize: false,
            parent_hash: None,
            sender: Some(sender),
            pool: pool.clone(),
            client: client.clone(),
            env: &mut proposers,
            select_chain: &chain,
            consensus_data_provider: None,
            block_import: &mut block_import,
            create_inherent_data_providers: &wall_clock,
        })
        .await;
        match sealed.await {
            Ok(Ok(_) | Err(SealError::EmptyTransactionPool)) => {}
            Ok(Err(error)) => log::error!("Sealing a block failed: {error}"),
            Err(_) => log::error!("Sealing a block was cancelled"),
        }
    }
}

/// The time that a block is given; the runtime moves it past the parent's if need be.
async fn wall_clock(
    _parent: Hash,
    (): (),
) -> Result<sp_timestamp::InherentDataProvider, Box<dyn Error + Send + Sync>> {
    Ok(sp_timestamp::InherentDataProvider::from_system_time())
}

/// Finalizes each block `delay` after its import; at the start also what an earlier run left behind.
///
/// Under load a block's turn comes sooner: no more than [`UNFINALIZED`] blocks wait.
pub async fn finalize_delayed(client: Arc<Client>, delay: Duration) {
    let mut imported = client.import_notification_stream().fuse();
    let chain = client.info();
    let mut waiting = VecDeque::new();
    if chain.best_hash != chain.finalized_hash {
        waiting.push_back((Instant::now() + delay, chain.best_hash));
    }

    loop {
        let mut next_due = match waiting.front() {
            Some((due, _)) => {
                Delay::new(due.saturating_duration_since(Instant::now())).left_future()
            }
            None => future::pending().right_future(),
        }
        .fuse();
        select! {
            block = imported.select_next_some() => {
                waiting.push_back((Instant::now() + delay, block.hash));
            }
            () = next_due => {}
        }
        while let Some(&(due, hash)) = waiting.front() {
            if due > Instant::now() && waiting.len() <= UNFINALIZED {
                break;
            }
            waiting.pop_front();
            if let Err(error) = client.finalize_block(hash, None, true) {
                log::error!("Finalizing block {hash} failed: {error}");
            }
        }
    }
}

//! Reading at a block that is named, instead of at the newest final one.

use crate::chain::Block;
use crate::events::emitted;
use crate::{Chain, ContractEvent, Error};
use cicada_contracts::Message;
use cicada_core::hash::Digest;
use cicada_core::Account;
use parity_scale_codec::Decode;
use std::future::Future;
use subxt::dynamic;
use subxt::events::Phase;
use subxt::rpcs::methods::legacy::NumberOrHex;

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
    /// The hash of the block before it; zeros for the first block of a chain.
    pub parent: Digest,
    /// Its time, in milliseconds since 1970; 0 for the first block of a chain.
    pub time_ms: u64,
    /// The events of contracts, in order, each with the position of the transaction that caused it;
    /// none for the block itself.
    pub events: Vec<(Option<u32>, ContractEvent)>,
}

/// The time of a block, in milliseconds since 1970; 0 for the first block of a chain.
pub(crate) async fn time_of(at: &Block) -> Result<u64, Error> {
    let what = format!("reading the time of block {}", at.block_number());
    let now = dynamic::storage::<(), u64>("Timestamp", "Now");
    let time = at.storage().try_fetch(now, ()).await.map_err(Error::node(&what))?;
    time.map_or(Ok(0), |time| time.decode().map_err(Error::decode(&what)))
}

impl Chain {
    /// A final block with the events of `contracts`. A node that prunes old blocks has only the
    /// newest ones.
    ///
    /// # Errors
    /// [`Error::Node`], also if the block is not final yet.
    pub async fn block_events(
        &self,
        number: u64,
        contracts: &[Account],
    ) -> Result<FinalBlock, Error> {
        let mut block = self.whole_block(number).await?;
        block.events.retain(|(_, event)| contracts.contains(&event.contract));
        Ok(block)
    }

    /// A final block with the events of all contracts.
    ///
    /// # Errors
    /// As [`Chain::block_events`].
    pub async fn whole_block(&self, number: u64) -> Result<FinalBlock, Error> {
        let at = self.block_at(number).await?;
        let (hash, time_ms) = (Digest(at.block_hash().0), time_of(&at).await?);
        let what = format!("reading block {number}");
        let found = at.events().fetch().await.map_err(Error::node(&what))?;
        let mut events = Vec::new();
        for event in found.iter() {
            let event = event.map_err(Error::decode(&what))?;
            let cause = match event.phase() {
                Phase::ApplyExtrinsic(place) => Some(place),
                Phase::Finalization | Phase::Initialization => None,
            };
            events.extend(emitted(&event, number, hash)?.map(|event| (cause, event)));
        }
        let header = at.block_header().await.map_err(Error::node(&what))?;
        Ok(FinalBlock { number, hash, parent: Digest(header.parent_hash.0), time_ms, events })
    }

    /// The last block of the final chain that is not later than `time_ms`; none before a later one
    /// is final, since until then another may still come.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn block_of(&self, time_ms: u64) -> Result<Option<u64>, Error> {
        last_not_later(self.final_block().await?, time_ms, |block| async move {
            time_of(&self.block_at(block).await?).await
        })
        .await
    }

    /// The hash of a block; none if there is none of that number yet. Pruning nodes know it too.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn block_hash(&self, number: u64) -> Result<Option<Digest>, Error> {
        let what = format!("reading the hash of block {number}");
        let number = NumberOrHex::Number(number);
        let hash = self.rpc.chain_get_block_hash(Some(number)).await;
        Ok(hash.map_err(Error::node(&what))?.map(|hash| Digest(hash.0)))
    }

    /// The hash of the block after the first. A development chain that was reset has the same genesis
    /// as before, and another one of these.
    ///
    /// # Errors
    /// [`Error::Node`], also if the chain has no block yet.
    pub async fn first_block(&self) -> Result<Digest, Error> {
        let none = || Error::node("reading block 1")("the chain has no block yet");
        self.block_hash(1).await?.ok_or_else(none)
    }

    async fn block_at(&self, number: u64) -> Result<Block, Error> {
        let what = format!("reading block {number}");
        self.client.at_block(number).await.map_err(Error::node(&what))
    }

    /// Reads a view at a block. A node that prunes old state has only that of the newest ones.
    ///
    /// # Errors
    /// As [`Chain::read`].
    pub async fn read_at<T: Decode, E>(
        &self,
        block: u64,
        contract: &Account,
        message: &Message<T, E>,
    ) -> Result<T, Error> {
        let what = format!("reading {} at block {block}", message.label());
        let at = self.client.at_block(block).await.map_err(Error::node(&what))?;
        Ok(self.dry_run_of(&at, contract, message, &Account::NOBODY).await?.returned)
    }
}

/// The last of the blocks up to `newest` that is not later than `time_ms`; none if there is none, or
/// unless a later one is among them. Looks back in growing steps, and then halves.
async fn last_not_later<F: Future<Output = Result<u64, Error>>>(
    newest: u64,
    time_ms: u64,
    time_of: impl Fn(u64) -> F,
) -> Result<Option<u64>, Error> {
    if time_of(newest).await? <= time_ms {
        return Ok(None);
    }
    let (mut later, mut step) = (newest, 1u64);
    let mut found = loop {
        if later == 0 {
            return Ok(None);
        }
        let block = later.saturating_sub(step);
        if time_of(block).await? <= time_ms {
            break block;
        }
        (later, step) = (block, step.saturating_mul(2));
    };
    while later.saturating_sub(found) > 1 {
        let middle = found.midpoint(later);
        match time_of(middle).await? <= time_ms {
            true => found = middle,
            false => later = middle,
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_block_of_a_time_is_known_once_a_later_one_is_there() {
        // Block n is of the time 100 + 6 · n, but for a gap after the fifth.
        let time_of =
            |block: u64| async move { Ok(100 + 6 * block + if block > 5 { 50 } else { 0 }) };
        let of = async |newest, time| last_not_later(newest, time, time_of).await.unwrap();
        assert_eq!(of(20, 106).await, Some(1));
        assert_eq!(of(20, 111).await, Some(1));
        assert_eq!(of(20, 112).await, Some(2));
        assert_eq!(of(20, 185).await, Some(5), "in the gap");
        assert_eq!(of(6, 185).await, Some(5));
        assert_eq!(of(5, 185).await, None, "another may still come");
        assert_eq!(of(20, 269).await, Some(19));
        assert_eq!(of(20, 270).await, None);
        assert_eq!(of(20, 99).await, None, "none is as early");
    }
}

//! Events of contracts, in final blocks only.

use crate::{Chain, Error};
use cicada_core::hash::Digest;
use cicada_core::Account;
use futures::stream::{self, Stream};
use parity_scale_codec::Decode;
use std::collections::VecDeque;
use subxt::client::Blocks;
use subxt::events::Event;
use subxt::PolkadotConfig;

/// An event of a contract. Block and index name it for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEvent {
    /// The number of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: Digest,
    /// Its position among all events of the block.
    pub index: u32,
    /// The contract that emitted it.
    pub contract: Account,
    /// Its topics; the first tells its kind.
    pub topics: Vec<Digest>,
    /// Its fields, in SCALE.
    pub data: Vec<u8>,
}

impl ContractEvent {
    /// This event as one of a contract's interface; none if it is another one.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is this event and its fields cannot be read.
    pub fn read<E: cicada_contracts::Event>(&self) -> Result<Option<E>, Error> {
        E::read(&self.topics, &self.data).map_err(Error::decode(E::NAME))
    }
}

/// The event, if a contract emitted it.
pub(crate) fn emitted(
    event: &Event<'_, PolkadotConfig>,
    block: u64,
    block_hash: Digest,
) -> Result<Option<ContractEvent>, Error> {
    if (event.pallet_name(), event.event_name()) != ("Contracts", "ContractEmitted") {
        return Ok(None);
    }
    let (contract, data) = <(Account, Vec<u8>)>::decode(&mut event.field_bytes())
        .map_err(Error::decode("an event of a contract"))?;
    Ok(Some(ContractEvent {
        block,
        block_hash,
        index: event.index(),
        contract,
        topics: event.topics().iter().map(|topic| Digest(topic.0)).collect(),
        data,
    }))
}

/// Where a reader of final events stands.
struct Reader {
    chain: Chain,
    contract: Account,
    blocks: Blocks<PolkadotConfig>,
    /// The next block to read, and the newest known to be final.
    next: u64,
    newest: u64,
    ready: VecDeque<ContractEvent>,
}

impl Chain {
    /// The events of a contract in final blocks from `from_block` on: first those that are
    /// there, then new ones as their blocks become final. None is left out, none comes twice.
    ///
    /// The stream ends with an error if the connection breaks; read on from the block of the
    /// last event. A node that prunes old blocks answers only for the blocks that it keeps.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn finalized_events(
        &self,
        contract: Account,
        from_block: u64,
    ) -> Result<impl Stream<Item = Result<ContractEvent, Error>>, Error> {
        let blocks =
            self.client.stream_blocks().await.map_err(Error::node("following final blocks"))?;
        let reader = Reader {
            newest: self.final_block().await?,
            chain: self.clone(),
            contract,
            blocks,
            next: from_block,
            ready: VecDeque::new(),
        };
        Ok(Box::pin(stream::try_unfold(reader, Reader::step)))
    }

    /// The events of a contract in one final block.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn events_of_block(
        &self,
        contract: &Account,
        block: u64,
    ) -> Result<Vec<ContractEvent>, Error> {
        let what = format!("reading the events of block {block}");
        let at = self.client.at_block(block).await.map_err(Error::node(&what))?;
        let events = at.events().fetch().await.map_err(Error::node(&what))?;
        let mut found = Vec::new();
        for event in events.iter() {
            let event = event.map_err(Error::decode(&what))?;
            found.extend(emitted(&event, block, Digest(at.block_hash().0))?);
        }
        found.retain(|event| event.contract == *contract);
        Ok(found)
    }
}

impl Reader {
    async fn step(mut self) -> Result<Option<(ContractEvent, Self)>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some((event, self)));
            }
            if self.next <= self.newest {
                let events = self.chain.events_of_block(&self.contract, self.next).await?;
                self.ready.extend(events);
                self.next = self.next.saturating_add(1);
                continue;
            }
            // The node may report only the last of several blocks that became final at once.
            match self.blocks.next().await {
                Some(Ok(block)) => self.newest = self.newest.max(block.number()),
                Some(Err(error)) => return Err(Error::node("following final blocks")(error)),
                None => return Ok(None),
            }
        }
    }
}

//! The contracts that are followed, and final blocks as they tell them.

use crate::block::{Block, Bytes, Emitted, Ranking};
use crate::config::Config;
use crate::events::Origin;
use crate::store::{file, Identity, StoreError};
use anyhow::{Context, Result};
use cicada_chain::{Chain, ContractEvent, Error, FinalBlock};
use cicada_contracts::{exchange, leaderboard};
use cicada_core::hash::Digest;
use cicada_core::Account;
use cicada_network::Deployment;
use std::collections::BTreeSet;

/// The contracts of one exchange.
pub struct Contracts {
    /// The chain.
    pub chain: Chain,
    /// Which contracts.
    pub identity: Identity,
}

impl Contracts {
    /// Connects as the configuration says, to the chain whose genesis is `known`, if one is.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] if it is another; else in words.
    pub async fn connect(
        config: &Config,
        network: &Deployment,
        exchange: Account,
        known: Option<Digest>,
    ) -> Result<Self> {
        let chain = network.connect(config.url.as_deref()).await?;
        // Before the exchange is asked, which may not be there.
        if known.is_some_and(|known| known != chain.genesis()) {
            return Err(StoreError::Foreign { path: file(&config.data), what: "chain" }.into());
        }
        let terms = chain.read(&exchange, &exchange::terms()).await;
        let terms = terms.context("asking the exchange")?;
        let identity = Identity {
            genesis: chain.genesis(),
            exchange,
            currency: terms.currency,
            leaderboard: terms.leaderboard,
        };
        Ok(Self { chain, identity })
    }

    /// A final block as it comes from the node.
    ///
    /// # Errors
    /// If the node does not have it, with what to do.
    pub async fn fetch(&self, number: u64) -> Result<FinalBlock> {
        self.chain.whole_block(number).await.map_err(|error| match pruned(&error.to_string()) {
            true => anyhow::anyhow!(
                "{error}: the node has thrown the state of this block away; use one that keeps all states ('--state-pruning archive')"
            ),
            false => error.into(),
        })
    }

    /// What of a block matters. Learns the tokens of markets that are listed in it.
    ///
    /// # Errors
    /// If a leaderboard cannot be read.
    pub async fn read(&self, whole: FinalBlock, tokens: &mut BTreeSet<Account>) -> Result<Block> {
        tokens.extend(whole.events.iter().filter_map(|(_, event)| self.listed(event)));
        let mut block = Block {
            number: whole.number,
            hash: whole.hash,
            parent: whole.parent,
            time_ms: whole.time_ms,
            events: Vec::new(),
            rankings: Vec::new(),
        };
        for (extrinsic, event) in whole.events {
            let contract = event.contract;
            let Some(origin) = self.origin(contract, tokens) else {
                continue;
            };
            let interface = origin.interface();
            let name = interface.event_name(&event.topics).map(String::from);
            if name.is_none() {
                let (number, index) = (block.number, event.index);
                let contract = interface.name();
                tracing::warn!(
                    "block {number}, event {index}: the {contract} has none of its kind"
                );
            }
            block.rankings.extend(self.finalized(&event).await?);
            block.events.push(Emitted {
                index: event.index,
                extrinsic,
                contract,
                name,
                data: Bytes(event.data),
            });
        }
        Ok(block)
    }

    /// The leaderboard that is the newest at a block, for the first one; none if there is none yet.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn ranking_at(&self, block: u64) -> Result<Option<Ranking>> {
        let account = &self.identity.leaderboard;
        match self.chain.read_at(block, account, &leaderboard::latest()).await {
            Ok(state) => self.record(state.slot).await,
            // The contract is not there yet.
            Err(Error::Dispatch { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The leaderboard that an event says is final. An event that cannot be read stops the store.
    async fn finalized(&self, event: &ContractEvent) -> Result<Option<Ranking>> {
        if event.contract != self.identity.leaderboard {
            return Ok(None);
        }
        let Ok(Some(event)) = event.read::<leaderboard::events::LeaderboardFinalized>() else {
            return Ok(None);
        };
        let record = self.record(event.slot).await?;
        let missing = || format!("the leaderboard has no record of slot {}", event.slot);
        record.with_context(missing).map(Some)
    }

    /// A record never changes, so it can be read at any later block.
    async fn record(&self, slot: u64) -> Result<Option<Ranking>> {
        let account = &self.identity.leaderboard;
        let record = self.chain.read(account, &leaderboard::record(slot)).await?;
        Ok(record.map(|record| Ranking {
            slot,
            time_ms: record.report.time_ms,
            standings: record
                .board
                .standings
                .into_iter()
                .map(|row| (row.framework, row.score, row.volume_24h))
                .collect(),
        }))
    }

    fn origin(&self, contract: Account, tokens: &BTreeSet<Account>) -> Option<Origin> {
        let Identity { exchange, currency, leaderboard, .. } = self.identity;
        if contract == exchange {
            Some(Origin::Exchange)
        } else if contract == leaderboard {
            Some(Origin::Leaderboard)
        } else if contract == currency || tokens.contains(&contract) {
            Some(Origin::Token)
        } else {
            None
        }
    }

    /// The token of a market that an event opens.
    fn listed(&self, event: &ContractEvent) -> Option<Account> {
        if event.contract != self.identity.exchange {
            return None;
        }
        let listed = event.read::<exchange::events::MarketListed>().ok().flatten();
        listed.map(|listed| listed.token)
    }
}

/// Whether a node says that it no longer has the state of a block.
fn pruned(error: &str) -> bool {
    let error = error.to_lowercase();
    ["state already discarded", "unknown block", "unknownblock", "state not available"]
        .iter()
        .any(|sign| error.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pruned_state_is_known_by_the_nodes_words() {
        assert!(pruned(
            "Client error: Api called for an unknown Block: State already discarded for 0x12"
        ));
        assert!(pruned("UnknownBlock: header not found"));
        assert!(!pruned("connection reset by peer"));
    }
}

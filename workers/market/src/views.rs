//! Reading the market.

use crate::{Error, Market};
use cicada_contracts::types::MarketInfo;
use cicada_contracts::{auction, escrow, reputation, Message};
use cicada_core::escrow::{
    chain, AuditEntry, AuditHead, Ballot, Evidence, Holdings, Summary, Terms, MAX_PAGE,
};
use cicada_core::hash::{Digest, Native};
use cicada_core::market::{
    Assignment, AuctionStatus, HandOver, OfferRecord, Parameters, RequestRecord,
};
use cicada_core::name::Name;
use cicada_core::prices::Prices;
use cicada_core::reputation::Summary as Reputation;
use cicada_core::Account;
use parity_scale_codec::Decode;

/// An escrow's log, and whether it holds.
#[derive(Clone, Debug)]
pub struct Audit {
    /// All entries.
    pub entries: Vec<AuditEntry>,
    /// The digest that the contract keeps.
    pub head: Digest,
    /// The digest that these entries give.
    pub recomputed: Digest,
}

impl Audit {
    /// Whether the entries are those that the contract chained.
    pub fn holds(&self) -> bool {
        self.head == self.recomputed
    }
}

impl Market {
    /// Reads a view of one of the market's contracts.
    ///
    /// # Errors
    /// As [`cicada_chain::Chain::read`].
    pub async fn read<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
    ) -> Result<T, Error> {
        Ok(self.chain.read(contract, message).await?)
    }

    async fn find<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<Option<T>, E>,
        what: &'static str,
        id: u64,
    ) -> Result<T, Error> {
        self.read(contract, message).await?.ok_or(Error::NotFound { what, id })
    }

    /// A request.
    ///
    /// # Errors
    /// [`Error::NotFound`]; as [`Market::read`]. So do all that follow.
    pub async fn request(&self, id: u64) -> Result<RequestRecord, Error> {
        self.find(&self.at.auction, &auction::request_of(id), "request", id).await
    }

    /// An offer.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn offer(&self, id: u64) -> Result<OfferRecord, Error> {
        self.find(&self.at.auction, &auction::offer_of(id), "offer", id).await
    }

    /// An assignment.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn assignment(&self, id: u64) -> Result<Assignment, Error> {
        self.find(&self.at.auction, &auction::assignment_of(id), "assignment", id).await
    }

    /// What was handed over to the provider of an assignment, if anything was yet.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn payload(&self, assignment: u64) -> Result<Option<HandOver>, Error> {
        self.read(&self.at.auction, &auction::payload_of(assignment)).await
    }

    /// Where the auction of a request stands.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn auction_status(&self, request: u64) -> Result<AuctionStatus, Error> {
        let status = auction::status_of(request);
        self.find(&self.at.auction, &status, "request", request).await
    }

    /// The effective price at which the offer would get the request.
    ///
    /// # Errors
    /// The contract's reason why it would not; as [`Market::read`].
    pub async fn quote(&self, request: u64, offer: u64) -> Result<u128, Error> {
        self.read(&self.at.auction, &auction::quote(request, offer)).await
    }

    /// Prices of a task type over the last 24 hours.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn prices(&self, task_type: &Name) -> Result<Option<Prices>, Error> {
        self.read(&self.at.auction, &auction::prices(task_type)).await
    }

    /// What the market says of itself.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn info(&self) -> Result<MarketInfo, Error> {
        self.read(&self.at.auction, &auction::market()).await
    }

    /// The newest numbers of requests, offers and assignments.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn counts(&self) -> Result<(u64, u64, u64), Error> {
        let MarketInfo { requests, offers, assignments, .. } = self.info().await?;
        Ok((requests, offers, assignments))
    }

    /// What was fixed when the market was made.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn parameters(&self) -> Result<Parameters, Error> {
        Ok(self.info().await?.parameters)
    }

    /// An escrow.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn escrow(&self, id: u64) -> Result<Summary, Error> {
        self.find(&self.at.escrow, &escrow::summary(id), "escrow", id).await
    }

    /// An escrow's terms.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn terms(&self, id: u64) -> Result<Terms, Error> {
        self.find(&self.at.escrow, &escrow::terms(id), "escrow", id).await
    }

    /// The decisions or votes that wait for others.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn votes(&self, escrow: u64) -> Result<Vec<Ballot>, Error> {
        self.read(&self.at.escrow, &escrow::votes(escrow)).await
    }

    /// The evidence of both sides about a part.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn evidence(&self, escrow: u64, milestone: u8) -> Result<Vec<Evidence>, Error> {
        self.read(&self.at.escrow, &escrow::evidence(escrow, milestone)).await
    }

    /// The whole log of an escrow, with its digest recomputed.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn audit(&self, escrow: u64) -> Result<Audit, Error> {
        let summary = self.escrow(escrow).await?;
        let mut entries: Vec<AuditEntry> = Vec::new();
        while let Some(missing) = rest(summary.audit_len, entries.len()) {
            let from = summary.audit_len.saturating_sub(missing);
            let page = escrow::audit(escrow, from, missing.min(MAX_PAGE));
            let page = self.read(&self.at.escrow, &page).await?;
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let start = AuditHead::start::<Native>(&self.at.genesis, &self.at.escrow, escrow);
        let recomputed = chain::<Native>(start, &entries).digest;
        Ok(Audit { entries, head: summary.audit_head, recomputed })
    }

    /// What an account can spend, and what the escrow contract holds of it.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn holdings(&self, owner: &Account) -> Result<Holdings, Error> {
        self.read(&self.at.escrow, &escrow::holdings(owner, &self.at.token)).await
    }

    /// How an account has done.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn reputation(&self, account: &Account) -> Result<Reputation, Error> {
        self.read(&self.at.reputation, &reputation::summary(account)).await
    }
}

/// How many entries are still missing, if any are.
fn rest(len: u32, have: usize) -> Option<u32> {
    let have = u32::try_from(have).ok()?;
    len.checked_sub(have).filter(|missing| *missing > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_to_its_end() {
        assert_eq!((rest(3, 0), rest(3, 3), rest(3, 4)), (Some(3), None, None));
        let audit =
            Audit { entries: Vec::new(), head: Digest([1; 32]), recomputed: Digest([2; 32]) };
        assert!(!audit.holds());
    }
}

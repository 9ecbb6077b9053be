//! Reading the market.

use crate::{Contract, Error, Market};
use cicada_core::escrow::{
    chain, AuditEntry, AuditHead, Ballot, Evidence, Holdings, Limits, Summary, Terms, MAX_PAGE,
};
use cicada_core::hash::{Hash, Native};
use cicada_core::market::{
    Assignment, AuctionStatus, HandOver, OfferRecord, Parameters, RequestRecord, Success,
};
use cicada_core::name::Name;
use cicada_core::prices::Prices;
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};

/// The message that gives [`Info`].
pub const INFO: &str = "AuctionView::market";

/// What the market says of itself.
#[derive(Clone, Debug, Decode)]
pub struct Info {
    /// The contracts of token, escrow, reputation and capabilities.
    pub contracts: [Account; 4],
    /// What was fixed when the market was made.
    pub parameters: Parameters,
    /// What the escrow contract permits.
    pub limits: Limits,
    /// How many requests, offers and assignments there are: the newest numbers.
    pub counts: (u64, u64, u64),
}

/// An escrow's log, and whether it holds.
#[derive(Clone, Debug)]
pub struct Audit {
    /// All entries.
    pub entries: Vec<AuditEntry>,
    /// The digest that the contract keeps.
    pub head: Hash,
    /// The digest that these entries give.
    pub recomputed: Hash,
}

impl Audit {
    /// Whether the entries are those that the contract chained.
    pub fn holds(&self) -> bool {
        self.head == self.recomputed
    }
}

impl Market {
    async fn find<T: Decode>(
        &self,
        contract: Contract,
        message: &str,
        what: &'static str,
        id: u64,
    ) -> Result<T, Error> {
        let found: Option<T> = self.read(contract, message, &id).await?;
        found.ok_or(Error::NotFound { what, id })
    }

    /// A request.
    ///
    /// # Errors
    /// [`Error::NotFound`]; as [`Market::read`]. So do all that follow.
    pub async fn request(&self, id: u64) -> Result<RequestRecord, Error> {
        self.find(Contract::Auction, "AuctionView::request_of", "request", id).await
    }

    /// An offer.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn offer(&self, id: u64) -> Result<OfferRecord, Error> {
        self.find(Contract::Auction, "AuctionView::offer_of", "offer", id).await
    }

    /// An assignment.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn assignment(&self, id: u64) -> Result<Assignment, Error> {
        self.find(Contract::Auction, "AuctionView::assignment_of", "assignment", id).await
    }

    /// What was handed over to the provider of an assignment, if anything was yet.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn payload(&self, assignment: u64) -> Result<Option<HandOver>, Error> {
        self.read(Contract::Auction, "AuctionView::payload_of", &assignment).await
    }

    /// Where the auction of a request stands.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn auction_status(&self, request: u64) -> Result<AuctionStatus, Error> {
        self.find(Contract::Auction, "AuctionView::status_of", "request", request).await
    }

    /// The effective price at which the offer would get the request.
    ///
    /// # Errors
    /// The contract's reason why it would not; as [`Market::read`].
    pub async fn quote(&self, request: u64, offer: u64) -> Result<u128, Error> {
        self.read(Contract::Auction, "AuctionView::quote", &(request, offer)).await
    }

    /// Prices of a task type over the last 24 hours.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn prices(&self, task_type: &Name) -> Result<Option<Prices>, Error> {
        self.read(Contract::Auction, "AuctionView::prices", task_type).await
    }

    /// How a provider has done in a task type.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn success(&self, provider: &Account, task_type: &Name) -> Result<Success, Error> {
        self.read(Contract::Auction, "AuctionView::success_of", &(provider, task_type)).await
    }

    /// The newest numbers of requests, offers and assignments.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn counts(&self) -> Result<(u64, u64, u64), Error> {
        let info: Info = self.read(Contract::Auction, INFO, &()).await?;
        Ok(info.counts)
    }

    /// What was fixed when the market was made.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn parameters(&self) -> Result<Parameters, Error> {
        let info: Info = self.read(Contract::Auction, INFO, &()).await?;
        Ok(info.parameters)
    }

    /// An escrow.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn escrow(&self, id: u64) -> Result<Summary, Error> {
        self.find(Contract::Escrow, "EscrowOperator::summary", "escrow", id).await
    }

    /// An escrow's terms.
    ///
    /// # Errors
    /// As [`Market::request`].
    pub async fn terms(&self, id: u64) -> Result<Terms, Error> {
        self.find(Contract::Escrow, "Escrow::terms", "escrow", id).await
    }

    /// The decisions or votes that wait for others.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn votes(&self, escrow: u64) -> Result<Vec<Ballot>, Error> {
        self.read(Contract::Escrow, "Escrow::votes", &escrow).await
    }

    /// The evidence of both sides about a part.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn evidence(&self, escrow: u64, milestone: u8) -> Result<Vec<Evidence>, Error> {
        self.read(Contract::Escrow, "Escrow::evidence", &(escrow, milestone)).await
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
            let page = (escrow, from, missing.min(MAX_PAGE));
            let page: Vec<AuditEntry> = self.read(Contract::Escrow, "Escrow::audit", &page).await?;
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let start = AuditHead::start::<Native>(&self.file.genesis, &self.file.escrow, escrow);
        let recomputed = chain::<Native>(start, &entries).digest;
        Ok(Audit { entries, head: summary.audit_head, recomputed })
    }

    /// What an account can spend, and what the escrow contract holds of it.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn holdings(&self, owner: &Account) -> Result<Holdings, Error> {
        self.read(Contract::Escrow, "Escrow::holdings", &(owner, &self.file.token)).await
    }

    /// Points of an account.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn points(&self, account: &Account) -> Result<u32, Error> {
        self.read(Contract::Reputation, "Reputation::points", account).await
    }

    /// A view of the reputation contract, of any type.
    ///
    /// # Errors
    /// As [`Market::read`].
    pub async fn reputation<T: Decode>(&self, label: &str, args: &impl Encode) -> Result<T, Error> {
        self.read(Contract::Reputation, label, args).await
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
        let audit = Audit { entries: Vec::new(), head: [1; 32], recomputed: [2; 32] };
        assert!(!audit.holds());
    }
}

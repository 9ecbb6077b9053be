//! Acting on the market.

use crate::{Contract, Error, Market};
use cicada_chain::{account_of, CallOutcome, Signer};
use cicada_core::escrow::{Decision, Verdict};
use cicada_core::hash::Hash;
use cicada_core::market::{HandOver, Offer, Request};
use cicada_core::sla::QualityReport;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll};

/// A call that is final, and what it returned.
#[derive(Debug)]
pub struct Done<T> {
    /// What the message returned.
    pub value: T,
    /// Block, fee, events.
    pub outcome: CallOutcome,
}

/// The money of which job: by its assignment or by its escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscrowOrAssignment {
    /// The number of an escrow.
    Escrow(u64),
    /// The number of an assignment.
    Assignment(u64),
}

fn done<T: DecodeAll>(outcome: CallOutcome, label: &str) -> Result<Done<T>, Error> {
    let value = T::decode_all(&mut &outcome.returned[..]).map_err(|error| {
        Error::Other(format!("{label} returned something else than expected: {error}"))
    })?;
    Ok(Done { value, outcome })
}

impl Market {
    /// Sees to it that `signer` has permitted the market to act for him, and that the escrow
    /// contract may take `amount` more of his tokens. Says what was done, if anything was.
    ///
    /// # Errors
    /// As [`Market::call`]. So do all that follow.
    pub async fn permit(&self, signer: &Signer, amount: u128) -> Result<Vec<String>, Error> {
        let account = account_of(signer);
        let mut said = Vec::new();
        let operator = (&account, &self.file.auction);
        if !self.read::<bool>(Contract::Escrow, "EscrowOperator::is_operator", &operator).await? {
            let args = (&self.file.auction, true);
            self.call(Contract::Escrow, "EscrowOperator::set_operator", &args, signer).await?;
            said.push("permitted the market to run escrows for this account".into());
        }
        let spender = (&account, &self.file.escrow);
        let allowed: u128 = self.read(Contract::Token, "PSP22::allowance", &spender).await?;
        if allowed < amount {
            let args = (&self.file.escrow, amount);
            self.call(Contract::Token, "PSP22::approve", &args, signer).await?;
            let amount = cicada_amounts::plain_mmc(amount);
            said.push(format!("approved {amount} MMC for the escrow contract"));
        }
        Ok(said)
    }

    /// Places a request; gives its number.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn place_request(
        &self,
        terms: &Request,
        signer: &Signer,
    ) -> Result<Done<u64>, Error> {
        let label = "Auction::request";
        let done: Done<u64> =
            done(self.call(Contract::Auction, label, terms, signer).await?, label)?;
        Ok(self.numbered("RequestPlaced", done))
    }

    /// Places an offer; gives its number.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn place_offer(&self, terms: &Offer, signer: &Signer) -> Result<Done<u64>, Error> {
        let label = "Auction::offer";
        let done: Done<u64> =
            done(self.call(Contract::Auction, label, terms, signer).await?, label)?;
        Ok(self.numbered("OfferPlaced", done))
    }

    /// Gives an offer units of a request; gives the number of the assignment, or none if the
    /// accept waits in line.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn accept(
        &self,
        (request, offer): (u64, u64),
        units: u64,
        min_price: u128,
        signer: &Signer,
    ) -> Result<Done<Option<u64>>, Error> {
        let label = "Auction::accept";
        let args = (request, offer, units, min_price);
        let outcome = self.call(Contract::Auction, label, &args, signer).await?;
        let mut done: Done<Option<u64>> = done(outcome, label)?;
        // As in `numbered`.
        if let Some(id) = self.assigned(&done.outcome) {
            done.value = Some(id);
        }
        Ok(done)
    }

    /// With the number that the event says: the dry run's may have gone to somebody else.
    fn numbered(&self, event: &str, done: Done<u64>) -> Done<u64> {
        let value = self.emitted(event, &done.outcome).unwrap_or(done.value);
        Done { value, ..done }
    }

    /// The number of the assignment in the events of an accept.
    fn assigned(&self, outcome: &CallOutcome) -> Option<u64> {
        // Request, requester, provider, assignment.
        let (_, _, _, assignment): (u64, Account, Account, u64) =
            self.emitted("Assigned", outcome)?;
        Some(assignment)
    }

    /// The first fields of the market's event of this name, if the call emitted one.
    fn emitted<T: Decode>(&self, name: &str, outcome: &CallOutcome) -> Option<T> {
        let (auction, bundle) = self.at(Contract::Auction);
        let event = outcome
            .events
            .iter()
            .find(|event| event.contract == *auction && bundle.event_name(event) == Some(name))?;
        T::decode(&mut &event.data[..]).ok()
    }

    /// A message of the market about one assignment, such as `start`, `decline`, `finalize`.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn about(
        &self,
        message: &str,
        id: u64,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, &format!("Auction::{message}"), &id, signer).await
    }

    /// Hands a private payload over.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn hand_over(
        &self,
        assignment: u64,
        payload: &HandOver,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, "Auction::hand_over", &(assignment, payload), signer).await
    }

    /// Delivers a result.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn complete(
        &self,
        assignment: u64,
        result: &Hash,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, "Auction::complete", &(assignment, result), signer).await
    }

    /// Pays; with a report, less what it costs.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn settle(
        &self,
        assignment: u64,
        report: Option<&QualityReport>,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, "Auction::settle", &(assignment, report), signer).await
    }

    /// Gives 1 to 5 stars.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn feedback(
        &self,
        assignment: u64,
        stars: u8,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, "Auction::feedback", &(assignment, stars), signer).await
    }

    /// The number of the escrow.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn escrow_id(&self, of: EscrowOrAssignment) -> Result<u64, Error> {
        match of {
            EscrowOrAssignment::Escrow(id) => Ok(id),
            EscrowOrAssignment::Assignment(id) => Ok(self.assignment(id).await?.escrow),
        }
    }

    /// Decides about an escrow outside of a dispute.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn decide(
        &self,
        escrow: u64,
        decision: Decision,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Escrow, "Escrow::decide", &(escrow, decision), signer).await
    }

    /// Raises a dispute.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn dispute(
        &self,
        escrow: u64,
        evidence: &[Vec<u8>],
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Escrow, "Escrow::raise_dispute", &(escrow, evidence), signer).await
    }

    /// Votes in a dispute.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn vote(
        &self,
        escrow: u64,
        verdict: Verdict,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Escrow, "Escrow::vote", &(escrow, verdict), signer).await
    }

    /// Applies a deadline of an escrow that has passed.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn expire(&self, escrow: u64, signer: &Signer) -> Result<CallOutcome, Error> {
        self.call(Contract::Escrow, "Escrow::expire", &escrow, signer).await
    }

    /// Mints MMC; the signer must be a minter.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn mint(
        &self,
        to: &Account,
        amount: u128,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Token, "Supply::mint", &(to, amount), signer).await
    }
}

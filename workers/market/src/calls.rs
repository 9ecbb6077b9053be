//! Acting on the market.

use crate::{Contract, Error, Market};
use cicada_chain::{account_of, CallOutcome, Signer};
use cicada_core::escrow::{Decision, Part, State, Summary, Verdict};
use cicada_core::hash::Hash;
use cicada_core::market::{HandOver, Offer, Order, Request};
use cicada_core::sla::QualityReport;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll, Encode};

/// The event with the number of a request or an offer; its first field is an [`Order`].
const PLACED: &str = "OrderPlaced";
/// The event with the number of an assignment.
const ASSIGNED: &str = "Assigned";

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
        let why = format!("it returned something else than expected: {error}");
        cicada_chain::Error::unread(label, &outcome, why)
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
        let more = amount.saturating_sub(allowed);
        if more > 0 {
            // Added, not set: another program of this account may be doing the same.
            let args = (&self.file.escrow, more);
            self.call(Contract::Token, "PSP22::increase_allowance", &args, signer).await?;
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
        self.numbered(done, label)
    }

    /// Places an offer; gives its number.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn place_offer(&self, terms: &Offer, signer: &Signer) -> Result<Done<u64>, Error> {
        let label = "Auction::offer";
        let done: Done<u64> =
            done(self.call(Contract::Auction, label, terms, signer).await?, label)?;
        self.numbered(done, label)
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
        let done: Done<Option<u64>> = done(outcome, label)?;
        // Whether it waits is the dry run's answer too: the events say what happened.
        let value = self.assigned(&done.outcome);
        Ok(Done { value, ..done })
    }

    /// With the number that the event says: the dry run's may have gone to somebody else.
    fn numbered(&self, done: Done<u64>, label: &str) -> Result<Done<u64>, Error> {
        let placed: Option<Order> = self.emitted(PLACED, &done.outcome);
        let (Order::Request(value) | Order::Offer(value)) = placed.ok_or_else(|| {
            let why =
                format!("its event {PLACED} cannot be read: are the bundles those of this market?");
            cicada_chain::Error::unread(label, &done.outcome, why)
        })?;
        Ok(Done { value, ..done })
    }

    /// The number of the assignment in the events of an accept; none if it waits in line.
    fn assigned(&self, outcome: &CallOutcome) -> Option<u64> {
        // Request, requester, provider, assignment.
        let (_, _, _, assignment): (u64, Account, Account, u64) =
            self.emitted(ASSIGNED, outcome)?;
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

    /// The same for many assignments, in as few blocks as they fit. The outcomes stand in no order.
    ///
    /// # Errors
    /// As [`Market::call`], if nothing can be read or sent; each outcome as that of a call.
    pub async fn about_each(
        &self,
        message: &str,
        ids: &[u64],
        signer: &Signer,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let (account, bundle) = self.at(Contract::Auction);
        let label = format!("Auction::{message}");
        let (mut calls, mut outcomes) = (Vec::new(), Vec::new());
        for id in ids {
            match self.chain.prepare(account, bundle, &label, &id.encode(), signer).await {
                Ok(call) => calls.push(call),
                Err(error) if error.refusal().is_some() => outcomes.push(Err(error.into())),
                Err(error) => return Err(error.into()),
            }
        }
        let sent = self.chain.send_all(&calls, signer).await?;
        outcomes.extend(sent.into_iter().map(|sent| Ok(sent.map(|_| ())?)));
        Ok(outcomes)
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

    /// What a requester measured of a job in dispute.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn report(
        &self,
        assignment: u64,
        report: &QualityReport,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        self.call(Contract::Auction, "Auction::report", &(assignment, report), signer).await
    }

    /// Decides about the part of an escrow at which it was `seen`, outside of a dispute. If it
    /// stands at another part by then, the contract refuses.
    ///
    /// # Errors
    /// As [`Market::call`]. So do all that follow.
    pub async fn decide(
        &self,
        escrow: u64,
        seen: &Summary,
        decision: Decision,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let completed = seen.state == State::Completed;
        let part = Part { milestone: seen.milestone, completed };
        self.call(Contract::Escrow, "Escrow::decide", &(escrow, part, decision), signer).await
    }

    /// Raises a dispute over the part at which an escrow was `seen`.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn dispute(
        &self,
        escrow: u64,
        seen: &Summary,
        evidence: &[Vec<u8>],
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let args = (escrow, seen.milestone, evidence);
        self.call(Contract::Escrow, "Escrow::raise_dispute", &args, signer).await
    }

    /// Votes in the dispute over the part at which an escrow was `seen`.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn vote(
        &self,
        escrow: u64,
        seen: &Summary,
        verdict: Verdict,
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let args = (escrow, seen.milestone, verdict);
        self.call(Contract::Escrow, "Escrow::vote", &args, signer).await
    }

    /// Takes what waits for the signer at the escrow contract: what an arbitrator earned.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn claim(&self, signer: &Signer) -> Result<Done<u128>, Error> {
        let label = "Escrow::claim";
        done(self.call(Contract::Escrow, label, &self.file.token, signer).await?, label)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of events that are looked for are those of the built contract.
    #[test]
    fn every_event_that_is_looked_for_exists() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/bundles/auction.contract");
        let text = std::fs::read_to_string(path).unwrap();
        let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
        let events = metadata["spec"]["events"].as_array().unwrap();
        for (name, first) in [(PLACED, "order"), (ASSIGNED, "request")] {
            let event = events.iter().find(|event| event["label"] == name);
            let event = event.unwrap_or_else(|| panic!("there is no event {name}"));
            assert_eq!(event["args"][0]["label"], first, "{name}");
        }
    }
}

//! Acting on the market.

use crate::{Error, Market, MarketContracts};
use cicada_chain::{account_of, CallOutcome, Signer};
use cicada_contracts::types::AuctionError;
use cicada_contracts::{auction, escrow, token, Event, Message};
use cicada_core::escrow::{Decision, Part, State, Summary, Verdict};
use cicada_core::market::{Offer, Order, Request};
use cicada_core::Account;

/// A call that is final, and what it gave.
#[derive(Debug)]
pub struct Done<T> {
    /// What it gave, by the events of its own transaction: what the dry run answered may have gone
    /// to somebody else.
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

/// The first event of this kind that a contract emitted in the call's own transaction.
fn emitted<E: Event, T>(
    (contract, label): (&Account, &str),
    outcome: &CallOutcome<T>,
) -> Result<Option<E>, cicada_chain::Error> {
    let own = outcome.events.iter().filter(|event| event.contract == *contract);
    let mut found = own.filter_map(|event| event.read().transpose());
    found.next().transpose().map_err(|error| cicada_chain::Error::unread(label, outcome, error))
}

/// The same of one that must be there.
fn must_emit<E: Event, T>(
    of: (&Account, &str),
    outcome: &CallOutcome<T>,
) -> Result<E, cicada_chain::Error> {
    let missing = || {
        let why = format!("there is no event {} of it", E::NAME);
        cicada_chain::Error::unread(of.1, outcome, why)
    };
    emitted(of, outcome)?.ok_or_else(missing)
}

/// The number of a request or an offer that was placed.
fn placed<T>(of: (&Account, &str), outcome: &CallOutcome<T>) -> Result<u64, cicada_chain::Error> {
    let event: auction::events::OrderPlaced = must_emit(of, outcome)?;
    let (Order::Request(number) | Order::Offer(number)) = event.order;
    Ok(number)
}

/// The number of the assignment that an accept made; none if it waits in line.
fn assigned<T>(
    of: (&Account, &str),
    outcome: &CallOutcome<T>,
) -> Result<Option<u64>, cicada_chain::Error> {
    let event: Option<auction::events::Assigned> = emitted(of, outcome)?;
    Ok(event.map(|event| event.assignment))
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
        let MarketContracts { auction: market, escrow: contract, token: mmc, .. } = &self.at;
        if !self.read(contract, &escrow::is_operator(&account, market)).await? {
            self.call(contract, &escrow::set_operator(market, true), signer).await?;
            said.push("permitted the market to run escrows for this account".into());
        }
        let allowed = self.read(mmc, &token::allowance(&account, contract)).await?;
        let more = amount.saturating_sub(allowed);
        if more > 0 {
            // Added, not set: another program of this account may be doing the same.
            self.call(mmc, &token::increase_allowance(contract, more), signer).await?;
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
        self.place(&auction::request(terms), signer).await
    }

    /// Places an offer; gives its number.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn place_offer(&self, terms: &Offer, signer: &Signer) -> Result<Done<u64>, Error> {
        self.place(&auction::offer(terms), signer).await
    }

    async fn place(
        &self,
        order: &Message<u64, AuctionError>,
        signer: &Signer,
    ) -> Result<Done<u64>, Error> {
        let outcome = self.act(order, signer).await?;
        let value = placed((&self.at.auction, order.label()), &outcome)?;
        Ok(Done { value, outcome: outcome.without() })
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
        let message = auction::accept(request, offer, units, min_price);
        let outcome = self.act(&message, signer).await?;
        let value = assigned((&self.at.auction, message.label()), &outcome)?;
        Ok(Done { value, outcome: outcome.without() })
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
        self.call(&self.at.escrow, &escrow::decide(escrow, &part, &decision), signer).await
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
        let message = escrow::raise_dispute(escrow, seen.milestone, evidence);
        self.call(&self.at.escrow, &message, signer).await
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
        let message = escrow::vote(escrow, seen.milestone, &verdict);
        self.call(&self.at.escrow, &message, signer).await
    }

    /// Takes what waits for the signer at the escrow contract: what an arbitrator earned.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn claim(&self, signer: &Signer) -> Result<Done<u128>, Error> {
        let MarketContracts { escrow: contract, token, .. } = &self.at;
        let message = escrow::claim(token);
        let outcome = self.call(contract, &message, signer).await?;
        let claimed: escrow::events::Claimed = must_emit((contract, message.label()), &outcome)?;
        Ok(Done { value: claimed.amount, outcome: outcome.without() })
    }

    /// Applies a deadline of an escrow that has passed.
    ///
    /// # Errors
    /// As [`Market::call`].
    pub async fn expire(&self, escrow: u64, signer: &Signer) -> Result<CallOutcome, Error> {
        self.call(&self.at.escrow, &escrow::expire(escrow), signer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_chain::ContractEvent;
    use cicada_core::hash::Digest;
    use cicada_core::name::Name;
    use parity_scale_codec::Encode;

    const MARKET: Account = Account([6; 32]);
    const ACCEPT: (&Account, &str) = (&MARKET, "accept");
    const PLACE: (&Account, &str) = (&MARKET, "request");

    /// What a call did that the dry run answered with number 7.
    fn outcome(events: Vec<(Account, Digest, Vec<u8>)>) -> CallOutcome<u64> {
        let event = |(contract, topic, data)| ContractEvent {
            block: 3,
            block_hash: Digest([3; 32]),
            index: 0,
            contract,
            topics: vec![topic],
            data,
        };
        CallOutcome {
            block: 3,
            block_hash: Digest([3; 32]),
            transaction: Digest([9; 32]),
            gas_consumed: Default::default(),
            weight: Default::default(),
            fee: 0,
            returned: 7,
            events: events.into_iter().map(event).collect(),
        }
    }

    fn order_placed(contract: Account, order: Order) -> (Account, Digest, Vec<u8>) {
        let event = auction::events::OrderPlaced {
            order,
            owner: Account([1; 32]),
            task_type: Name::new("count").unwrap(),
            units: 5,
            price: 1,
            until_ms: 9,
        };
        (contract, auction::events::OrderPlaced::TOPIC, event.encode())
    }

    #[test]
    fn whoever_places_an_order_in_the_same_second_gets_the_number_of_his_own() {
        // Somebody else was quicker: 7 is his.
        let own = outcome(vec![
            order_placed(Account([8; 32]), Order::Request(7)),
            order_placed(MARKET, Order::Request(8)),
        ]);
        assert_eq!(placed(PLACE, &own).unwrap(), 8);
        let offer = outcome(vec![order_placed(MARKET, Order::Offer(3))]);
        assert_eq!(placed(PLACE, &offer).unwrap(), 3);
    }

    #[test]
    fn what_is_placed_and_cannot_be_read_is_done_and_not_repeated() {
        let (account, topic, mut data) = order_placed(MARKET, Order::Offer(3));
        data.pop();
        for events in [vec![], vec![(account, topic, data)]] {
            let error = placed(PLACE, &outcome(events)).unwrap_err();
            assert!(error.to_string().starts_with("request is done, in block 3"), "{error}");
        }
    }

    #[test]
    fn an_accept_waits_unless_its_own_transaction_assigned_something() {
        assert_eq!(assigned(ACCEPT, &outcome(vec![])).unwrap(), None);
        let event = auction::events::Assigned {
            request: 1,
            requester: Account([1; 32]),
            provider: Account([2; 32]),
            assignment: 8,
            offer: 4,
            escrow: 5,
            units: 6,
            price: 7,
        };
        let event = (MARKET, auction::events::Assigned::TOPIC, event.encode());
        assert_eq!(assigned(ACCEPT, &outcome(vec![event])).unwrap(), Some(8));
    }
}

//! What happened in a call, as the events of its transaction say.

use crate::{Error, Exchange};
use cicada_chain::CallOutcome;
use cicada_contracts::Event;

impl Exchange {
    /// The events of a kind that the exchange itself emitted in a transaction, in order.
    pub(crate) fn events<E: Event, T>(&self, outcome: &CallOutcome<T>) -> Result<Vec<E>, Error> {
        let own = outcome.events.iter().filter(|event| event.contract == self.account);
        let read: Result<_, _> = own.filter_map(|event| event.read().transpose()).collect();
        read.map_err(|error| cicada_chain::Error::unread("the call", outcome, error).into())
    }

    /// The event of a kind that a call cannot succeed without.
    pub(crate) fn event<E: Event, T>(&self, outcome: &CallOutcome<T>) -> Result<E, Error> {
        self.events(outcome)?.pop().ok_or_else(|| {
            let reason = format!("it has no event {}", E::NAME);
            cicada_chain::Error::unread("the call", outcome, reason).into()
        })
    }
}

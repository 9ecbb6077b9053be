//! The log of an escrow, and its digest, by the definition in the documentation.

use super::Deal;
use cicada_core::escrow::{Act, AuditEntry, Payout, State, Terms};
use cicada_core::hash::{tagged, Hash, Native, ZERO_HASH};
use cicada_core::Account;

/// The digest of a log of these entries.
pub fn head(escrow: u64, log: &[AuditEntry]) -> Hash {
    let mut digest = ZERO_HASH;
    for (index, entry) in (0u32..).zip(log) {
        let content = (digest, escrow, index, entry);
        digest = tagged::<Native>(b"cicada71/escrow-entry/v1", &content);
    }
    digest
}

/// The digest of terms.
pub fn of_terms(terms: &Terms) -> Hash {
    tagged::<Native>(b"cicada71/escrow-terms/v1", terms)
}

impl Deal {
    /// Writes down what somebody did and what it paid.
    pub(super) fn note(
        &mut self,
        actor: Account,
        act: &Act,
        from: State,
        time_ms: u64,
        (provider, requester): (u128, u128),
    ) {
        let paid = Payout { provider, requester };
        let detail = tagged::<Native>(b"cicada71/escrow-detail/v1", &(act, paid));
        let action = act.action();
        self.log.push(AuditEntry { actor, action, from, to: self.state, time_ms, detail });
    }
}

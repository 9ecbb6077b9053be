//! The log of an escrow, and its digest, by the definition in the documentation.

use super::Deal;
use cicada_core::escrow::{Act, AuditEntry, Payout, State, Terms};
use cicada_core::hash::{tagged, Digest, Native};
use cicada_core::Account;

/// Where the log of an escrow at this contract on this chain starts.
pub fn start(genesis: Digest, contract: Account, escrow: u64) -> Digest {
    tagged::<Native>(b"cicada71/escrow-log/v2", &(genesis, contract, escrow))
}

/// The digest of a log of these entries that starts there.
pub fn head(start: Digest, log: &[AuditEntry]) -> Digest {
    let mut digest = start;
    for (index, entry) in (0u32..).zip(log) {
        digest = tagged::<Native>(b"cicada71/escrow-entry/v2", &(digest, index, entry));
    }
    digest
}

/// The digest of terms.
pub fn of_terms(terms: &Terms) -> Digest {
    tagged::<Native>(b"cicada71/escrow-terms/v2", terms)
}

impl Deal {
    /// Writes down what somebody did and what it paid.
    pub(super) fn note(
        &mut self,
        actor: Account,
        act: &Act,
        from: State,
        time_ms: u64,
        (provider, requester, fee): (u128, u128, u128),
    ) {
        let paid = Payout { provider, requester, fee };
        let detail = tagged::<Native>(b"cicada71/escrow-detail/v3", &(act, paid));
        let action = act.action();
        self.log.push(AuditEntry { actor, action, from, to: self.state, time_ms, detail });
    }
}

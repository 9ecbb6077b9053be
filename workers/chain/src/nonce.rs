//! Which number the next transaction of an account carries.

use cicada_core::Account;
use std::collections::HashMap;

/// The numbers that this process gave to transactions of its accounts.
///
/// The node's own count includes the transactions waiting in its pool, but lags a moment behind; the
/// higher of the two is right, unless the node forgot a transaction of ours. Then a higher number
/// would wait for the missing one for ever, and no node says so: as soon as a transaction is not
/// watched any more without being final, [`Nonces::forget`] lets the node's count win. If the
/// transaction was not forgotten after all, the next one cannot be done beside it under its number.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    next: HashMap<Account, u64>,
}

impl Nonces {
    /// The number for the next transaction, given the node's count.
    pub(crate) fn take(&mut self, account: Account, on_node: u64) -> u64 {
        let next = self.next.entry(account).or_default();
        let nonce = on_node.max(*next);
        *next = nonce.saturating_add(1);
        nonce
    }

    /// Trusts the node's count again.
    pub(crate) fn forget(&mut self, account: &Account) {
        self.next.remove(account);
    }
}

/// Whether a node does not take a transaction because of its number alone: it took no notice of the
/// transaction, so the same call may be sent again under another number.
pub(crate) fn is_stale(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["outdated", "stale", "priority is too low"].iter().any(|sign| reason.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Account = Account([1; 32]);
    const B: Account = Account([2; 32]);

    #[test]
    fn numbers_go_up_even_when_the_node_lags() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.take(A, 5), 5);
        assert_eq!(nonces.take(A, 5), 6);
        assert_eq!(nonces.take(A, 6), 7);
    }

    #[test]
    fn a_transaction_sent_elsewhere_is_noticed() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.take(A, 5), 5);
        assert_eq!(nonces.take(A, 9), 9);
    }

    #[test]
    fn accounts_count_apart() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.take(A, 5), 5);
        assert_eq!(nonces.take(B, 0), 0);
    }

    #[test]
    fn a_forgotten_transaction_leaves_no_gap() {
        let mut nonces = Nonces::default();
        nonces.take(A, 5);
        nonces.take(A, 5);
        nonces.forget(&A);
        assert_eq!(nonces.take(A, 5), 5);
    }

    #[test]
    fn only_a_wrong_number_is_tried_again() {
        for stale in [
            "ServerError(1010): Invalid Transaction (Transaction is outdated)",
            "ServerError(1014): Priority is too low: (18 vs 18)",
        ] {
            assert!(is_stale(stale), "{stale}");
        }
        for other in [
            "Inability to pay some fees (e.g. account balance too low)",
            "Transaction would exhaust the block limits",
            "connection closed",
            // What is said of every transaction that has become invalid, whatever the cause.
            "Transaction is invalid (eg because of a bad nonce, signature etc)",
        ] {
            assert!(!is_stale(other), "{other}");
        }
    }
}

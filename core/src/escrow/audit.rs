//! The log of an escrow: one entry per change, each bound to the one before.

use super::{Act, Action, Payout, State, Terms};
use crate::hash::{tagged, Digest, Hasher};
use crate::Account;
use parity_scale_codec::{Decode, Encode};

const LOG_TAG: &[u8] = b"cicada71/escrow-log/v2";
const ENTRY_TAG: &[u8] = b"cicada71/escrow-entry/v2";
const DETAIL_TAG: &[u8] = b"cicada71/escrow-detail/v3";
const TERMS_TAG: &[u8] = b"cicada71/escrow-terms/v2";

/// One change of an escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AuditEntry {
    /// Who acted: the caller; for a signed decision, its signer.
    pub actor: Account,
    /// What he did.
    pub action: Action,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// The block's time, in milliseconds.
    pub time_ms: u64,
    /// [`detail`] of the act and of what it paid.
    pub detail: Digest,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AuditHead {
    /// The number of entries.
    pub len: u32,
    /// The digest of the newest; before the first, of chain, contract and escrow.
    pub digest: Digest,
}

impl AuditHead {
    /// Where no log starts yet.
    pub const NONE: Self = Self { len: 0, digest: Digest::ZERO };

    /// The log without entries of this escrow, at this contract, on the chain with this genesis
    /// hash: no two logs have a digest in common.
    pub fn start<H: Hasher>(genesis: &Digest, contract: &Account, escrow: u64) -> Self {
        Self { len: 0, digest: tagged::<H>(LOG_TAG, &(genesis, contract, escrow)) }
    }

    /// Appends an entry and gives its index.
    pub fn append<H: Hasher>(&mut self, entry: &AuditEntry) -> u32 {
        let index = self.len;
        self.digest = tagged::<H>(ENTRY_TAG, &(self.digest, index, entry));
        // Each entry is a paid transaction: nobody lives to see 2^32 of them.
        self.len = index.saturating_add(1);
        index
    }
}

/// The head of the log that starts with `head` and consists of these entries.
pub fn chain<H: Hasher>(mut head: AuditHead, entries: &[AuditEntry]) -> AuditHead {
    for entry in entries {
        head.append::<H>(entry);
    }
    head
}

/// Binds an entry to what was asked for and what was paid.
pub fn detail<H: Hasher>(act: &Act, payout: &Payout) -> Digest {
    tagged::<H>(DETAIL_TAG, &(act, payout))
}

/// The digest of terms.
pub fn terms_digest<H: Hasher>(terms: &Terms) -> Digest {
    tagged::<H>(TERMS_TAG, terms)
}

//! The log of an escrow: one entry per change, each bound to the one before.

use super::{Act, Action, Payout, State, Terms};
use crate::hash::{tagged, Hash, Hasher, ZERO_HASH};
use crate::Account;
use parity_scale_codec::{Decode, Encode};

const ENTRY_TAG: &[u8] = b"cicada71/escrow-entry/v1";
const DETAIL_TAG: &[u8] = b"cicada71/escrow-detail/v1";
const TERMS_TAG: &[u8] = b"cicada71/escrow-terms/v1";

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
    pub detail: Hash,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AuditHead {
    /// The number of entries.
    pub len: u32,
    /// The digest of the newest; [`ZERO_HASH`] before the first.
    pub digest: Hash,
}

impl AuditHead {
    /// A log without entries.
    pub const EMPTY: Self = Self { len: 0, digest: ZERO_HASH };

    /// Appends an entry to the log of `escrow` and gives its index.
    pub fn append<H: Hasher>(&mut self, escrow: u64, entry: &AuditEntry) -> u32 {
        let index = self.len;
        self.digest = tagged::<H>(ENTRY_TAG, &(self.digest, escrow, index, entry));
        // Each entry is a paid transaction: nobody lives to see 2^32 of them.
        self.len = index.saturating_add(1);
        index
    }
}

/// The head of the log that consists of these entries.
pub fn chain<H: Hasher>(escrow: u64, entries: &[AuditEntry]) -> AuditHead {
    let mut head = AuditHead::EMPTY;
    for entry in entries {
        head.append::<H>(escrow, entry);
    }
    head
}

/// Binds an entry to what was asked for and what was paid.
pub fn detail<H: Hasher>(act: &Act, payout: &Payout) -> Hash {
    tagged::<H>(DETAIL_TAG, &(act, payout))
}

/// The digest of terms.
pub fn terms_digest<H: Hasher>(terms: &Terms) -> Hash {
    tagged::<H>(TERMS_TAG, terms)
}

//! Accounts on the chain.

use core::fmt;
use parity_scale_codec::{Decode, Encode};

/// An account on the chain: the 32 bytes of its public key or contract address. As text it is its
/// address in SS58, with Substrate's general prefix 42.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Account(pub [u8; 32]);

impl Account {
    /// Thirty-two zero bytes, of which nobody has the key: "no account".
    pub const NOBODY: Self = Self([0; 32]);

    /// The account that another type of accounts means, such as that of a contract.
    pub fn of(id: &impl AsRef<[u8; 32]>) -> Self {
        Self(*id.as_ref())
    }
}

impl AsRef<[u8]> for Account {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hash::write_hex(&self.0, f)
    }
}

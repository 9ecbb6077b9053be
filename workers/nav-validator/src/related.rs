//! Accounts that belong together.

use cicada_core::hash::{Hash, Hasher, Native};
use cicada_core::Account;
use parity_scale_codec::Encode;
use std::collections::BTreeMap;

/// Groups of related accounts. All validators need the same, or their awards differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related(BTreeMap<Account, Account>);

impl Related {
    /// Groups are named by their lowest address; their order does not matter.
    ///
    /// # Errors
    /// The account that stands in two places.
    pub fn new(groups: &[Vec<Account>]) -> Result<Self, Account> {
        let mut of = BTreeMap::new();
        for group in groups {
            let Some(name) = group.iter().min() else {
                continue;
            };
            for account in group {
                if of.insert(*account, *name).is_some() {
                    return Err(*account);
                }
            }
        }
        Ok(Self(of))
    }

    /// The group of an account: its own, if it has no relations.
    pub fn group_of(&self, account: &Account) -> Account {
        *self.0.get(account).unwrap_or(account)
    }

    /// The same for the same groups: for people who compare configurations.
    pub fn digest(&self) -> Hash {
        Native::sha256(&self.0.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_one_name_and_strangers_their_own() {
        let related = Related::new(&[vec![[3; 32], [2; 32]], vec![]]).unwrap();
        let same = Related::new(&[vec![[2; 32], [3; 32]]]).unwrap();
        assert_eq!(related.group_of(&[3; 32]), [2; 32]);
        assert_eq!(related.group_of(&[2; 32]), [2; 32]);
        assert_eq!(related.group_of(&[9; 32]), [9; 32]);
        assert_eq!(related.digest(), same.digest());
        assert_ne!(related.digest(), Related::default().digest());
        assert_eq!(Related::new(&[vec![[1; 32]], vec![[1; 32]]]), Err([1; 32]));
    }
}

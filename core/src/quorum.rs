//! The family of quorums: how many of `n` nodes must agree.
//!
//! With at most `u` nodes that may be unresponsive, `r` of them liars, agreement needs
//! `n ≥ 2u + r + 1` and quorums of `q = n − u`: two quorums then share at least `r + 1`
//! nodes, one of them honest (the UpRight family). Quorum 12 with seven liars (requirement
//! 000-10) is not in the family: two quorums of 12 of 23 may share a single node, and it may
//! lie.

use parity_scale_codec::{Decode, Encode};

/// Nodes in the committee of the specification (requirement 000-10).
pub const COMMITTEE: u8 = 23;

/// The largest committee: the bitmap of signers has 32 bits.
pub const MAX_COMMITTEE: u8 = 32;

/// What kind of faults the consensus withstands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum FaultModel {
    /// Nodes may stop, none lies: a majority decides (12 of 23, survives 11 stopped).
    Crash,
    /// Nodes may lie: (16 of 23, safe and live with 7 liars).
    Byzantine,
}

/// A quorum system: `n` nodes of which `u` may fail to answer and `r` may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Quorum {
    n: u8,
    u: u8,
    r: u8,
}

impl Quorum {
    /// A quorum system, or `None` if it would be unsafe, or `n` is above [`MAX_COMMITTEE`],
    /// or there are more liars than faulty nodes.
    pub fn new(n: u8, u: u8, r: u8) -> Option<Self> {
        let needed = u16::from(u) * 2 + u16::from(r) + 1;
        (u16::from(n) >= needed && n <= MAX_COMMITTEE && r <= u).then_some(Self { n, u, r })
    }

    /// The system of `n` nodes that withstands most faults of the given kind; `None` if `n`
    /// is 0 or above [`MAX_COMMITTEE`].
    pub fn of(model: FaultModel, n: u8) -> Option<Self> {
        let spare = n.checked_sub(1)?;
        match model {
            FaultModel::Crash => Self::new(n, spare / 2, 0),
            FaultModel::Byzantine => Self::new(n, spare / 3, spare / 3),
        }
    }

    /// The number of nodes.
    pub fn n(&self) -> u8 {
        self.n
    }

    /// How many nodes may fail to answer.
    pub fn max_unresponsive(&self) -> u8 {
        self.u
    }

    /// How many nodes may lie.
    pub fn max_liars(&self) -> u8 {
        self.r
    }

    /// How many nodes must agree: `n − u`.
    pub fn size(&self) -> u8 {
        self.n.saturating_sub(self.u)
    }

    /// How many nodes surely include one honest one: `r + 1`.
    pub fn weak_size(&self) -> u8 {
        self.r.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_models_of_the_specification() {
        let crash = Quorum::of(FaultModel::Crash, COMMITTEE).unwrap();
        assert_eq!((crash.size(), crash.max_unresponsive(), crash.max_liars()), (12, 11, 0));
        let byzantine = Quorum::of(FaultModel::Byzantine, COMMITTEE).unwrap();
        assert_eq!((byzantine.size(), byzantine.max_liars()), (16, 7));
        assert_eq!(byzantine.weak_size(), 8);
        // The Byzantine quorum of the field: ⌊(n + f) / 2⌋ + 1.
        assert_eq!(byzantine.size(), (23 + 7) / 2 + 1);
    }

    #[test]
    fn the_pair_of_the_seed_is_unsafe() {
        assert_eq!(Quorum::new(23, 11, 7), None);
        assert_eq!(Quorum::new(23, 7, 8), None, "more liars than faulty nodes");
        assert!(Quorum::new(23, 9, 4).is_some(), "between the two models");
        assert_eq!(Quorum::of(FaultModel::Crash, 0), None);
        assert_eq!(Quorum::of(FaultModel::Crash, 33), None);
    }

    #[test]
    fn two_quorums_share_an_honest_node_and_a_quorum_can_answer() {
        for n in 1..=MAX_COMMITTEE {
            for u in 0..n {
                for r in 0..=u {
                    let Some(q) = Quorum::new(n, u, r) else {
                        continue;
                    };
                    assert!(2 * q.size() > n + r, "{q:?}");
                    assert!(q.size() <= n - u, "{q:?}");
                }
            }
        }
    }
}

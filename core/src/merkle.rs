//! The Merkle tree whose root a certificate carries.
//!
//! A leaf hashes as `SHA-256(0x00 ‖ leaf)`, an inner node as `SHA-256(0x01 ‖ left ‖ right)`;
//! an odd node moves up unchanged. The number of leaves is signed beside the root, which makes
//! the shape of the tree, and so the length of every proof, unambiguous.

use crate::hash::{Digest, Hasher};
use alloc::vec::Vec;

/// The hash of one leaf.
pub fn leaf_hash<H: Hasher>(leaf: &[u8]) -> Digest {
    let mut bytes = Vec::with_capacity(leaf.len().saturating_add(1));
    bytes.push(0);
    bytes.extend_from_slice(leaf);
    H::sha256(&bytes)
}

fn node_hash<H: Hasher>(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1u8; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    H::sha256(&bytes)
}

fn level_above<H: Hasher>(level: &[Digest]) -> Vec<Digest> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node_hash::<H>(left, right),
            [odd, ..] => *odd,
            [] => Digest::ZERO,
        })
        .collect()
}

/// The root over leaf hashes in their order; [`Digest::ZERO`] if there are none.
pub fn root<H: Hasher>(leaves: Vec<Digest>) -> Digest {
    let mut level = leaves;
    while level.len() > 1 {
        level = level_above::<H>(&level);
    }
    level.first().copied().unwrap_or(Digest::ZERO)
}

/// The proof of the leaf at `index`; `None` if there is no such leaf. For many proofs of one tree,
/// [`Tree`].
pub fn prove<H: Hasher>(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    Tree::new::<H>(leaves.to_vec()).prove(index)
}

/// A tree that is kept, for whoever proves many of its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// From the leaves to the root.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree of these leaves.
    pub fn new<H: Hasher>(leaves: Vec<Digest>) -> Self {
        let (mut levels, mut level) = (Vec::new(), leaves);
        while level.len() > 1 {
            let above = level_above::<H>(&level);
            levels.push(level);
            level = above;
        }
        levels.push(level);
        Self { levels }
    }

    /// Its root, as [`root`] gives it.
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or(Digest::ZERO)
    }

    /// The proof of the leaf at `index`: its siblings from the leaves upwards. `None` if there is
    /// no such leaf.
    pub fn prove(&self, index: usize) -> Option<Vec<Digest>> {
        self.levels.first()?.get(index)?;
        let mut proof = Vec::with_capacity(self.levels.len());
        let mut index = index;
        for level in &self.levels {
            proof.extend(level.get(index ^ 1));
            index /= 2;
        }
        Some(proof)
    }
}

/// Whether `leaf` is the leaf number `index` of the tree of `leaf_count` leaves under `root`.
///
/// A proof of the wrong length is refused, so a leaf has exactly one valid proof.
pub fn verify<H: Hasher>(
    root: &Digest,
    leaf_count: u32,
    index: u32,
    leaf: &Digest,
    proof: &[Digest],
) -> bool {
    if index >= leaf_count {
        return false;
    }
    let mut siblings = proof.iter();
    let (mut hash, mut index, mut width) = (*leaf, index, leaf_count);
    while width > 1 {
        let has_sibling = (index ^ 1) < width;
        if has_sibling {
            let Some(sibling) = siblings.next() else {
                return false;
            };
            hash = if index & 1 == 0 {
                node_hash::<H>(&hash, sibling)
            } else {
                node_hash::<H>(sibling, &hash)
            };
        }
        index /= 2;
        width = width.div_ceil(2);
    }
    siblings.next().is_none() && hash == *root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use proptest::prelude::*;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|i| leaf_hash::<Native>(&i.to_be_bytes())).collect()
    }

    #[test]
    fn small_trees_have_the_roots_of_their_definition() {
        let l = leaves(3);
        assert_eq!(root::<Native>(Vec::new()), Digest::ZERO);
        assert_eq!(Tree::new::<Native>(Vec::new()).root(), Digest::ZERO);
        assert_eq!(prove::<Native>(&[], 0), None);
        assert_eq!(root::<Native>(l[..1].to_vec()), l[0]);
        let two = node_hash::<Native>(&l[0], &l[1]);
        assert_eq!(root::<Native>(l[..2].to_vec()), two);
        assert_eq!(root::<Native>(l.clone()), node_hash::<Native>(&two, &l[2]));
    }

    #[test]
    fn a_leaf_cannot_pass_for_an_inner_node() {
        let l = leaves(2);
        let joined = [l[0].0, l[1].0].concat();
        assert_ne!(leaf_hash::<Native>(&joined), root::<Native>(l));
    }

    proptest! {
        #[test]
        fn every_leaf_is_proved_and_nothing_else(count in 1usize..70, pick: usize, flip: usize) {
            let leaves = leaves(count);
            let root = root::<Native>(leaves.clone());
            let index = pick % count;
            let at = u32::try_from(index).unwrap();
            let n = u32::try_from(count).unwrap();
            let proof = prove::<Native>(&leaves, index).unwrap();
            let tree = Tree::new::<Native>(leaves.clone());
            prop_assert_eq!(tree.root(), root);
            prop_assert_eq!(tree.prove(index), Some(proof.clone()));
            prop_assert_eq!(tree.prove(count), None);
            prop_assert!(verify::<Native>(&root, n, at, &leaves[index], &proof));
            // Another position, another leaf, a longer, a shorter and a damaged proof fail.
            let other = (at + 1) % n;
            if other != at {
                prop_assert!(!verify::<Native>(&root, n, other, &leaves[index], &proof));
            }
            prop_assert!(!verify::<Native>(&root, n, at, &Digest::ZERO, &proof));
            prop_assert!(!verify::<Native>(&root, n, n, &leaves[index], &proof));
            let mut longer = proof.clone();
            longer.push(Digest::ZERO);
            prop_assert!(!verify::<Native>(&root, n, at, &leaves[index], &longer));
            if let Some((_, shorter)) = proof.split_last() {
                prop_assert!(!verify::<Native>(&root, n, at, &leaves[index], shorter));
                let mut damaged = proof.clone();
                let place = flip % damaged.len();
                damaged[place].0[0] ^= 1;
                prop_assert!(!verify::<Native>(&root, n, at, &leaves[index], &damaged));
            }
        }
    }
}

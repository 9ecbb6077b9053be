//! How long messages between nodes may be: as long as a correct node makes them, and no longer.

use cicada_consensus::Config;

/// Bytes of the fixed fields of anything here, with room to spare.
const FRAME: usize = 4 * 1024;
/// Bytes of a signature.
const SIGNATURE: usize = 64;
/// Bytes of a claim: position, view, digest.
const CLAIM: usize = 48;
/// Bytes of a pledge or of a certificate without claims and signatures, with room to spare.
const HEAD: usize = 128;
/// The longest answer to a request for decided values, in bytes: half a MiB of entries, or one
/// that is longer.
const ENTRIES: usize = 2 * 1024 * 1024;

/// The longest messages, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest value, and what may surround it in a proposal of people.
    pub proposal: usize,
    /// The longest request of a node.
    pub request: usize,
    /// The longest answer of a node.
    pub answer: usize,
}

impl Limits {
    /// The limits that window, quorum and longest value of a node give.
    ///
    /// The longest request is a proposal with its justification: the pledges of a quorum, each
    /// with a claim for every position of the window, and the proofs of one lock for each of
    /// these and of the last decision. The longest answer is a pledge with locks and values.
    pub fn of(config: &Config) -> Self {
        let quorum = usize::from(config.quorum.size());
        let window = usize::try_from(config.window).unwrap_or(usize::MAX);
        let proof = HEAD.saturating_add(quorum.saturating_mul(SIGNATURE));
        let pledge = HEAD.saturating_add(window.saturating_mul(CLAIM));
        let locks = window.saturating_add(1).saturating_mul(proof);
        let value = config.max_value_len.saturating_add(FRAME);
        let sum = |parts: [usize; 3]| parts.into_iter().fold(0, usize::saturating_add);
        Self {
            proposal: value,
            request: sum([value, quorum.saturating_mul(pledge), locks]),
            answer: sum([window.saturating_mul(value), pledge, locks]).max(ENTRIES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
    use cicada_consensus::{Claim, Justification, Pledge, Proposal, Request};
    use cicada_core::hash::Digest;
    use cicada_core::quorum::{FaultModel, Quorum, COMMITTEE};
    use parity_scale_codec::Encode;

    fn proof(kind: Kind, position: u64) -> QuorumCertificate {
        let statement = Statement { kind, position, view: 9, digest: Digest([1; 32]) };
        QuorumCertificate { statement, signers: 0xffff, signatures: vec![[2; 64]; 16] }
    }

    #[test]
    fn the_longest_request_fits_and_little_else_does() {
        let quorum = Quorum::of(FaultModel::Byzantine, COMMITTEE).unwrap();
        let mut config = Config::new(0, quorum, quorum, 1, Digest::ZERO);
        for window in [1, 64, 256] {
            config.window = window;
            let claim = |position| Claim { position, view: 8, digest: Digest([3; 32]) };
            let pledge = |seat| Pledge {
                seat,
                view: 9,
                tip: 1,
                claims: (1..=window).map(claim).collect(),
                signature: [4; 64],
            };
            let justification = Justification {
                pledges: (0..16).map(pledge).collect(),
                tip: Some(proof(Kind::Committed, 1)),
                locks: (1..=window).map(|position| proof(Kind::Prepared, position)).collect(),
            };
            let value = vec![5; config.max_value_len];
            let proposal = Proposal { view: 9, position: 1, value, signature: [6; 64] };
            let longest = Request::Propose { proposal, justification: Some(justification) };
            let (length, limit) = (longest.encoded_size(), Limits::of(&config).request);
            assert!(length <= limit && limit < length * 5 / 4, "{length} {limit}");
        }
    }
}

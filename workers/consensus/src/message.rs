//! What nodes say to each other: every request has one answer.

use crate::types::{Ballot, Entry, Position, Value, Vote};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Hash;
use parity_scale_codec::{Decode, Encode};

/// A request of one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// Phase 1: promise me this ballot, and tell me your votes.
    Prepare {
        /// The leader's new ballot.
        ballot: Ballot,
        /// The first position that the leader does not know to be decided.
        from: Position,
    },
    /// Phase 2: vote for this value.
    Accept {
        /// The leader's ballot.
        ballot: Ballot,
        /// Where.
        position: Position,
        /// Where the value comes from; see [`Vote::since`].
        since: Ballot,
        /// The value; empty is a no-op.
        value: Value,
        /// The last position up to which the leader knows everything, and the digest of its
        /// value: a node that voted for it there learns that it is decided.
        tip: (Position, Hash),
    },
    /// This value is decided: attest its report.
    Decided {
        /// Where.
        position: Position,
        /// The digest of the value.
        digest: Hash,
    },
    /// This report is certified.
    Certified {
        /// Where.
        position: Position,
        /// Its certificate.
        certificate: Certificate,
    },
    /// Send me decided values and their certificates.
    Fetch {
        /// The first position wanted.
        from: Position,
        /// The most entries wanted.
        limit: u16,
    },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// To `Prepare`: no lower ballot will get a vote of mine.
    Promise {
        /// The ballot promised.
        ballot: Ballot,
        /// My votes at positions after `decided`.
        votes: Vec<Vote>,
        /// I know every decided value up to here.
        decided: Position,
    },
    /// To `Accept`: voted.
    Accepted {
        /// The ballot.
        ballot: Ballot,
        /// Where.
        position: Position,
    },
    /// To `Prepare` and `Accept`: a higher ballot has my promise.
    Outbid {
        /// That ballot.
        promised: Ballot,
    },
    /// To `Accept`: the value does not pass my check.
    Refused {
        /// The ballot.
        ballot: Ballot,
        /// Where.
        position: Position,
        /// Why, in words.
        reason: String,
    },
    /// To `Accept` and `Decided`: I lack values before this and am fetching them.
    Behind {
        /// I know every decided value up to here.
        decided: Position,
    },
    /// To `Decided`: my attestation of the report.
    Attested {
        /// Where.
        position: Position,
        /// The signature.
        signature: Signature,
    },
    /// To `Decided`: the value there has no report to attest.
    NothingToAttest {
        /// Where.
        position: Position,
    },
    /// To `Decided`: certified already.
    AlreadyCertified {
        /// Where.
        position: Position,
        /// The certificate.
        certificate: Certificate,
    },
    /// To `Certified`: noted.
    Noted,
    /// To `Fetch`: what I have, in order of positions.
    Entries {
        /// The entries.
        entries: Vec<Entry>,
        /// I know every decided value up to here.
        decided: Position,
    },
    /// To any request that no correct node sends.
    Invalid {
        /// Why, in words.
        reason: String,
    },
}

impl Request {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prepare { .. } => "prepare",
            Self::Accept { .. } => "accept",
            Self::Decided { .. } => "decided",
            Self::Certified { .. } => "certified",
            Self::Fetch { .. } => "fetch",
        }
    }
}

impl Answer {
    /// A short name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Promise { .. } => "promise",
            Self::Accepted { .. } => "accepted",
            Self::Outbid { .. } => "outbid",
            Self::Refused { .. } => "refused",
            Self::Behind { .. } => "behind",
            Self::Attested { .. } => "attested",
            Self::NothingToAttest { .. } => "nothing_to_attest",
            Self::AlreadyCertified { .. } => "already_certified",
            Self::Noted => "noted",
            Self::Entries { .. } => "entries",
            Self::Invalid { .. } => "invalid",
        }
    }
}

//! What nodes say to each other: every request has one answer.

use crate::byzantine::QuorumCertificate;
use crate::types::{Ballot, Entry, Position, Seat, Value, View, Vote};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use parity_scale_codec::{Decode, Encode};

/// A lock that a pledge names: what its signer last committed to at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Claim {
    /// Where.
    pub position: Position,
    /// In which view it was prepared by a quorum.
    pub view: View,
    /// The digest of the value.
    pub digest: Digest,
}

/// 1b, signed: no vote of mine in a view below this one, and these are my locks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Pledge {
    /// Whose pledge it is.
    pub seat: Seat,
    /// The view.
    pub view: View,
    /// Everything up to here is decided, as the signer knows.
    pub tip: Position,
    /// The signer's locks after `tip`, in ascending order of positions.
    pub claims: Vec<Claim>,
    /// ed25519 over the statement.
    pub signature: Signature,
}

/// Why the leader of a view may propose what it proposes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Justification {
    /// The pledges of a quorum, in ascending order of seats.
    pub pledges: Vec<Pledge>,
    /// The proof of the furthest decision that any of them names; none if that is 0.
    pub tip: Option<QuorumCertificate>,
    /// The proofs of the highest lock at each position.
    pub locks: Vec<QuorumCertificate>,
}

/// 1c, signed: a leader's proposal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Proposal {
    /// The view that it leads.
    pub view: View,
    /// Where.
    pub position: Position,
    /// The value; empty is a no-op.
    pub value: Value,
    /// ed25519 over the statement.
    pub signature: Signature,
}

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
        tip: (Position, Digest),
    },
    /// This value is decided: attest its report.
    Decided {
        /// Where.
        position: Position,
        /// The digest of the value.
        digest: Digest,
        /// Byzantine: what proves it.
        proof: Option<QuorumCertificate>,
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
    /// Byzantine, 1a: I lead this view, pledge.
    Lead {
        /// The view.
        view: View,
        /// The timeouts of a quorum, which end the view before.
        entered: QuorumCertificate,
    },
    /// Byzantine, 1c: prepare this value.
    Propose {
        /// The proposal.
        proposal: Proposal,
        /// Why it may be proposed; only for those who may not know it yet.
        justification: Option<Justification>,
    },
    /// Byzantine: a quorum prepared this, commit.
    Commit {
        /// The certificate.
        certificate: QuorumCertificate,
        /// The value; only for those who may not have it.
        value: Option<Value>,
    },
    /// Byzantine: nothing moves, let us go on to this view.
    Timeout {
        /// The view that I wish to enter.
        view: View,
        /// ed25519 over the statement.
        signature: Signature,
        /// What let me enter the view that I am in.
        entered: Option<QuorumCertificate>,
    },
    /// Propose this value; in the Byzantine form: or see to it that the leader does.
    Suggest {
        /// The value.
        value: Value,
    },
    /// Phase 0: would you promise me this ballot? Nothing changes by it.
    PreVote {
        /// The ballot.
        ballot: Ballot,
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
    /// To `PreVote`, `Prepare` and `Accept`: a higher ballot has my promise.
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
    /// To `Certified`, `Timeout` and `Suggest`: noted.
    Noted,
    /// To `Fetch`: what I have, in order of positions.
    Entries {
        /// The entries.
        entries: Vec<Entry>,
        /// I know every decided value up to here.
        decided: Position,
    },
    /// To `Lead`: my pledge, and what proves it.
    Pledged {
        /// The pledge.
        pledge: Pledge,
        /// The proof of its tip.
        tip: Option<QuorumCertificate>,
        /// The proofs of its claims.
        locks: Vec<QuorumCertificate>,
        /// The values of its claims.
        values: Vec<(Position, Value)>,
    },
    /// To `Propose`: prepared (2av).
    Prepared {
        /// The view.
        view: View,
        /// Where.
        position: Position,
        /// ed25519 over the statement.
        signature: Signature,
    },
    /// To `Propose`: I do not know yet why this view's leader may propose it.
    Unjustified {
        /// The view.
        view: View,
    },
    /// To `Commit`: committed (2b).
    Committed {
        /// The view.
        view: View,
        /// Where.
        position: Position,
        /// ed25519 over the statement.
        signature: Signature,
    },
    /// To `Commit`: I do not have the value.
    Lacking {
        /// The view.
        view: View,
        /// Where.
        position: Position,
    },
    /// To `Lead`, `Propose`, `Commit` and `Timeout` of a view that is over: I am here.
    View {
        /// The view that I am in.
        view: View,
        /// What let me enter it.
        entered: Option<QuorumCertificate>,
        /// I know every decided value up to here.
        decided: Position,
    },
    /// To `Timeout` of a view that is over here, where nothing is kept that proves it: the same
    /// wish, to complete a quorum.
    Wish {
        /// The view.
        view: View,
        /// ed25519 over the statement.
        signature: Signature,
    },
    /// To `Suggest`: the value does not pass my check.
    Unwanted {
        /// The digest of the value.
        digest: Digest,
        /// Why, in words.
        reason: String,
    },
    /// To any request that no correct node sends.
    Invalid {
        /// Why, in words.
        reason: String,
    },
    /// To `PreVote`: yes.
    PreVoted {
        /// The ballot.
        ballot: Ballot,
    },
    /// To `PreVote`: no, the leader of the ballot that has my promise works.
    Following {
        /// That ballot.
        promised: Ballot,
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
            Self::Lead { .. } => "lead",
            Self::Propose { .. } => "propose",
            Self::Commit { .. } => "commit",
            Self::Timeout { .. } => "timeout",
            Self::Suggest { .. } => "suggest",
            Self::PreVote { .. } => "pre_vote",
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
            Self::Pledged { .. } => "pledged",
            Self::Prepared { .. } => "prepared",
            Self::Unjustified { .. } => "unjustified",
            Self::Committed { .. } => "committed",
            Self::Lacking { .. } => "lacking",
            Self::View { .. } => "view",
            Self::Wish { .. } => "wish",
            Self::Unwanted { .. } => "unwanted",
            Self::Invalid { .. } => "invalid",
            Self::PreVoted { .. } => "pre_voted",
            Self::Following { .. } => "following",
        }
    }
}

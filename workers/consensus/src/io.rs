//! What goes into a node and what comes out of it, and what its embedder provides.

use crate::byzantine::Contradiction;
use crate::epoch::Successor;
use crate::message::{Answer, Request};
use crate::types::{Position, Record, Seat, Value};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use cicada_core::report::Report;
use std::collections::{BTreeMap, BTreeSet};

/// The two clocks of a step, both in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Never goes back: for timers.
    pub timer_ms: u64,
    /// Since 1970: for the checks of values.
    pub wall_ms: u64,
}

/// Something that happens to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed. To come every few dozen milliseconds.
    Tick,
    /// Another node asks. Exactly one [`Output::Answer`] comes back from the same step.
    Request {
        /// Who asks; the embedder has verified it.
        from: Seat,
        /// What.
        request: Request,
    },
    /// Another node answers a request of this node.
    Answer {
        /// Who answers; the embedder has verified it.
        from: Seat,
        /// What.
        answer: Answer,
    },
    /// Get this value decided and certified. [`Output::Finished`] with the same ticket comes
    /// once, at the latest a tick after the deadline.
    Propose {
        /// Names the proposal; unique while it is pending.
        ticket: u64,
        /// The value; not empty.
        value: Value,
        /// When to give up, on the timer's clock. The value may be decided later all the same.
        deadline_ms: u64,
    },
    /// Try again now to get everything certified that is decided.
    Certify,
}

/// What the embedder must do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make these durable before any later output takes effect, of this step or a later one.
    Persist(Vec<Record>),
    /// Send a request to some nodes. May be lost.
    Send {
        /// To whom.
        to: Vec<Seat>,
        /// What.
        request: Request,
    },
    /// The answer to the request of this step.
    Answer(Answer),
    /// A proposal of this node has come to its end.
    Finished {
        /// Which one.
        ticket: u64,
        /// How.
        outcome: Outcome,
    },
    /// A value was applied here.
    Applied {
        /// Where.
        position: Position,
    },
    /// The report at this position is certified, as far as this node knows only now.
    Certified {
        /// Where.
        position: Position,
    },
    /// Byzantine: a node has signed what no correct node signs. To be kept for `audit`.
    Contradiction(Contradiction),
    /// A rule of the protocol was broken around this node, by damage or by a liar: it must
    /// stop. Later inputs are ignored.
    Halt {
        /// What was seen.
        reason: String,
    },
}

/// The end of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Decided and certified.
    Certified {
        /// Where in the log.
        position: Position,
        /// Who promised the ballot, as far as this node led it.
        promised: BTreeSet<Seat>,
        /// Who voted, as far as this node counted.
        accepted: BTreeSet<Seat>,
    },
    /// Decided, but there is nothing to certify: the application passed over it.
    PassedOver {
        /// Where in the log.
        position: Position,
    },
    /// This node does not propose it.
    Refused(Refusal),
    /// This node has too many proposals waiting.
    Busy,
    /// Not decided, or not certified, until the deadline; or it never can be.
    Failed {
        /// Where it was decided, if it was.
        decided: Option<Position>,
        /// Who did not answer, or did not attest.
        missing: BTreeSet<Seat>,
        /// Who does not accept the value, and why.
        refusals: BTreeMap<Seat, String>,
    },
}

/// Why a value is not valid, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// What a node shall attest for a decided value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationRequest {
    /// The message to sign.
    pub message: Digest,
    /// The report that it is about.
    pub report: Report,
}

/// What the log is for: checks values and applies them in order.
pub trait Application {
    /// Whether this node, by its own observation, finds the value valid, and whether it follows those
    /// applied and fits the clock. Runs before every vote for a value that the leader was free to
    /// choose. An adopted one is not refused, so nothing is asked about it;
    /// if it no longer follows, [`Self::apply`] passes over it.
    ///
    /// # Errors
    /// A [`Refusal`] with the reason; it goes back to the proposer.
    fn check(&self, value: &[u8], now: Now) -> Result<(), Refusal>;

    /// Whether this node would propose the value itself, now, and waits for it while another leads.
    /// At least as strict as [`Self::check`].
    ///
    /// # Errors
    /// A [`Refusal`] with the reason; it goes back to whoever suggests the value.
    fn wants(&self, value: &[u8], now: Now) -> Result<(), Refusal> {
        self.check(value, now)
    }

    /// Learns that the report at a position is certified. Nothing in [`Self::apply`] may depend on
    /// it.
    fn certified(&mut self, position: Position) {
        let _ = position;
    }

    /// Takes the next decided value. Depends on nothing but the values before it. `None` if
    /// there is nothing to attest; so too for a value that does not follow its predecessors.
    fn apply(&mut self, position: Position, value: &[u8]) -> Option<AttestationRequest>;

    /// Whether the value just applied is the last of its epoch, and who follows. Asked after
    /// every [`Self::apply`], with its position, in the Byzantine form only. Like it, depends on
    /// nothing but the values up to there: that all nodes end the epoch at one position rests
    /// on it.
    fn successor(&self, position: Position) -> Option<Successor> {
        let _ = position;
        None
    }
}

/// The two keys of a node, and everybody's public ones.
pub trait Keys {
    /// Attests with this node's sr25519 key: for contracts.
    fn attest(&self, message: &Digest) -> Signature;

    /// Verifies an attestation of a seat.
    fn verify_attestation(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool;

    /// Whether all signatures of a certificate are attestations of its seats. The caller has
    /// checked its form: as many signatures as seats.
    ///
    /// An embedder may verify them as one batch if that says the same as one by one. It does for
    /// sr25519, whose group has no cofactor: all verifiers agree about each signature. Statements
    /// have nothing like it: a batch of ed25519 signatures passes some that the strict
    /// verification refuses, so nodes would differ about what is genuine.
    fn verify_certificate(&self, certificate: &Certificate, message: &Digest) -> bool {
        let mut shares = certificate.seats().zip(&certificate.signatures);
        shares.all(|(seat, share)| self.verify_attestation(seat, message, share))
    }

    /// Signs a statement with this node's ed25519 key: for the other nodes.
    fn sign(&self, message: &Digest) -> Signature;

    /// Verifies a statement's signature of a seat.
    fn verify(&self, seat: Seat, message: &Digest, signature: &Signature) -> bool;

    /// Verifies a statement's signature of a seat of an earlier epoch. Who knows none believes
    /// none.
    fn verify_earlier(&self, epoch: u32, seat: Seat, message: &Digest, sig: &Signature) -> bool {
        let _ = (epoch, seat, message, sig);
        false
    }

    /// Verifies an attestation of a seat of an earlier epoch. Who knows none believes none.
    fn verify_earlier_attestation(
        &self,
        epoch: u32,
        seat: Seat,
        message: &Digest,
        signature: &Signature,
    ) -> bool {
        let _ = (epoch, seat, message, signature);
        false
    }
}

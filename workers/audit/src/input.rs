//! Reads what nodes serve and write.
//!
//! A file is one JSON value or one per line; an array stands for its elements. What a value is
//! shows in its fields:
//!
//! | fields | what it is |
//! |---|---|
//! | `slot`, `digest`, `proposal`, `certificate` | an element of a node's `GET /paxos/certificates` |
//! | `seat`, `first`, `second` | a line of a node's `contradictions.jsonl` |
//! | `type`, `hex` | SCALE: see [`Item`] for the types |
//! | `format`, `charges` | an evidence file of this tool: the `proof` of each charge |
//!
//! Hexadecimal digits may have `0x` before them.

use crate::pool::{Pool, Rejection};
use crate::verifier::Verifier;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{Justification, Pledge, Seat};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::evidence::Equivocation;
use cicada_core::report::Report;
use cicada_node_api::{Contradiction, Decided, Opaque, Said, Scale};
use parity_scale_codec::Decode;
use serde::Deserialize;
use serde_json::Value;

/// One thing that nodes signed, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Two statements of one seat.
    Contradiction {
        /// Whose.
        seat: Seat,
        /// Both, with their signatures.
        statements: [(Statement, Signature); 2],
    },
    /// `statement`: one statement of a seat.
    Statement(Seat, Statement, Signature),
    /// `quorum_certificate`.
    QuorumCertificate(QuorumCertificate),
    /// `pledge`.
    Pledge(Pledge),
    /// `justification`.
    Justification(Justification),
    /// `attestation`: one seat's attestation of a report.
    Attestation(Seat, Report, Signature),
    /// A report with its certificate.
    Report(Report, Certificate),
    /// `equivocation`: two attestations.
    Equivocation(Equivocation),
}

impl Item {
    /// Verifies it and adds it to a pool.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn add_to<V: Verifier>(&self, pool: &mut Pool<'_, V>) -> Result<(), Rejection> {
        match self {
            Self::Contradiction { seat, statements: [first, second] } => {
                pool.add_statement(*seat, first.0, first.1)?;
                pool.add_statement(*seat, second.0, second.1)
            }
            Self::Statement(seat, statement, signature) => {
                pool.add_statement(*seat, *statement, *signature)
            }
            Self::QuorumCertificate(certificate) => pool.add_certificate(certificate),
            Self::Pledge(pledge) => pool.add_pledge(pledge),
            Self::Justification(justification) => pool.add_justification(justification),
            Self::Attestation(seat, report, signature) => {
                pool.add_attestation(*seat, *report, *signature)
            }
            Self::Report(report, certificate) => pool.add_report(*report, certificate),
            Self::Equivocation(evidence) => pool.add_evidence(evidence),
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What could be read.
    pub items: Vec<Item>,
    /// Reports that are not certified yet, so that nobody's signature is known.
    pub uncertified: usize,
    /// What could not be read, and why, in words that name the place.
    pub unreadable: Vec<String>,
}

/// Reads a file's text. A line that cannot be read is noted, not fatal: a node that was
/// stopped may leave half a line.
pub fn read(text: &str) -> Contents {
    let mut contents = Contents::default();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => take(&value, "", &mut contents),
        Err(_) => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            for (index, line) in lines {
                let place = format!("line {}: ", index.saturating_add(1));
                match serde_json::from_str(line) {
                    Ok(value) => take(&value, &place, &mut contents),
                    Err(error) => contents.unreadable.push(format!("{place}no JSON: {error}")),
                }
            }
        }
    }
    contents
}

fn take(value: &Value, place: &str, contents: &mut Contents) {
    match elements(value) {
        Some(elements) => {
            for (index, element) in elements.into_iter().enumerate() {
                let place = format!("{place}element {}: ", index.saturating_add(1));
                take(element, &place, contents);
            }
        }
        None => match item(value) {
            Ok(Some(item)) => contents.items.push(item),
            Ok(None) => contents.uncertified = contents.uncertified.saturating_add(1),
            Err(reason) => contents.unreadable.push(format!("{place}{reason}")),
        },
    }
}

// The parts of a list, or the proofs in an evidence file.
fn elements(value: &Value) -> Option<Vec<&Value>> {
    if let Some(charges) = value.get("charges").and_then(Value::as_array) {
        let proofs = charges.iter().filter_map(|charge| charge.get("proof")?.as_array());
        return Some(proofs.flatten().collect());
    }
    value.as_array().map(|elements| elements.iter().collect())
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
    hex: String,
}

fn item(value: &Value) -> Result<Option<Item>, String> {
    let has = |field: &str| value.get(field).is_some();
    if has("type") && has("hex") {
        let Typed { kind, hex } = fields(value)?;
        return scale_item(&kind, &hex).map(Some);
    }
    if has("first") && has("second") {
        let Contradiction { seat, first, second } = fields(value)?;
        let statements = [statement(&first)?, statement(&second)?];
        return Ok(Some(Item::Contradiction { seat, statements }));
    }
    if has("proposal") && has("certificate") {
        // Slot and digest beside them are for people: the signatures are under the report.
        let Decided::<Opaque> { proposal: Scale(value), certificate, .. } = fields(value)?;
        let report =
            value.report().map_err(|error| format!("proposal cannot be decoded: {error}"))?;
        return Ok(certificate.map(|Scale(certificate)| Item::Report(report, certificate)));
    }
    Err("neither a certificate, a contradiction, nor {\"type\", \"hex\"}".into())
}

fn scale_item(kind: &str, hex: &str) -> Result<Item, String> {
    Ok(match kind {
        "quorum_certificate" => Item::QuorumCertificate(decode(kind, hex)?),
        "pledge" => Item::Pledge(decode(kind, hex)?),
        "justification" => Item::Justification(decode(kind, hex)?),
        "equivocation" => Item::Equivocation(decode(kind, hex)?),
        "statement" => {
            let (seat, statement, signature) = decode(kind, hex)?;
            Item::Statement(seat, statement, signature)
        }
        "attestation" => {
            let (seat, report, signature) = decode(kind, hex)?;
            Item::Attestation(seat, report, signature)
        }
        other => {
            return Err(format!(
                "unknown type {other:?}: expected quorum_certificate, pledge, justification, \
                 statement, attestation or equivocation"
            ))
        }
    })
}

fn statement(said: &Said) -> Result<(Statement, Signature), String> {
    let kind = match said.kind.to_ascii_lowercase().as_str() {
        "proposal" => Kind::Proposal,
        "prepared" => Kind::Prepared,
        "committed" => Kind::Committed,
        other => return Err(format!("kind {other:?}: expected proposal, prepared, committed")),
    };
    let Said { position, view, digest: Scale(digest), signature: Scale(signature), .. } = *said;
    Ok((Statement { kind, position, view, digest }, signature))
}

fn fields<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

fn decode<T: Decode>(what: &str, digits: &str) -> Result<T, String> {
    let decoded: Result<Scale<T>, _> = digits.parse();
    decoded.map(|Scale(value)| value).map_err(|error| format!("{what} {error}"))
}

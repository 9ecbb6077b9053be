//! The table for people and the evidence file.

use crate::charge::{Charge, Signed, Verdicts};
use cicada_consensus::{Pledge, Seat};
use cicada_core::evidence::Equivocation;
use cicada_core::hash::Native;
use cicada_core::report::Report;
use cicada_core::Account;
use cicada_network::Network;
use cicada_node_api::Scale;
use parity_scale_codec::Encode;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

/// The format of evidence files.
pub const FORMAT: &str = "cicada71/evidence/v1";

const FOR_CHAIN: &str = "a contract can verify it: submit `scale` of `chain`";
const FOR_PEOPLE: &str = "for people and for the committee's own vote: these signatures are \
                          ed25519, which no host function of the chain verifies";

/// An evidence file.
#[derive(Debug, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// [`FORMAT`].
    pub format: String,
    /// The contract of the validators.
    pub validators: Scale<Account>,
    /// Each charge.
    pub charges: Vec<Entry>,
    /// What is for people.
    #[serde(flatten)]
    pub more: Value,
}

/// A charge in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What a contract can verify, if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<ForChain>,
    /// What is for people and for [`input`](crate::input).
    #[serde(flatten)]
    pub more: Value,
}

/// Two attestations of one slot.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForChain {
    /// [`Equivocation`], in hexadecimal SCALE.
    pub scale: String,
    /// What is for people.
    #[serde(flatten)]
    pub more: Value,
}

/// One line per charge: seat, operator, charge, where.
pub fn table(verdicts: &Verdicts, network: &Network) -> String {
    let mut rows = vec![["seat", "operator", "charge", "where"].map(String::from)];
    for (seat, charge) in charges(verdicts) {
        let [operator, what] = [operator(network, seat), charge.what().into()];
        rows.push([seat.to_string(), operator, what, charge.to_string()]);
    }
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// All charges with what proves them, as an [`EvidenceFile`]. `audit` itself reads the whole file and
/// comes to the same verdicts.
pub fn evidence(verdicts: &Verdicts, network: &Network) -> Value {
    let charges = charges(verdicts).map(|(seat, charge)| Entry {
        chain: charge.for_chain().map(|found| for_chain(found, network)),
        more: json!({
            "seat": seat,
            "operator": operator(network, seat),
            "charge": charge.name(),
            "what": charge.what(),
            "where": charge.to_string(),
            "use": if charge.for_chain().is_some() { FOR_CHAIN } else { FOR_PEOPLE },
            "proof": proof(seat, charge),
        }),
    });
    json!(EvidenceFile {
        format: FORMAT.into(),
        validators: Scale(network.validators()),
        charges: charges.collect(),
        more: json!({ "epoch": network.epoch, "config_digest": network.config_digest() }),
    })
}

fn charges(verdicts: &Verdicts) -> impl Iterator<Item = (Seat, &Charge)> {
    verdicts.iter().flat_map(|(seat, charges)| charges.iter().map(|charge| (*seat, charge)))
}

fn operator(network: &Network, seat: Seat) -> String {
    let node = network.nodes.get(usize::from(seat));
    node.map_or_else(|| "unknown".into(), |node| Scale(node.operator).to_string())
}

fn for_chain(found: &Equivocation, network: &Network) -> ForChain {
    let key = network.nodes.get(usize::from(found.seat)).map(|node| Scale(node.attestation_key));
    ForChain {
        scale: Scale(found).to_string(),
        more: json!({
            "digest": found.digest::<Native>(),
            "epoch": found.epoch,
            "seat": found.seat,
            "attestation_key": key,
            "feed": {
                "kind": found.first.feed.kind.name(),
                "contract": Scale(found.first.feed.contract),
            },
            "slot": found.first.slot,
            "first": report(&found.first),
            "second": report(&found.second),
        }),
    }
}

fn report(report: &Report) -> Value {
    json!({
        "digest": report.digest::<Native>(),
        "previous": report.previous,
        "time_ms": report.time_ms,
        "leaf_count": report.leaf_count,
        "root": report.root,
    })
}

fn proof(seat: Seat, charge: &Charge) -> Value {
    let signed = |s: &Signed| scale("statement", (seat, s.statement, s.signature));
    let pledge = |pledge: &Pledge| scale("pledge", pledge);
    match charge {
        Charge::Equivocation { first, second } => json!([signed(first), signed(second)]),
        Charge::HiddenLock { committed, pledge: p } => json!([signed(committed), pledge(p)]),
        Charge::DroppedLock { earlier, later, .. } => json!([pledge(earlier), pledge(later)]),
        Charge::DoubleAttestation(found) => json!([scale("equivocation", found)]),
    }
}

fn scale(kind: &str, value: impl Encode) -> Value {
    json!({ "type": kind, "hex": Scale(value) })
}

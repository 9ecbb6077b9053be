//! The table for people and the evidence file.

use crate::charge::{feed_name, Charge, Signed, Verdicts};
use cicada_consensus::{Pledge, Seat};
use cicada_core::evidence::Equivocation;
use cicada_core::hash::Native;
use cicada_core::report::Report;
use cicada_network::Network;
use parity_scale_codec::Encode;
use serde_json::{json, Value};

/// The format of evidence files that this code writes.
pub const FORMAT: &str = "cicada71/evidence/v1";

const FOR_CHAIN: &str = "a contract can verify it: submit `scale` of `chain`";
const FOR_PEOPLE: &str = "for people and for the committee's own vote: these signatures are \
                          ed25519, which no host function of the chain verifies";

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

/// All charges with what proves them. A contract takes `chain.scale` of those that have it;
/// `audit` itself reads the whole file and comes to the same verdicts.
pub fn evidence(verdicts: &Verdicts, network: &Network) -> Value {
    let charges = charges(verdicts).map(|(seat, charge)| {
        let mut entry = json!({
            "seat": seat,
            "operator": operator(network, seat),
            "charge": charge.name(),
            "what": charge.what(),
            "where": charge.to_string(),
            "use": if charge.for_chain().is_some() { FOR_CHAIN } else { FOR_PEOPLE },
            "proof": proof(seat, charge),
        });
        if let (Some(found), Some(entry)) = (charge.for_chain(), entry.as_object_mut()) {
            entry.insert("chain".into(), for_chain(found, network));
        }
        entry
    });
    json!({
        "format": FORMAT,
        "epoch": network.epoch,
        "config_digest": hex0x(&network.config_digest()),
        "validators": hex0x(&network.chain.validators),
        "charges": charges.collect::<Vec<Value>>(),
    })
}

fn charges(verdicts: &Verdicts) -> impl Iterator<Item = (Seat, &Charge)> {
    verdicts.iter().flat_map(|(seat, charges)| charges.iter().map(|charge| (*seat, charge)))
}

fn operator(network: &Network, seat: Seat) -> String {
    let node = network.nodes.get(usize::from(seat));
    node.map_or_else(|| "unknown".into(), |node| hex0x(&node.operator))
}

fn for_chain(found: &Equivocation, network: &Network) -> Value {
    let key = network.nodes.get(usize::from(found.seat)).map(|node| hex0x(&node.attestation_key));
    json!({
        "scale": hex0x(&found.encode()),
        "digest": hex0x(&found.digest::<Native>()),
        "epoch": found.epoch,
        "seat": found.seat,
        "attestation_key": key,
        "feed": {
            "kind": feed_name(found.first.feed.kind),
            "contract": hex0x(&found.first.feed.contract),
        },
        "slot": found.first.slot,
        "first": report(&found.first),
        "second": report(&found.second),
    })
}

fn report(report: &Report) -> Value {
    json!({
        "digest": hex0x(&report.digest::<Native>()),
        "previous": hex0x(&report.previous),
        "time_ms": report.time_ms,
        "leaf_count": report.leaf_count,
        "root": hex0x(&report.root),
    })
}

fn proof(seat: Seat, charge: &Charge) -> Value {
    let scale = |kind: &str, bytes: Vec<u8>| json!({ "type": kind, "hex": hex0x(&bytes) });
    let signed = |s: &Signed| scale("statement", (seat, s.statement, s.signature).encode());
    let pledge = |pledge: &Pledge| scale("pledge", pledge.encode());
    match charge {
        Charge::Equivocation { first, second } => json!([signed(first), signed(second)]),
        Charge::HiddenLock { committed, pledge: p } => json!([signed(committed), pledge(p)]),
        Charge::DroppedLock { earlier, later, .. } => json!([pledge(earlier), pledge(later)]),
        Charge::DoubleAttestation(found) => json!([scale("equivocation", found.encode())]),
    }
}

fn hex0x(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

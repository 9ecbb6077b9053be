//! The evidence file of `audit` (`docs/audit.md`), as far as a contract can judge it.

use anyhow::{ensure, Context, Result};
use cicada_audit::document::{EvidenceFile, FORMAT};
use cicada_core::evidence::Equivocation;
use cicada_core::Account;
use cicada_node_api::Scale;

/// What a contract is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The contract of the validators.
    pub validators: Account,
    /// Seats that attested two reports of one slot.
    pub equivocations: Vec<Equivocation>,
    /// How many charges rest on signatures that the chain cannot verify.
    pub for_people: usize,
}

impl Evidence {
    /// Reads a file.
    ///
    /// # Errors
    /// In words, if it is not one of `audit`.
    pub fn read(text: &str) -> Result<Self> {
        let file: EvidenceFile =
            serde_json::from_str(text).context("not an evidence file of audit")?;
        ensure!(file.format == FORMAT, "the format '{}' is not {FORMAT}", file.format);
        let Scale(validators) = file.validators;
        let mut equivocations = Vec::new();
        for (number, entry) in (1..).zip(&file.charges) {
            let Some(chain) = &entry.chain else { continue };
            let found: Result<Scale<_>, _> = chain.scale.parse();
            let Scale(found) = found.with_context(|| format!("charge {number}"))?;
            equivocations.push(found);
        }
        let for_people = file.charges.len().saturating_sub(equivocations.len());
        Ok(Self { validators, equivocations, for_people })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::hash::Digest;
    use cicada_core::report::{Feed, Report, ReportKind};
    use parity_scale_codec::Encode;
    use serde_json::{json, Value};

    fn equivocation() -> Equivocation {
        let report = |root| Report {
            version: 1,
            feed: Feed { kind: ReportKind::Leaderboard, contract: Account([7; 32]) },
            slot: 9,
            previous: Digest::ZERO,
            time_ms: 5,
            leaf_count: 1,
            root: Digest([root; 32]),
        };
        Equivocation {
            epoch: 1,
            seat: 3,
            first: report(1),
            first_signature: [1; 64],
            second: report(2),
            second_signature: [2; 64],
        }
    }

    fn file(format: &str, charges: &Value) -> String {
        let validators = format!("0x{}", "05".repeat(32));
        json!({ "format": format, "validators": validators, "charges": charges }).to_string()
    }

    #[test]
    fn what_the_chain_can_judge_is_taken() {
        let scale = format!("0x{}", hex::encode(equivocation().encode()));
        let charges = json!([
            { "charge": "hidden_lock", "proof": [] },
            { "charge": "double_attestation", "chain": { "scale": scale, "slot": 9 } },
        ]);
        let read = Evidence::read(&file(FORMAT, &charges)).unwrap();
        let found = vec![equivocation()];
        assert_eq!(
            read,
            Evidence { validators: Account([5; 32]), equivocations: found, for_people: 1 }
        );
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let said = |text: &str| format!("{:#}", Evidence::read(text).unwrap_err());
        assert!(said("[]").contains("evidence file"));
        assert!(said(&file("v0", &json!([]))).contains("'v0'"));
        let cut = json!([{}, { "chain": { "scale": "0x0102" } }]);
        assert!(said(&file(FORMAT, &cut)).contains("charge 2"));
    }
}

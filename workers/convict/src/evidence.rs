//! The evidence file of `audit` (`docs/audit.md`), as far as a contract can judge it.

use anyhow::{ensure, Context, Result};
use cicada_core::evidence::Equivocation;
use cicada_core::Account;
use parity_scale_codec::DecodeAll;
use serde::Deserialize;

/// The format that is read.
const FORMAT: &str = "cicada71/evidence/v1";

#[derive(Deserialize)]
struct File {
    format: String,
    validators: String,
    charges: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    chain: Option<ForChain>,
}

#[derive(Deserialize)]
struct ForChain {
    scale: String,
}

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

fn bytes(text: &str) -> Result<Vec<u8>> {
    hex::decode(text.trim_start_matches("0x")).with_context(|| format!("'{text}'"))
}

impl Evidence {
    /// Reads a file.
    ///
    /// # Errors
    /// In words, if it is not one of `audit`.
    pub fn read(text: &str) -> Result<Self> {
        let file: File = serde_json::from_str(text).context("not an evidence file of audit")?;
        ensure!(file.format == FORMAT, "the format '{}' is not {FORMAT}", file.format);
        let validators = bytes(&file.validators)?;
        let validators = validators.try_into().ok().context("validators is not an account")?;
        let mut equivocations = Vec::new();
        for (number, entry) in (1..).zip(&file.charges) {
            let Some(chain) = &entry.chain else { continue };
            let scale = bytes(&chain.scale).with_context(|| format!("charge {number}"))?;
            let found = Equivocation::decode_all(&mut &scale[..]);
            equivocations.push(found.with_context(|| format!("charge {number}"))?);
        }
        let for_people = file.charges.len().saturating_sub(equivocations.len());
        Ok(Self { validators, equivocations, for_people })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::hash::ZERO_HASH;
    use cicada_core::report::{Feed, Report, ReportKind};
    use parity_scale_codec::Encode;
    use serde_json::{json, Value};

    fn equivocation() -> Equivocation {
        let report = |root| Report {
            version: 1,
            feed: Feed { kind: ReportKind::Leaderboard, contract: [7; 32] },
            slot: 9,
            previous: ZERO_HASH,
            time_ms: 5,
            leaf_count: 1,
            root: [root; 32],
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
        let read = Evidence::read(&file(cicada_audit::document::FORMAT, &charges)).unwrap();
        let found = vec![equivocation()];
        assert_eq!(read, Evidence { validators: [5; 32], equivocations: found, for_people: 1 });
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

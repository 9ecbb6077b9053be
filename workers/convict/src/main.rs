//! Brings the evidence that `audit` wrote to the chain.

mod evidence;

use anyhow::{bail, Context, Result};
use cicada_chain::{signer, Chain};
use cicada_contracts::types::StakingError;
use cicada_contracts::validators;
use cicada_network::{Deployment, NETWORK_FILE};
use cicada_program::{complain, options, quiet_logs, say, status};
use clap::Parser;
use evidence::Evidence;
use std::path::PathBuf;
use std::process::ExitCode;

/// Brings the evidence that `audit` wrote to the contract of the validators, which takes half the
/// stake and the seat of who attested two reports of one slot. Anybody may; who does pays the fees.
///
/// Charges that rest on ed25519 signatures are for people: no contract can verify those.
#[derive(Debug, Parser)]
#[command(name = "convict", version, after_help = EXAMPLES)]
struct Options {
    /// The network file that deploy wrote: it says where a node of the chain is.
    #[arg(long, env = "CICADA_NETWORK", default_value = NETWORK_FILE)]
    network: PathBuf,
    /// Address of a node of the chain, instead of the network file's.
    #[arg(long, env = "CICADA_URL")]
    url: Option<String>,
    /// Secret of the account that pays.
    #[arg(long, env = "CICADA_SURI", default_value = "//Alice", hide_env_values = true)]
    suri: String,
    /// The evidence file.
    evidence: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  audit --network network.toml --evidence evidence.json certificates-*.json
  convict evidence.json

Exit status: 0 everything that the chain can judge is punished, now or before; 1 something is not.";

async fn run(options: &Options) -> Result<()> {
    let path = options.evidence.display();
    let text = std::fs::read_to_string(&options.evidence).with_context(|| path.to_string())?;
    let evidence = Evidence::read(&text).with_context(|| path.to_string())?;
    if evidence.for_people > 0 {
        say!("{} charges are for people, not for the chain", evidence.for_people);
    }
    let chain = match &options.url {
        Some(url) => Chain::connect(url).await?,
        None => Deployment::load(&options.network)?.connect(None).await?,
    };
    let signer = signer(&options.suri)?;
    let mut refused = 0usize;
    for found in &evidence.equivocations {
        let what =
            format!("seat {} of epoch {}, slot {}", found.seat, found.epoch, found.first.slot);
        match chain.call(&evidence.validators, &validators::convict(found), &signer).await {
            Ok(outcome) => say!("{what}: convicted, final in block {}", outcome.block),
            Err(error) if error.refused() == Some(StakingError::AlreadyPunished) => {
                say!("{what}: punished before");
            }
            Err(error) if error.refusal().is_some() => {
                complain!("{what}: {error}");
                refused = refused.saturating_add(1);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        0 => Ok(()),
        _ => bail!("{refused} of {} are refused", evidence.equivocations.len()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_logs();
    status("convict", run(&options::<Options>()).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["convict"]).is_err(), "evidence is needed");
    }
}

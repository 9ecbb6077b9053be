//! Prints which nodes lied, and writes the evidence.

use cicada_audit::{document, input, Pool, PublicKeys, Verdicts};
use cicada_consensus::Config;
use cicada_network::Network;
use cicada_program::{complain, say};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Somebody is convicted.
const GUILTY: u8 = 3;
/// The question could not be answered.
const FAILED: u8 = 2;

const EXAMPLES: &str = "Examples:
  curl -s http://127.0.0.1:7103/paxos/certificates > certificates-03.json
  audit --network network.toml certificates-*.json data/node-*/contradictions.jsonl
  audit --network network.toml --evidence evidence.json signed.jsonl

Exit codes: 0 nobody is convicted, 3 somebody is, 2 a file cannot be read or written.";

/// Finds out from signed messages which nodes of the committee lied.
///
/// Reads certificates as nodes serve them, contradictions as nodes write them, JSON lines of
/// {"type": "quorum_certificate" | "pledge" | "justification", "hex": …}, and its own evidence.
#[derive(Debug, Parser)]
#[command(name = "audit", version, after_help = EXAMPLES)]
struct Options {
    /// The network file: the committee in office when the messages were signed
    #[arg(long, env = "CICADA_NETWORK")]
    network: PathBuf,
    /// Where to write the evidence, if somebody is convicted
    #[arg(long)]
    evidence: Option<PathBuf>,
    /// Print the evidence as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// What nodes signed
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::from(GUILTY),
        Ok(false) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("audit: {error}");
            ExitCode::from(FAILED)
        }
    }
}

// Whether somebody is convicted.
fn run(options: &Options) -> Result<bool, String> {
    let network = Network::load(&options.network).map_err(|error| error.to_string())?;
    let (quorum, attestation) = (network.quorum(), network.attestation_quorum());
    let config = Config::new(0, quorum, attestation, network.epoch, network.config_digest());
    let keys = PublicKeys(network.members());
    let mut pool = Pool::new(&config, &keys);
    let mut verified = 0usize;
    for file in &options.files {
        verified = verified.saturating_add(add_file(file, &mut pool)?);
    }
    let verdicts = pool.verdicts();
    for position in pool.conflicts() {
        complain!("audit: two values are decided at position {position}");
        if verdicts.len() < pool.least_culprits() {
            complain!(
                "audit: at least {} seats lied there; bring the justifications of the views from \
                 one decision to the other",
                pool.least_culprits()
            );
        }
    }
    let evidence = document::evidence(&verdicts, &network);
    if options.json {
        say!("{evidence:#}");
    } else {
        print_verdicts(&verdicts, &network, verified);
    }
    if let (Some(path), false) = (&options.evidence, verdicts.is_empty()) {
        std::fs::write(path, format!("{evidence:#}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(!verdicts.is_empty())
}

// Adds what a file holds; how much of it was genuine. What is not goes to standard error:
// anybody can forge a file, so it says nothing about anybody.
fn add_file(file: &Path, pool: &mut Pool<'_, PublicKeys>) -> Result<usize, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let contents = input::read(&text);
    if contents.items.is_empty() && contents.uncertified == 0 {
        if let Some(reason) = contents.unreadable.first() {
            return Err(format!("{name}: {reason}"));
        }
    }
    for reason in &contents.unreadable {
        complain!("audit: {name}: passed over: {reason}");
    }
    let mut verified = 0usize;
    for (index, item) in contents.items.iter().enumerate() {
        match item.add_to(pool) {
            Ok(()) => verified = verified.saturating_add(1),
            Err(reason) => {
                let number = index.saturating_add(1);
                complain!("audit: {name}: item {number} rejected: {reason}");
            }
        }
    }
    Ok(verified)
}

fn print_verdicts(verdicts: &Verdicts, network: &Network, verified: usize) {
    if verdicts.is_empty() {
        say!("nobody is convicted; genuine messages: {verified}");
        return;
    }
    say!("{}", document::table(verdicts, network).trim_end());
    let seats = network.nodes.len();
    say!("{} of {seats} seats convicted; genuine messages: {verified}", verdicts.len());
}

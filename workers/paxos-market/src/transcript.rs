//! What happens, told to the person at the terminal.

use crate::format::seats;
use cicada_amounts::{mmc, thousands};
use cicada_core::hash::Native;
use cicada_core::leaderboard::Proposal;
use cicada_network::Network;
use cicada_node_api::Failed;
use cicada_program::{complain, say, visible};
use cicada_results::Outcome;
use cicada_settlement::Agreed;
use std::path::Path;

/// Writes lines to standard output, or to standard error if that is for machines.
pub struct Transcript {
    /// Standard output is for JSON.
    pub json: bool,
}

impl Transcript {
    /// One line. What strangers wrote in it moves no cursor.
    pub fn say(&self, text: impl std::fmt::Display) {
        let text = text.to_string();
        match self.json {
            true => complain!("{text}"),
            false => say!("{}", visible(&text)),
        }
    }

    /// What the results came to.
    pub fn results(&self, path: &Path, outcome: &Outcome) {
        for problem in &outcome.problems {
            complain!("warning: {}: {problem}; not counted", path.display());
        }
        self.say(format!(
            "results: {} counted, {} lines with problems, {} of a later time ({})",
            outcome.counted,
            outcome.problems.len(),
            outcome.later,
            path.display()
        ));
    }

    /// What is proposed.
    pub fn proposal(&self, proposal: &Proposal) {
        let report = &proposal.report;
        self.say(format!(
            "proposal: slot {}, {} frameworks, digest {}, shards {}",
            report.slot,
            proposal.board.standings.len(),
            report.digest::<Native>(),
            proposal.board.shards
        ));
        for standing in &proposal.board.standings {
            let quote = standing.quote(report.time_ms);
            self.say(format!(
                "  {:<20} score {:>10}   bid {:>10} MMC   ask {:>10} MMC   24 h {:>10}",
                quote.framework,
                thousands(quote.score.into()),
                mmc(quote.bid),
                mmc(quote.ask),
                thousands(quote.volume_24h)
            ));
        }
    }

    /// How the nodes agreed.
    pub fn agreed(&self, network: &Network, agreed: &Agreed<Proposal>) {
        let phase = |name: &str, who: &[u8], needed: u8| {
            self.say(format!(
                "  {name:<12} {:>2} of {} (quorum {needed}): seats {}",
                who.len(),
                network.nodes.len(),
                seats(who)
            ));
        };
        let decides = network.quorum().size();
        if agreed.accepted.is_empty() {
            self.say("  decided earlier, with an answer that did not arrive");
        } else {
            // In the first view of a committee nobody has to promise.
            if !agreed.promised.is_empty() {
                phase("promises", &agreed.promised, decides);
            }
            phase("acceptances", &agreed.accepted, decides);
        }
        let certifies = network.attestation_quorum().size();
        phase("attestations", &agreed.attested, certifies);
        self.say(format!(
            "  quorum achieved: slot {} decided; certificate of seats {}",
            agreed.verified.value().report.slot,
            seats(&agreed.verified.certificate().seats().collect::<Vec<_>>())
        ));
    }
}

/// Names the nodes that stood in the way, and says what to do.
pub fn no_quorum(network: &Network, failed: &Failed) -> String {
    let mut text = format!("no quorum: {}", failed.error);
    if !failed.missing.is_empty() {
        text += &format!(
            "\n  {} of {} nodes do not answer: seats {}",
            failed.missing.len(),
            network.nodes.len(),
            seats(&failed.missing)
        );
        for seat in &failed.missing {
            if let Some(node) = network.nodes.get(usize::from(*seat)) {
                text += &format!("\n    seat {seat} at {}", node.url);
            }
        }
    }
    for refusal in &failed.refusals {
        text += &format!("\n  seat {} refuses: {}", refusal.seat, refusal.reason);
    }
    text += "\n  Nothing is lost: what nodes promised and accepted is on their disks.";
    if let Some(seat) = failed.missing.first() {
        text += &format!(
            "\n  Start the missing nodes ('scripts/deploy_paxos.sh restart {seat}' and so on, or 'scripts/deploy_paxos.sh' for all), then run paxos-market again: it continues."
        );
    } else {
        text += "\n  Run paxos-market again: it continues.";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::network;
    use cicada_node_api::Refusal;

    #[test]
    fn a_missing_quorum_names_the_nodes_and_the_way_out() {
        let network = network();
        let failed = Failed {
            error: "15 of 16 attestations".into(),
            missing: vec![2, 3, 22],
            refusals: vec![Refusal::new(5, "score of claude is 1 here".into())],
            ..Failed::default()
        };
        let text = no_quorum(&network, &failed);
        for part in [
            "seats 2-3, 22",
            "seat 22 at http://127.0.0.1:7122",
            "seat 5 refuses: score of claude",
            "restart 2",
            "run paxos-market again",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

//! A small network with real keys, for tests.

use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_network::{ChainSection, FaultModelName, Network, NodeEntry, Rules};

const LEADERBOARD: [u8; 32] = [3; 32];

/// A proposal for the first slot.
pub fn proposal() -> Proposal {
    let standings = vec![Standing {
        framework: Framework::new("claude").unwrap(),
        score: 50_000,
        volume_24h: 0,
    }];
    let feed = Feed { kind: ReportKind::Leaderboard, contract: LEADERBOARD };
    let board = Board { standings, shards: [71; 32] };
    Proposal { report: report::<Native>(feed, &FeedState::EMPTY, &board, 1_000), board }
}

fn pair(seat: u8) -> schnorrkel::Keypair {
    schnorrkel::MiniSecretKey::from_bytes(&[seat + 1; 32])
        .unwrap()
        .expand_to_keypair(schnorrkel::ExpansionMode::Ed25519)
}

/// What a seat signs under a proposal.
pub fn attested(network: &Network, proposal: &Proposal, seat: u8) -> (u8, Signature) {
    let message = proposal.report.attestation_message::<Native>(&network.config_digest());
    let context = schnorrkel::signing_context(b"substrate");
    (seat, pair(seat).sign(context.bytes(&message)).to_bytes())
}

/// A network of 23, a proposal, and its certificate.
pub fn certified() -> (Network, Proposal, Certificate) {
    let node = |seat: u8| NodeEntry {
        url: format!("http://127.0.0.1:{}", 7100 + u16::from(seat)),
        operator: [seat; 32],
        consensus_key: [seat; 32],
        attestation_key: pair(seat).public.to_bytes(),
    };
    let network = Network {
        epoch: 1,
        fault_model: FaultModelName::Crash,
        chain: ChainSection { leaderboard: LEADERBOARD, ..ChainSection::unasked() },
        rules: Rules::default(),
        nodes: (0..23).map(node).collect(),
    };
    let proposal = proposal();
    let sign = |seat: u8| attested(&network, &proposal, seat);
    let quorum = network.attestation_quorum();
    let certificate = Certificate::assemble(1, &quorum, (0..23).map(sign)).unwrap();
    (network, proposal, certificate)
}

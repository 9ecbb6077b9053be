//! A network and a proposal, for tests.

use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;
use cicada_network::{
    ChainSection, ContractName, Contracts, FaultModelName, Network, NodeEntry, Rules,
};

const LEADERBOARD: [u8; 32] = [3; 32];

/// A proposal for the first slot.
pub fn proposal() -> Proposal {
    let standings = vec![Standing {
        framework: Framework::new("claude").unwrap(),
        score: 50_000,
        volume_24h: 0,
    }];
    let feed = Feed { kind: ReportKind::Leaderboard, contract: Account(LEADERBOARD) };
    let board = Board { standings, shards: Digest([71; 32]) };
    Proposal { report: report::<Native>(feed, &FeedState::EMPTY, &board, 1_000), board }
}

/// A network of 23.
pub fn network() -> Network {
    let node = |seat: u8| NodeEntry {
        url: format!("http://127.0.0.1:{}", 7100 + u16::from(seat)),
        operator: Account([seat; 32]),
        consensus_key: [seat; 32],
        attestation_key: [seat + 100; 32],
    };
    Network {
        epoch: 1,
        fault_model: FaultModelName::Crash,
        chain: ChainSection::unasked(),
        contracts: Contracts::unasked().with(ContractName::Leaderboard, Account(LEADERBOARD)),
        rules: Rules::default(),
        nodes: (0..23).map(node).collect(),
    }
}

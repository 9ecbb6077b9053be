//! From trades on the exchange to the volumes of the next leaderboard, with real parts.
//!
//! Ignored by default because it needs the built contracts and a node: `scripts/test e2e`.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use cicada_chain::signer;
use cicada_contracts::{leaderboard, Message};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal, Record};
use cicada_core::report::ReportKind;
use cicada_node_api::CONFLICT;
use parity_scale_codec::Decode;
use std::time::Duration;
use support::Deployment;

const NEEDED: &str = "the chain answers";

async fn read<T: Decode, E>(deployment: &Deployment, message: &Message<T, E>) -> T {
    let (chain, board) = (deployment.chain().await, deployment.network().leaderboard());
    chain.read(&board, message).await.expect(NEEDED)
}

async fn record(deployment: &Deployment, slot: u64) -> Record {
    read(deployment, &leaderboard::record(slot)).await.expect("the slot is settled")
}

fn volumes(board: &Board) -> Vec<(&str, u128)> {
    board.standings.iter().map(|row| (row.framework.as_str(), row.volume_24h)).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node: scripts/test e2e"]
async fn what_was_traded_stands_in_the_next_leaderboard() {
    let deployment = Deployment::start();
    assert!(deployment.finalizes().contains("slot=1 "));
    let first = record(&deployment, 1).await;
    assert!(first.board.standings.iter().all(|row| row.volume_24h == 0));

    // The markets are opened, and 500 tokens bought; a second time changes nothing.
    deployment.net.fill().expect("markets");
    deployment.net.fill().expect("markets");
    assert!(deployment.finalizes().contains("slot=2 "));
    let second = record(&deployment, 2).await;
    let expected = [("claude", 0), ("openai", 500), ("gemini", 0), ("llama", 0)];
    assert_eq!(volumes(&second.board), expected);
    assert_eq!(second.board.shards, first.board.shards, "the same results");
    let table = std::fs::read_to_string(deployment.leaderboard_file()).expect("it was written");
    assert!(table.contains("| 2 | openai | 45,000 | 45 MMC | 44.55 | 45.45 | 500 |"), "{table}");

    // Nodes refuse other volumes, another commitment, and a time between two blocks.
    let state = read(&deployment, &leaderboard::latest()).await;
    let (chain, alice) = (deployment.chain().await, signer("//Alice").expect("an account"));
    chain.freshen(&alice, Duration::from_secs(5)).await.expect(NEEDED);
    let time_ms = chain.final_time_ms().await.expect(NEEDED);
    let feed = deployment.network().feed(ReportKind::Leaderboard).expect(NEEDED);
    let propose = |edit: &dyn Fn(&mut Board), time_ms: u64| {
        let mut board = second.board.clone();
        edit(&mut board);
        Proposal { report: report::<Native>(feed, &state, &board, time_ms), board }
    };
    for (proposal, words) in [
        (propose(&|board| board.standings[0].volume_24h = 1, time_ms), "the exchange says 0"),
        (propose(&|board| board.standings[1].volume_24h = 0, time_ms), "the exchange says 500"),
        (propose(&|board| board.shards.0[0] ^= 1, time_ms), "the commitment to the shards"),
        (propose(&|_| (), time_ms - 1), "not that of a final block"),
    ] {
        let error = deployment.propose(3, &proposal).await.expect_err(words);
        let refused = error.refused_with(CONFLICT);
        assert!(refused.is_some_and(|why| why.error.contains(words)), "{words}: {error}");
    }
    let decided = deployment.propose(3, &propose(&|_| (), time_ms)).await;
    decided.expect("a certificate");
}

//! From evaluation results to a record on chain, with real parts.
//!
//! Ignored by default because they need the built contracts and a node: `scripts/test e2e`.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use cicada_chain::{account_of, signer};
use cicada_contracts::leaderboard;
use cicada_contracts::types::LeaderboardError;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::committee::Domain;
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::{report, Board, Proposal, Record, Settlement};
use cicada_core::quote::Quote;
use cicada_core::report::{FeedError, FeedState, Report, ReportKind};
use cicada_core::Account;
use cicada_network::FaultModelName;
use cicada_node_api::Scale;
use std::time::Duration;
use support::{Deployment, SEATS};

/// What the leaderboard takes.
type Submission = (Report, Board, Certificate);

const NEEDED: &str = "the chain answers";

async fn latest(deployment: &Deployment) -> FeedState {
    let (chain, board) = (deployment.chain().await, deployment.network().leaderboard());
    chain.read(&board, &leaderboard::latest()).await.expect(NEEDED)
}

async fn record(deployment: &Deployment, slot: u64) -> Option<Record> {
    let (chain, board) = (deployment.chain().await, deployment.network().leaderboard());
    chain.read(&board, &leaderboard::record(slot)).await.expect(NEEDED)
}

/// Why the contract refuses a submission; none if it takes it. Nothing is sent.
async fn refusal(
    deployment: &Deployment,
    (report, board, certificate): &Submission,
) -> Option<LeaderboardError> {
    let (chain, contract) = (deployment.chain().await, deployment.network().leaderboard());
    let origin = account_of(&signer("//Alice").expect("a development account"));
    let submit = leaderboard::submit(report, board, certificate);
    let error = chain.dry_run(&contract, &submit, &origin).await.err()?;
    Some(error.refused().unwrap_or_else(|| panic!("{error}")))
}

/// Rows and report for the next slot, from the record before it.
async fn next_proposal(deployment: &Deployment) -> Proposal {
    let state = latest(deployment).await;
    let before = record(deployment, state.slot).await.expect("a slot is settled");
    // The time of a final block: its volumes are those that every node reads.
    let (chain, alice) = (deployment.chain().await, signer("//Alice").expect(NEEDED));
    chain.freshen(&alice, Duration::from_secs(5)).await.expect(NEEDED);
    let now = chain.final_time_ms().await.expect(NEEDED);
    let board = before.board;
    let feed = deployment.network().feed(ReportKind::Leaderboard).expect(NEEDED);
    Proposal { report: report::<Native>(feed, &state, &board, now), board }
}

/// A report signed by 16 nodes under any config digest.
fn certify(deployment: &Deployment, report: &Report, epoch: u32, config: &Digest) -> Certificate {
    let message = report.attestation_message::<Native>(config);
    let shares = (0..SEATS).map(|seat| (seat, deployment.keys(seat).attest(&message)));
    let quorum = deployment.network().attestation_quorum();
    Certificate::assemble(epoch, &quorum, shares).expect("23 signatures")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node: scripts/test e2e"]
async fn results_become_a_record_on_chain() {
    let deployment = Deployment::start();
    for seat in 0..SEATS {
        let status = deployment.node(seat).status().await.expect("the node runs");
        assert_eq!(status.node_id, seat);
    }

    let line = deployment.finalizes();
    assert!(line.starts_with("finalized feed=leaderboard slot=1 digest=0x"), "{line}");
    assert!(line.contains(&format!("signers=16/{SEATS}")), "{line}");
    let first = record(&deployment, 1).await.expect("slot 1 is settled");
    let digest = first.report.digest::<Native>().to_string();
    assert!(line.contains(&digest), "{line}");
    check_table(&deployment, &first);

    // The market proposes again; every node has the same log.
    let line = deployment.finalizes();
    assert!(line.starts_with("finalized feed=leaderboard slot=2 "), "{line}");
    let second = record(&deployment, 2).await.expect("slot 2 is settled");
    assert_eq!(second.report.previous, first.report.digest::<Native>());
    assert_eq!(record(&deployment, 1).await, Some(first), "a record never changes");

    every_forgery_is_refused_by_name(&deployment).await;
}

/// `LEADERBOARD.md`, the chain and polkadot.js agree.
fn check_table(deployment: &Deployment, record: &Record) {
    let file = std::fs::read_to_string(deployment.leaderboard_file()).expect("it was written");
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect()
    };
    let table = rows(&file);
    assert_eq!(table[0], "| Rank | Framework | Score | Price | Bid | Ask | Volume 24h |");
    assert_eq!(table.len(), record.board.standings.len() + 2);
    assert_eq!(table[2], "| 1 | claude | 50,000 | 50 MMC | 49.5 | 50.5 | 0 |");
    assert_eq!(table[3], "| 2 | openai | 45,000 | 45 MMC | 44.55 | 45.45 | 0 |");
    for (row, quote) in table[2..].iter().zip(record.quotes()) {
        let Quote { framework, .. } = quote;
        assert!(row.contains(framework.as_str()), "{row}");
    }
    assert_eq!(rows(&deployment.read_by_polkadot_js()), table);
}

/// A submission that is wrong in one point, and why it is refused.
type Forgery = (&'static str, Submission, LeaderboardError);

fn changed(good: &Submission, edit: impl FnOnce(&mut Submission)) -> Submission {
    let mut changed = good.clone();
    edit(&mut changed);
    changed
}

fn forged_certificates(deployment: &Deployment, good: &Submission) -> [Forgery; 6] {
    let network = deployment.network();
    let (epoch, config) = (network.epoch, network.config_digest());
    let other = Report { time_ms: good.0.time_ms + 1, ..good.0 };
    let elsewhere = Domain { validators: Account([9; 32]), ..network.domain() };
    let elsewhere =
        elsewhere.config_digest::<Native>(epoch, &network.attestation_quorum(), &network.members());
    let signed = |report: &Report, config: &Digest| {
        changed(good, |g| g.2 = certify(deployment, report, epoch, config))
    };
    let forged = CertificateError::BadSignature { seat: 0 };
    let cases = [
        (
            "15 signatures",
            changed(good, |g| g.2.signatures.truncate(15)),
            CertificateError::WrongSignatureCount { expected: 16 },
        ),
        (
            "a signer twice",
            changed(good, |g| g.2.signers &= g.2.signers - 1),
            CertificateError::RepeatedSigner,
        ),
        (
            "a bit above 22",
            changed(good, |g| g.2.signers |= 1 << 23),
            CertificateError::UnknownSigner,
        ),
        ("another report's signatures", signed(&other, &config), forged),
        ("another contract's signatures", signed(&good.0, &elsewhere), forged),
        (
            "an older epoch",
            changed(good, |g| g.2.epoch = epoch - 1),
            CertificateError::WrongEpoch { expected: epoch },
        ),
    ];
    cases.map(|(what, forged, error)| (what, forged, LeaderboardError::Certificate(error)))
}

fn forged_reports(deployment: &Deployment, good: &Submission) -> [Forgery; 3] {
    let network = deployment.network();
    let (epoch, config) = (network.epoch, network.config_digest());
    let skipped = Report { slot: good.0.slot + 1, ..good.0 };
    [
        (
            "a changed quote",
            changed(good, |g| g.1.standings[0].score += 1),
            LeaderboardError::ContentMismatch,
        ),
        (
            "a skipped slot",
            changed(good, |g| {
                (g.0, g.2) = (skipped, certify(deployment, &skipped, epoch, &config))
            }),
            LeaderboardError::Feed(FeedError::SlotSkipped { expected: good.0.slot }),
        ),
        (
            "another contract's report",
            changed(good, |g| g.0.feed.contract = Account([1; 32])),
            LeaderboardError::Feed(FeedError::WrongFeed),
        ),
    ]
}

async fn every_forgery_is_refused_by_name(deployment: &Deployment) {
    let proposal = next_proposal(deployment).await;
    let answer = deployment.propose(7, &proposal).await.expect("a certificate");
    let (Scale(Proposal { report, board }), Scale(certificate)) =
        (answer.proposal, answer.certificate);
    let good: Submission = (report, board, certificate);
    let slot = good.0.slot;
    let forgeries = forged_certificates(deployment, &good).into_iter();
    for (what, forged, error) in forgeries.chain(forged_reports(deployment, &good)) {
        assert_eq!(refusal(deployment, &forged).await, Some(error), "{what}");
    }
    assert_eq!(latest(deployment).await.slot, slot - 1, "nothing changed");

    // The real one settles; brought again it is a success that changes nothing.
    let chain = deployment.chain().await;
    let alice = signer("//Alice").expect("a development account");
    let submit = leaderboard::submit(&good.0, &good.1, &good.2);
    for (outcome, events) in [(Settlement::Recorded, 1), (Settlement::AlreadyDone, 0)] {
        let board = deployment.network().leaderboard();
        let done = chain.call(&board, &submit, &alice).await;
        let done = done.expect("the certificate is valid");
        assert_eq!(done.returned, outcome);
        assert_eq!(done.events.len(), events, "{outcome:?}");
        assert_eq!(latest(deployment).await.slot, slot);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node: scripts/test e2e"]
async fn seven_may_be_missing_and_eight_may_not() {
    let deployment = Deployment::start();
    assert!(deployment.finalizes().contains("slot=1 "));
    for seat in 16..23u8 {
        deployment.net.kill(seat).expect("the node runs");
    }
    assert!(deployment.finalizes().contains("slot=2 "));

    deployment.script(&["kill", "3"]);
    let output = deployment.market();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(!output.status.success(), "{text}");
    for seat in [3, 16, 22] {
        assert!(text.contains(&seat.to_string()), "node {seat} is missing from: {text}");
    }
    assert_eq!(latest(&deployment).await.slot, 2, "nothing was settled");

    deployment.script(&["restart", "3"]);
    deployment.wait_for(3).await;
    let line = deployment.finalizes();
    assert!(line.contains("slot=3 ") || line.contains("slot=4 "), "{line}");
    assert!(record(&deployment, 3).await.is_some(), "nothing was lost");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node: scripts/test e2e"]
async fn seven_liars_change_nothing() {
    let deployment = Deployment::start();
    let network = deployment.network();
    assert_eq!(network.fault_model, FaultModelName::Byzantine, "what is deployed by default");
    let status = deployment.node(0).status().await.expect("the node runs");
    let leader = status.leader.expect("a view has a leader");
    deployment.script(&["liars"]);

    let line = deployment.finalizes();
    assert!(line.starts_with("finalized feed=leaderboard slot=1 digest=0x"), "{line}");
    assert!(line.contains(&format!("signers=16/{SEATS}")), "{line}");
    let first = record(&deployment, 1).await.expect("slot 1 is settled");
    let line = deployment.finalizes();
    assert!(line.starts_with("finalized feed=leaderboard slot=2 "), "{line}");
    let second = record(&deployment, 2).await.expect("slot 2 is settled");
    assert_eq!(second.report.previous, first.report.digest::<Native>());

    // Where no liar sits everybody has what the chain has.
    let liars = [0, 1, 3, 5, 7, 9, 11].map(|step| (leader + step) % SEATS);
    for seat in (0..SEATS).filter(|seat| !liars.contains(seat)) {
        let node = deployment.node(seat);
        let list = node.decided_after::<Proposal>(ReportKind::Leaderboard, 0).await;
        for (entry, record) in list.expect("the node runs").iter().zip([&first, &second]) {
            assert_eq!(entry.digest.0, record.report.digest::<Native>(), "seat {seat}");
        }
    }
}

//! Nodes as real processes: agreement, deaths, restarts, and what they refuse.

mod cluster;

use cicada_consensus::{Answer, Ballot, Request};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::report;
use cicada_core::report::{FeedState, ReportKind};
use cicada_network::{read_token, FaultModelName, TOKEN_FILE, TOKEN_HEADER};
use cluster::{Cluster, Response};
use parity_scale_codec::Encode;
use serde_json::{json, Value};
use std::collections::BTreeSet;

fn promised(status: &Value) -> (u64, u64) {
    let number = |name: &str| status[name].as_u64().unwrap();
    (number("promised_proposal"), number("promised_proposer"))
}

/// Whether a node has every slot up to this one certified.
fn certified(cluster: &Cluster, seat: u8, slot: u64) -> bool {
    cluster.status(seat)["feeds"]["leaderboard"]["certified_slot"] == slot
}

#[test]
fn twenty_three_agree_with_7_dead_stop_with_8_and_lose_nothing() {
    seven_dead_then_eight(FaultModelName::Byzantine, 16);
}

#[test]
fn so_do_twenty_three_in_crash_mode() {
    seven_dead_then_eight(FaultModelName::Crash, 12);
}

fn seven_dead_then_eight(model: FaultModelName, quorum: usize) {
    let cluster = Cluster::of(23, model);
    cluster.start(0..23);

    let (slot, first) = cluster.certify_next(3);
    assert_eq!(slot, 1);
    assert_eq!(first["attested"].as_array().unwrap().len(), 16);
    assert!(first["accepted"].as_array().unwrap().len() >= quorum, "{first}");
    cluster.wait("all have the certificate", |cluster| {
        (0..23).all(|seat| certified(cluster, seat, 1))
    });

    // The leader of the first view and that of the second are among the seven that die.
    let leader = u8::try_from(cluster.status(3)["leader"].as_u64().unwrap()).unwrap();
    let seat = |step: u8| (leader + step) % 23;
    cluster.kill([0, 1, 3, 5, 7, 9, 11].map(seat));
    let alive = seat(20);
    let begin = std::time::Instant::now();
    let (slot, _) = cluster.certify_next(alive);
    assert_eq!(slot, 2);
    println!("{model}: two dead leaders and five others cost {:?}", begin.elapsed());

    // The eighth.
    cluster.kill([seat(13)]);
    let proposal = cluster.proposal(alive);
    let response = cluster.propose(alive, &proposal, 6_000);
    let answer = response.json();
    assert_eq!(response.status, 503, "{answer}");
    let missing: BTreeSet<u8> = serde_json::from_value(answer["missing"].clone()).unwrap();
    let dead = [0, 1, 3, 5, 7, 9, 11, 13].map(seat);
    assert_eq!(missing, BTreeSet::from(dead), "{answer}");

    cluster.start(dead);
    let response = cluster.propose(alive, &proposal, 60_000);
    assert_eq!(response.status, 200, "{}", response.json());
    cluster.check_certificate(&response.json());
    assert_eq!(response.json()["slot"], 3);

    // Nothing is lost: those that were dead have everything, the same, certified.
    cluster
        .wait("the dead have caught up", |cluster| (0..23).all(|seat| certified(cluster, seat, 3)));
    let list = |seat: u8| {
        let path = "/paxos/certificates?feed=leaderboard&after=0";
        cluster.get(seat, path).unwrap().json()
    };
    let digests = |list: &Value| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|entry| entry["digest"].clone()).collect()
    };
    let reference = list(alive);
    assert_eq!(reference[0]["digest"], first["digest"]);
    for entry in reference.as_array().unwrap() {
        cluster.check_certificate(entry);
    }
    for seat in 0..23 {
        assert_eq!(digests(&list(seat)), digests(&reference), "seat {seat}");
    }
}

#[test]
fn a_promise_outlives_kill_nine() {
    let cluster = Cluster::of(4, FaultModelName::Crash);
    cluster.start(0..4);
    cluster.certify_next(0);

    // A leader that stops after its promises: this test, in the name of seat 3.
    let high = Ballot { round: 1_000, seat: 3 };
    let prepare = |ballot: Ballot| Request::Prepare { ballot, from: 2 };
    let answer = cluster.ask_as(3, 1, &prepare(high));
    assert!(matches!(answer, Answer::Promise { ballot, .. } if ballot == high));
    cluster.kill([1]);
    cluster.start([1]);
    assert!(promised(&cluster.status(1)) >= (1_000, 3));

    let low = Ballot { round: 999, seat: 2 };
    let answer = cluster.ask_as(2, 1, &prepare(low));
    assert_eq!(answer, Answer::Outbid { promised: high });
    let accept = Request::Accept {
        ballot: low,
        position: 2,
        since: low,
        value: Vec::new(),
        tip: (0, Digest::ZERO),
    };
    let answer = cluster.ask_as(2, 1, &accept);
    assert_eq!(answer, Answer::Outbid { promised: high });

    let far = Ballot { round: u64::MAX, seat: 3 };
    assert!(matches!(cluster.ask_as(3, 1, &prepare(far)), Answer::Invalid { .. }));
}

#[test]
fn kills_in_the_middle_of_rounds_break_no_promise_and_lose_no_decision() {
    let cluster = Cluster::new(5);
    cluster.start(0..5);
    let mut before = [(0, 0); 5];
    let mut acknowledged = Vec::new();
    for round in 0..10u8 {
        let (leader, victim) = (round % 5, (round + 1 + round / 5) % 5);
        let proposal = cluster.proposal(leader);
        // The round runs while the victim dies; which of the two is first is up to chance.
        let response = std::thread::scope(|scope| {
            let shared = &cluster;
            let asking = scope.spawn(move || shared.propose(leader, &proposal, 60_000));
            // Only the process is touched.
            shared.kill_nine(victim);
            asking.join().unwrap()
        });
        cluster.reap(victim);
        cluster.start([victim]);
        let answer = response.json();
        match response.status {
            200 => acknowledged.push((answer["slot"].clone(), answer["digest"].clone())),
            // A value that another leader finished meanwhile.
            409 | 503 => {}
            other => panic!("{other}: {answer}"),
        }
        for seat in 0..5u8 {
            let now = promised(&cluster.status(seat));
            let then = &mut before[usize::from(seat)];
            assert!(now >= *then, "seat {seat} went from {then:?} to {now:?}");
            *then = now;
        }
    }
    assert!(!acknowledged.is_empty());
    let (last, _) = cluster.certify_next(0);
    cluster.wait("all agree", |cluster| (0..5).all(|seat| certified(cluster, seat, last)));
    for seat in 0..5 {
        let list = cluster.get(seat, "/paxos/certificates?after=0").unwrap().json();
        for (slot, digest) in &acknowledged {
            let mut entries = list.as_array().unwrap().iter();
            let entry = entries.find(|entry| entry["slot"] == *slot).unwrap();
            assert_eq!(entry["digest"], *digest, "seat {seat}, slot {slot}");
        }
    }
}

#[test]
fn a_leaderboard_that_nodes_cannot_recompute_is_refused_with_the_reason() {
    let cluster = Cluster::new(4);
    cluster.start(0..4);
    let honest = cluster.proposal(0);

    let mut inflated = honest.clone();
    inflated.board.standings[0].score += 1;
    let time = honest.report.time_ms;
    let feed = cluster.network.feed(ReportKind::Leaderboard).unwrap();
    inflated.report = report::<Native>(feed, &FeedState::EMPTY, &inflated.board, time);
    let refused = |response: Response, words: &str| {
        let answer = response.json();
        assert_eq!(response.status, 409, "{answer}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(words), "{error}");
    };
    refused(cluster.propose(0, &inflated, 10_000), "my own results give");

    let mut old = honest.clone();
    old.report = report::<Native>(feed, &FeedState::EMPTY, &old.board, time - 60_000);
    refused(cluster.propose(0, &old, 10_000), "before my clock");

    cluster.certify_next(1);
    let mut stale = honest.clone();
    stale.report.time_ms += 1;
    refused(cluster.propose(0, &stale, 10_000), "stale");

    // The same again is no error: the answer may have been lost.
    let again = cluster.proposal(2);
    let first = cluster.propose(2, &again, 30_000);
    let second = cluster.propose(2, &again, 30_000);
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json()["digest"], second.json()["digest"]);
    assert_eq!(first.json()["position"], second.json()["position"]);
}

#[test]
fn a_proposer_with_other_results_is_told_who_refuses_and_blocks_nobody() {
    let cluster = Cluster::new(4);
    let text = std::fs::read_to_string(cluster.path("results.jsonl")).unwrap();
    let few: Vec<&str> = text.lines().take(40).collect();
    std::fs::write(cluster.path("results-00.jsonl"), few.join("\n")).unwrap();
    cluster.start(0..4);

    let response = cluster.propose(0, &cluster.proposal(0), 60_000);
    let answer = response.json();
    assert_eq!(response.status, 503, "{answer}");
    let refusals = answer["refusals"].as_array().unwrap();
    // Three of four must accept: two refusals settle it.
    assert!(refusals.len() >= 2, "{answer}");
    for refusal in refusals {
        assert_ne!(refusal["seat"], 0);
        let reason = refusal["reason"].as_str().unwrap();
        assert!(reason.contains("my own results give"), "{reason}");
    }
    let (slot, answer) = cluster.certify_next(1);
    assert_eq!(slot, 1);
    let accepted: Vec<u8> = serde_json::from_value(answer["accepted"].clone()).unwrap();
    // Seat 0 does not find it valid, but may commit to what a quorum did.
    assert_eq!(accepted.len(), 3, "{answer}");
}

#[test]
fn strangers_and_forgers_are_turned_away() {
    let cluster = Cluster::new(4);
    cluster.start(0..1);
    let body = Request::Fetch { from: 1, limit: 1 }.encode();
    let post = |headers: &[(&str, String)], body: &[u8]| {
        cluster.request(0, "POST", "/paxos/log", headers, body).unwrap().status
    };
    let seat = |seat: &str| ("x-cicada-seat", seat.to_owned());
    let signature = ("x-cicada-signature", "00".repeat(64));
    assert_eq!(post(&[], &body), 401);
    assert_eq!(post(&[seat("4"), signature.clone()], &body), 401);
    assert_eq!(post(&[seat("0"), signature.clone()], &body), 401, "itself");
    assert_eq!(post(&[seat("1")], &body), 401);
    assert_eq!(post(&[seat("1"), signature], &body), 401);
    let large = vec![0; 200_000];
    let status = cluster.request(0, "POST", "/paxos/propose", &[], &large);
    assert!(status.is_none_or(|response| response.status == 413));
    let metrics = cluster.get(0, "/metrics").unwrap();
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("paxos_refused_total{kind=\"stranger\"}"), "{text}");
    assert!(text.contains("paxos_refused_total{kind=\"forged\"} 1"), "{text}");
    strangers_propose_nothing(&cluster);
}

/// The node of seat 0 asks who proposes before it looks at what.
fn strangers_propose_nothing(cluster: &Cluster) {
    let value = cluster.proposal(0).encode();
    let propose = |headers: &[(&str, String)], body: &[u8]| {
        let path = "/paxos/propose?timeout_ms=1";
        cluster.request(0, "POST", path, headers, body).unwrap().status
    };
    assert_eq!(propose(&[], &value), 401);
    assert_eq!(propose(&[], b"rubbish"), 401, "not even decoded");
    let [seat, signature, _] = cluster.pass(0, &value);
    assert_eq!(propose(std::slice::from_ref(&seat), &value), 401);
    assert_eq!(propose(&[("x-cicada-seat", "1".into()), signature.clone()], &value), 401);
    assert_eq!(propose(&[seat.clone(), signature.clone()], b"rubbish"), 401, "of another value");
    let [_, elsewhere, _] = cluster.pass(1, &value);
    assert_eq!(propose(&[seat.clone(), elsewhere], &value), 401, "for another node");
    // A seat may, though alone it comes to nothing.
    assert_eq!(propose(&[seat, signature], &value), 503);
    let token = read_token(&cluster.path("data-00").join(TOKEN_FILE)).unwrap();
    assert_eq!(propose(&[(TOKEN_HEADER, "00".repeat(32))], &value), 401);
    assert_eq!(propose(&[(TOKEN_HEADER, token.clone())], &value), 503);
    assert_eq!(propose(&[(TOKEN_HEADER, token)], b"rubbish"), 400);
}

/// A node under other rules, or another fault model, is a stranger to the rest.
#[test]
fn nodes_of_other_rules_do_not_hear_each_other() {
    let cluster = Cluster::new(4);
    let mut faster = cluster.network.clone();
    cluster.start(0..2);
    let (own, other) = (cluster.path("network.toml"), cluster.path("right.toml"));
    std::fs::rename(&own, &other).unwrap();
    faster.rules.distance_ms = faster.rules.distance_ms.with("leaderboard", 7).unwrap();
    faster.save(&own).unwrap();
    cluster.start(2..4);
    let proposal = cluster.proposal(0);
    let response = cluster.propose(0, &proposal, 2_000);
    assert_eq!(response.status, 503, "{}", response.json());
    cluster.kill(2..4);
    std::fs::rename(&other, &own).unwrap();
    cluster.start(2..4);
    cluster.certify_soon(0);
}

#[test]
fn json_questions_are_answered_and_change_nothing() {
    let cluster = Cluster::new(4);
    cluster.start(0..4);
    cluster.certify_next(0);
    let before = promised(&cluster.status(1));
    let ask = |path: &str, question: Value| {
        let headers = [("content-type", "application/json".to_owned())];
        let body = question.to_string();
        cluster.request(1, "POST", path, &headers, body.as_bytes()).unwrap().json()
    };
    let answer = ask("/paxos/prepare", json!({ "proposal_number": 99 }));
    assert_eq!(answer["promised"], true, "{answer}");
    let leader = answer["proposer_id"].as_u64().unwrap();
    let other = json!({ "proposal_number": 99, "proposer_id": (leader + 1) % 4 });
    let answer = ask("/paxos/prepare", other);
    assert_eq!(answer["promised"], false, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("is led by seat"), "{answer}");
    let low = json!({ "proposal_number": 0, "proposer_id": 2 });
    assert_eq!(ask("/paxos/prepare", low)["promised"], false);
    let proposal = hex::encode(cluster.proposal(1).encode());
    let question = json!({ "proposal_number": 99, "proposal": proposal });
    assert_eq!(ask("/paxos/accept", question)["accepted"], true);
    assert_eq!(promised(&cluster.status(1)), before);
    let log = cluster.get(1, "/paxos/log?from=1&limit=10").unwrap().json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn an_end_is_clean_and_a_lost_disk_or_a_second_process_is_refused() {
    let cluster = Cluster::new(4);
    cluster.start(0..1);
    let second = cluster.command(0).output().unwrap();
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && text.contains("in use by another process"), "{text}");
    assert_eq!(cluster.terminate(0), 0);
    std::fs::remove_dir_all(cluster.path("data-00")).unwrap();
    let lost = cluster.command(0).output().unwrap();
    let text = String::from_utf8_lossy(&lost.stderr).into_owned();
    assert!(!lost.status.success() && text.contains("must not vote"), "{text}");
    let other = cluster.command(0).args(["--seat", "1"]).output().unwrap();
    assert!(!other.status.success());
}

//! Several feeds in one log, with nodes as real processes.

mod cluster;

use cicada_core::basket::holdings::{self, Entry};
use cicada_core::basket::sheet::{Sheet, Wanted};
use cicada_core::basket::{agreed, observed};
use cicada_core::certificate::Certificate;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::nav::{self, Observation};
use cicada_core::ranking::Told;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::rewards::{self, Award, AwardState, Settled};
use cicada_core::Account;
use cicada_network::{FaultModelName, Rules};
use cicada_node_api::{Attestation, Scale};
use cluster::Cluster;
use parity_scale_codec::Encode;
use serde_json::Value;
use std::time::{Duration, Instant};

const FEEDS: [&str; 4] = ["leaderboard", "nav", "basket", "rewards"];

/// The next NAV, observed by these seats at this very time.
fn next_nav(cluster: &Cluster, seats: &[u8]) -> nav::Proposal {
    let state = cluster.feed_state(seats[0], "nav").unwrap();
    nav_after(cluster, seats, &state, Cluster::now_ms())
}

fn nav_after(cluster: &Cluster, seats: &[u8], state: &FeedState, time_ms: u64) -> nav::Proposal {
    let feed = cluster.network.feed(ReportKind::Nav).unwrap();
    let config = cluster.network.config_digest();
    let observe = |seat: &u8| {
        let nav_e18 = nav::ONE_E18 + u128::from(*seat);
        let mut one = Observation { seat: *seat, nav_e18, time_ms, signature: [0; 64] };
        let message = one.message::<Native>(&config, &feed, state.slot + 1);
        one.signature = cluster.keys(*seat).attest(&message);
        one
    };
    let observations: Vec<_> = seats.iter().map(observe).collect();
    for seat in 0..u8::try_from(cluster.network.nodes.len()).unwrap() {
        let own = nav::Own {
            slot: state.slot + 1,
            observation: observe(&seat),
            signed_ms: Cluster::now_ms(),
            weights: vec![1; cluster.network.nodes.len()],
        };
        let path = cluster.path(&format!("nav-{seat:02}"));
        std::fs::write(&path, own.encode()).unwrap();
    }
    nav::Proposal {
        report: nav::report::<Native>(feed, state, &observations, time_ms),
        observations,
    }
}

fn award(time_ms: u64) -> Award {
    Award {
        epoch: 1,
        start_ms: time_ms - 3_600_000,
        end_ms: time_ms,
        pool: 1_000,
        carried_in: 0,
        awarded: 900,
        carried_out: 100,
        claims_root: Digest([7; 32]),
        claims: 12,
        total: 900,
        ranking: Digest([8; 32]),
    }
}

/// The first award, which nobody ranked.
fn first_award(award: Award, feed: Feed) -> rewards::Proposal {
    let now_ms = Cluster::now_ms();
    rewards::Proposal::new::<Native>(award, Vec::new(), feed, &FeedState::EMPTY, now_ms)
}

fn basket(price_e18: u128) -> Vec<Entry> {
    let entry = |netuid: u8, weight_bps, price_e18| Entry {
        netuid: netuid.into(),
        token: Account([netuid + 100; 32]),
        weight_bps,
        price_e18,
    };
    vec![entry(1, 6_000, price_e18), entry(2, 4_000, 9_000)]
}

/// What a seat has observed for the first basket.
fn prices(cluster: &Cluster, seat: u8, entries: &[Entry], time_ms: u64) -> observed::Observation {
    let prices = entries.iter().map(|entry| (entry.netuid, entry.price_e18)).collect();
    let mut one = observed::Observation { seat, time_ms, prices, signature: [0; 64] };
    let feed = cluster.network.feed(ReportKind::Basket).unwrap();
    let message = one.message::<Native>(&cluster.network.config_digest(), &feed, 1);
    one.signature = cluster.keys(seat).attest(&message);
    one
}

/// The first basket, of what these seats have observed.
fn first_basket(
    cluster: &Cluster,
    observations: Vec<observed::Observation>,
    entries: Vec<Entry>,
    time_ms: u64,
) -> agreed::Proposal {
    let feed = cluster.network.feed(ReportKind::Basket).unwrap();
    let report = holdings::report::<Native>(feed, &FeedState::EMPTY, &entries, time_ms);
    agreed::Proposal { report, entries, observations }
}

/// What the validator of a seat writes for its node.
fn write(cluster: &Cluster, seat: u8, award: &Award, entries: Vec<Entry>, time_ms: u64) {
    let awards = cluster.path(&format!("awards-{seat:02}"));
    std::fs::create_dir_all(&awards).unwrap();
    let told = Told { award: *award, signed: None };
    std::fs::write(awards.join("epoch-1.scale"), told.encode()).unwrap();
    let wanted = |entry: &Entry| Wanted {
        netuid: entry.netuid,
        token: entry.token,
        emission: entry.weight_bps.into(),
    };
    let ranked = entries.iter().map(wanted).collect();
    let own = agreed::Own {
        slot: 1,
        observation: prices(cluster, seat, &entries, time_ms),
        signed_ms: time_ms,
        weights: vec![1; cluster.network.nodes.len()],
        sheet: Sheet { index_token: Account([99; 32]), ranked, held: Vec::new() },
    };
    std::fs::write(cluster.path(&format!("basket-{seat:02}")), own.encode()).unwrap();
    let state = AwardState::starting(award.start_ms);
    let settled = Settled { state, latest: FeedState::EMPTY };
    std::fs::write(awards.join("settled.scale"), settled.encode()).unwrap();
}

/// Proposes a value and checks its certificate.
fn certify(cluster: &Cluster, seat: u8, value: &impl Encode) -> Value {
    let response = cluster.try_propose_value(seat, &value.encode(), 60_000).unwrap();
    let answer = response.json();
    assert_eq!(response.status, 200, "{answer}{}", cluster.logs());
    assert_eq!(answer["proposal"], Scale(value).to_string());
    cluster.check_certificate(&answer);
    answer
}

fn refused(cluster: &Cluster, seat: u8, value: &impl Encode, words: &str) {
    let response = cluster.try_propose_value(seat, &value.encode(), 10_000).unwrap();
    let answer = response.json();
    assert_eq!(response.status, 409, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
}

fn certificates(cluster: &Cluster, seat: u8, feed: &str) -> Value {
    cluster.get(seat, &format!("/paxos/certificates?feed={feed}&after=0")).unwrap().json()
}

#[test]
fn four_feeds_share_a_log_and_each_gets_its_certificates() {
    share_a_log(FaultModelName::Byzantine);
}

#[test]
fn so_they_do_in_crash_mode() {
    share_a_log(FaultModelName::Crash);
}

fn share_a_log(model: FaultModelName) {
    let cluster = Cluster::of(4, model).with_index();
    let (begin, own) = (Cluster::now_ms(), award(Cluster::now_ms()));
    // Prices that differ a little.
    let found = |seat: u8| basket(10_000 + u128::from(seat));
    (0..4).for_each(|seat| write(&cluster, seat, &own, found(seat), begin));
    cluster.start(0..4);

    let (slot, board) = cluster.certify_next(0);
    assert_eq!((slot, &board["position"]), (1, &Value::from(1)));
    let now = Cluster::now_ms();
    let nav = |seats: &[u8]| nav_after(&cluster, seats, &FeedState::EMPTY, now);
    let navs = [nav(&[0, 1, 2]), nav(&[0, 1])];
    refused(&cluster, 1, &navs[1], "2 observations; 3 of seats with weight are needed");
    let first = certify(&cluster, 1, &navs[0]);
    assert_eq!((&first["slot"], &first["position"]), (&Value::from(1), &Value::from(2)));

    let observations = (0..4).map(|seat| prices(&cluster, seat, &found(seat), begin)).collect();
    // The lower median of four.
    certify(&cluster, 2, &first_basket(&cluster, observations, found(1), begin));
    let feed = cluster.network.feed(ReportKind::Rewards).unwrap();
    certify(&cluster, 3, &first_award(own, feed));
    assert_eq!(cluster.certify_next(2).0, 2);
    let second = certify(&cluster, 0, &next_nav(&cluster, &[1, 2, 3]));
    assert_eq!((&second["slot"], &second["position"]), (&Value::from(2), &Value::from(6)));
    // The same again is answered with the same.
    assert_eq!(certify(&cluster, 1, &navs[0])["digest"], first["digest"]);

    // All have all certificates, and so has one that comes back.
    let all = |seat: u8| {
        let status = cluster.status(seat);
        let certified = |feed: &str| status["feeds"][feed]["certified_slot"].as_u64().unwrap();
        FEEDS.map(certified) == [2, 2, 1, 1]
    };
    cluster.wait("all have all", |_| (0..4).all(all));
    cluster.kill([3]);
    cluster.start([3]);
    assert!(all(3), "{}", cluster.status(3));
    for (feed, count) in FEEDS.into_iter().zip([2, 2, 1, 1]) {
        let list = certificates(&cluster, 3, feed);
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), count, "{feed}");
        list.iter().for_each(|entry| cluster.check_certificate(entry));
    }
    assert_eq!(certificates(&cluster, 3, "nav")[1]["digest"], second["digest"]);
    anyone_can_be_replaced(&cluster);
    let unknown = cluster.get(0, "/paxos/certificates?feed=price").unwrap();
    assert_eq!(unknown.status, 404);
    let metrics = String::from_utf8(cluster.get(0, "/metrics").unwrap().body).unwrap();
    assert!(metrics.contains("paxos_feed_slot{kind=\"nav\"} 2"), "{metrics}");
}

// Who lost his voice on the chain is replaced in a certificate by what the others attest now.
fn anyone_can_be_replaced(cluster: &Cluster) {
    let mut entry = certificates(cluster, 0, "nav")[1].clone();
    let Scale(certificate): Scale<Certificate> =
        entry["certificate"].as_str().unwrap().parse().unwrap();
    let attested = |seat: u8| {
        let answer = cluster.get(seat, "/paxos/attestation?feed=nav&slot=2").unwrap().json();
        let signed: Attestation = serde_json::from_value(answer).unwrap();
        assert_eq!((signed.seat, signed.slot), (seat, 2));
        (seat, signed.signature.0)
    };
    let more: Vec<_> = (0..4).map(attested).collect();
    let quorum = cluster.network.attestation_quorum();
    for seat in 0..4 {
        let replaced = certificate.without(1 << seat, &quorum, more.clone()).unwrap();
        assert_eq!(replaced.signers >> seat & 1, 0);
        entry["certificate"] = Scale(replaced).to_string().into();
        cluster.check_certificate(&entry);
    }
    let unknown = cluster.get(0, "/paxos/attestation?feed=nav&slot=3").unwrap();
    assert_eq!(unknown.status, 404);
    assert_eq!(cluster.get(0, "/paxos/attestation?slot=0").unwrap().status, 404);
}

#[test]
fn sixteen_of_twenty_three_are_enough_for_a_nav_and_fifteen_are_not() {
    let cluster = Cluster::new(23).with_index();
    // Apart, so that no two leaders in a row are dead.
    let (dead, sixteen): (Vec<u8>, Vec<u8>) = (0..23).partition(|seat| seat % 3 == 0 && *seat < 21);
    assert_eq!((dead.len(), sixteen.len()), (7, 16));
    cluster.start(sixteen.clone());
    let state = FeedState::EMPTY;
    let few = nav_after(&cluster, &sixteen[1..], &state, Cluster::now_ms());
    refused(&cluster, 4, &few, "15 observations; 16 of seats with weight are needed");
    let mut forged = nav_after(&cluster, &sixteen, &state, Cluster::now_ms());
    // A node's own observation, changed by whoever brings it.
    forged.observations[2].nav_e18 += 1;
    assert_eq!(forged.observations[2].seat, 4);
    let time_ms = forged.report.time_ms;
    forged.report =
        nav::report::<Native>(forged.report.feed, &state, &forged.observations, time_ms);
    refused(&cluster, 4, &forged, "the observation of seat 4 is forged");
    let nav = nav_after(&cluster, &sixteen, &state, Cluster::now_ms());
    let answer = certify(&cluster, 22, &nav);
    assert_eq!(answer["attested"].as_array().unwrap().len(), 16, "{answer}");
    // The others come back and have it too.
    cluster.start(dead.clone());
    cluster.wait("all have the certificate", |cluster| {
        dead.iter().all(|seat| cluster.status(*seat)["feeds"]["nav"]["certified_slot"] == 1)
    });
    cluster.check_certificate(&certificates(&cluster, 0, "nav")[0]);
}

#[test]
fn what_too_few_validators_computed_is_not_decided_and_blocks_no_other_feed() {
    let cluster = Cluster::new(4).with_index();
    let (begin, own) = (Cluster::now_ms(), award(Cluster::now_ms()));
    let other = Award { awarded: 800, carried_out: 200, total: 800, ..own };
    // Of seats 2 and 3 neither award nor prices are those of 0 and 1.
    for seat in 0..2 {
        write(&cluster, seat, &own, basket(10_000), begin);
    }
    for seat in 2..4 {
        write(&cluster, seat, &other, basket(10_102), begin);
    }
    cluster.start(0..4);
    let feed = cluster.network.feed(ReportKind::Rewards).unwrap();
    let proposal = first_award(own, feed);
    refused(&cluster, 3, &proposal, "awarded: proposed is 900, my validator has 800");
    let found =
        |seat: u8| prices(&cluster, seat, &basket(if seat < 2 { 10_000 } else { 10_102 }), begin);
    let observations = (0..4).map(found).collect();
    let basket = first_basket(&cluster, observations, basket(10_000), begin);
    refused(&cluster, 2, &basket, "subnet 1: the price is 101 bps off");

    let response = cluster.try_propose_value(0, &proposal.encode(), 8_000).unwrap();
    let answer = response.json();
    assert_eq!((response.status, &answer["position"]), (503, &Value::Null), "{answer}");
    let refusals = answer["refusals"].as_array().unwrap();
    assert!(
        refusals.iter().any(|refusal| {
            refusal["reason"].as_str().unwrap().contains("my validator has 800")
        }),
        "{answer}"
    );

    assert_eq!(cluster.certify_soon(0).0, 1);
    // The NAV needs none of these files.
    certify(&cluster, 3, &next_nav(&cluster, &[0, 1, 2, 3]));
    let board = cluster.status(0)["feeds"]["rewards"]["slot"].clone();
    assert_eq!(board, 0);
}

#[test]
fn a_network_without_an_index_has_the_leaderboard_only() {
    let cluster = Cluster::new(4);
    cluster.start(0..1);
    let feeds = cluster.status(0)["feeds"].clone();
    assert_eq!(feeds.as_object().unwrap().keys().collect::<Vec<_>>(), ["leaderboard"]);
    let answer = cluster.get(0, "/paxos/certificates?feed=nav").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"], "the feeds of this network are: leaderboard");
    let elsewhere = Cluster::new(4).with_index();
    let nav = nav_after(&elsewhere, &[0, 1, 2], &FeedState::EMPTY, Cluster::now_ms());
    refused(&cluster, 0, &nav, "a report of another feed or contract");
    let response = cluster.try_propose_value(0, &[1, 2, 3], 1_000).unwrap();
    assert_eq!(response.status, 400);
}

#[test]
fn each_seat_proposes_in_its_turn_wherever_it_asks() {
    in_turn(FaultModelName::Byzantine);
}

#[test]
fn so_it_does_in_crash_mode() {
    in_turn(FaultModelName::Crash);
}

fn in_turn(model: FaultModelName) {
    let rules = Rules { turn_delay_ms: 1_000, due_after_ms: 1_000, ..Rules::UNASKED };
    let cluster = Cluster::of(4, model).with_index().under(rules);
    cluster.start(0..4);
    // Slot 1 is seat 1's; seat 3 comes two turns later.
    let first = next_nav(&cluster, &[0, 1, 2, 3]);
    refused(&cluster, 3, &first, "slot 1 is seat 3's to propose");
    let asked = |from: u8, to: u8, nav: &nav::Proposal| {
        let answer = cluster.try_propose_as(from, to, &nav.encode(), 60_000).unwrap();
        (answer.status, answer.json())
    };
    let (status, answer) = asked(1, 3, &first);
    assert_eq!((status, &answer["proposer"]), (200, &Value::from(1)), "{answer}");
    assert_eq!(answer["proposal"], Scale(&first).to_string(), "what is certified names nobody");
    cluster.check_certificate(&answer);
    // The first of slot 2 is gone. The next one tries until its turn has come.
    cluster.kill([2]);
    let second = next_nav(&cluster, &[0, 1, 3]);
    refused(&cluster, 3, &second, "slot 2 is seat 3's to propose");
    let begin = Instant::now();
    let answer = loop {
        match asked(3, 0, &second) {
            (200, answer) => break answer,
            (409 | 503, _) => std::thread::sleep(Duration::from_millis(100)),
            (status, answer) => panic!("{status} {answer}{}", cluster.logs()),
        }
    };
    assert!(begin.elapsed() > Duration::from_secs(2), "two seconds, and two more for the leader");
    assert_eq!(answer["proposer"], 3);
    let (status, again) = asked(0, 1, &second);
    assert_eq!((status, &again["proposer"]), (200, &Value::from(3)), "the same report is there");
    // The log, read again, is the same.
    let listed = certificates(&cluster, 0, "nav");
    assert_eq!(listed[1]["proposer"], 3);
    cluster.terminate(0);
    cluster.start([0]);
    assert_eq!(certificates(&cluster, 0, "nav"), listed);
    cluster.certify_soon(0);
}

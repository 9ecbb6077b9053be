//! Who brings values to a node takes no room from the others, whatever the values are.

mod cluster;

use cicada_consensus::Seat;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Proposal};
use cicada_core::report::FeedState;
use cluster::Cluster;
use parity_scale_codec::Encode;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A liar's connections.
const POSTS: usize = 32;
const LIAR: Seat = 3;
/// How long it lets its values wait.
const PATIENCE_MS: u64 = 12_000;

/// The figure of a node under this name, 0 if there is none yet.
fn figure(cluster: &Cluster, seat: Seat, name: &str) -> u64 {
    let text = String::from_utf8(cluster.get(seat, "/metrics").unwrap().body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

/// The same leaderboard of another time.
fn later(Proposal { report: first, board }: &Proposal, ms: u64) -> Vec<u8> {
    let time_ms = first.time_ms + ms;
    let mut report = report::<Native>(first.feed, &FeedState::EMPTY, board, time_ms);
    report.slot = first.slot;
    Proposal { report, board: board.clone() }.encode()
}

#[test]
fn junk_of_one_seat_starves_nobody_and_is_not_handed_on() {
    let cluster = Cluster::new(4);
    cluster.start(0..4);
    let mut junk = cluster.proposal(0);
    junk.report.slot = 1_000_000_000;
    let (done, posted) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..POSTS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let value = later(&junk, posted.fetch_add(1, Ordering::SeqCst));
                    let answer = cluster.try_propose_as(LIAR, 0, &value, 10_000);
                    let status = answer.map(|answer| answer.status);
                    assert!(matches!(status, None | Some(409 | 429)), "{status:?}");
                }
            });
        }
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cluster.wait("the junk comes in", |_| posted.load(Ordering::SeqCst) > 500);
            for seat in 1..4 {
                let name = "paxos_requests_total{kind=\"suggest\"}";
                assert_eq!(figure(&cluster, seat, name), 0, "seat {seat} heard of it");
            }
            let (slot, _) = cluster.certify_next(0);
            assert_eq!(slot, 1);
        }));
        done.store(true, Ordering::SeqCst);
        ended.unwrap();
    });
}

/// Proposes; the connection is the caller's to keep.
fn post(cluster: &Cluster, from: Seat, value: &[u8], timeout_ms: u64) -> TcpStream {
    let host = cluster.network.nodes[0].url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let pass = cluster.pass_of(from, 0, value);
    let pass = pass.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let head = format!(
        "POST /paxos/propose?timeout_ms={timeout_ms} HTTP/1.1\r\nhost: {host}\r\n{pass}\
         content-length: {}\r\n\r\n",
        value.len()
    );
    stream.write_all(&[head.as_bytes(), value].concat()).unwrap();
    stream
}

#[test]
fn a_seat_keeps_its_places_until_what_it_brought_is_done_even_if_it_has_gone() {
    let cluster = Cluster::new(4);
    cluster.start(0..1);
    // True, but alone the node comes to no decision.
    let honest = cluster.proposal(0);
    let propose = |from: Seat, ms: u64| {
        cluster.try_propose_as(from, 0, &later(&honest, ms), 1).unwrap().status
    };
    let begin = Instant::now();
    let mut posts = Vec::new();
    cluster.wait("its places are taken", |cluster| {
        let taken = propose(LIAR, 100) == 429;
        if !taken {
            posts.push(post(cluster, LIAR, &later(&honest, posts.len() as u64), PATIENCE_MS));
        }
        taken
    });
    drop(posts);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(propose(LIAR, 101), 429);
    assert_eq!(propose(1, 102), 503, "another seat has its own");
    assert_eq!(propose(0, 103), 503, "so has this one");
    assert!(begin.elapsed() < Duration::from_millis(PATIENCE_MS), "the machine is too slow");
    cluster.wait("they are free again", |_| propose(LIAR, 104) == 503);
}

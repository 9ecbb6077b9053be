//! Twenty-three processes, everything that can happen to them, and a client that remembers what
//! it was told.
//!
//! `CICADA_NEMESIS_SECONDS` says for how long (60), `CICADA_NEMESIS_SEED` what happens in which
//! order. The order is the seed's; the times are the machine's.

mod cluster;
#[path = "nemesis/proxy.rs"]
mod proxy;

use cicada_consensus::Seat;
use cicada_dice::Dice;
use cicada_localnet::Signal;
use cicada_network::FaultModelName;
use cluster::Cluster;
use proxy::{Link, Links};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const NODES: u8 = 23;
/// How many nodes are hurt at once; one more has lost its disk for good.
const HURT: usize = 6;

/// Some seats, of those that are not among `without`.
fn seats(dice: &mut Dice, count: usize, without: &BTreeSet<Seat>) -> BTreeSet<Seat> {
    let mut seats = BTreeSet::new();
    while seats.len() < count {
        let seat = Seat::try_from(dice.below(NODES.into())).unwrap();
        if !without.contains(&seat) {
            seats.insert(seat);
        }
    }
    seats
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The committee behind its proxies.
fn behind_proxies(runtime: &tokio::runtime::Runtime, links: &Arc<Links>) -> Cluster {
    let fronts = Mutex::new(Vec::new());
    let cluster = Cluster::behind(NODES, FaultModelName::Byzantine, |node: SocketAddr| {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let front = listener.local_addr().unwrap();
        fronts.lock().unwrap().push((listener, node));
        front
    });
    for (seat, (listener, node)) in (0..NODES).zip(fronts.into_inner().unwrap()) {
        runtime.spawn(proxy::serve(listener, node, seat, links.clone()));
    }
    cluster
}

/// What the client was told: slot and digest; and how long it took.
#[derive(Default)]
struct Told {
    slots: BTreeMap<u64, Value>,
    asked: usize,
    longest: Duration,
}

/// Proposes all the time, at one node after the other.
fn propose_until(cluster: &Cluster, end: &AtomicBool) -> Told {
    let mut told = Told::default();
    let mut last = Instant::now();
    for turn in 0u64.. {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let seat = Seat::try_from(turn * 5 % u64::from(NODES)).unwrap();
        let Some(proposal) = cluster.try_proposal(seat) else {
            continue;
        };
        told.asked += 1;
        let Some(response) = cluster.try_propose(seat, &proposal, 3_000) else {
            continue;
        };
        if response.status != 200 {
            continue;
        }
        let answer = response.json();
        cluster.check_certificate(&answer);
        let before = told.slots.insert(answer["slot"].as_u64().unwrap(), answer["digest"].clone());
        assert!(before.is_none_or(|before| before == answer["digest"]), "a slot told twice");
        told.longest = told.longest.max(last.elapsed());
        last = Instant::now();
    }
    told
}

/// Hurts some nodes, or the links between all, for a while. What was done.
fn hurt(cluster: &Cluster, links: &Links, dice: &mut Dice, gone: &BTreeSet<Seat>) -> String {
    let count = usize::try_from(1 + dice.below(HURT as u64)).unwrap();
    let seats = seats(dice, count, gone);
    let while_it_lasts = Duration::from_millis(1_000 + dice.below(3_000));
    let wait = || std::thread::sleep(while_it_lasts);
    let cut = |cut: bool| Link { cut, ..Link::default() };
    let what = match dice.below(6) {
        0 => {
            seats.iter().for_each(|seat| cluster.kill_nine(*seat));
            seats.iter().for_each(|seat| cluster.reap(*seat));
            wait();
            seats.iter().for_each(|seat| cluster.spawn(*seat));
            format!("killed {seats:?}")
        }
        1 => {
            seats.iter().for_each(|seat| cluster.signal(*seat, Signal::STOP));
            wait();
            seats.iter().for_each(|seat| cluster.signal(*seat, Signal::CONT));
            format!("stopped {seats:?}")
        }
        2 => {
            links.set(|from, to| cut(seats.contains(&from) && !seats.contains(&to)));
            wait();
            format!("nobody hears {seats:?}")
        }
        3 => {
            let reach = Seat::try_from(5 + dice.below(6)).unwrap();
            let apart = |from: Seat, to: Seat| from.abs_diff(to).min(NODES - from.abs_diff(to));
            links.set(|from, to| cut(apart(from, to) > reach));
            wait();
            format!("each reaches only {reach} to either side")
        }
        4 => {
            let delay_ms = 5 + dice.below(150);
            links.set(|_, _| Link { delay_ms, ..Link::default() });
            wait();
            format!("everything is {delay_ms} ms late")
        }
        _ => {
            let loss = 5 + dice.below(60);
            links.set(|_, _| Link { loss, ..Link::default() });
            wait();
            format!("{loss} of 1,024 pieces break their connection")
        }
    };
    links.set(|_, _| Link::default());
    format!("{what}, for {while_it_lasts:?}")
}

/// A node that lost half of its disk must not come back.
fn lose_a_disk(cluster: &Cluster, seat: Seat) {
    cluster.kill_nine(seat);
    cluster.reap(seat);
    let file = cluster.path(&format!("data-{seat:02}")).join("node.redb");
    let file = std::fs::File::options().write(true).open(file).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 2).unwrap();
    cluster.spawn(seat);
    let deadline = Instant::now() + Duration::from_secs(20);
    let code = loop {
        if let Some(code) = cluster.ended(seat) {
            break code;
        }
        assert!(Instant::now() < deadline, "seat {seat} goes on with half a disk");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_ne!(code, 0);
    println!("seat {seat} lost half of its disk and refuses to start");
}

/// Everything that a node has certified, by slot.
fn certified(cluster: &Cluster, seat: Seat) -> BTreeMap<u64, Value> {
    let mut all = BTreeMap::new();
    loop {
        let after = all.keys().next_back().copied().unwrap_or(0);
        let path = format!("/paxos/certificates?after={after}&limit=256");
        let page = cluster.get(seat, &path).unwrap().json();
        let page = page.as_array().unwrap();
        if page.is_empty() {
            return all;
        }
        for entry in page {
            all.insert(entry["slot"].as_u64().unwrap(), entry.clone());
        }
    }
}

#[test]
fn what_was_acknowledged_is_there_whatever_happens() {
    let seconds = setting("CICADA_NEMESIS_SECONDS", 60);
    let mut dice = Dice::new(setting("CICADA_NEMESIS_SEED", 1));
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    let links = Links::new(NODES);
    let cluster = behind_proxies(&runtime, &links);
    cluster.start(0..NODES);

    let begin = Instant::now();
    let ended = AtomicBool::new(false);
    let mut gone = BTreeSet::new();
    let told = std::thread::scope(|scope| {
        let client = scope.spawn(|| propose_until(&cluster, &ended));
        for turn in 0.. {
            if begin.elapsed() >= Duration::from_secs(seconds) {
                break;
            }
            println!(
                "{:>4} s: {}",
                begin.elapsed().as_secs(),
                hurt(&cluster, &links, &mut dice, &gone)
            );
            if turn == 2 {
                let seat = seats(&mut dice, 1, &gone).into_iter().next().unwrap();
                lose_a_disk(&cluster, seat);
                gone.insert(seat);
            }
            std::thread::sleep(Duration::from_millis(500 + dice.below(1_500)));
        }
        ended.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    println!(
        "{} of {} proposals were certified in {seconds} s; the longest time without one was {:?}",
        told.slots.len(),
        told.asked,
        told.longest
    );

    let alive: Vec<Seat> = (0..NODES).filter(|seat| !gone.contains(seat)).collect();
    cluster.wait("all answer", |cluster| {
        alive.iter().all(|seat| cluster.get(*seat, "/paxos/status").is_some())
    });
    let (last, _) = cluster.certify_soon(alive[0]);
    cluster.wait("all have caught up", |cluster| {
        alive.iter().all(|seat| cluster.status(*seat)["certified_slot"] == last)
    });
    let reference = certified(&cluster, alive[0]);
    assert_eq!(reference.len() as u64, last, "no slot is left out");
    for (slot, digest) in &told.slots {
        assert_eq!(reference[slot]["digest"], *digest, "slot {slot} was acknowledged");
    }
    for entry in reference.values() {
        cluster.check_certificate(entry);
    }
    for seat in alive {
        let others = certified(&cluster, seat);
        let digests = |all: &BTreeMap<u64, Value>| -> Vec<Value> {
            all.values().map(|entry| entry["digest"].clone()).collect()
        };
        assert_eq!(digests(&others), digests(&reference), "seat {seat}");
        assert!(cluster.ended(seat).is_none(), "seat {seat} still runs");
    }
    assert!(told.slots.len() >= 3, "hardly anything was certified{}", cluster.logs());
}

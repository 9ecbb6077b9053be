use super::*;
use crate::keyring::Keyring;
use crate::ranking::Reader;
use cicada_consensus::Keys;
use cicada_core::basket::holdings as entries;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{FeedState, ReportKind};
use cicada_core::rewards::{Award, AwardState};
use cicada_core::Account;
use cicada_core::{leaderboard as boards, nav as navs, rewards as awards};
use cicada_network::{
    ChainSection, ContractName, Contracts, FaultModelName, NodeEntry, NodeKeys, Rules,
};
use parity_scale_codec::Encode;
use tempfile::TempDir;

mod baskets;
mod form;
mod own_files;
mod rules;
mod turns;
mod volumes;
mod withdrawn;

const NOW: u64 = 1_738_425_600_000;
const SEATS: u8 = 23;
const NAV: u128 = navs::ONE_E18;

fn at(wall_ms: u64) -> Now {
    Now { timer_ms: 0, wall_ms }
}

/// A network of all feeds, and the node of seat 0 in it.
struct Bench {
    dir: TempDir,
    network: Network,
    keys: Vec<NodeKeys>,
    feeds: Feeds,
    volumes: Seen,
    withdrawn: Vec<Framework>,
    settled: Settled,
}

impl Bench {
    fn new() -> Self {
        Self::of(Some(Account([5; 32])), Some(Account([6; 32])))
    }

    fn of(index: Option<Account>, rewards: Option<Account>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |seat| NodeKeys::generate(&dir.path().join(format!("{seat}.key"))).unwrap();
        let keys: Vec<NodeKeys> = (0..SEATS).map(make).collect();
        let entry = |keys: &NodeKeys| NodeEntry::new("http://127.0.0.1:1".into(), keys);
        let mut contracts = Contracts::unasked();
        for (name, account) in [(ContractName::Index, index), (ContractName::Rewards, rewards)] {
            account.into_iter().for_each(|account| contracts.set(name, account));
        }
        let network = Network {
            epoch: 1,
            fault_model: FaultModelName::Byzantine,
            chain: ChainSection::unasked(),
            contracts,
            rules: Rules::UNASKED,
            nodes: keys.iter().map(entry).collect(),
        };
        let results = dir.path().join("results.jsonl");
        std::fs::copy(
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/results.jsonl"),
            &results,
        )
        .unwrap();
        let mut bench = Self {
            feeds: Feeds { entries: Vec::new(), places: BTreeMap::new() },
            volumes: Seen::default(),
            withdrawn: Vec::new(),
            settled: Settled::default(),
            dir,
            network,
            keys,
        };
        bench.restart(true);
        bench
    }

    /// A new node of the same network, with or without a validator.
    fn restart(&mut self, validator: bool) {
        let members = Arc::new(PublicKeys::new(&self.network.members()));
        let own = [
            (ReportKind::Nav, "nav.scale"),
            (ReportKind::Basket, "basket.scale"),
            (ReportKind::Rewards, "awards"),
        ];
        let own = own.map(|(kind, name)| validator.then(|| (kind, self.dir.path().join(name))));
        let sources = Sources {
            results: Reader::start(self.dir.path().join("results.jsonl")).unwrap().0,
            withdrawn: self.withdrawn.clone(),
            own: own.into_iter().flatten().collect(),
            volumes: self.volumes.clone(),
            settled: self.settled.clone(),
        };
        self.feeds = Feeds::new(&self.network, &members, &sources);
    }

    fn check(&self, value: &impl Encode, wall_ms: u64) -> Result<(), String> {
        self.feeds.check(&value.encode(), at(wall_ms)).map_err(|Refusal(reason)| reason)
    }

    fn refuses(&self, value: &impl Encode, wall_ms: u64, words: &str) {
        let reason = self.check(value, wall_ms).expect_err(words);
        assert!(reason.contains(words), "{reason}");
    }

    fn state(&self, name: &str) -> FeedState {
        self.feeds.of(ReportKind::named(name).unwrap()).unwrap().state()
    }

    fn board(&self, time_ms: u64) -> boards::Proposal {
        let results =
            cicada_results::read(&self.dir.path().join("results.jsonl"), time_ms).unwrap();
        let board = boards::Board::of::<Native>(&results.tally, |_| 0);
        let feed = self.network.feed(ReportKind::Leaderboard).unwrap();
        let state = self.state("leaderboard");
        boards::Proposal { report: boards::report::<Native>(feed, &state, &board, time_ms), board }
    }

    fn observation(&self, seat: u8, slot: u64, nav_e18: u128, time_ms: u64) -> Observation {
        let mut observation = Observation { seat, nav_e18, time_ms, signature: [0; 64] };
        let feed = self.network.feed(ReportKind::Nav).unwrap();
        let config = self.network.config_digest();
        let message = observation.message::<Native>(&config, &feed, slot);
        observation.signature = self.keys[usize::from(seat)].attest(&message);
        observation
    }

    /// The next NAV, observed by the first `count` seats.
    fn nav(&self, count: u8, time_ms: u64) -> navs::Proposal {
        let slot = self.state("nav").slot + 1;
        let observe = |seat: u8| self.observation(seat, slot, NAV + u128::from(seat), time_ms);
        self.nav_of((0..count).map(observe).collect(), time_ms)
    }

    fn nav_of(&self, observations: Vec<Observation>, time_ms: u64) -> navs::Proposal {
        let feed = self.network.feed(ReportKind::Nav).unwrap();
        let report = navs::report::<Native>(feed, &self.state("nav"), &observations, time_ms);
        navs::Proposal { report, observations }
    }

    /// What this node's validator, of seat 0, has signed for the next slot.
    fn own_nav(&self, nav_e18: u128, time_ms: u64) -> navs::Own {
        let slot = self.state("nav").slot + 1;
        let observation = self.observation(0, slot, nav_e18, time_ms);
        let weights = vec![1_000; usize::from(SEATS)];
        navs::Own { slot, observation, signed_ms: time_ms, weights }
    }

    /// The next NAV, which this node's validator has signed too.
    fn seen_nav(&self, count: u8, time_ms: u64) -> navs::Proposal {
        self.write("nav.scale", &self.own_nav(NAV, time_ms));
        self.nav(count, time_ms)
    }

    fn award(&self, award: Award, time_ms: u64) -> awards::Proposal {
        let feed = self.network.feed(ReportKind::Rewards).unwrap();
        awards::Proposal::new::<Native>(award, Vec::new(), feed, &self.state("rewards"), time_ms)
    }

    fn write(&self, name: &str, content: &impl Encode) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.encode()).unwrap();
    }
}

#[test]
fn genuine_observations_of_sixteen_are_enough() {
    let bench = Bench::new();
    for count in 16..=23 {
        assert_eq!(bench.check(&bench.seen_nav(count, NOW), NOW), Ok(()));
    }
    bench.refuses(&bench.nav(15, NOW), NOW, "15 observations; 16 of seats with weight are needed");
    let keyring_says = |value: &navs::Proposal| {
        let keys = Keyring::new(
            Arc::new(NodeKeys::load(&bench.dir.path().join("0.key")).unwrap()),
            bench.network.members(),
        );
        let config = bench.network.config_digest();
        value.observations.iter().all(|one| {
            let message = one.message::<Native>(&config, &value.report.feed, value.report.slot);
            keys.verify_attestation(one.seat, &message, &one.signature)
        })
    };
    assert!(keyring_says(&bench.nav(16, NOW)));
}

#[test]
fn a_forged_observation_is_refused_by_name_its_own_too() {
    let bench = Bench::new();
    for seat in [0u8, 7, 15] {
        let mut list = bench.nav(16, NOW).observations;
        list[usize::from(seat)].nav_e18 += 1;
        let words = format!("the observation of seat {seat} is forged");
        bench.refuses(&bench.nav_of(list, NOW), NOW, &words);
    }
    // Genuine, but signed for another slot, another seat, another time.
    let replaced = |other: Observation| {
        let mut list = bench.nav(16, NOW).observations;
        list[3] = Observation { seat: 3, ..other };
        bench.nav_of(list, NOW)
    };
    bench.refuses(&replaced(bench.observation(3, 2, 1_003, NOW)), NOW, "seat 3 is forged");
    bench.refuses(&replaced(bench.observation(4, 1, 1_003, NOW)), NOW, "seat 3 is forged");
    let earlier = bench.observation(3, 1, 1_003, NOW - 1);
    let redated = Observation { time_ms: NOW, ..earlier };
    bench.refuses(&replaced(redated), NOW, "seat 3 is forged");
}

#[test]
fn a_nav_is_held_against_that_of_the_own_validator() {
    let mut bench = Bench::new();
    let heavy = bench.nav(16, NOW);
    bench.refuses(&heavy, NOW, "has not written a NAV yet");
    // Six seats of more weight than the ten others make a median that is far off.
    let mut own = bench.own_nav(NAV, NOW);
    own.weights[10..16].fill(2_000);
    bench.write("nav.scale", &own);
    let lie = |by: u128| {
        let honest = (0..10).map(|seat| bench.observation(seat, 1, NAV, NOW));
        let lies = (10..16).map(|seat| bench.observation(seat, 1, NAV + NAV * by / 10_000, NOW));
        bench.nav_of(honest.chain(lies).collect(), NOW)
    };
    assert_eq!(bench.check(&lie(50), NOW), Ok(()));
    bench.refuses(&lie(51), NOW, "the median is 51 bps off");
    own.weights[10..16].fill(0);
    bench.write("nav.scale", &own);
    bench.refuses(&lie(0), NOW, "16 of seats with weight are needed");
    bench.write("nav.scale", &bench.own_nav(NAV, NOW - 300_000));
    bench.refuses(&lie(0), NOW, "not observed this slot at this time");
    // Who is not heard in time says so, with what it signed.
    let own = bench.own_nav(NAV, NOW);
    bench.write("nav.scale", &own);
    let seats = (1..17).map(|seat| bench.observation(seat, 1, NAV, NOW));
    let without = bench.nav_of(seats.collect(), NOW);
    assert_eq!(bench.check(&without, NOW + 4_999), Ok(()));
    assert_eq!(bench.check(&without, NOW + 60_000), Ok(()), "a later view asks again");
    let seats = (1..18).map(|seat| bench.observation(seat, 1, NAV, NOW));
    let another = bench.nav_of(seats.collect(), NOW);
    bench.refuses(&another, NOW + 5_000, &hex::encode(own.observation.encode()));
    // Nor does one who sends many that are wrong make them forget when that one came.
    let pairs = (1..10u8).flat_map(|one| (one + 1..10).map(move |two| [one, two]));
    for pair in pairs {
        let seats = (1..20).filter(|seat| !pair.contains(seat));
        let seats = seats.map(|seat| bench.observation(seat, 1, NAV, NOW));
        bench.refuses(&bench.nav_of(seats.collect(), NOW), NOW + 5_000, "is not in it");
    }
    assert_eq!(bench.check(&without, NOW + 60_000), Ok(()));
    // What came before its validator had signed is right later.
    let second = bench.own_nav(NAV, NOW + 60_000);
    let seats = (1..17).map(|seat| bench.observation(seat, 1, NAV, NOW + 60_000));
    let early = bench.nav_of(seats.collect(), NOW + 60_000);
    bench.refuses(&early, NOW + 60_000, "not observed this slot at this time");
    bench.write("nav.scale", &second);
    assert_eq!(bench.check(&early, NOW + 90_000), Ok(()));
    bench.restart(false);
    bench.refuses(&without, NOW, "--nav is not given");
}

#[test]
fn observations_are_in_order_in_time_and_under_their_root() {
    let bench = Bench::new();
    let changed = |change: &dyn Fn(&mut Vec<Observation>)| {
        let mut list = bench.nav(17, NOW).observations;
        change(&mut list);
        bench.nav_of(list, NOW)
    };
    bench.refuses(&changed(&|list| list.swap(0, 1)), NOW, "not in order");
    bench.refuses(&changed(&|list| list[1] = list[0]), NOW, "not in order");
    bench.refuses(&changed(&|list| list[16].seat = 23), NOW, "a seat that there is not");
    bench.refuses(&changed(&|list| list[4].nav_e18 = 0), NOW, "an observation of 0");
    bench.refuses(&changed(&|list| list[4].time_ms = NOW + 1), NOW, "of another time");
    bench.refuses(&changed(&|list| list[4].time_ms = NOW - 1), NOW, "of another time");
    let mut other = bench.nav(16, NOW);
    other.report.root = Digest([9; 32]);
    bench.refuses(&other, NOW, "root");
    let mut longer = bench.nav(16, NOW).encode();
    longer.push(0);
    let Refusal(reason) = bench.feeds.check(&longer, at(NOW)).unwrap_err();
    assert_eq!(reason, "not a NAV");
}

#[test]
fn a_nav_follows_its_feed_and_fits_the_clock() {
    let mut bench = Bench::new();
    let first = bench.seen_nav(16, NOW);
    let latest = NOW + navs::ROUND_MS + MAX_SKEW_MS;
    assert_eq!(bench.check(&first, latest), Ok(()));
    assert_eq!(bench.check(&first, NOW - MAX_SKEW_MS), Ok(()));
    bench.refuses(&first, latest + 1, "before my clock");
    bench.refuses(&first, NOW - MAX_SKEW_MS - 1, "lies in the future");
    let request = bench.feeds.apply(1, &first.encode()).unwrap();
    assert_eq!(request.report, first.report);
    bench.refuses(&first, NOW, "stale: slots up to 1");
    let second = bench.seen_nav(16, NOW + 60_000);
    assert_eq!((second.report.slot, bench.check(&second, NOW + 60_000)), (2, Ok(())));
    let mut skipped = second.clone();
    skipped.report.slot = 3;
    bench.refuses(&skipped, NOW + 60_000, "the next is 2");
    let mut other = second.clone();
    other.report.previous = Digest([9; 32]);
    bench.refuses(&other, NOW + 60_000, "the report before it");
}

#[test]
fn feeds_share_the_log_and_nothing_else() {
    let mut bench = Bench::new();
    let time = NOW;
    let mut message: BTreeMap<Position, Digest> = BTreeMap::new();
    for (position, value) in [
        (1, bench.board(time).encode()),
        (2, bench.nav(16, time).encode()),
        (4, bench.basket(own_files::entries(), time).encode()),
        (5, bench.award(own_files::FIRST, time).encode()),
    ] {
        let request = bench.feeds.apply(position, &value).unwrap();
        assert_eq!(request.report.slot, 1);
        message.insert(position, request.message);
    }
    let navs = bench.nav(16, time);
    assert_eq!(navs.report.slot, 2);
    bench.feeds.apply(7, &navs.encode()).unwrap();
    let slots: Vec<_> =
        bench.feeds.lines().map(|line| (line.feed().kind.name(), line.state().slot)).collect();
    assert_eq!(slots, [("leaderboard", 1), ("nav", 2), ("basket", 1), ("rewards", 1)]);
    assert_eq!(bench.feeds.place(7), Some((1, 2)));
    assert_eq!(bench.feeds.place(4), Some((2, 1)));
    assert_eq!(bench.feeds.place(3), None);
    let nav = bench.feeds.line(&navs.report.feed).unwrap();
    let positions: Vec<_> = nav.after(0).map(|(slot, position, _)| (slot, position)).collect();
    assert_eq!(positions, [(1, 2), (2, 7)]);
    assert_eq!(nav.slot(2), Some((7, navs.report.digest::<Native>())));
    assert!(nav.after(2).next().is_none() && bench.feeds.of(ReportKind::Committee).is_none());
    // What was decided twice, or out of turn, is passed over and changes nothing.
    assert!(bench.feeds.apply(8, &navs.encode()).is_none());
    assert_eq!(bench.state("nav").slot, 2);
    // The same values bring another node to the same.
    let config = bench.network.config_digest();
    let expected = bench.feeds.of(ReportKind::Leaderboard).unwrap().slot(1).unwrap().1;
    let attested = cicada_core::report::attestation_message::<Native>(&config, &expected);
    assert_eq!(message[&1], attested);
}

#[test]
fn a_feed_without_a_contract_is_not_there() {
    let full = Bench::new();
    let mut bench = Bench::of(None, None);
    let names: Vec<_> = bench.feeds.lines().map(|line| line.feed().kind).collect();
    assert_eq!(names, [ReportKind::Leaderboard]);
    let nav = full.nav(16, NOW);
    bench.refuses(&nav, NOW, "another feed or contract");
    assert!(bench.feeds.apply(1, &nav.encode()).is_none());
    let mut elsewhere = full.nav(16, NOW);
    elsewhere.report.feed.contract = Account([7; 32]);
    full.refuses(&elsewhere, NOW, "another feed or contract");
    let mut crossed = full.nav(16, NOW);
    crossed.report.feed.contract = Account([6; 32]);
    full.refuses(&crossed, NOW, "another feed or contract");
    let mut committee = full.nav(16, NOW);
    committee.report.feed.kind = ReportKind::Committee;
    full.refuses(&committee, NOW, "another feed or contract");
    let mut version = full.nav(16, NOW);
    version.report.version = 2;
    full.refuses(&version, NOW, "a version that I do not read");
    full.refuses(&7u8, NOW, "does not begin with a report");
    // A value of one kind under the report of another.
    let mut disguised = full.board(NOW);
    disguised.report.feed = nav.report.feed;
    full.refuses(&disguised, NOW, "not a NAV");
}

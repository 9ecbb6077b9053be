//! An economy on the real contracts: people with costs and wishes who act by simple rules.
//!
//! A provider raises the price that he wants after a round in which he sold out, and lowers it,
//! never below his cost, after one in which he idled. He asks what gives him that price at his
//! reputation. A requester offers up to what the work is worth to him, but not much more than the
//! market's price of the last 24 hours; a careful one insists on a provider in the better half and
//! offers more for it.

use crate::baseline;
use crate::metrics::{End, Job, Record};
use crate::population::{Population, Size, Wish, MMC};
use crate::stage::{Settings, Stage};
use cicada_core::escrow::{Fallback, Panel, Range};
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, Consent, Offer, Parameters, Privacy, Request, Status};
use cicada_core::name::Name;
use cicada_core::sla::{Metric, QualityReport, Sla};
use cicada_core::Account;
use cicada_runtime_tests::{on, AccountId};
use cicada_traits::auction::{Auction, AuctionView};
use cicada_traits::escrow::Escrow;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// How long accepts wait in line.
const PRIORITY_MS: u64 = 12 * SECOND;
/// How much of everything everybody starts with.
const PURSE: u128 = 1_000_000_000 * MMC;
/// What a provider loses per unit of a job that he does not do.
const BOND: u128 = MMC;
/// How far a provider moves his price in a round, in percent.
const STEP_PERCENT: u128 = 4;
/// How far above the market's price an ordinary requester goes, in percent.
const ORDINARY_PERCENT: u128 = 106;
/// How far a careful one goes.
const CAREFUL_PERCENT: u128 = 124;
/// The metric of quality.
const ACCURACY: &str = "accuracy";

/// How the market of the simulation is made. Reputation decays by a tenth of its distance to the
/// start in eight hours.
pub const SETTINGS: Settings = Settings {
    auction: Parameters {
        priority_ms: PRIORITY_MS,
        violation_points: 60,
        fast_response_ms: MINUTE,
        slack_ms: 4 * MINUTE,
        hand_back_ms: 2 * MINUTE,
    },
    epoch_ms: 8 * HOUR,
    decay_bps: 1_000,
};

/// How a provider does the job he was given.
#[derive(Clone, Copy)]
enum Conduct {
    Good,
    SlowStart,
    SlowWork,
    BadWork,
    Absent,
}

/// What happens to a job, at its time.
#[derive(Clone, Copy)]
enum Step {
    Start,
    Complete,
    Settle,
    Expire,
}

struct Provider {
    account: AccountId,
    price: u128,
    points: u32,
    offer: u64,
    left: u64,
    sold: u64,
}

struct Running {
    job: Job,
    provider: AccountId,
    requester: AccountId,
    conduct: Conduct,
}

/// An economy between two rounds.
pub struct Economy {
    /// The chain.
    pub stage: Stage,
    /// What has happened.
    pub record: Record,
    size: Size,
    people: Population,
    random: ChaCha8Rng,
    providers: Vec<Provider>,
    requesters: Vec<AccountId>,
    names: Vec<Name>,
    round: u32,
}

impl Economy {
    /// Everybody joins.
    pub fn new(size: Size, people: Population, random: ChaCha8Rng) -> Self {
        let mut stage = Stage::new(&SETTINGS);
        let join = |index| stage.join(&format!("requester-{index}"), PURSE);
        let requesters = (0..size.requesters).map(join).collect();
        let join = |(index, provider): (usize, &crate::population::Provider)| Provider {
            account: stage.join(&format!("provider-{index}"), PURSE),
            price: provider.first_price,
            points: cicada_core::reputation::START_POINTS,
            offer: 0,
            left: 0,
            sold: 0,
        };
        let providers = people.providers.iter().enumerate().map(join).collect();
        let names = (0..size.tasks).map(|task| name(&format!("task-{task}"))).collect();
        let record = Record { rounds: size.rounds, ..Record::default() };
        Self { stage, record, size, people, random, providers, requesters, names, round: 0 }
    }

    /// Plays the next round: an hour.
    pub fn play(&mut self) {
        let start = self.stage.world.now();
        self.place_offers(start);
        let wishes = self.people.wishes[self.round as usize].clone();
        let requests: Vec<(u64, Wish)> =
            wishes.into_iter().map(|wish| (self.place_request(wish, start), wish)).collect();
        self.wait_in_line(&requests);
        self.stage.world.at(start + PRIORITY_MS);
        let mut jobs = BTreeMap::new();
        for (request, wish) in &requests {
            self.assign(*request, wish, &mut jobs);
        }
        self.work(start, jobs);
        self.close(start, &requests);
        self.adapt();
        self.stage.assert_conserved();
        // Folds the round's changes into the state: the chain computes its root at every block, over
        // all changes that are not folded.
        let state = self.stage.world.snapshot();
        self.stage.world.restore(&state);
        self.round += 1;
    }

    fn place_offers(&mut self, now: u64) {
        for index in 0..self.providers.len() {
            let who = self.people.providers[index];
            let account = self.providers[index].account;
            let points = self.stage.points(account);
            let task_type = self.names[who.task].clone();
            let read = on(&self.stage.auction).success_of(account, task_type.clone());
            let success = self.stage.world.read(read);
            let wanted = self.providers[index].price;
            let terms = Offer {
                task_type,
                units: who.capacity,
                min_units: 1,
                price: ask(wanted, points, success),
                capabilities: vec![],
                bond: BOND,
                expires_ms: now + 50 * MINUTE,
                payload_key: [1; 32],
                firm_from: None,
                consent: consent(vec![]),
            };
            let call = on(&self.stage.auction).offer(terms);
            let offer = self.stage.world.as_(account).call(call).succeeds().value;
            let provider = &mut self.providers[index];
            (provider.offer, provider.left, provider.sold) = (offer, who.capacity, 0);
            provider.points = points;
            self.record.units_offered += who.capacity;
        }
    }

    fn place_request(&mut self, wish: Wish, now: u64) -> u64 {
        let task_type = self.names[wish.task].clone();
        let prices = self.stage.world.read(on(&self.stage.auction).prices(task_type.clone()));
        // Before there is a price he starts below what the work is worth to him.
        let usual = prices.map_or(wish.value * 4 / 5, |prices| prices.vwap);
        let percent = if wish.careful { CAREFUL_PERCENT } else { ORDINARY_PERCENT };
        let mut points: Vec<u32> = (self.people.providers.iter().zip(&self.providers))
            .filter(|(person, _)| person.task == wish.task)
            .map(|(_, provider)| provider.points)
            .collect();
        points.sort_unstable();
        let middle = points.get(points.len() / 2).copied();
        let terms = Request {
            task_type,
            units: wish.units,
            min_units: Some(1),
            max_duration_ms: 10 * MINUTE,
            hand_over_within_ms: 0,
            capabilities: vec![],
            min_reputation: middle.filter(|_| wish.careful),
            privacy: Privacy::Public { payload: b"payload".to_vec() },
            max_price: wish.value.min(usual * percent / 100),
            min_bond: BOND,
            sla: wish.service_level.then(|| service_level(&wish)),
            deadline_ms: now + HOUR,
            panel: Panel::NONE,
            review_ms: 10 * MINUTE,
            dispute_ms: 10 * MINUTE,
            fallback: Fallback::Split { provider_bps: 5_000 },
        };
        self.record.requests += 1;
        self.record.units_wanted += wish.units;
        let call = on(&self.stage.auction).request(terms);
        let requester = self.requesters[wish.requester];
        self.stage.world.as_(requester).call(call).succeeds().value
    }

    // Every provider of the kind whose price the request reaches gets in line.
    fn wait_in_line(&mut self, requests: &[(u64, Wish)]) {
        for (request, wish) in requests {
            for (person, provider) in self.people.providers.iter().zip(&self.providers) {
                if person.task != wish.task {
                    continue;
                }
                let (offer, units) = (provider.offer, person.capacity);
                let message =
                    || on(&self.stage.auction).accept(*request, offer, units, person.cost);
                let actor = self.stage.world.as_(provider.account);
                // Whoever does not qualify is refused; that is his answer.
                let _ = actor.call(message()).value;
            }
        }
    }

    fn assign(&mut self, request: u64, wish: &Wish, jobs: &mut BTreeMap<u64, Running>) {
        let before = jobs.len();
        loop {
            let actor = self.stage.world.as_(self.requesters[wish.requester]);
            let call = on(&self.stage.auction).assign_next(request);
            let Ok(Some(assignment)) = actor.call(call).value else {
                break;
            };
            let read = on(&self.stage.auction).assignment_of(assignment);
            let read = self.stage.world.read(read).expect("it was made just now");
            jobs.insert(assignment, self.begin(wish, &read));
        }
        self.record.matched += u64::from(jobs.len() > before);
    }

    fn begin(&mut self, wish: &Wish, made: &Assignment) -> Running {
        let account = AccountId::from(made.provider.0);
        let index = self.providers.iter().position(|provider| provider.account == account);
        let index = index.expect("only those who joined accept");
        let person = self.people.providers[index];
        let conduct = match baseline::end(person.reliability, person.care, &mut self.random) {
            End::Failed => Conduct::Absent,
            End::Kept => Conduct::Good,
            End::Violated => match self.random.gen_range(0..3) {
                0 => Conduct::SlowStart,
                1 => Conduct::SlowWork,
                _ => Conduct::BadWork,
            },
        };
        let provider = &mut self.providers[index];
        provider.left -= made.units;
        provider.sold += made.units;
        self.record.units_assigned += made.units;
        let job = Job {
            round: self.round,
            task: wish.task,
            provider: index,
            points: provider.points,
            price: made.price,
            units: made.units,
            service_level: wish.service_level,
            end: End::Failed,
        };
        let requester = self.requesters[wish.requester];
        Running { job, provider: account, requester, conduct }
    }

    // Plays all jobs of the round in the order of time.
    fn work(&mut self, start: u64, jobs: BTreeMap<u64, Running>) {
        let mut steps: Vec<(u64, u64, Step)> = Vec::new();
        let assigned = start + PRIORITY_MS;
        for (id, running) in &jobs {
            let (response, execution) = match running.conduct {
                Conduct::Absent => {
                    steps.push((assigned + 30 * MINUTE, *id, Step::Expire));
                    continue;
                }
                // Beyond two minutes and the slack of four.
                Conduct::SlowStart => (7 * MINUTE, 5 * MINUTE),
                Conduct::SlowWork => (30 * SECOND, 15 * MINUTE),
                Conduct::Good | Conduct::BadWork => (30 * SECOND, 5 * MINUTE),
            };
            let begun = assigned + response + self.random.gen_range(0..20) * SECOND;
            steps.push((begun, *id, Step::Start));
            steps.push((begun + execution, *id, Step::Complete));
            steps.push((begun + execution + MINUTE, *id, Step::Settle));
        }
        steps.sort_by_key(|(time, id, _)| (*time, *id));
        for (time, id, step) in steps {
            if time > self.stage.world.now() {
                self.stage.world.at(time);
            }
            self.step(id, &jobs[&id], step);
        }
        for (id, running) in jobs {
            let read = on(&self.stage.auction).assignment_of(id);
            let status = self.stage.world.read(read).expect("assignments stay").status;
            let end = match status {
                Status::Completed => End::Kept,
                Status::SlaViolated => End::Violated,
                Status::Failed => End::Failed,
                other => panic!("a job of the simulation ended as {other:?}"),
            };
            self.record.jobs.push(Job { end, ..running.job });
        }
    }

    fn step(&mut self, id: u64, running: &Running, step: Step) {
        let Running { provider, requester, .. } = *running;
        let Stage { world, auction, escrow, .. } = &mut self.stage;
        match step {
            Step::Start => {
                let _ = world.as_(provider).call(on(auction).start(id)).succeeds();
            }
            Step::Complete => {
                let _ =
                    world.as_(provider).call(on(auction).complete(id, Digest([7; 32]))).succeeds();
            }
            Step::Settle => {
                let bps = if matches!(running.conduct, Conduct::BadWork) { 5_000 } else { 9_900 };
                let report = QualityReport {
                    uptime_bps: None,
                    quality: vec![Metric { name: name(ACCURACY), bps }],
                };
                let settle = on(auction).settle(id, Some(report));
                let _ = world.as_(requester).call(settle).succeeds();
                self.rate(id, running);
            }
            Step::Expire => {
                let read = on(auction).assignment_of(id);
                let escrow_id = world.read(read).expect("assignments stay").escrow;
                let _ = world.as_(requester).call(on(escrow).expire(escrow_id)).succeeds();
                let _ = world.as_(requester).call(on(auction).finalize(id)).succeeds();
            }
        }
    }

    // Half of the requesters say what they think of what they paid for.
    fn rate(&mut self, id: u64, running: &Running) {
        if self.random.gen() {
            let stars = match running.conduct {
                Conduct::Good => 5,
                Conduct::SlowStart | Conduct::SlowWork => 3,
                Conduct::BadWork | Conduct::Absent => 2,
            };
            let feedback = on(&self.stage.auction).feedback(id, stars);
            let _ = self.stage.world.as_(running.requester).call(feedback).succeeds();
        }
    }

    // What is left of the round's requests and offers goes back to its owners.
    fn close(&mut self, start: u64, requests: &[(u64, Wish)]) {
        self.stage.world.at(start + HOUR);
        let alice = cicada_runtime_tests::account("alice");
        for (request, wish) in requests {
            let call = on(&self.stage.auction).cancel_request(*request);
            // Refused where the request was filled and done: then its rest is back already.
            let _ = self.stage.world.as_(self.requesters[wish.requester]).call(call).value;
        }
        for provider in &self.providers {
            let call = on(&self.stage.auction).close_offer(provider.offer);
            let _ = self.stage.world.as_(alice).call(call).value;
        }
        assert_eq!(self.stage.locked(), 0, "after a round nothing is locked");
    }

    fn adapt(&mut self) {
        for (person, provider) in self.people.providers.iter().zip(&mut self.providers) {
            let used = provider.sold * 100 / person.capacity;
            provider.price = match used {
                70.. => provider.price * (100 + STEP_PERCENT) / 100,
                30..=69 => provider.price,
                _ => (provider.price * (100 - STEP_PERCENT) / 100).max(person.cost * 105 / 100),
            };
        }
    }

    /// How many rounds were played.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The size.
    pub fn size(&self) -> &Size {
        &self.size
    }
}

// What to ask so that the effective price is just what is wanted.
fn ask(wanted: u128, points: u32, success: cicada_core::market::Success) -> u128 {
    let weight = u128::from(points.clamp(50, 200));
    let (part, whole) = (u128::from(success.successes) + 2, u128::from(success.outcomes) + 2);
    (wanted * 100 * whole).div_ceil(weight * part).max(1)
}

/// Agrees to all that these decide.
pub fn consent(arbitrators: Vec<Account>) -> Consent {
    let any = Range { least_ms: 0, most_ms: u64::MAX };
    Consent {
        review: any,
        dispute: any,
        max_penalty_bps: 10_000,
        min_response_ms: 0,
        min_duration_ms: 0,
        max_time_ms: u64::MAX,
        arbitrators,
        min_required: 0,
        max_fee_bps: 500,
    }
}

fn service_level(wish: &Wish) -> Sla {
    Sla {
        uptime_bps: None,
        max_response_ms: 2 * MINUTE,
        // A tenth of what the work is worth.
        violation_penalty: wish.value * u128::from(wish.units) / 10,
        quality: vec![Metric { name: name(ACCURACY), bps: 9_000 }],
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a plain name")
}

//! A walk through the compute market on the real contracts: what a requester and three providers do
//! and what it does to their money and reputation.

use cicada_core::escrow::{Fallback, Panel, Verdict};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::market::{HandOver, Offer, Parameters, Privacy, Request};
use cicada_core::name::Name;
use cicada_core::privacy::commitment;
use cicada_core::sla::{Metric, QualityReport, Sla};
use cicada_core::Account;
use cicada_market_simulation::economy::consent;
use cicada_market_simulation::population::MMC;
use cicada_market_simulation::stage::{Settings, Stage};
use cicada_runtime_tests::{account, on, AccountId};
use cicada_traits::auction::{Auction, AuctionView};
use cicada_traits::escrow::Escrow;
use clap::Parser;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const CID: &[u8] = b"bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const SALT: [u8; 32] = [9; 32];

/// Walks through the compute market: the waiting line, a private payload, a service level, a
/// dispute. Every line is what the contracts (the built ones, in an in-process chain) answered.
#[derive(Parser)]
#[command(version)]
struct Options {}

struct Walk {
    stage: Stage,
    requester: AccountId,
    providers: Vec<(&'static str, AccountId)>,
    arbitrators: Vec<AccountId>,
}

fn main() {
    let Options {} = Options::parse();
    let settings = Settings {
        auction: Parameters {
            priority_ms: 12 * SECOND,
            violation_points: 5,
            fast_response_ms: MINUTE,
            slack_ms: 24 * SECOND,
            hand_back_ms: 2 * MINUTE,
        },
        epoch_ms: 24 * 60 * MINUTE,
        decay_bps: 100,
    };
    let mut stage = Stage::new(&settings);
    let requester = stage.join("rita", 100_000 * MMC);
    let names = ["anna", "boris", "chen"];
    let providers = names.map(|name| (name, stage.join(name, 10_000 * MMC))).to_vec();
    let arbitrators = ["ada", "bea", "cyd"].map(account).to_vec();
    for who in &arbitrators {
        stage.world.fund(*who, 1_000_000_000_000_000);
    }
    let mut walk = Walk { stage, requester, providers, arbitrators };
    walk.first_job();
    walk.line_by_reputation();
    walk.private_payload();
    walk.service_level();
    walk.dispute();
    walk.prices();
    walk.stage.assert_conserved();
    println!(
        "\nAll money is accounted for, to the unit; {} base units are locked.",
        walk.stage.locked()
    );
}

impl Walk {
    fn first_job(&mut self) {
        title("Anna does a first job");
        let request = self.request(100, Privacy::Public { payload: CID.to_vec() }, None);
        let offer = self.offer(0, 80);
        let job = self.assign(request, &[(0, offer)]);
        self.work(0, job, 10 * SECOND);
        self.settle(job, None);
        self.stars(job, 5);
        self.standing();
    }

    fn line_by_reputation(&mut self) {
        title("Boris accepts first, but Anna has the better name and goes first");
        let request = self.request(150, Privacy::Public { payload: CID.to_vec() }, None);
        let (boris, anna) = (self.offer(1, 80), self.offer(0, 80));
        let job = self.assign(request, &[(1, boris), (0, anna)]);
        self.work(0, job, 10 * SECOND);
        self.settle(job, None);
        self.standing();
    }

    fn private_payload(&mut self) {
        title("Chen gets a private job: the key is handed to him after the assignment");
        let privacy = Privacy::Private { commitment: commitment::<Native>(CID, &SALT) };
        let request = self.request(100, privacy, None);
        let offer = self.offer(2, 90);
        let job = self.assign(request, &[(2, offer)]);
        let early = on(&self.stage.auction).start(job);
        let refused = self.stage.world.as_(self.providers[2].1).call(early).fails();
        println!("  before that he cannot start: {refused:?}");
        let payload = HandOver { cid: CID.to_vec(), salt: SALT, sealed_key: vec![1; 80] };
        let call = on(&self.stage.auction).hand_over(job, payload);
        let _ = self.stage.world.as_(self.requester).call(call).succeeds();
        println!("  handed over; the commitment opens");
        self.work(2, job, 10 * SECOND);
        self.settle(job, None);
        self.standing();
    }

    fn service_level(&mut self) {
        title("Boris starts too late and his result is poor: one and a half penalties");
        let level = Sla {
            uptime_bps: None,
            max_response_ms: MINUTE,
            violation_penalty: 500 * MMC,
            quality: vec![Metric { name: name("accuracy"), bps: 9_000 }],
        };
        let request = self.request(100, Privacy::Public { payload: CID.to_vec() }, Some(level));
        let offer = self.offer(1, 80);
        let job = self.assign(request, &[(1, offer)]);
        self.work(1, job, 2 * MINUTE);
        let report = QualityReport {
            uptime_bps: None,
            quality: vec![Metric { name: name("accuracy"), bps: 7_500 }],
        };
        self.settle(job, Some(report));
        self.stars(job, 2);
        self.standing();
    }

    fn dispute(&mut self) {
        title("Rita disputes Chen's result; two of three arbitrators give him 70 %");
        let request = self.request(100, Privacy::Public { payload: CID.to_vec() }, None);
        let offer = self.offer(2, 90);
        let job = self.assign(request, &[(2, offer)]);
        self.work(2, job, 10 * SECOND);
        let read = on(&self.stage.auction).assignment_of(job);
        let made = self.stage.world.read(read).expect("it was made");
        let escrow = made.escrow;
        let raise = on(&self.stage.escrow).raise_dispute(escrow, 0, vec![CID.to_vec()]);
        let _ = self.stage.world.as_(self.requester).call(raise).succeeds();
        let provider_share = made.amount() * 7 / 10;
        let verdict =
            Verdict::Split { provider_share, requester_share: made.amount() - provider_share };
        for who in [self.arbitrators[0], self.arbitrators[1]] {
            let vote = on(&self.stage.escrow).vote(escrow, 0, verdict);
            let _ = self.stage.world.as_(who).call(vote).succeeds();
        }
        let finalize = on(&self.stage.auction).finalize(job);
        let _ = self.stage.world.as_(self.requester).call(finalize).succeeds();
        self.ended(job);
        self.standing();
    }

    fn prices(&mut self) {
        title("What the market says of the last 24 hours");
        let read = on(&self.stage.auction).prices(name("render"));
        let prices = self.stage.world.read(read).expect("jobs were settled");
        println!(
            "  {} jobs, {} units: average {}, weighted {}, lowest {}, highest {} MMC a unit",
            prices.count,
            prices.volume,
            mmc(prices.average),
            mmc(prices.vwap),
            mmc(prices.min),
            mmc(prices.max)
        );
    }

    // ---- what people do ------------------------------------------------------------------------

    fn request(&mut self, units: u64, privacy: Privacy, sla: Option<Sla>) -> u64 {
        let now = self.stage.world.now();
        let hand_over_within_ms = if privacy.is_public() { 0 } else { 10 * MINUTE };
        let terms = Request {
            task_type: name("render"),
            units,
            min_units: None,
            max_duration_ms: 10 * MINUTE,
            hand_over_within_ms,
            capabilities: vec![],
            min_reputation: None,
            privacy,
            max_price: 100 * MMC,
            min_bond: 0,
            sla,
            deadline_ms: now + 10 * MINUTE,
            panel: Panel {
                required: 2,
                members: self.arbitrators.iter().map(Account::of).collect(),
                fee_bps: 0,
            },
            review_ms: 30 * MINUTE,
            dispute_ms: 30 * MINUTE,
            fallback: Fallback::Refund,
        };
        let call = on(&self.stage.auction).request(terms);
        let request = self.stage.world.as_(self.requester).call(call).succeeds().value;
        println!(
            "  rita asks for {units} units at 100 MMC or less; {} MMC are locked",
            100 * units
        );
        request
    }

    fn offer(&mut self, provider: usize, price: u128) -> u64 {
        let (who, account) = self.providers[provider];
        let expires_ms = self.stage.world.now() + 10 * MINUTE;
        let terms = Offer {
            task_type: name("render"),
            units: 500,
            min_units: 1,
            price: price * MMC,
            capabilities: vec![],
            bond: 0,
            expires_ms,
            payload_key: [1; 32],
            firm_from: None,
            consent: consent(self.arbitrators.iter().map(Account::of).collect()),
        };
        let call = on(&self.stage.auction).offer(terms);
        let offer = self.stage.world.as_(account).call(call).succeeds().value;
        println!("  {who} offers 500 units and asks {price} MMC each");
        offer
    }

    // All accept, in this order; the line decides.
    fn assign(&mut self, request: u64, accepts: &[(usize, u64)]) -> u64 {
        for (provider, offer) in accepts {
            let (who, account) = self.providers[*provider];
            let accept = on(&self.stage.auction).accept(request, *offer, 500, 1);
            let _ = self.stage.world.as_(account).call(accept).succeeds();
            println!("  {who} accepts and stands in line");
        }
        self.stage.world.advance(12 * SECOND);
        let next = on(&self.stage.auction).assign_next(request);
        let job = self.stage.world.as_(self.requester).call(next).succeeds().value;
        let job = job.expect("somebody in line qualifies");
        let read = on(&self.stage.auction).assignment_of(job);
        let made = self.stage.world.read(read).expect("it was made");
        let who = self.who(AccountId::from(made.provider.0));
        println!("  {who} gets {} units at {} MMC each", made.units, mmc(made.price));
        job
    }

    fn work(&mut self, provider: usize, job: u64, response_ms: u64) {
        let (who, account) = self.providers[provider];
        self.stage.world.advance(response_ms);
        let start = on(&self.stage.auction).start(job);
        let _ = self.stage.world.as_(account).call(start).succeeds();
        self.stage.world.advance(5 * MINUTE);
        let complete = on(&self.stage.auction).complete(job, Digest([7; 32]));
        let _ = self.stage.world.as_(account).call(complete).succeeds();
        println!("  {who} starts after {} s and delivers after 5 minutes", response_ms / SECOND);
    }

    fn settle(&mut self, job: u64, report: Option<QualityReport>) {
        let settle = on(&self.stage.auction).settle(job, report);
        let _ = self.stage.world.as_(self.requester).call(settle).succeeds();
        self.ended(job);
    }

    fn stars(&mut self, job: u64, stars: u8) {
        let feedback = on(&self.stage.auction).feedback(job, stars);
        let _ = self.stage.world.as_(self.requester).call(feedback).succeeds();
        println!("  rita gives {stars} stars");
    }

    fn ended(&mut self, job: u64) {
        let read = on(&self.stage.auction).assignment_of(job);
        let made = self.stage.world.read(read).expect("it was made");
        let (paid, amount) = (mmc(made.paid), mmc(made.amount()));
        println!("  ended as {:?}: {paid} of {amount} MMC paid", made.status);
    }

    fn standing(&mut self) {
        for (who, account) in self.providers.clone() {
            let (points, balance) = (self.stage.points(account), self.stage.balance(account));
            println!("    {who:<6} {points:>4} points {:>12} MMC", mmc(balance));
        }
    }

    fn who(&self, account: AccountId) -> &'static str {
        let found = self.providers.iter().find(|(_, other)| *other == account);
        found.map_or("somebody", |(who, _)| who)
    }
}

fn title(text: &str) {
    println!("\n{text}");
}

fn mmc(amount: u128) -> String {
    format!("{}.{:02}", amount / MMC, amount % MMC / 10_000)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a plain name")
}

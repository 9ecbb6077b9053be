//! A committee with stake that observes the NAV.

use super::stage::*;
use crate::common::{attestation_key, quorum, Committee, GENESIS, SEATS};
use cicada_core::committee::members_root;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{self, Observation, Record};
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::slashing::{Bands, Rates, MIN_STAKE};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on, AccountId, Receipt, World};
use cicada_traits::index::{Index, IndexError};
use cicada_traits::psp22::PSP22;
use cicada_traits::staking::{Staking, StakingTerms};
use cicada_traits::validators::Validators;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

pub const STAKE: u128 = 2 * MIN_STAKE;

pub fn node(seat: u8) -> AccountId {
    account(&format!("node-{seat}"))
}

/// A committee with this stake in seat order, and the index as its judge unless told otherwise.
pub fn with_stakes(stakes: &[u128], coins: usize, judge: bool) -> Stage {
    let mut world = World::new();
    let owner = account(OWNER);
    let tao = TokenRef::new("TAO".into(), "TAO".into(), 9, u128::MAX / 2);
    let tao = world.as_(owner).deploy("token", tao);
    let new = ValidatorsContractRef::new(GENESIS, SEATS);
    let validators = world.as_(owner).deploy("validators", new).expect("23 seats");
    let committee = Committee::named("node", 1);
    committee.register(&mut world, &validators);
    let mut stage = Stage::around(world, validators, committee, coins);
    let terms = StakingTerms {
        token: address(&tao),
        treasury: account("treasury"),
        reputation: None,
        judges: if judge { vec![address(&stage.index)] } else { vec![] },
        minimum: MIN_STAKE,
        unbonding_ms: 7 * 86_400_000,
        nav_bands: Bands::NAV,
        ranking_bands: Bands::RANKING,
        rates: Rates::DEFAULT,
    };
    let validators = address(&stage.validators);
    let set = on(&stage.validators).set_terms(terms);
    let _ = stage.world.as_(owner).call(set).succeeds();
    for (seat, stake) in (0..).zip(stakes) {
        let give = on(&tao).transfer(node(seat), *stake, vec![]);
        let _ = stage.world.as_(owner).call(give).succeeds();
        let approve = on(&tao).approve(validators, *stake);
        let _ = stage.world.as_(node(seat)).call(approve).succeeds();
        let bond = on(&stage.validators).bond(*stake);
        let _ = stage.world.as_(node(seat)).call(bond).succeeds();
    }
    let form = on(&stage.validators).form_committee(stage.committee.operators());
    let _ = stage.world.as_(owner).call(form).succeeds();
    stage
}

pub fn staked() -> Stage {
    with_stakes(&[STAKE; SEATS as usize], 1, true)
}

impl Stage {
    pub fn nav_state(&mut self) -> FeedState {
        self.world.read(on(&self.index).feeds()).1
    }

    pub fn sign(&self, slot: u64, mut observation: Observation) -> Observation {
        let digest = self.committee.config_digest(&self.validators);
        let message = observation.message::<Native>(&digest, &self.feed(ReportKind::Nav), slot);
        let key = attestation_key(&format!("node-{}", observation.seat));
        observation.signature = key.sign(&message.0);
        observation
    }

    /// What these seats sign for the next slot, as of now.
    pub fn observe(&mut self, values: &[(u8, u128)]) -> Vec<Observation> {
        let (slot, time_ms) = (self.nav_state().slot + 1, self.world.now());
        let observation =
            |(seat, nav_e18)| Observation { seat, nav_e18, time_ms, signature: [0; 64] };
        values.iter().map(|value| self.sign(slot, observation(*value))).collect()
    }

    /// The next slot, of these observations.
    pub fn nav_report(&mut self, observations: &[Observation]) -> Report {
        let state = self.nav_state();
        nav::report::<Native>(self.feed(ReportKind::Nav), &state, observations, self.world.now())
    }

    pub fn bring_nav(
        &mut self,
        report: Report,
        observations: &[Observation],
    ) -> Receipt<Result<Settlement, IndexError>> {
        let barred = self.world.read(on(&self.validators).barred(None));
        let heard = (0..SEATS).filter(|seat| barred >> seat & 1 == 0);
        let certificate = self.committee.certify_by(&self.validators, &report, heard);
        let message =
            on(&self.index).settle_nav(report, observations.to_vec(), (&certificate).into());
        self.world.as_(account("heidi")).call(message)
    }

    pub fn settle(&mut self, values: &[(u8, u128)]) -> Receipt<Result<Settlement, IndexError>> {
        let observations = self.observe(values);
        let report = self.nav_report(&observations);
        self.bring_nav(report, &observations)
    }

    /// Hands on who was off in the oldest slot that was not judged.
    pub fn judge_nav(&mut self) -> Answer {
        let message = on(&self.index).judge_nav();
        self.world.as_(account("heidi")).call(message)
    }

    /// The slot that is judged next.
    pub fn unjudged(&mut self) -> Option<u64> {
        self.world.read(on(&self.index).to_judge())
    }

    /// The next epoch, of the same operators.
    pub fn rotate(&mut self) {
        let next = Committee::named("node", self.committee.epoch + 1);
        let contract = Account::of(&address(&self.validators));
        let state = self.world.read(on(&self.validators).feed_state());
        let feed = Feed { kind: ReportKind::Committee, contract };
        let root = members_root::<Native>(&quorum(), &next.members());
        let change = state.next_report(feed, self.world.now(), root);
        let signed = self.committee.certify(&self.validators, &change);
        let rotate = on(&self.validators).rotate(change, next.members(), signed);
        let _ = self.world.as_(account("heidi")).call(rotate).succeeds();
        self.committee = next;
    }

    pub fn newest(&mut self) -> Option<Record> {
        self.world.read(on(&self.index).newest_nav())
    }

    /// What all seats have staked together.
    pub fn staked_by_all(&mut self) -> u128 {
        (0..SEATS).map(|seat| self.bonded(seat)).sum()
    }

    pub fn bonded(&mut self, seat: u8) -> u128 {
        self.world.read(on(&self.validators).stake_of(node(seat))).bonded
    }
}

/// The same value from the first seats.
pub fn same(seats: u8, nav_e18: u128) -> Vec<(u8, u128)> {
    (0..seats).map(|seat| (seat, nav_e18)).collect()
}

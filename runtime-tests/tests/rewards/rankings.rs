//! Who signs another ranking than the certified one pays, and nobody else.

use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::Settlement;
use cicada_core::ranking::{digest, ranking, Statement, ACCUSE_MS};
use cicada_core::rewards::Award;
use cicada_core::slashing::{Bands, Deviation, OffenceKind, Rates, Severity, Weight, MIN_STAKE};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, check_gas, on, AccountId, World};
use cicada_traits::psp22::PSP22;
use cicada_traits::rewards::{Accused, Rewards, RewardsError};
use cicada_traits::staking::{Staking, StakingTerms};
use cicada_traits::validators::Validators;
use rewards::rewards::{EpochSettled, RankingAccused, RankingsJudged};
use token::token::TokenRef;
use validators::validators::{Slashed, ValidatorsContractRef};

use crate::common::{attestation_key, Committee, GENESIS, SEATS};
use crate::stage::*;

const STAKE: u128 = 2 * MIN_STAKE;
/// The seats that sign the right ranking.
const NINE: u32 = 0b1_1111_1111;

fn node(seat: u8) -> AccountId {
    account(&format!("node-{seat}"))
}

/// A committee with stake, which the rewards may judge, and one epoch that is settled.
struct Ranked {
    stage: Stage,
    award: Award,
    certified: Vec<Weight>,
}

impl Ranked {
    fn new(ranked_by: u32) -> Self {
        Self::with(ranked_by, true, 0)
    }

    /// With a certificate that somebody holds back for so long.
    fn with(ranked_by: u32, is_judge: bool, held_ms: u64) -> Self {
        let mut world = World::new();
        let owner = account(OWNER);
        let tao = TokenRef::new("TAO".into(), "TAO".into(), 9, u128::MAX / 2);
        let tao = world.as_(owner).deploy("token", tao);
        let new = ValidatorsContractRef::new(GENESIS, SEATS);
        let validators = world.as_(owner).deploy("validators", new).expect("23 seats");
        let committee = Committee::named("node", 1);
        committee.register(&mut world, &validators);
        let mut stage = Stage::around(world, validators, committee);
        let terms = StakingTerms {
            token: address(&tao),
            treasury: account("treasury"),
            reputation: None,
            judges: if is_judge { vec![address(&stage.rewards)] } else { vec![] },
            minimum: MIN_STAKE,
            unbonding_ms: 7 * 24 * HOUR,
            nav_bands: Bands::NAV,
            ranking_bands: Bands::RANKING,
            rates: Rates::DEFAULT,
        };
        let set = on(&stage.validators).set_terms(terms);
        let _ = stage.call(OWNER, set).succeeds();
        let validators = address(&stage.validators);
        for seat in 0..SEATS {
            let give = on(&tao).transfer(node(seat), STAKE, vec![]);
            let _ = stage.call(OWNER, give).succeeds();
            let approve = on(&tao).approve(validators, STAKE);
            let _ = stage.world.as_(node(seat)).call(approve).succeeds();
            let bond = on(&stage.validators).bond(STAKE);
            let _ = stage.world.as_(node(seat)).call(bond).succeeds();
        }
        let form = on(&stage.validators).form_committee(stage.committee.operators());
        let _ = stage.call(OWNER, form).succeeds();
        let _ = stage.fund(OWNER, 1_000_000).succeeds();
        let all = scores(100, 1);
        let epoch = stage.next(&all, &crate::stage::validators(), 1_000);
        let award = epoch.award;
        let mut this = Self { stage, award, certified: ranking(&all) };
        let _ = this.settle(ranked_by, held_ms);
        this
    }

    fn settle(&mut self, ranked_by: u32, held_ms: u64) -> EpochSettled {
        let (feed, latest) = (self.stage.feed(), self.stage.latest());
        let now = self.stage.world.now();
        let report = self.award.report::<Native>(ranked_by, feed, &latest, now);
        let certificate = self.stage.certify(&report);
        let other = self.stage.bring_ranked(report, self.award, !ranked_by, &certificate).fails();
        assert_eq!(other, RewardsError::ContentMismatch, "who ranked it is certified too");
        self.stage.world.advance(held_ms);
        let settled = self.stage.bring_ranked(report, self.award, ranked_by, &certificate);
        let settled = settled.succeeds();
        assert_eq!(settled.value, Settlement::Recorded);
        settled.event::<EpochSettled>(&self.stage.rewards)
    }

    fn digest(&self) -> Digest {
        self.stage.committee.config_digest(&self.stage.validators)
    }

    /// What a seat signs of this epoch.
    fn sign(&self, seat: u8, stated: &[Weight], change: impl Fn(&mut Statement)) -> Statement {
        let mut one = Statement::of(&self.award, seat);
        one.ranking = digest::<Native>(stated);
        change(&mut one);
        let message = one.message::<Native>(&self.digest(), &self.stage.feed());
        one.signature = attestation_key(&format!("node-{}", one.seat)).sign(&message.0);
        one
    }

    fn bring(&mut self, statement: Statement, stated: &[Weight]) -> Answer<()> {
        let (certified, stated) = (self.certified.clone(), stated.to_vec());
        let message = on(&self.stage.rewards).accuse_ranking(1, certified, statement, stated);
        self.stage.call(STRANGER, message)
    }

    fn accuse(&mut self, seat: u8, stated: &[Weight]) -> Answer<()> {
        let statement = self.sign(seat, stated, |_| ());
        self.bring(statement, stated)
    }

    /// The certified ranking, of which somebody takes this part of the first miner's score away.
    fn less(&self, of: u128) -> Vec<Weight> {
        let total: u128 = self.certified.iter().map(|one| one.1).sum();
        let mut stated = self.certified.clone();
        let mut left = total * of / 10_000;
        for one in &mut stated {
            let taken = one.1.min(left);
            one.1 -= taken;
            left -= taken;
        }
        stated
    }

    fn judge(&mut self) -> Answer<()> {
        let message = on(&self.stage.rewards).judge_rankings(1);
        self.stage.call(STRANGER, message)
    }

    fn judge_in_time(&mut self) -> Answer<()> {
        self.stage.world.advance(ACCUSE_MS);
        self.judge()
    }

    fn accused(&mut self) -> Accused {
        self.stage.world.read(on(&self.stage.rewards).accused(1))
    }

    fn lost(&mut self, seat: u8) -> u128 {
        let message = on(&self.stage.validators).stake_of(node(seat));
        STAKE - self.stage.world.read(message).bonded
    }

    fn all_lost(&mut self) -> Vec<(u8, u128)> {
        (0..SEATS).map(|seat| (seat, self.lost(seat))).filter(|one| one.1 > 0).collect()
    }
}

#[test]
fn who_is_off_is_shown_by_anybody_and_pays_once() {
    let mut ranked = Ranked::new(NINE);
    assert_eq!(ranked.certified.len(), 64);
    let none: Vec<Weight> = Vec::new();
    let shown = ranked.accuse(20, &none).succeeds();
    check_gas("rewards.accuse_ranking: 64 miners", &shown);
    let event = shown.event::<RankingAccused>(&ranked.stage.rewards);
    assert_eq!((event.epoch, event.seat, event.off_bps), (1, 20, 10_000));
    assert_eq!(ranked.accuse(20, &none).fails(), RewardsError::AlreadyJudged);
    assert_eq!(ranked.judge().fails(), RewardsError::TooSoon);
    ranked.stage.world.advance(ACCUSE_MS - 1);
    assert_eq!(ranked.judge().fails(), RewardsError::TooSoon);
    ranked.stage.world.advance(1);
    let judged = ranked.judge().succeeds();
    check_gas("rewards.judge_rankings", &judged);
    assert_eq!(judged.event::<RankingsJudged>(&ranked.stage.rewards).epoch, 1);
    let slashed = judged.event::<Slashed>(&ranked.stage.validators);
    assert_eq!(slashed.offence, OffenceKind::RankingDeviation);
    assert_eq!((slashed.severity, slashed.feed), (Severity::Severe, ranked.stage.feed()));
    assert_eq!(ranked.all_lost(), [(20, STAKE * 15 / 100)]);
    assert_eq!(ranked.judge().fails(), RewardsError::NothingToJudge);
    assert_eq!(ranked.accuse(21, &none).fails(), RewardsError::AlreadyJudged, "it is closed");
    assert_eq!(ranked.accused(), Accused { judged: true, noted: vec![] });
    assert_eq!(ranked.all_lost().len(), 1);
}

#[test]
fn the_worst_of_a_seat_counts_and_each_severity_costs_its_part() {
    let mut ranked = Ranked::new(NINE);
    // Taking a part p of all away is p / (2 − p) off.
    let [near, mild, middle] = [500, 1_300, 2_400].map(|part| ranked.less(part));
    assert_eq!(ranked.accuse(20, &near).fails(), RewardsError::WithinTolerance);
    let _ = ranked.accuse(20, &mild).succeeds();
    let _ = ranked.accuse(21, &mild).succeeds();
    let _ = ranked.accuse(21, &middle).succeeds();
    assert_eq!(ranked.accuse(21, &mild).fails(), RewardsError::AlreadyJudged);
    // Who signed the right one for the award, and another for others.
    let _ = ranked.accuse(22, &[]).succeeds();
    let noted = ranked.accused().noted;
    assert_eq!(noted.iter().map(|one: &Deviation| one.seat).collect::<Vec<_>>(), [20, 21, 22]);
    let _ = ranked.judge_in_time().succeeds();
    let parts = [(20, STAKE / 100), (21, STAKE / 20), (22, STAKE * 15 / 100)];
    assert_eq!(ranked.all_lost(), parts);
}

#[test]
fn what_is_no_proof_is_refused_and_notes_nothing() {
    let mut ranked = Ranked::new(NINE | 1 << 20);
    let wrong = ranked.less(9_000);
    let long: Vec<Weight> = (0..65).map(|miner| (Account([miner; 32]), 1)).collect();
    let mut turned = wrong.clone();
    turned.swap(0, 1);
    for list in [&long, &turned] {
        assert_eq!(ranked.accuse(20, list).fails(), RewardsError::NotARanking);
    }
    let good = ranked.sign(20, &wrong, |_| ());
    let other = ranked.less(8_000);
    assert_eq!(ranked.bring(good, &other).fails(), RewardsError::OtherRanking);
    type Change = fn(&mut Statement);
    let changes: [(Change, RewardsError); 5] = [
        (|one| one.epoch = 2, RewardsError::OtherTime),
        (|one| one.start_ms -= 1, RewardsError::OtherTime),
        (|one| one.end_ms += 1, RewardsError::OtherTime),
        (|one| one.seat = 23, RewardsError::NoWeight),
        (|one| one.ranking.0[0] ^= 1, RewardsError::OtherRanking),
    ];
    for (change, error) in changes {
        let statement = ranked.sign(20, &wrong, change);
        assert_eq!(ranked.bring(statement, &wrong).fails(), error);
    }
    let another_seat = Statement { seat: 19, ..good };
    assert_eq!(ranked.bring(another_seat, &wrong).fails(), RewardsError::Forged);
    let certified = std::mem::replace(&mut ranked.certified, other);
    assert_eq!(ranked.bring(good, &wrong).fails(), RewardsError::OtherRanking);
    ranked.certified = certified;
    let message = on(&ranked.stage.rewards).judge_rankings(2);
    assert_eq!(ranked.stage.call(STRANGER, message).fails(), RewardsError::UnknownEpoch);
    assert_eq!(ranked.accused(), Accused::default());
    assert_eq!(ranked.judge_in_time().fails(), RewardsError::NothingToJudge);
    assert!(ranked.all_lost().is_empty());
}

#[test]
fn beside_eight_nobody_is_accused_and_eight_do_not_pay() {
    let mut ranked = Ranked::new(NINE >> 1);
    assert_eq!(ranked.accuse(20, &[]).fails(), RewardsError::TooFewAgree);
    let mut ranked = Ranked::new(NINE | 1 << 22);
    for seat in 15..22 {
        let _ = ranked.accuse(seat, &[]).succeeds();
    }
    // One who signed both, before or after the others: it is no matter who is brought first.
    let _ = ranked.accuse(22, &[]).succeeds();
    let _ = ranked.judge_in_time().succeeds();
    assert!(ranked.all_lost().is_empty(), "what eight see is no fault of theirs");
    let mut ranked = Ranked::new(NINE);
    for seat in 15..22 {
        let _ = ranked.accuse(seat, &[]).succeeds();
    }
    let _ = ranked.judge_in_time().succeeds();
    assert_eq!(ranked.all_lost().len(), 7);
}

#[test]
fn who_is_no_judge_is_told_and_can_judge_later() {
    let mut ranked = Ranked::with(NINE, false, 0);
    let _ = ranked.accuse(20, &[]).succeeds();
    assert_eq!(ranked.judge_in_time().fails(), RewardsError::PenaltiesRefused);
    assert!(!ranked.accused().judged, "it can be judged later");
    assert!(ranked.all_lost().is_empty());
}

#[test]
fn a_settled_epoch_names_its_ranking_and_who_signed_it() {
    let ranked = Ranked::new(NINE);
    let Ranked { mut stage, award, certified } = ranked;
    let record = stage.world.read(on(&stage.rewards).epoch(1)).expect("settled");
    assert_eq!(record.award.ranking, digest::<Native>(&certified));
    assert_eq!((record.ranked_by, record.committee, record.slot), (NINE, 1, 1));
    assert_eq!((record.weighed, record.award), (0x7f_ffff, award));
}

#[test]
fn who_holds_the_certificate_back_does_not_choose_when_all_are_judged() {
    let mut ranked = Ranked::with(NINE, true, ACCUSE_MS);
    let wrong = ranked.less(8_000);
    let _ = ranked.accuse(20, &wrong).succeeds();
    assert_eq!(ranked.judge().fails(), RewardsError::TooSoon);
    let _ = ranked.judge_in_time().succeeds();
}

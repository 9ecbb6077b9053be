//! Seats of one hand that say what they like about the NAV, propose reports, and move their stake.

use crate::basket::observers::{node, with_stakes};
use crate::basket::stage::{Stage, ONE, OWNER};
use crate::common::{quorum, Committee, SEATS};
use crate::role::Role;
use cicada_core::certificate::Certificate;
use cicada_core::committee::members_root;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_core::slashing::MIN_STAKE;
use cicada_core::Account;
use cicada_dice::Dice;
use cicada_runtime_tests::{account, address, at, on, Snapshot};
use cicada_traits::index::Index;
use cicada_traits::psp22::PSP22;
use cicada_traits::staking::{DoubleObservation, Staking};
use cicada_traits::validators::Validators;
use token::token::TokenRef;

/// Who brings proofs against the player's own seats, for their reward.
const OTHER: &str = "eve";
/// What each of the player's seats has besides its stake.
const PURSE: u128 = 50 * MIN_STAKE;
/// What the player's seats stake at first, in quarters of the minimum, over again for more seats.
const QUARTERS: [u128; 7] = [4, 4, 5, 8, 20, 40, 400];
/// The least time between two reports.
const INTERVAL_MS: u64 = 10_000;
/// The time of a moment.
const MOMENT_MS: u64 = 25 * 60_000;
/// How many there are.
const MOMENTS: u32 = 6;
/// When the committee changes to one of the same operators.
const CHANGE: u32 = 2;
/// A hundredth of a hundredth of a NAV of one.
const BPS: u128 = ONE / 10_000;

/// Something that the seats can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Has a report of the next slot certified; it is brought at the end of the moment at the latest.
    Propose {
        /// The first of the honest seats that it names, in order of what they see.
        from: u8,
        /// How many of them, one after the other.
        honest: u8,
        /// Which of the player's seats it names: bit 0 for the first.
        named: u32,
        /// Which of them lie.
        lying: u32,
        /// How far, in bps.
        off: i64,
    },
    /// Brings the report that is certified.
    Settle,
    /// Adds to the stake of a seat.
    Bond(u8, u128),
    /// Takes some of the stake of a seat out.
    Unbond(u8, u128),
    /// Asks to be replaced.
    Resign(u8),
    /// Has the oldest slot judged.
    Judge,
    /// Signs two NAVs with a seat and brings the proof from another account.
    Confess(u8),
}

/// The seats, and the committee and the index that they play with.
pub struct Validator {
    stage: Stage,
    start: Snapshot,
    /// How many seats the player has: the last ones.
    liars: u8,
    /// How far the honest ones see the NAV apart from the middle of them, in bps, up and down.
    apart_bps: u128,
    moment: u32,
    certified: Option<(Report, Vec<Observation>, Certificate)>,
    /// What stake and money of the player were, and the stake of the others.
    had: [u128; 2],
    /// The farthest that a settled NAV was from the middle of the honest ones, of a NAV of one.
    pull: u128,
    /// How often a report of all honest ones gave no NAV.
    silent: i128,
}

impl Validator {
    /// Seven seats of any stake; the others have no more than the minimum, and see the NAV within 48 bps.
    pub fn new() -> Self {
        Self::among(7, 24)
    }

    /// So many seats, beside others that see the NAV so far apart.
    pub fn among(liars: u8, apart_bps: u128) -> Self {
        let honest = usize::from(SEATS - liars);
        let mut stakes = vec![MIN_STAKE; honest];
        let own = QUARTERS.iter().cycle().take(liars.into());
        stakes.extend(own.map(|quarters| MIN_STAKE / 4 * quarters));
        let mut stage = with_stakes(&stakes, 1, true);
        let tao = at::<TokenRef>(stage.world.read(on(&stage.validators).terms()).unwrap().token);
        for seat in SEATS - liars..SEATS {
            let gift = on(&tao).transfer(node(seat), PURSE, vec![]);
            let _ = stage.world.as_(account(OWNER)).call(gift).succeeds();
            let approve = on(&tao).approve(address(&stage.validators), u128::MAX);
            let _ = stage.world.as_(node(seat)).call(approve).succeeds();
        }
        let start = stage.world.snapshot();
        let (certified, had) = (None, [0; 2]);
        let mut role =
            Self { stage, start, liars, apart_bps, moment: 0, certified, had, pull: 0, silent: 0 };
        role.had = role.has();
        role
    }

    fn honest(&self) -> u8 {
        SEATS - self.liars
    }

    /// The middle of what the honest ones see at this moment.
    fn middle(&self) -> u128 {
        ONE + ONE / 100 * u128::from(self.moment)
    }

    /// What an honest seat sees: the higher the seat the more.
    fn seen(&self, seat: u8) -> u128 {
        let (place, last) = (u128::from(seat), u128::from(self.honest() - 1));
        self.middle() - self.part(self.apart_bps * BPS)
            + self.part(2 * self.apart_bps * BPS * place / last)
    }

    /// The same part of the middle.
    fn part(&self, of_one: u128) -> u128 {
        of_one / 100 * (self.middle() / (ONE / 100))
    }

    /// The signed NAVs of a slot, each of now.
    fn sign(&self, slot: u64, values: &[(u8, u128)]) -> Vec<Observation> {
        let time_ms = self.stage.world.now();
        let made = |(seat, nav_e18)| Observation { seat, nav_e18, time_ms, signature: [0; 64] };
        values.iter().map(|value| self.stage.sign(slot, made(*value))).collect()
    }

    /// Has a report of these values certified by those whose values they are, and by the player.
    fn certify(&mut self, values: &[(u8, u128)]) {
        let slot = self.stage.nav_state().slot + 1;
        let observations = self.sign(slot, values);
        let barred = self.stage.world.read(on(&self.stage.validators).barred(None));
        let (honest, stage) = (self.honest(), &mut self.stage);
        let agrees = |seat: &u8| {
            let named = *seat >= honest || values.iter().any(|(named, _)| named == seat);
            named && barred >> seat & 1 == 0
        };
        let signers: Vec<u8> = (0..SEATS).filter(agrees).collect();
        if signers.len() >= usize::from(quorum().size()) {
            let report = stage.nav_report(&observations);
            let certificate = stage.committee.certify_by(&stage.validators, &report, signers);
            self.certified = Some((report, observations, certificate));
        }
    }

    /// Brings what is certified; whether that gave a NAV.
    fn settle(&mut self) -> bool {
        let Some((report, observations, certificate)) = self.certified.take() else { return false };
        let message = on(&self.stage.index).settle_nav(report, observations, (&certificate).into());
        let settled = self.stage.world.as_(account(OTHER)).call(message).value;
        if settled != Ok(Settlement::Recorded) {
            return false;
        }
        let nav = self.stage.newest().map_or(0, |record| record.nav_e18);
        let off = nav.abs_diff(self.middle()) * 100 / (self.middle() / (ONE / 100));
        self.pull = self.pull.max(off);
        true
    }

    /// The report of all honest seats, which must give a NAV whenever they are enough.
    fn settle_honest(&mut self) {
        if self.honest() < quorum().size() {
            return;
        }
        let values: Vec<_> = (0..self.honest()).map(|seat| (seat, self.seen(seat))).collect();
        self.certify(&values);
        self.silent += i128::from(!self.settle());
    }

    fn propose(&mut self, from: u8, honest: u8, [named, lying]: [u32; 2], off: i64) {
        let count = self.honest();
        let mut seats: Vec<u8> = (from..from + honest).map(|seat| seat % count).collect();
        seats.sort_unstable();
        let mut values: Vec<_> = seats.into_iter().map(|seat| (seat, self.seen(seat))).collect();
        let lie = i128::from(off) * BPS as i128;
        for own in (0..self.liars).filter(|own| named >> own & 1 == 1) {
            let lie = if lying >> own & 1 == 1 { lie } else { 0 };
            values.push((count + own, (self.middle() as i128 + lie).max(1) as u128));
        }
        if self.certified.is_none() {
            self.certify(&values);
        }
    }

    fn confess(&mut self, seat: u8) {
        let (epoch, slot) = (self.stage.committee.epoch, self.stage.nav_state().slot + 1);
        let signed = self.sign(slot, &[(seat, ONE), (seat, 2 * ONE)]);
        let feed = self.stage.feed(ReportKind::Nav);
        let proof = DoubleObservation { epoch, feed, slot, one: signed[0], other: signed[1] };
        let message = on(&self.stage.validators).convict_observer(proof);
        let _ = self.stage.world.as_(account(OTHER)).call(message);
    }

    /// The same operators in the next epoch, if the contract takes them.
    fn change(&mut self) {
        let stage = &mut self.stage;
        let next = Committee::named("node", stage.committee.epoch + 1);
        let contract = Account::of(&address(&stage.validators));
        let state = stage.world.read(on(&stage.validators).feed_state());
        let feed = Feed { kind: ReportKind::Committee, contract };
        let root = members_root::<Native>(&quorum(), &next.members());
        let report = state.next_report(feed, stage.world.now(), root);
        let barred = stage.world.read(on(&stage.validators).barred(None));
        let signers = (0..SEATS).filter(|seat| barred >> seat & 1 == 0);
        let signed = stage.committee.certify_by(&stage.validators, &report, signers);
        let message = on(&stage.validators).rotate(report, next.members(), signed);
        if stage.world.as_(account(OTHER)).call(message).value.is_ok() {
            stage.committee = next;
        }
    }

    /// Stake and money of the player, and the stake of the others.
    fn has(&mut self) -> [u128; 2] {
        let terms = self.stage.world.read(on(&self.stage.validators).terms());
        let tao = at::<TokenRef>(terms.expect("there are terms").token);
        let mut has = [self.stage.world.read(on(&tao).balance_of(account(OTHER))), 0];
        for seat in 0..SEATS {
            let stake = self.stage.world.read(on(&self.stage.validators).stake_of(node(seat)));
            let money = self.stage.world.read(on(&tao).balance_of(node(seat)));
            has[usize::from(seat < self.honest())] += stake.bonded + stake.unbonding + money;
        }
        has
    }
}

impl Default for Validator {
    fn default() -> Self {
        Self::new()
    }
}

impl Role for Validator {
    type Act = Act;

    fn begin(&mut self) {
        self.stage.world.restore(&self.start);
        self.stage.committee = Committee::named("node", 1);
        (self.moment, self.pull, self.silent, self.certified) = (0, 0, 0, None);
    }

    fn moments(&self) -> u32 {
        MOMENTS
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let seat = self.honest() + dice.place(self.liars.into()) as u8;
        let amount = MIN_STAKE / 4 * dice.pick(&[1, 2, 4, 40, 190]);
        match dice.below(12) {
            0..=5 => {
                let (count, all) = (self.honest(), (1 << self.liars) - 1);
                let least = quorum().size() - self.liars;
                let some = dice.place(count.into()) as u8;
                let from = dice.pick(&[0, count - least, some]);
                let honest = dice.pick(&[least, least + 1, count]);
                let any = dice.below(u64::from(all) + 1) as u32;
                let off = dice.pick(&[10_000, 1_501, 1_500, 200, 74, 51, 50, 24]);
                let off = if dice.below(2) == 0 { off } else { -off };
                let (named, lying) = (dice.pick(&[all, all, any]), dice.pick(&[all, all, any]));
                Act::Propose { from, honest, named, lying, off }
            }
            6 => Act::Settle,
            7 => Act::Bond(seat, amount),
            8 => Act::Unbond(seat, amount),
            9 => Act::Resign(seat),
            10 => Act::Judge,
            _ => Act::Confess(seat),
        }
    }

    fn act(&mut self, act: &Act) {
        let stake = on(&self.stage.validators);
        let world = &mut self.stage.world;
        match *act {
            Act::Propose { from, honest, named, lying, off } => {
                self.propose(from, honest, [named, lying], off);
            }
            Act::Settle => drop(self.settle()),
            Act::Bond(seat, amount) => drop(world.as_(node(seat)).call({ stake }.bond(amount))),
            Act::Unbond(seat, amount) => drop(world.as_(node(seat)).call({ stake }.unbond(amount))),
            Act::Resign(seat) => drop(world.as_(node(seat)).call({ stake }.resign())),
            Act::Judge => drop(self.stage.judge_nav()),
            Act::Confess(seat) => self.confess(seat),
        }
    }

    fn pass(&mut self, moment: u32) {
        let _ = self.settle();
        self.stage.world.advance(INTERVAL_MS);
        self.settle_honest();
        if moment == CHANGE {
            self.change();
        }
        if moment % 2 == 1 {
            while self.stage.unjudged().is_some() && self.stage.judge_nav().value.is_ok() {}
        }
        self.stage.world.advance(MOMENT_MS);
        self.moment = moment + 1;
    }

    /// What others lose by him, whatever it costs him, and what he has more: in parts of 10¹⁸ of a TAO, as
    /// the NAV. A moment without a NAV counts one.
    fn wealth(&mut self) -> i128 {
        let [own, others] = self.has();
        let stake = (own.saturating_sub(self.had[0]) + (self.had[1] - others)) as i128;
        self.pull as i128 + stake * 1_000_000_000 + self.silent * ONE as i128
    }

    /// A NAV that an honest one has seen, but for rounding; nothing of anybody's stake.
    fn allowed(&mut self) -> i128 {
        (self.apart_bps * BPS + 1_000) as i128
    }
}

//! A committee with stake: 23 operators, a token, a treasury, a reputation contract, a judge.

use cicada_core::evidence::Equivocation;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, Report, ReportKind, REPORT_VERSION};
use cicada_core::slashing::{Bands, Rates, Standing, BOUNTY_BPS, JUDGED_MS, MIN_STAKE};
use cicada_core::Account;
use cicada_core::{certificate::Certificate, committee::members_root};
use cicada_runtime_tests::world::{FUNDS, GAS_LIMIT};
use cicada_runtime_tests::{account, address, on, AccountId, Receipt, World};
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::{ReputationView, Writers};
use cicada_traits::staking::{
    Deviation, DoubleObservation, Electorate, Judged, StakeView, Staking, StakingError,
    StakingTerms,
};
use cicada_traits::validators::{Validators, ValidatorsError};
use drink::{sandbox_api::prelude::ContractAPI, AccountId32};
use reputation::reputation::ReputationContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

use crate::common::{attestation_key, quorum, register, Committee, GENESIS, SEATS};

pub const DAY: u64 = 86_400_000;
/// How long stake waits on its way out, in the terms here.
pub const DELAY: u64 = 7 * DAY;
/// What each operator has in hand besides its stake.
pub const PURSE: u128 = 100 * MIN_STAKE;
/// What each operator stakes: a figure of which every rate leaves a rest.
pub const STAKE: u128 = 3 * MIN_STAKE + 1;
pub const OWNER: &str = "alice";
pub const STRANGER: &str = "bob";
pub const TREASURY: &str = "treasury";
/// An account that may report deviations, in place of a contract.
pub const JUDGE: &str = "judge";

/// The body of a contract's `call` that traps.
pub const TRAPS: &[u8] = &[0, 0x00, 0x0b];
/// One that goes on until its gas is used up. The body's length is one more than that of the others.
pub const ENDLESS: &[u8] = &[0, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b];
/// One that does nothing and answers nothing.
pub const SILENT: &[u8] = &[0, 0x01, 0x0b];

pub type Answer = Receipt<Result<(), StakingError>>;

/// The operator of a seat.
pub fn node(seat: u8) -> AccountId {
    account(&format!("node-{seat}"))
}

pub struct Stage {
    pub world: World,
    pub validators: ValidatorsContractRef,
    pub token: TokenRef,
    pub reputation: ReputationContractRef,
    pub committee: Committee,
}

impl Stage {
    /// 23 operators with keys and money; no rules, no stake, no committee.
    pub fn bare() -> Self {
        let mut world = World::new();
        let owner = account(OWNER);
        let coin = TokenRef::new("TAO".into(), "TAO".into(), 9, 1_000 * PURSE);
        let token = world.as_(owner).deploy("token", coin);
        let scores = ReputationContractRef::new(0, 0);
        let reputation = world.as_(owner).deploy("reputation", scores).expect("without decay");
        let new = ValidatorsContractRef::new(GENESIS, SEATS);
        let validators = world.as_(owner).deploy("validators", new).expect("23 seats");
        let committee = Committee::named("node", 1);
        committee.register(&mut world, &validators);
        world.fund(account(JUDGE), FUNDS);
        let writer = on(&reputation).set_writer(address(&validators), true);
        let _ = world.as_(owner).call(writer).succeeds();
        let mut stage = Self { world, validators, token, reputation, committee };
        for seat in 0..SEATS {
            stage.give(node(seat), PURSE);
        }
        stage
    }

    /// All that, rules, and nobody with stake.
    pub fn with_terms() -> Self {
        let mut stage = Self::bare();
        let terms = stage.usual_terms();
        let _ = stage.set_terms(terms).succeeds();
        stage
    }

    /// All that, and a committee in which each has [`STAKE`].
    pub fn new() -> Self {
        let mut stage = Self::with_terms();
        for seat in 0..SEATS {
            let _ = stage.bond(node(seat), STAKE).succeeds();
        }
        let operators = stage.committee.operators();
        let form = on(&stage.validators).form_committee(operators);
        let _ = stage.world.as_(account(OWNER)).call(form).succeeds();
        stage
    }

    pub fn usual_terms(&self) -> StakingTerms {
        StakingTerms {
            token: address(&self.token),
            treasury: account(TREASURY),
            reputation: Some(address(&self.reputation)),
            judges: vec![account(JUDGE)],
            minimum: MIN_STAKE,
            unbonding_ms: DELAY,
            nav_bands: Bands::NAV,
            ranking_bands: Bands::RANKING,
            rates: Rates::DEFAULT,
        }
    }

    // ---- money ----

    /// Tokens of the owner's for an account, which lets the contract take all of them.
    pub fn give(&mut self, to: AccountId, amount: u128) {
        let transfer = on(&self.token).transfer(to, amount, vec![]);
        let _ = self.world.as_(account(OWNER)).call(transfer).succeeds();
        self.approve(to, u128::MAX);
    }

    pub fn approve(&mut self, owner: AccountId, amount: u128) {
        let approve = on(&self.token).approve(address(&self.validators), amount);
        let _ = self.world.as_(owner).call(approve).succeeds();
    }

    pub fn balance(&mut self, owner: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(owner))
    }

    /// What the contract holds.
    pub fn held(&mut self) -> u128 {
        self.balance(address(&self.validators))
    }

    /// A contract in bare Wasm that does the same whatever it is asked.
    pub fn deploy_raw(&mut self, call: &'static [u8]) -> AccountId {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let types = &[1, 4, 1, 0x60, 0, 0];
        let import = b"\x02\x10\x01\x03env\x06memory\x02\x01\x01\x01";
        let functions = &[3, 3, 2, 0, 0];
        let exports = b"\x07\x11\x02\x06deploy\0\0\x04call\0\x01";
        let length = u8::try_from(call.len()).expect("a short body");
        let code = &[10, 5 + length, 2, 2, 0, 0x0b, length];
        let wasm = [header, types, import, functions, exports, code, call].concat();
        let (origin, gas) = (*AsRef::<[u8; 32]>::as_ref(&account(OWNER)), GAS_LIMIT);
        let made = self.world.sandbox().deploy_contract(
            wasm,
            0,
            vec![],
            vec![],
            AccountId32::new(origin),
            gas,
            None,
        );
        let made = made.result.expect("a contract in bare Wasm").account_id;
        AccountId::from(<[u8; 32]>::from(made))
    }

    // ---- stake ----

    pub fn set_terms(&mut self, terms: StakingTerms) -> Answer {
        self.world.as_(account(OWNER)).call(on(&self.validators).set_terms(terms))
    }

    /// The usual terms, changed, and in force.
    pub fn enforce_terms(&mut self, change: impl FnOnce(&mut StakingTerms)) {
        let _ = self.change_terms(change).succeeds();
        let announced = self.world.read(on(&self.validators).announced());
        if let Some(announced) = announced {
            self.world.at(announced.from_ms);
        }
    }

    pub fn resign(&mut self, who: AccountId) -> Answer {
        self.world.as_(who).call(on(&self.validators).resign())
    }

    /// The usual terms, changed.
    pub fn change_terms(&mut self, change: impl FnOnce(&mut StakingTerms)) -> Answer {
        let mut terms = self.usual_terms();
        change(&mut terms);
        self.set_terms(terms)
    }

    pub fn bond(&mut self, who: AccountId, amount: u128) -> Answer {
        self.world.as_(who).call(on(&self.validators).bond(amount))
    }

    pub fn unbond(&mut self, who: AccountId, amount: u128) -> Answer {
        self.world.as_(who).call(on(&self.validators).unbond(amount))
    }

    pub fn withdraw(&mut self, who: AccountId) -> Receipt<Result<u128, StakingError>> {
        self.world.as_(who).call(on(&self.validators).withdraw())
    }

    pub fn stake(&mut self, who: AccountId) -> StakeView {
        self.world.read(on(&self.validators).stake_of(who))
    }

    /// What is bonded, what is on its way out.
    pub fn amounts(&mut self, who: AccountId) -> (u128, u128) {
        let stake = self.stake(who);
        (stake.bonded, stake.unbonding)
    }

    pub fn standing(&mut self, who: AccountId) -> Standing {
        self.stake(who).standing
    }

    pub fn electorate(&mut self) -> Electorate {
        self.world.read(on(&self.validators).electorate(None))
    }

    pub fn electorate_of(&mut self, epoch: u32) -> Electorate {
        self.world.read(on(&self.validators).electorate(Some(epoch)))
    }

    /// Points of reputation.
    pub fn points(&mut self, who: AccountId) -> u32 {
        self.world.read(on(&self.reputation).summary(who)).points
    }

    // ---- offences ----

    /// Deviations of NAV in a slot of the judge's feed, beside others that agree. Each slot is an
    /// hour after the one before it.
    pub fn report(&mut self, slot: u64, off: &[(u8, u32)]) -> Answer {
        self.report_as(JUDGE, ReportKind::Nav, slot, &everybody(off))
    }

    pub fn report_as(
        &mut self,
        judge: &str,
        kind: ReportKind,
        slot: u64,
        deviations: &[(u8, u32)],
    ) -> Answer {
        self.report_of(judge, kind, (slot, slot * JUDGED_MS), self.committee.epoch, deviations)
    }

    /// With slot and time, and the epoch of the committee.
    pub fn report_of(
        &mut self,
        judge: &str,
        kind: ReportKind,
        (slot, time_ms): (u64, u64),
        epoch: u32,
        deviations: &[(u8, u32)],
    ) -> Answer {
        let list = deviations.iter().map(|(seat, bps)| Deviation { seat: *seat, bps: *bps });
        let message = on(&self.validators).report_deviations(
            kind,
            slot,
            time_ms,
            epoch,
            list.collect::<Vec<_>>(),
        );
        self.world.as_(account(judge)).call(message)
    }

    /// A NAV feed.
    pub fn feed(&self) -> Feed {
        Feed { kind: ReportKind::Nav, contract: Account::of(&account(JUDGE)) }
    }

    /// What a seat of an epoch's committee says the NAV is.
    pub fn observation(&self, epoch: u32, seat: u8, slot: u64, nav_e18: u128) -> Observation {
        let digest = Committee::named("node", epoch).config_digest(&self.validators);
        let mut made = Observation { seat, nav_e18, time_ms: 1, signature: [0; 64] };
        let message = made.message::<Native>(&digest, &self.feed(), slot);
        made.signature = attestation_key(&format!("node-{seat}")).sign(&message.0);
        made
    }

    pub fn two_navs(&self, epoch: u32, seat: u8, slot: u64) -> DoubleObservation {
        let observe = |nav| self.observation(epoch, seat, slot, nav);
        let (one, other) = (observe(1), observe(2));
        DoubleObservation { epoch, feed: self.feed(), slot, one, other }
    }

    /// A report of another feed in some slot.
    pub fn a_report(&self, slot: u64, root: u8) -> Report {
        Report {
            version: REPORT_VERSION,
            feed: Feed { kind: ReportKind::Leaderboard, contract: Account([5; 32]) },
            slot,
            previous: Digest([6; 32]),
            time_ms: 7,
            leaf_count: 1,
            root: Digest([root; 32]),
        }
    }

    /// A seat of an epoch's committee attests two reports.
    pub fn two_reports(&self, epoch: u32, seat: u8, one: Report, other: Report) -> Equivocation {
        let digest = Committee::named("node", epoch).config_digest(&self.validators);
        let signed = |report: Report| {
            let message = report.attestation_message::<Native>(&digest);
            (report, attestation_key(&format!("node-{seat}")).sign(&message.0))
        };
        Equivocation::new::<Native>(epoch, seat, signed(one), signed(other))
    }

    pub fn convict(&mut self, evidence: Equivocation) -> Answer {
        self.world.as_(account(STRANGER)).call(on(&self.validators).convict(evidence))
    }

    pub fn convict_observer(&mut self, evidence: DoubleObservation) -> Answer {
        self.world.as_(account(STRANGER)).call(on(&self.validators).convict_observer(evidence))
    }

    /// Convicts a seat in office; which slot does not matter.
    pub fn eject(&mut self, seat: u8) {
        let evidence = self.two_navs(self.committee.epoch, seat, 1_000_000);
        let _ = self.convict_observer(evidence).succeeds();
    }

    // ---- committees ----

    pub fn verify_by(
        &mut self,
        seats: impl IntoIterator<Item = u8>,
    ) -> Result<(), cicada_core::certificate::CertificateError> {
        let report = self.a_report(9, 9);
        let certificate = self.committee.certify_by(&self.validators, &report, seats);
        self.world.read(on(&self.validators).verify(report.digest::<Native>(), certificate))
    }

    /// The change to a committee of the same operators, or of those called `group`.
    pub fn change_to(&mut self, group: &str, signers: &[u8]) -> (Report, Committee, Certificate) {
        let next = Committee::named(group, self.committee.epoch + 1);
        let before = self.world.read(on(&self.validators).feed_state());
        let report = Report {
            version: REPORT_VERSION,
            feed: Feed {
                kind: ReportKind::Committee,
                contract: Account::of(&address(&self.validators)),
            },
            slot: before.slot + 1,
            previous: if before.slot == 0 { Digest::ZERO } else { before.digest },
            time_ms: self.world.now(),
            leaf_count: 1,
            root: members_root::<Native>(&quorum(), &next.members()),
        };
        let signers = signers.iter().copied();
        let certificate = self.committee.certify_by(&self.validators, &report, signers);
        (report, next, certificate)
    }

    /// The next epoch, certified by these seats.
    pub fn rotate_to(
        &mut self,
        group: &str,
        signers: &[u8],
    ) -> Receipt<Result<(), ValidatorsError>> {
        let (report, next, certificate) = self.change_to(group, signers);
        let rotate = on(&self.validators).rotate(report, next.members(), certificate);
        let receipt = self.world.as_(account(STRANGER)).call(rotate);
        if receipt.value.is_ok() {
            self.committee = next;
        }
        receipt
    }

    /// The next epoch with the same operators.
    pub fn next_epoch(&mut self) {
        let barred = self.world.read(on(&self.validators).barred(None));
        let signers: Vec<u8> = (0..SEATS).filter(|seat| barred >> seat & 1 == 0).collect();
        let _ = self.rotate_to("node", &signers).succeeds();
    }

    /// Registers and funds the operators of another committee.
    pub fn newcomers(&mut self, group: &str) {
        for seat in 0..SEATS {
            let name = format!("{group}-{seat}");
            register(&mut self.world, &self.validators, &name);
            self.give(account(&name), PURSE);
        }
    }
}

/// All seats, of which these are off.
pub fn everybody(off: &[(u8, u32)]) -> Vec<(u8, u32)> {
    let bps = |seat| off.iter().find(|one| one.0 == seat).map_or(0, |one| one.1);
    (0..SEATS).map(|seat| (seat, bps(seat))).collect()
}

/// What whoever brings a proof gets of a penalty.
pub fn bounty(penalty: u128) -> u128 {
    penalty * BOUNTY_BPS / 10_000
}

/// A digest that is nobody's.
pub const NOBODYS: Digest = Digest([9; 32]);

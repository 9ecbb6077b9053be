//! A committee, a token, the rewards contract, and the miners' claims as the workers keep them.

use std::collections::BTreeMap;

use cicada_core::certificate::Certificate;
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::Settlement;
use cicada_core::merkle::Tree;
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::rewards::{leaves, Award, AwardState, Claim, Distribution, Validator};
use cicada_core::scores::Score;
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on, AccountId, Message, Receipt, World};
use cicada_traits::psp22::PSP22;
use cicada_traits::rewards::{RewardTerms, Rewards, RewardsError};
use rewards::rewards::RewardsContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

use crate::common::{seated, Committee};

/// Who owns the contract and the money, who has no part.
pub const OWNER: &str = "alice";
pub const STRANGER: &str = "heidi";
pub const SUPPLY: u128 = 1_000_000_000_000;
pub const EMISSION: u128 = 1_000_000;
pub const HOUR: u64 = 3_600_000;
pub const BOND: u128 = 100;
pub const UNBONDING: u64 = 24 * HOUR;
/// How long before an epoch can begin its emission must be announced.
pub const NOTICE: u64 = 2 * UNBONDING;

pub type Answer<T> = Receipt<Result<T, RewardsError>>;

/// The next epoch, not yet brought to the chain.
#[derive(Clone)]
pub struct Epoch {
    pub award: Award,
    pub distribution: Distribution,
    pub claims: Vec<Claim>,
}

/// The claims of the newest settled epoch, with their proofs.
pub struct Stage {
    pub world: World,
    pub validators: ValidatorsContractRef,
    pub committee: Committee,
    pub token: TokenRef,
    pub rewards: RewardsContractRef,
    pub claims: Vec<Claim>,
    /// Of which epoch they are.
    pub epoch: u64,
    pub tree: Tree,
}

pub fn id(name: &str) -> Account {
    Account::of(&account(name))
}

/// An account with a number.
pub fn miner(number: u32) -> Account {
    let mut account = [0x4d; 32];
    account[..4].copy_from_slice(&number.to_be_bytes());
    Account(account)
}

pub fn score(miner: Account, final_e9: u128) -> Score {
    Score {
        miner,
        weighted_tenths: final_e9,
        volume_e9: 0,
        frequency_e9: 0,
        consistency_e9: 0,
        final_e9,
        last_ms: 100,
        registered: true,
    }
}

/// The scores of so many miners, uneven, other ones in each epoch.
pub fn scores(miners: u32, epoch: u32) -> Vec<Score> {
    let final_e9 = |number: u32| u128::from((number * 7_919 + epoch * 104_729) % 5_003) + 1;
    (0..miners).map(|number| score(miner(number), final_e9(number))).collect()
}

/// The validators' accounts, all alike.
pub fn validators() -> Vec<Validator> {
    let validator = |seat: u32| Validator {
        account: miner(1_000_000 + seat),
        stake: 5,
        participation_bps: 10_000,
    };
    (0..23).map(validator).collect()
}

/// An hour an epoch, from `start_ms` on.
pub fn terms(start_ms: u64) -> RewardTerms {
    RewardTerms {
        start_ms,
        min_epoch_ms: HOUR,
        emission: EMISSION,
        bond: BOND,
        unbonding_ms: UNBONDING,
    }
}

impl Stage {
    /// The first epoch begins now and lasts at least an hour. Nothing is paid in.
    pub fn new() -> Self {
        Self::with_epochs(HOUR)
    }

    /// The same, with epochs that last at least this long.
    pub fn with_epochs(min_epoch_ms: u64) -> Self {
        let mut world = World::new();
        let (validators, committee) = seated(&mut world);
        Self::paid_by((world, validators, committee), min_epoch_ms)
    }

    /// The same of these validators.
    pub fn around(world: World, validators: ValidatorsContractRef, committee: Committee) -> Self {
        Self::paid_by((world, validators, committee), HOUR)
    }

    fn paid_by(
        (mut world, validators, committee): (World, ValidatorsContractRef, Committee),
        min_epoch_ms: u64,
    ) -> Self {
        let coin = TokenRef::new("TAO".into(), "TAO".into(), 9, SUPPLY);
        let token = world.as_(account(OWNER)).deploy("token", coin);
        let terms = RewardTerms { min_epoch_ms, ..terms(world.now()) };
        let constructor = RewardsContractRef::new(address(&validators), address(&token), terms);
        let rewards = world.as_(account(OWNER)).deploy("rewards", constructor).expect("terms");
        let approval = on(&token).approve(address(&rewards), u128::MAX);
        let _ = world.as_(account(OWNER)).call(approval).succeeds();
        let tree = Tree::new::<Native>(Vec::new());
        Self { world, validators, committee, token, rewards, claims: Vec::new(), epoch: 0, tree }
    }

    /// With this much paid in.
    pub fn funded(amount: u128) -> Self {
        let mut stage = Self::new();
        let _ = stage.fund(OWNER, amount).succeeds();
        stage
    }

    pub fn call<M: Message>(&mut self, name: &str, message: M) -> Receipt<M::Output> {
        self.world.as_(account(name)).call(message)
    }

    pub fn fund(&mut self, name: &str, amount: u128) -> Answer<()> {
        let message = on(&self.rewards).fund(amount);
        self.call(name, message)
    }

    pub fn state(&mut self) -> AwardState {
        self.world.read(on(&self.rewards).state())
    }

    pub fn latest(&mut self) -> FeedState {
        self.world.read(on(&self.rewards).latest())
    }

    /// What is paid in, paid out and free.
    pub fn money(&mut self) -> (u128, u128, u128) {
        let funded = self.world.read(on(&self.rewards).funded());
        let paid = self.world.read(on(&self.rewards).paid());
        (funded, paid, self.world.read(on(&self.rewards).available()))
    }

    pub fn balance(&mut self, owner: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(owner))
    }

    /// What the contract holds.
    pub fn held(&mut self) -> u128 {
        let holder = address(&self.rewards);
        self.balance(holder)
    }

    pub fn paid_of(&mut self, account: Account) -> u128 {
        self.world.read(on(&self.rewards).paid_of(account.0.into()))
    }

    pub fn feed(&self) -> Feed {
        let contract = Account::of(&address(&self.rewards));
        Feed { kind: ReportKind::Rewards, contract }
    }

    /// Lets an hour pass and computes the epoch that ends now.
    pub fn next(&mut self, scores: &[Score], validators: &[Validator], pool: u128) -> Epoch {
        let end_ms = self.world.advance(HOUR).now();
        let state = self.state();
        self.compute(&state, end_ms, pool, scores, validators)
    }

    /// The epoch after `state` that ends at `end_ms`.
    pub fn compute(
        &self,
        state: &AwardState,
        end_ms: u64,
        pool: u128,
        scores: &[Score],
        validators: &[Validator],
    ) -> Epoch {
        let computed =
            Award::compute::<Native>(state, end_ms, pool, scores, validators, &self.claims);
        let (award, distribution, claims) = computed.expect("a distribution");
        Epoch { award, distribution, claims }
    }

    /// The report of an award in the next slot, observed now.
    pub fn report(&mut self, award: &Award) -> Report {
        let (feed, latest) = (self.feed(), self.latest());
        award.report::<Native>(0, feed, &latest, self.world.now())
    }

    pub fn certify(&self, report: &Report) -> Certificate {
        self.committee.certify(&self.validators, report)
    }

    pub fn bring(
        &mut self,
        report: Report,
        award: Award,
        certificate: &Certificate,
    ) -> Answer<Settlement> {
        self.bring_ranked(report, award, 0, certificate)
    }

    /// The same, with the seats that ranked it.
    pub fn bring_ranked(
        &mut self,
        report: Report,
        award: Award,
        ranked_by: u32,
        certificate: &Certificate,
    ) -> Answer<Settlement> {
        let message = on(&self.rewards).settle_epoch(report, award, ranked_by, certificate.into());
        self.call(STRANGER, message)
    }

    /// Brings an award whose report and certificate are right for it.
    pub fn settle_award(&mut self, award: Award) -> Answer<Settlement> {
        let report = self.report(&award);
        let certificate = self.certify(&report);
        self.bring(report, award, &certificate)
    }

    /// Settles an epoch and keeps its claims.
    pub fn settle(&mut self, epoch: Epoch) {
        let _ = self.settled(epoch);
    }

    /// The same, with the receipt.
    pub fn settled(&mut self, epoch: Epoch) -> Receipt<Settlement> {
        let receipt = self.settle_award(epoch.award).succeeds();
        assert_eq!(receipt.value, Settlement::Recorded);
        self.keep(epoch.claims);
        receipt
    }

    /// These are the claims of the newest epoch.
    pub fn keep(&mut self, claims: Vec<Claim>) {
        let epoch = self.state().epoch;
        self.keep_of(epoch, claims);
    }

    pub fn keep_of(&mut self, epoch: u64, claims: Vec<Claim>) {
        self.epoch = epoch;
        self.tree = Tree::new::<Native>(leaves::<Native>(&claims));
        self.claims = claims;
    }

    /// The claim of an account under the root of what was kept: amount, position and proof.
    pub fn proof(&self, account: Account) -> (u128, u32, Vec<Digest>) {
        let index = self.claims.iter().position(|claim| claim.account == account);
        let index = index.expect("the account has a claim");
        let proof = self.tree.prove(index).expect("a leaf");
        (self.claims[index].cumulative, index as u32, proof)
    }

    /// Claims for an account, with its proof under the newest root.
    pub fn claim_for(&mut self, name: &str, account: Account) -> Answer<u128> {
        let (cumulative, index, proof) = self.proof(account);
        let message =
            on(&self.rewards).claim_for(account.0.into(), self.epoch, cumulative, index, proof);
        self.call(name, message)
    }

    /// Claims for oneself.
    pub fn claim(&mut self, name: &str) -> Answer<u128> {
        let (cumulative, index, proof) = self.proof(id(name));
        let message = on(&self.rewards).claim(self.epoch, cumulative, index, proof);
        self.call(name, message)
    }
}

/// What each account was awarded by this distribution.
pub fn table(distribution: &Distribution) -> BTreeMap<Account, u128> {
    let payouts = distribution.payouts().expect("no overflow");
    payouts.into_iter().map(|payout| (payout.account, payout.amount)).collect()
}

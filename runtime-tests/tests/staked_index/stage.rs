//! All contracts on one chain: one TAO is staked, traded and paid as reward.

use cicada_core::certificate::{Certificate, SCHEME_SR25519};
use cicada_core::committee::Member;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, Report, ReportKind};
use cicada_core::rewards::{Award, Claim, MIN_UNBONDING_MS};
use cicada_core::slashing::{Bands, Rates, MIN_STAKE};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, on, AccountId, World};
use cicada_traits::psp22::{Role, Roles, PSP22};
use cicada_traits::reputation::Writers;
use cicada_traits::rewards::RewardTerms;
use cicada_traits::staking::{Staking, StakingTerms};
use cicada_traits::validators::Validators;
use index::index::IndexContractRef;
use pair::pair::PairContractRef;
use reputation::reputation::ReputationContractRef;
use rewards::rewards::RewardsContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

use crate::common::{attestation_key, domain, member, quorum, register, GENESIS};
use crate::model::{Basket, Model, Pool, Rewards, Stakes, EMISSION, EPOCH_MS, FEE_BPS};
use crate::op::{Rules, Signed, SignedFault};
use crate::people::{Coin, Who, NODES, SEATS, SUBNETS, USERS};

/// What there is of TAO and of each subnet token.
pub const SUPPLY: u128 = 1_000_000_000_000_000_000;
/// What each user holds of TAO and of each subnet token: a million.
pub const PURSE: u128 = 1_000_000_000_000_000;
/// What each operator holds besides its stake.
pub const NODE_PURSE: u128 = 20 * MIN_STAKE;
/// What each seat stakes at first: a figure of which every rate leaves a rest.
pub const STAKE: u128 = 3 * MIN_STAKE + 1;
/// How long stake waits at first.
pub const DELAY_MS: u64 = 7 * 86_400_000;

/// A NAV as it was brought.
pub type BroughtNav = (Report, Vec<Observation>, Certificate);

/// The contracts, and what was brought to them.
pub struct Stage {
    pub world: World,
    pub tao: TokenRef,
    pub tao20: TokenRef,
    pub subnets: Vec<TokenRef>,
    pub validators: ValidatorsContractRef,
    pub reputation: ReputationContractRef,
    pub index: IndexContractRef,
    pub pair: PairContractRef,
    pub rewards: RewardsContractRef,
    /// The nodes of each epoch.
    pub committees: Vec<Vec<u8>>,
    pub navs: Vec<BroughtNav>,
    pub basket: Option<(Report, Vec<cicada_core::basket::holdings::Entry>, Certificate)>,
    pub epoch: Option<(Report, Award, Certificate)>,
    /// The claims after each epoch, the newest last.
    pub claims: Vec<Vec<Claim>>,
}

/// The rules of stake at first.
pub fn first_rules() -> Rules {
    Rules { minimum: MIN_STAKE, delay_ms: DELAY_MS, rates: [100, 500, 1_500, 5_000] }
}

fn deploy_token(world: &mut World, name: &str, decimals: u8, supply: u128) -> TokenRef {
    let token = TokenRef::new(name.into(), name.into(), decimals, supply);
    world.as_(Who::Owner.account()).deploy("token", token)
}

impl Stage {
    /// A seated committee with stake, users with money; no basket, no liquidity, no epoch.
    pub fn new() -> Self {
        let (mut world, owner) = (World::new(), Who::Owner.account());
        let tao = deploy_token(&mut world, "TAO", 9, SUPPLY);
        let tao20 = deploy_token(&mut world, "TAO20", 18, 0);
        let subnet = |number| deploy_token(&mut world, &format!("S{number}"), 9, SUPPLY);
        let subnets = (0..SUBNETS).map(subnet).collect();
        let new = ValidatorsContractRef::new(GENESIS, SEATS);
        let validators = world.as_(owner).deploy("validators", new).expect("23 seats");
        let scores = ReputationContractRef::new(0, 0);
        let reputation = world.as_(owner).deploy("reputation", scores).expect("without decay");
        let new = IndexContractRef::new(address(&validators), address(&tao20));
        let index = world.as_(owner).deploy("index", new);
        let new = PairContractRef::new(address(&tao20), address(&tao), FEE_BPS);
        let pair = world.as_(owner).deploy("pair", new).expect("a pool");
        let terms = RewardTerms {
            start_ms: world.now(),
            min_epoch_ms: EPOCH_MS,
            emission: EMISSION,
            bond: 1,
            unbonding_ms: MIN_UNBONDING_MS,
        };
        let new = RewardsContractRef::new(address(&validators), address(&tao), terms);
        let rewards = world.as_(owner).deploy("rewards", new).expect("terms");
        let mut stage = Self {
            world,
            tao,
            tao20,
            subnets,
            validators,
            reputation,
            index,
            pair,
            rewards,
            committees: vec![(0..SEATS).collect()],
            navs: Vec::new(),
            basket: None,
            epoch: None,
            claims: vec![Vec::new()],
        };
        stage.permit();
        stage.fill_purses();
        stage.seat();
        stage
    }

    /// Who may do what with whom.
    fn permit(&mut self) {
        let owner = Who::Owner.account();
        for role in [Role::Minter, Role::Burner] {
            let grant = on(&self.tao20).grant_role(role, address(&self.index));
            let _ = self.world.as_(owner).call(grant).succeeds();
        }
        let writer = on(&self.reputation).set_writer(address(&self.validators), true);
        let _ = self.world.as_(owner).call(writer).succeeds();
        let terms = on(&self.validators).set_terms(self.staking_terms(&first_rules()));
        let _ = self.world.as_(owner).call(terms).succeeds();
    }

    fn fill_purses(&mut self) {
        for who in (0..USERS).map(Who::User) {
            self.give(Coin::Tao, who, PURSE);
            (0..SUBNETS).for_each(|number| self.give(Coin::Subnet(number), who, PURSE));
        }
        for who in (0..NODES).map(Who::Node) {
            register(&mut self.world, &self.validators, &who.name());
            self.give(Coin::Tao, who, NODE_PURSE + STAKE);
        }
        for who in Who::people().filter(|who| who.has_approved()) {
            for spender in [Who::Validators, Who::Pair, Who::Rewards] {
                self.approve(Coin::Tao, who, spender);
            }
            if matches!(who, Who::Node(_)) {
                continue;
            }
            self.approve(Coin::Tao20, who, Who::Index);
            self.approve(Coin::Tao20, who, Who::Pair);
            (0..SUBNETS).for_each(|number| self.approve(Coin::Subnet(number), who, Who::Index));
        }
    }

    fn seat(&mut self) {
        for who in (0..SEATS).map(Who::Node) {
            let bond = on(&self.validators).bond(STAKE);
            let _ = self.world.as_(who.account()).call(bond).succeeds();
        }
        let operators: Vec<AccountId> = (0..SEATS).map(|node| Who::Node(node).account()).collect();
        let form = on(&self.validators).form_committee(operators);
        let _ = self.world.as_(Who::Owner.account()).call(form).succeeds();
    }

    /// The model of this stage as it is at first.
    pub fn model(&self) -> Model {
        let mut stakes = Stakes::new(first_rules());
        let mut balances = std::collections::BTreeMap::new();
        let mut give = |coin, who, amount| {
            balances.insert((coin, who), amount);
        };
        for who in (0..USERS).map(Who::User) {
            give(Coin::Tao, who, PURSE);
            (0..SUBNETS).for_each(|number| give(Coin::Subnet(number), who, PURSE));
        }
        for (who, seated) in (0..NODES).map(|node| (Who::Node(node), node < SEATS)) {
            give(Coin::Tao, who, if seated { NODE_PURSE } else { NODE_PURSE + STAKE });
            if seated {
                stakes.operators.entry(who).or_default().bonded = STAKE;
            }
        }
        let (seats, nodes, users) = (u128::from(SEATS), u128::from(NODES), u128::from(USERS));
        give(Coin::Tao, Who::Validators, seats * STAKE);
        give(Coin::Tao, Who::Owner, SUPPLY - users * PURSE - nodes * (NODE_PURSE + STAKE));
        (0..SUBNETS)
            .for_each(|number| give(Coin::Subnet(number), Who::Owner, SUPPLY - users * PURSE));
        Model {
            mistake: None,
            now_ms: self.world.now(),
            balances,
            frozen: Default::default(),
            stakes,
            basket: Basket::new(),
            pool: Pool::default(),
            rewards: Rewards::new(self.world.now()),
        }
    }

    // ---- accounts and tokens ----

    /// The address of anybody.
    pub fn account(&self, who: Who) -> AccountId {
        match who {
            Who::Index => address(&self.index),
            Who::Pair => address(&self.pair),
            Who::Rewards => address(&self.rewards),
            Who::Validators => address(&self.validators),
            person => account(&person.name()),
        }
    }

    /// The token; none for shares, which are the pool's own.
    pub fn token(&self, coin: Coin) -> Option<&TokenRef> {
        match coin {
            Coin::Tao => Some(&self.tao),
            Coin::Tao20 => Some(&self.tao20),
            Coin::Subnet(number) => Some(&self.subnets[usize::from(number)]),
            Coin::Share => None,
        }
    }

    pub fn coin(&self, coin: Coin) -> AccountId {
        self.token(coin).map_or_else(|| address(&self.pair), address)
    }

    fn give(&mut self, coin: Coin, to: Who, amount: u128) {
        let token = self.token(coin).expect("a token").clone();
        let transfer = on(&token).transfer(self.account(to), amount, vec![]);
        let _ = self.world.as_(Who::Owner.account()).call(transfer).succeeds();
    }

    fn approve(&mut self, coin: Coin, who: Who, spender: Who) {
        let token = self.token(coin).expect("a token").clone();
        let approve = on(&token).approve(self.account(spender), u128::MAX);
        let _ = self.world.as_(who.account()).call(approve).succeeds();
    }

    pub fn balance(&mut self, coin: Coin, who: Who) -> u128 {
        let account = self.account(who);
        match self.token(coin).cloned() {
            Some(token) => self.world.read(on(&token).balance_of(account)),
            None => self.world.read(on(&self.pair).balance_of(account)),
        }
    }

    pub fn supply(&mut self, coin: Coin) -> u128 {
        match self.token(coin).cloned() {
            Some(token) => self.world.read(on(&token).total_supply()),
            None => self.world.read(on(&self.pair).total_supply()),
        }
    }

    pub fn staking_terms(&self, rules: &Rules) -> StakingTerms {
        let [minor_bps, moderate_bps, severe_bps, critical_bps] = rules.rates;
        StakingTerms {
            token: address(&self.tao),
            treasury: Who::Treasury.account(),
            reputation: Some(address(&self.reputation)),
            judges: vec![address(&self.index)],
            minimum: rules.minimum,
            unbonding_ms: rules.delay_ms,
            nav_bands: Bands::NAV,
            ranking_bands: Bands::RANKING,
            rates: Rates { minor_bps, moderate_bps, severe_bps, critical_bps },
        }
    }

    // ---- signatures ----

    pub fn feed(&self, kind: ReportKind) -> Feed {
        let contract = match kind {
            ReportKind::Rewards => Who::Rewards,
            ReportKind::Committee => Who::Validators,
            _ => Who::Index,
        };
        Feed { kind, contract: Account::of(&self.account(contract)) }
    }

    pub fn epoch_in_office(&self) -> u32 {
        u32::try_from(self.committees.len()).expect("few epochs")
    }

    /// The node of a seat in an epoch; of one that there is not, some node.
    pub fn node(&self, epoch: u32, seat: u8) -> u8 {
        let place = usize::try_from(epoch).expect("fits").wrapping_sub(1);
        let nodes = self.committees.get(place).unwrap_or(&self.committees[0]);
        nodes.get(usize::from(seat)).copied().unwrap_or_default()
    }

    pub fn members(nodes: &[u8]) -> Vec<Member> {
        nodes.iter().map(|node| member(&Who::Node(*node).name())).collect()
    }

    /// What every signature of an epoch binds.
    pub fn config_digest(&self, epoch: u32) -> Digest {
        let place = usize::try_from(epoch).expect("fits").wrapping_sub(1);
        let nodes = self.committees.get(place).unwrap_or(&self.committees[0]);
        let members = Self::members(nodes);
        domain(&self.validators).config_digest::<Native>(epoch, &quorum(), &members)
    }

    /// The signature of a seat in an epoch.
    pub fn sign(&self, epoch: u32, seat: u8, message: &Digest) -> [u8; 64] {
        attestation_key(&Who::Node(self.node(epoch, seat)).name()).sign(&message.0)
    }

    pub fn certify(&self, report: &Report, signed: &Signed) -> Certificate {
        let epoch = self.epoch_in_office();
        let message = report.attestation_message::<Native>(&self.config_digest(epoch));
        let mut certificate = Certificate {
            scheme: SCHEME_SR25519,
            epoch,
            signers: crate::model::bits(&signed.seats),
            signatures: signed.seats.iter().map(|s| self.sign(epoch, *s, &message)).collect(),
        };
        match signed.fault {
            Some(SignedFault::OtherEpoch) => certificate.epoch += 1,
            Some(SignedFault::Forged(place)) => {
                certificate.signatures[place] =
                    self.sign(epoch, signed.seats[place], &Digest::ZERO);
            }
            None => {}
        }
        certificate
    }
}

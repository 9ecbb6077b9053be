//! The contracts of the compute market on one chain, and the people who use them.

use auction::auction::AuctionContractRef;
use capabilities::capabilities::CapabilitiesContractRef;
use cicada_core::escrow::{Limits, Range, MAX_WINDOW_MS};
use cicada_core::hash::Digest;
use cicada_core::market::Parameters;
use cicada_runtime_tests::{account, address, on, AccountId, World};
use cicada_traits::escrow::EscrowOperator;
use cicada_traits::psp22::{Role, Roles, Supply, PSP22};
use cicada_traits::reputation::{Reputation, Writers};
use escrow::escrow::EscrowContractRef;
use reputation::reputation::ReputationContractRef;
use token::token::TokenRef;
use validators::validators::ValidatorsContractRef;

/// Stands in for the genesis hash, which a contract cannot read.
pub const GENESIS: Digest = Digest([0x71; 32]);
/// Native money for storage deposits.
const NATIVE: u128 = 1_000_000_000_000_000;

/// A minute to a year.
const RANGE: Range = Range { least_ms: 60_000, most_ms: MAX_WINDOW_MS };
/// What the escrow contract permits.
pub const LIMITS: Limits = Limits { review: RANGE, dispute: RANGE, completion: RANGE };

/// What a market is made with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Parameters of the auction.
    pub auction: Parameters,
    /// Length of an epoch of reputation, in ms.
    pub epoch_ms: u64,
    /// How much of the distance to the start decays in an epoch, in basis points.
    pub decay_bps: u16,
}

/// A chain with a compute market.
pub struct Stage {
    /// The chain.
    pub world: World,
    /// The currency, MMC.
    pub token: TokenRef,
    /// The reputation contract.
    pub reputation: ReputationContractRef,
    /// The escrow contract.
    pub escrow: EscrowContractRef,
    /// The auction.
    pub auction: AuctionContractRef,
    people: Vec<AccountId>,
}

impl Stage {
    /// Deploys everything; alice owns what has an owner, and mints.
    pub fn new(settings: &Settings) -> Self {
        let mut world = World::new();
        let alice = account("alice");
        let coin = TokenRef::new("Metameme Coin".into(), "MMC".into(), 6, 0);
        let token = world.as_(alice).deploy("token", coin);
        let validators = ValidatorsContractRef::new(Digest(GENESIS.0), 23);
        let validators = world.as_(alice).deploy("validators", validators).expect("23 seats");
        let constructor = ReputationContractRef::new(settings.epoch_ms, settings.decay_bps);
        let reputation =
            world.as_(alice).deploy("reputation", constructor).expect("a decay in its range");
        let capabilities = CapabilitiesContractRef::new(address(&validators));
        let capabilities = world.as_(alice).deploy("capabilities", capabilities);
        let constructor = EscrowContractRef::new(Digest(GENESIS.0), LIMITS);
        let escrow = world.as_(alice).deploy("escrow", constructor).expect("limits in order");
        let (t, e, r) = (address(&token), address(&escrow), address(&reputation));
        let constructor =
            AuctionContractRef::new(t, e, r, address(&capabilities), settings.auction);
        let auction =
            world.as_(alice).deploy("auction", constructor).expect("parameters in their range");
        let grant = on(&token).grant_role(Role::Minter, alice);
        let _ = world.as_(alice).call(grant).succeeds();
        let writer = on(&reputation).set_writer(address(&auction), true);
        let _ = world.as_(alice).call(writer).succeeds();
        Self { world, token, reputation, escrow, auction, people: Vec::new() }
    }

    /// Somebody with so much MMC, who permits the auction to act for him.
    pub fn join(&mut self, name: &str, mmc: u128) -> AccountId {
        let who = account(name);
        let alice = account("alice");
        self.world.fund(who, NATIVE);
        let _ = self.world.as_(alice).call(on(&self.token).mint(who, mmc)).succeeds();
        let approve = on(&self.token).approve(address(&self.escrow), u128::MAX);
        let _ = self.world.as_(who).call(approve).succeeds();
        let permit = on(&self.escrow).set_operator(address(&self.auction), true);
        let _ = self.world.as_(who).call(permit).succeeds();
        self.people.push(who);
        who
    }

    /// What somebody holds.
    pub fn balance(&mut self, who: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(who))
    }

    /// What the escrow contract holds for everybody.
    pub fn locked(&mut self) -> u128 {
        self.balance(address(&self.escrow))
    }

    /// The points of somebody.
    pub fn points(&mut self, who: AccountId) -> u32 {
        self.world.read(on(&self.reputation).points(who))
    }

    /// Panics unless all money is with the people or locked for them, to the unit.
    pub fn assert_conserved(&mut self) {
        let supply = self.world.read(on(&self.token).total_supply());
        let people: u128 = self.people.clone().into_iter().map(|who| self.balance(who)).sum();
        let auction = self.balance(address(&self.auction));
        assert_eq!(auction, 0, "the auction holds no money");
        assert_eq!(supply, people + self.locked(), "money appeared or disappeared");
    }
}

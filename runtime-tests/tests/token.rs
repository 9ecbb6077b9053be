//! `token`: the PSP22 standard, a supply under roles, and every unit accounted for.

use std::collections::{BTreeMap, BTreeSet};

use cicada_dice::Dice;
use cicada_runtime_tests::{
    account, address, check_gas, check_size, on, AccountId, Bundle, Emitted, Message, RawMessage,
    Receipt, Refusal, World,
};
use cicada_traits::psp22::{PSP22Error, PSP22Metadata, Role, Roles, Supply, TokenError, PSP22};
use ink::{
    env::{
        hash::{Blake2x256, CryptoHash},
        Event,
    },
    primitives::LangError,
};
use parity_scale_codec::{Decode, Encode};
use token::token::{Approval, RoleChanged, TokenRef, Transfer};

/// What Alice, the creator, holds at first.
const SUPPLY: u128 = 1_000_000;
/// The largest code that is accepted, in bytes.
const MAX_CODE: usize = 16_500;
const ROLES: [Role; 3] = [Role::Admin, Role::Minter, Role::Burner];

/// A token of which Alice holds everything and is admin.
struct Coin {
    world: World,
    token: TokenRef,
}

fn alice() -> AccountId {
    account("alice")
}
fn bob() -> AccountId {
    account("bob")
}
fn charlie() -> AccountId {
    account("charlie")
}

impl Coin {
    fn new() -> Self {
        Self::with_supply(SUPPLY)
    }

    fn with_supply(supply: u128) -> Self {
        let mut world = World::new();
        let token = world.as_(alice()).deploy("token", constructor(supply));
        Self { world, token }
    }

    fn call<M: Message>(&mut self, caller: AccountId, message: M) -> Receipt<M::Output> {
        self.world.as_(caller).call(message)
    }

    fn transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        value: u128,
    ) -> Receipt<Result<(), PSP22Error>> {
        let message = on(&self.token).transfer(to, value, vec![]);
        self.call(from, message)
    }

    fn transfer_from(
        &mut self,
        caller: AccountId,
        from: AccountId,
        to: AccountId,
        value: u128,
    ) -> Receipt<Result<(), PSP22Error>> {
        let message = on(&self.token).transfer_from(from, to, value, vec![]);
        self.call(caller, message)
    }

    fn approve(
        &mut self,
        owner: AccountId,
        spender: AccountId,
        value: u128,
    ) -> Receipt<Result<(), PSP22Error>> {
        let message = on(&self.token).approve(spender, value);
        self.call(owner, message)
    }

    fn increase(
        &mut self,
        owner: AccountId,
        spender: AccountId,
        delta: u128,
    ) -> Receipt<Result<(), PSP22Error>> {
        let message = on(&self.token).increase_allowance(spender, delta);
        self.call(owner, message)
    }

    fn decrease(
        &mut self,
        owner: AccountId,
        spender: AccountId,
        delta: u128,
    ) -> Receipt<Result<(), PSP22Error>> {
        let message = on(&self.token).decrease_allowance(spender, delta);
        self.call(owner, message)
    }

    fn mint(
        &mut self,
        caller: AccountId,
        to: AccountId,
        value: u128,
    ) -> Receipt<Result<(), TokenError>> {
        let message = on(&self.token).mint(to, value);
        self.call(caller, message)
    }

    fn burn(
        &mut self,
        caller: AccountId,
        from: AccountId,
        value: u128,
    ) -> Receipt<Result<(), TokenError>> {
        let message = on(&self.token).burn(from, value);
        self.call(caller, message)
    }

    fn grant(
        &mut self,
        caller: AccountId,
        role: Role,
        account: AccountId,
    ) -> Receipt<Result<(), TokenError>> {
        let message = on(&self.token).grant_role(role, account);
        self.call(caller, message)
    }

    fn revoke(
        &mut self,
        caller: AccountId,
        role: Role,
        account: AccountId,
    ) -> Receipt<Result<(), TokenError>> {
        let message = on(&self.token).revoke_role(role, account);
        self.call(caller, message)
    }

    fn balance(&mut self, owner: AccountId) -> u128 {
        self.world.read(on(&self.token).balance_of(owner))
    }

    fn allowance(&mut self, owner: AccountId, spender: AccountId) -> u128 {
        self.world.read(on(&self.token).allowance(owner, spender))
    }

    fn supply(&mut self) -> u128 {
        self.world.read(on(&self.token).total_supply())
    }

    fn has(&mut self, role: Role, account: AccountId) -> bool {
        self.world.read(on(&self.token).has_role(role, account))
    }

    /// A call in bytes, as any wallet that knows the standard would send it.
    fn raw(&self, selector: [u8; 4], arguments: impl Encode) -> RawMessage {
        let mut data = selector.to_vec();
        arguments.encode_to(&mut data);
        RawMessage { callee: address(&self.token), value: 0, data }
    }

    /// All events of a call, in order; fails on one that is not the token's.
    #[track_caller]
    fn events<T>(&self, receipt: &Receipt<T>) -> Vec<Happened> {
        let read = |emitted: &Emitted| {
            assert_eq!(emitted.contract, address(&self.token));
            Happened::read(emitted)
        };
        receipt.emitted.iter().map(read).collect()
    }
}

/// A call that must succeed, and of which nothing else is asked.
trait Done {
    fn done(self);
}

impl<E: std::fmt::Debug> Done for Receipt<Result<(), E>> {
    #[track_caller]
    fn done(self) {
        let _ = self.succeeds();
    }
}

fn constructor(supply: u128) -> impl cicada_runtime_tests::Constructor<Output = TokenRef> {
    TokenRef::new("Metameme Coin".into(), "MMC".into(), 6, supply)
}

/// An event of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Happened {
    Moved(Transfer),
    Allowed(Approval),
    Role(RoleChanged),
}

impl Happened {
    #[track_caller]
    fn read(emitted: &Emitted) -> Self {
        fn decode<E: Decode>(data: &[u8]) -> E {
            E::decode(&mut &data[..]).expect("an event decodes as its topic says")
        }
        let topic = emitted.topics.first().copied();
        if topic == Transfer::SIGNATURE_TOPIC {
            Self::Moved(decode(&emitted.data))
        } else if topic == Approval::SIGNATURE_TOPIC {
            Self::Allowed(decode(&emitted.data))
        } else if topic == RoleChanged::SIGNATURE_TOPIC {
            Self::Role(decode(&emitted.data))
        } else {
            panic!("an event of no known type: {emitted:?}")
        }
    }
}

fn moved(from: AccountId, to: AccountId, value: u128) -> Happened {
    Happened::Moved(Transfer { from: Some(from), to: Some(to), value })
}
fn minted(to: AccountId, value: u128) -> Happened {
    Happened::Moved(Transfer { from: None, to: Some(to), value })
}
fn burned(from: AccountId, value: u128) -> Happened {
    Happened::Moved(Transfer { from: Some(from), to: None, value })
}
fn allowed(owner: AccountId, spender: AccountId, amount: u128) -> Happened {
    Happened::Allowed(Approval { owner, spender, amount })
}
fn role_changed(account: AccountId, role: Role, granted: bool) -> Happened {
    Happened::Role(RoleChanged { account, role, granted })
}

fn blake2(data: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    Blake2x256::hash(data, &mut digest);
    digest
}

// ---- creation ----

#[test]
fn the_creator_holds_the_supply_and_is_admin_and_nothing_else() {
    let mut world = World::new();
    let receipt = world.as_(alice()).try_deploy("token", constructor(SUPPLY)).unwrap();
    let mut coin = Coin { world, token: receipt.value.clone() };

    assert_eq!(coin.events(&receipt), [minted(alice(), SUPPLY)]);
    assert_eq!((coin.supply(), coin.balance(alice()), coin.balance(bob())), (SUPPLY, SUPPLY, 0));
    assert_eq!(ROLES.map(|role| coin.has(role, alice())), [true, false, false]);
    assert_eq!(ROLES.map(|role| coin.has(role, bob())), [false; 3]);
}

#[test]
fn metadata_is_what_the_creator_said() {
    let mut world = World::new();
    for (name, symbol, decimals) in
        [("Metameme Coin", "MMC", 6), ("", "", 0), ("Ψ → ∞", "Ψ", u8::MAX)]
    {
        let new = TokenRef::new(name.into(), symbol.into(), decimals, 0);
        let token = world.as_(alice()).deploy("token", new);
        assert_eq!(world.read(on(&token).token_name()).as_deref(), Some(name));
        assert_eq!(world.read(on(&token).token_symbol()).as_deref(), Some(symbol));
        assert_eq!(world.read(on(&token).token_decimals()), decimals);
    }
}

#[test]
fn a_name_that_is_not_text_is_refused() {
    /// The constructor with bytes where the name should be.
    struct BadName;
    impl cicada_runtime_tests::Constructor for BadName {
        type Output = AccountId;
        fn data(self) -> Vec<u8> {
            let mut data = blake2(b"new")[..4].to_vec();
            (vec![0xff_u8, 0xfe], "MMC", 6_u8, 1_u128).encode_to(&mut data);
            data
        }
        fn output(address: AccountId, answer: &[u8]) -> Result<AccountId, String> {
            match Result::<(), LangError>::decode(&mut &answer[..]) {
                Ok(Ok(())) => Ok(address),
                other => Err(format!("{other:?}")),
            }
        }
    }
    let refused = World::new().as_(alice()).try_deploy("token", BadName);
    assert!(refused.is_err(), "deployed with a name that is not UTF-8: {refused:?}");
}

#[test]
fn without_an_initial_supply_nothing_is_announced() {
    let mut world = World::new();
    let receipt = world.as_(alice()).try_deploy("token", constructor(0)).unwrap();
    assert!(receipt.emitted.is_empty());
    let mut coin = Coin { world, token: receipt.value.clone() };
    assert_eq!((coin.supply(), coin.balance(alice())), (0, 0));
}

#[test]
fn the_largest_supply_can_be_created_and_moved_as_one() {
    let mut coin = Coin::with_supply(u128::MAX);
    coin.transfer(alice(), bob(), u128::MAX).done();
    assert_eq!((coin.balance(alice()), coin.balance(bob())), (0, u128::MAX));
    assert_eq!(coin.supply(), u128::MAX);
}

// ---- transfer ----

#[test]
fn a_transfer_moves_exactly_the_amount() {
    let mut coin = Coin::new();
    let receipt = coin.transfer(alice(), bob(), 40).succeeds();
    assert_eq!(coin.events(&receipt), [moved(alice(), bob(), 40)]);
    assert_eq!((coin.balance(alice()), coin.balance(bob())), (SUPPLY - 40, 40));
    assert_eq!(coin.supply(), SUPPLY);
}

#[test]
fn data_sent_along_is_ignored() {
    let mut coin = Coin::new();
    let message = on(&coin.token).transfer(bob(), 1, vec![7; 1_000]);
    coin.call(alice(), message).done();
    coin.approve(alice(), bob(), 1).done();
    let message = on(&coin.token).transfer_from(alice(), bob(), 1, vec![7; 1_000]);
    coin.call(bob(), message).done();
    assert_eq!(coin.balance(bob()), 2);
}

#[test]
fn more_than_the_balance_is_refused_and_the_balance_itself_is_not() {
    let mut coin = Coin::new();
    assert_eq!(coin.transfer(bob(), alice(), 1).fails(), PSP22Error::InsufficientBalance);
    assert_eq!(coin.transfer(alice(), bob(), SUPPLY + 1).fails(), PSP22Error::InsufficientBalance);
    assert_eq!(coin.transfer(alice(), bob(), u128::MAX).fails(), PSP22Error::InsufficientBalance);
    coin.transfer(alice(), bob(), SUPPLY).done();
    assert_eq!((coin.balance(alice()), coin.balance(bob())), (0, SUPPLY));
}

#[test]
fn zero_and_self_are_done_without_a_trace_whatever_the_balance() {
    let mut coin = Coin::new();
    for (from, to, value) in
        [(alice(), bob(), 0), (bob(), alice(), 0), (alice(), alice(), 5), (bob(), bob(), 5)]
    {
        let receipt = coin.transfer(from, to, value).succeeds();
        assert_eq!(
            (receipt.emitted.len(), receipt.deposit),
            (0, 0),
            "{value} from {from:?} to {to:?}"
        );
    }
    assert_eq!((coin.balance(alice()), coin.balance(bob())), (SUPPLY, 0));
}

#[test]
fn an_entry_that_becomes_zero_gives_its_deposit_back() {
    let mut coin = Coin::new();
    let bytes = 16;
    let first = coin.transfer(alice(), bob(), 10).succeeds().deposit;
    assert!(first >= bytes, "a new entry costs a deposit, not {first}");
    assert_eq!(coin.transfer(alice(), bob(), 10).succeeds().deposit, 0);
    // The pallet rounds its price of the entry itself down, but the bytes come back in full.
    assert!(coin.transfer(bob(), alice(), 20).succeeds().deposit <= -bytes);

    assert!(coin.approve(alice(), bob(), 10).succeeds().deposit >= bytes);
    assert!(coin.approve(alice(), bob(), 0).succeeds().deposit <= -bytes);

    assert!(coin.grant(alice(), Role::Minter, bob()).succeeds().deposit >= bytes);
    assert!(coin.revoke(alice(), Role::Minter, bob()).succeeds().deposit <= -bytes);
}

// ---- allowances ----

#[test]
fn approving_replaces_the_allowance_also_one_that_is_not_zero() {
    let mut coin = Coin::new();
    for amount in [10, 25, u128::MAX, 5, 0, 0] {
        let receipt = coin.approve(alice(), bob(), amount).succeeds();
        assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), amount)]);
        assert_eq!(coin.allowance(alice(), bob()), amount);
    }
    assert_eq!(coin.allowance(bob(), alice()), 0, "an allowance has a direction");
}

#[test]
fn an_allowance_may_exceed_the_balance() {
    let mut coin = Coin::new();
    coin.approve(bob(), charlie(), 500).done();
    assert_eq!(
        coin.transfer_from(charlie(), bob(), charlie(), 500).fails(),
        PSP22Error::InsufficientBalance
    );
    coin.transfer(alice(), bob(), 500).done();
    coin.transfer_from(charlie(), bob(), charlie(), 500).done();
}

#[test]
fn allowances_for_oneself_are_not_kept() {
    let mut coin = Coin::new();
    let receipts = [
        coin.approve(alice(), alice(), 5),
        coin.increase(alice(), alice(), 5),
        coin.decrease(alice(), alice(), 5),
    ];
    for receipt in receipts {
        assert!(receipt.succeeds().emitted.is_empty());
    }
    assert_eq!(coin.allowance(alice(), alice()), 0);
}

#[test]
fn an_allowance_grows_and_shrinks_by_the_difference() {
    let mut coin = Coin::new();
    let receipt = coin.increase(alice(), bob(), 30).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), 30)]);
    let receipt = coin.decrease(alice(), bob(), 10).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), 20)]);
    assert_eq!(coin.decrease(alice(), bob(), 21).fails(), PSP22Error::InsufficientAllowance);
    let receipt = coin.decrease(alice(), bob(), 20).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), 0)]);
    assert_eq!(coin.decrease(alice(), bob(), 1).fails(), PSP22Error::InsufficientAllowance);

    for receipt in [coin.increase(alice(), bob(), 0), coin.decrease(alice(), bob(), 0)] {
        assert!(receipt.succeeds().emitted.is_empty());
    }
}

#[test]
fn an_allowance_stops_at_the_largest_number() {
    let mut coin = Coin::new();
    coin.approve(alice(), bob(), u128::MAX - 1).done();
    for delta in [1, 1, u128::MAX] {
        let receipt = coin.increase(alice(), bob(), delta).succeeds();
        assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), u128::MAX)]);
    }
    assert_eq!(coin.allowance(alice(), bob()), u128::MAX);
}

#[test]
fn transfer_from_uses_the_allowance_up() {
    let mut coin = Coin::new();
    coin.approve(alice(), bob(), 100).done();

    let receipt = coin.transfer_from(bob(), alice(), charlie(), 60).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), 40), moved(alice(), charlie(), 60)]);
    assert_eq!(
        coin.transfer_from(bob(), alice(), charlie(), 41).fails(),
        PSP22Error::InsufficientAllowance
    );
    let receipt = coin.transfer_from(bob(), alice(), bob(), 40).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), bob(), 0), moved(alice(), bob(), 40)]);

    assert_eq!(coin.allowance(alice(), bob()), 0);
    let balances = [alice(), bob(), charlie()].map(|owner| coin.balance(owner));
    assert_eq!(balances, [SUPPLY - 100, 40, 60]);
}

#[test]
fn no_allowance_is_infinite() {
    let mut coin = Coin::new();
    coin.approve(alice(), bob(), u128::MAX).done();
    coin.transfer_from(bob(), alice(), bob(), 1).done();
    assert_eq!(coin.allowance(alice(), bob()), u128::MAX - 1);
}

#[test]
fn without_an_allowance_nobody_takes_anything() {
    let mut coin = Coin::new();
    coin.approve(alice(), bob(), 100).done();
    // Neither a third party, nor the spender the other way round, nor the receiver.
    let strangers =
        [(charlie(), alice(), charlie()), (alice(), bob(), alice()), (charlie(), alice(), bob())];
    for (caller, from, to) in strangers {
        assert_eq!(
            coin.transfer_from(caller, from, to, 1).fails(),
            PSP22Error::InsufficientAllowance
        );
    }
}

#[test]
fn the_allowance_is_asked_before_the_balance_and_survives_a_failure() {
    let mut coin = Coin::with_supply(10);
    assert_eq!(
        coin.transfer_from(bob(), alice(), bob(), 11).fails(),
        PSP22Error::InsufficientAllowance
    );
    coin.approve(alice(), bob(), 50).done();
    assert_eq!(
        coin.transfer_from(bob(), alice(), bob(), 11).fails(),
        PSP22Error::InsufficientBalance
    );
    assert_eq!(coin.allowance(alice(), bob()), 50);
}

#[test]
fn moving_own_tokens_by_transfer_from_needs_and_uses_no_allowance() {
    let mut coin = Coin::new();
    let receipt = coin.transfer_from(alice(), alice(), bob(), 7).succeeds();
    assert_eq!(coin.events(&receipt), [moved(alice(), bob(), 7)]);
    assert_eq!(
        coin.transfer_from(alice(), alice(), bob(), SUPPLY).fails(),
        PSP22Error::InsufficientBalance
    );
}

#[test]
fn transfer_from_of_zero_or_onto_itself_is_done_without_a_trace() {
    let mut coin = Coin::new();
    for (from, to, value) in [(alice(), charlie(), 0), (alice(), alice(), SUPPLY + 1)] {
        let receipt = coin.transfer_from(bob(), from, to, value).succeeds();
        assert_eq!((receipt.emitted.len(), receipt.deposit), (0, 0));
    }
}

// ---- supply ----

/// A token with Charlie as minter and burner, and nobody else.
fn coin_with_charlie() -> Coin {
    let mut coin = Coin::new();
    for role in [Role::Minter, Role::Burner] {
        coin.grant(alice(), role, charlie()).done();
    }
    coin
}

#[test]
fn a_minter_creates_tokens_for_anybody() {
    let mut coin = coin_with_charlie();
    for (to, value) in [(bob(), 5), (bob(), 6), (charlie(), 1)] {
        let receipt = coin.mint(charlie(), to, value).succeeds();
        assert_eq!(coin.events(&receipt), [minted(to, value)]);
    }
    assert_eq!((coin.balance(bob()), coin.balance(charlie()), coin.supply()), (11, 1, SUPPLY + 12));
}

#[test]
fn the_supply_never_overflows() {
    let mut coin = coin_with_charlie();
    let room = u128::MAX - SUPPLY;
    assert_eq!(coin.mint(charlie(), bob(), room + 1).fails(), TokenError::SupplyOverflow);
    assert_eq!(coin.mint(charlie(), alice(), u128::MAX).fails(), TokenError::SupplyOverflow);
    coin.mint(charlie(), bob(), room).done();
    assert_eq!(coin.supply(), u128::MAX);
    assert_eq!(coin.mint(charlie(), alice(), 1).fails(), TokenError::SupplyOverflow);
    // All tokens of the world fit on one account.
    coin.transfer(bob(), alice(), room).done();
    assert_eq!(coin.balance(alice()), u128::MAX);
}

#[test]
fn a_burner_destroys_what_the_holder_allows_and_no_more() {
    let mut coin = coin_with_charlie();
    let allowance = TokenError::Token(PSP22Error::InsufficientAllowance);
    assert_eq!(coin.burn(charlie(), alice(), 1).fails(), allowance);

    coin.approve(alice(), charlie(), 100).done();
    assert_eq!(coin.burn(charlie(), alice(), 101).fails(), allowance);
    let receipt = coin.burn(charlie(), alice(), 60).succeeds();
    assert_eq!(coin.events(&receipt), [allowed(alice(), charlie(), 40), burned(alice(), 60)]);
    assert_eq!((coin.supply(), coin.balance(alice())), (SUPPLY - 60, SUPPLY - 60));
    assert_eq!(coin.allowance(alice(), charlie()), 40);
}

#[test]
fn a_burner_destroys_its_own_without_an_allowance() {
    let mut coin = coin_with_charlie();
    coin.transfer(alice(), charlie(), 10).done();
    let receipt = coin.burn(charlie(), charlie(), 10).succeeds();
    assert_eq!(coin.events(&receipt), [burned(charlie(), 10)]);
    assert_eq!((coin.supply(), coin.balance(charlie())), (SUPPLY - 10, 0));
}

#[test]
fn nobody_burns_more_than_there_is() {
    let mut coin = coin_with_charlie();
    coin.approve(bob(), charlie(), u128::MAX).done();
    coin.transfer(alice(), bob(), 10).done();
    let balance = TokenError::Token(PSP22Error::InsufficientBalance);
    assert_eq!(coin.burn(charlie(), bob(), 11).fails(), balance);
    assert_eq!(coin.allowance(bob(), charlie()), u128::MAX, "a failed burn uses nothing up");
    assert_eq!(coin.burn(charlie(), charlie(), 1).fails(), balance);
    coin.burn(charlie(), bob(), 10).done();
    assert_eq!(coin.supply(), SUPPLY - 10);
}

#[test]
fn the_whole_supply_can_be_burned_and_minted_again() {
    let mut coin = coin_with_charlie();
    coin.transfer(alice(), charlie(), SUPPLY).done();
    coin.burn(charlie(), charlie(), SUPPLY).done();
    assert_eq!(coin.supply(), 0);
    coin.mint(charlie(), bob(), u128::MAX).done();
    assert_eq!((coin.supply(), coin.balance(bob())), (u128::MAX, u128::MAX));
}

#[test]
fn minting_and_burning_nothing_needs_the_role_and_leaves_no_trace() {
    let mut coin = coin_with_charlie();
    for receipt in [coin.mint(charlie(), bob(), 0), coin.burn(charlie(), bob(), 0)] {
        let receipt = receipt.succeeds();
        assert_eq!((receipt.emitted.len(), receipt.deposit), (0, 0));
    }
    assert_eq!(coin.mint(bob(), bob(), 0).fails(), TokenError::MissingRole(Role::Minter));
    assert_eq!(coin.burn(bob(), bob(), 0).fails(), TokenError::MissingRole(Role::Burner));
}

// ---- roles ----

#[test]
fn each_role_opens_its_own_messages_and_no_others() {
    // Every set of roles, held by Charlie, who also holds tokens.
    for set in 0..8_u8 {
        let mut coin = Coin::new();
        coin.transfer(alice(), charlie(), 10).done();
        let held =
            |role: Role| set >> ROLES.iter().position(|other| *other == role).unwrap() & 1 == 1;
        for role in ROLES.into_iter().filter(|role| held(*role)) {
            coin.grant(alice(), role, charlie()).done();
        }
        for role in ROLES {
            assert_eq!(coin.has(role, charlie()), held(role), "{role:?} in set {set}");
        }
        let attempts = [
            (Role::Minter, coin.mint(charlie(), bob(), 1)),
            (Role::Burner, coin.burn(charlie(), charlie(), 1)),
            (Role::Admin, coin.grant(charlie(), Role::Minter, bob())),
            (Role::Admin, coin.revoke(charlie(), Role::Minter, bob())),
        ];
        for (needed, receipt) in attempts {
            let expected = if held(needed) { Ok(()) } else { Err(TokenError::MissingRole(needed)) };
            assert_eq!(receipt.value, expected, "{needed:?} with set {set}");
        }
        // What everyone may do, whatever the roles.
        coin.transfer(charlie(), bob(), 1).done();
        coin.approve(charlie(), bob(), 1).done();
    }
}

#[test]
fn granting_and_revoking_are_announced_once() {
    let mut coin = Coin::new();
    for role in ROLES {
        let receipt = coin.grant(alice(), role, bob()).succeeds();
        assert_eq!(coin.events(&receipt), [role_changed(bob(), role, true)]);
        assert!(coin.grant(alice(), role, bob()).succeeds().emitted.is_empty());
    }
    for role in ROLES {
        assert!(coin.has(role, bob()));
        let receipt = coin.revoke(alice(), role, bob()).succeeds();
        assert_eq!(coin.events(&receipt), [role_changed(bob(), role, false)]);
        assert!(coin.revoke(alice(), role, bob()).succeeds().emitted.is_empty());
        assert!(!coin.has(role, bob()));
    }
}

#[test]
fn anybody_may_give_up_an_own_role() {
    let mut coin = coin_with_charlie();
    let receipt = coin.revoke(charlie(), Role::Minter, charlie()).succeeds();
    assert_eq!(coin.events(&receipt), [role_changed(charlie(), Role::Minter, false)]);
    assert!(coin.has(Role::Burner, charlie()), "the other role stays");
    assert_eq!(coin.mint(charlie(), bob(), 1).fails(), TokenError::MissingRole(Role::Minter));
    assert!(
        coin.revoke(bob(), Role::Admin, bob()).succeeds().emitted.is_empty(),
        "none to give up"
    );
}

#[test]
fn the_admins_place_is_handed_over_in_two_steps() {
    let mut coin = Coin::new();
    coin.grant(alice(), Role::Admin, bob()).done();
    assert!(coin.has(Role::Admin, alice()), "until the successor has shown that it can act");
    coin.revoke(bob(), Role::Admin, alice()).done();

    let denied = TokenError::MissingRole(Role::Admin);
    assert_eq!(coin.grant(alice(), Role::Admin, alice()).fails(), denied);
    assert_eq!(coin.revoke(alice(), Role::Admin, bob()).fails(), denied);
    coin.grant(bob(), Role::Minter, charlie()).done();
}

#[test]
fn a_token_whose_last_admin_left_keeps_its_roles_for_ever() {
    let mut coin = coin_with_charlie();
    coin.revoke(alice(), Role::Admin, alice()).done();
    for caller in [alice(), bob(), charlie()] {
        assert_eq!(
            coin.grant(caller, Role::Admin, caller).fails(),
            TokenError::MissingRole(Role::Admin)
        );
    }
    assert_eq!(
        coin.revoke(alice(), Role::Minter, charlie()).fails(),
        TokenError::MissingRole(Role::Admin)
    );
    coin.mint(charlie(), bob(), 1).done();
}

#[test]
fn roles_and_balances_of_an_account_are_kept_apart() {
    let mut coin = coin_with_charlie();
    assert_eq!(coin.balance(charlie()), 0);
    coin.transfer(alice(), charlie(), 1).done();
    coin.approve(charlie(), charlie(), 1).done();
    for role in ROLES {
        coin.revoke(alice(), role, charlie()).done();
    }
    assert_eq!((coin.balance(charlie()), coin.supply()), (1, SUPPLY));
}

// ---- what the standard fixes ----

#[test]
fn the_standard_selectors_answer() {
    let mut coin = Coin::new();
    coin.approve(alice(), bob(), 30).done();
    let ok = Ok::<(), PSP22Error>(()).encode();
    let none = Vec::<u8>::new();
    let calls = [
        ("total_supply", coin.raw([0x16, 0x2d, 0xf8, 0xc2], ()), SUPPLY.encode()),
        ("balance_of", coin.raw([0x65, 0x68, 0x38, 0x2f], alice()), SUPPLY.encode()),
        ("allowance", coin.raw([0x4d, 0x47, 0xd9, 0x21], (alice(), bob())), 30_u128.encode()),
        ("transfer", coin.raw([0xdb, 0x20, 0xf9, 0xf5], (charlie(), 1_u128, &none)), ok.clone()),
        ("approve", coin.raw([0xb2, 0x0f, 0x1b, 0xbd], (charlie(), 1_u128)), ok.clone()),
        ("increase_allowance", coin.raw([0x96, 0xd6, 0xb5, 0x7a], (charlie(), 2_u128)), ok.clone()),
        ("decrease_allowance", coin.raw([0xfe, 0xcb, 0x57, 0xd5], (charlie(), 1_u128)), ok.clone()),
        ("transfer_from", coin.raw([0x54, 0xb3, 0xc7, 0x6e], (alice(), bob(), 1_u128, &none)), ok),
        ("token_name", coin.raw([0x3d, 0x26, 0x1b, 0xd4], ()), Some("Metameme Coin").encode()),
        ("token_symbol", coin.raw([0x34, 0x20, 0x5b, 0xe5], ()), Some("MMC").encode()),
        ("token_decimals", coin.raw([0x72, 0x71, 0xb7, 0x82], ()), 6_u8.encode()),
    ];
    for (name, message, expected) in calls {
        assert_eq!(coin.call(alice(), message).value.0, expected, "{name}");
    }
    assert_eq!((coin.balance(charlie()), coin.balance(bob())), (1, 1));
    assert_eq!(coin.allowance(alice(), charlie()), 2);
}

#[test]
fn the_selectors_of_mint_and_burn_without_an_account_do_not_answer() {
    let mut coin = coin_with_charlie();
    for selector in [[0xfc, 0x3c, 0x75, 0xd4], [0x7a, 0x9d, 0xa5, 0x10]] {
        let message = coin.raw(selector, 5_u128);
        let refused = coin.world.as_(charlie()).try_call(message).map(|receipt| receipt.value);
        assert_eq!(refused, Err(Refusal::Lang(LangError::CouldNotReadInput)));
    }
}

#[test]
fn errors_have_the_indices_of_the_standard() {
    let mut coin = Coin::new();
    let none = Vec::<u8>::new();
    let poor = coin.raw([0xdb, 0x20, 0xf9, 0xf5], (bob(), SUPPLY + 1, &none));
    let stranger = coin.raw([0x54, 0xb3, 0xc7, 0x6e], (bob(), charlie(), 1_u128, &none));
    assert_eq!(coin.call(alice(), poor).value.0, [1, 1], "Err, InsufficientBalance");
    assert_eq!(coin.call(alice(), stranger).value.0, [1, 2], "Err, InsufficientAllowance");
    let variants = [
        PSP22Error::Custom(String::new()),
        PSP22Error::InsufficientBalance,
        PSP22Error::InsufficientAllowance,
        PSP22Error::ZeroRecipientAddress,
        PSP22Error::ZeroSenderAddress,
        PSP22Error::SafeTransferCheckFailed(String::new()),
    ];
    assert_eq!(variants.map(|error| error.encode()[0]), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn events_have_the_topics_of_the_standard() {
    let mut coin = coin_with_charlie();
    coin.approve(alice(), charlie(), 5).done();
    // An account as it is; nobody is 32 zeros.
    let topic = |account: Option<AccountId>| account.map_or([0; 32], |id| *id.as_ref());
    let signature = blake2(b"Transfer(Option<AccountId>,Option<AccountId>,u128)");

    let receipt = coin.transfer(alice(), bob(), 3).succeeds();
    assert_eq!(receipt.emitted[0].topics, [signature, topic(Some(alice())), topic(Some(bob()))]);
    let data = (Some(alice()), Some(bob()), 3_u128).encode();
    assert_eq!(receipt.emitted[0].data, data);

    let receipt = coin.mint(charlie(), bob(), 3).succeeds();
    let nobody = topic(None);
    assert_eq!(receipt.emitted[0].topics, [signature, nobody, topic(Some(bob()))]);

    let receipt = coin.burn(charlie(), alice(), 5).succeeds();
    let signature_of_approval = blake2(b"Approval(AccountId,AccountId,u128)");
    let (owner, spender): ([u8; 32], [u8; 32]) = (*alice().as_ref(), *charlie().as_ref());
    assert_eq!(receipt.emitted[0].topics, [signature_of_approval, owner, spender]);
    assert_eq!(receipt.emitted[0].data, (alice(), charlie(), 0_u128).encode());
    assert_eq!(receipt.emitted[1].topics, [signature, topic(Some(alice())), nobody]);

    let receipt = coin.grant(alice(), Role::Burner, bob()).succeeds();
    let holder: [u8; 32] = *bob().as_ref();
    assert_eq!(receipt.emitted[0].topics, [blake2(b"RoleChanged(AccountId,Role,bool)"), holder]);
    assert_eq!(receipt.emitted[0].data, (bob(), Role::Burner, true).encode());
}

#[test]
fn cut_arguments_unknown_selectors_and_native_money_are_refused() {
    let mut coin = Coin::new();
    let unreadable = Err(Refusal::Lang(LangError::CouldNotReadInput));
    for message in [coin.raw([0xdb, 0x20, 0xf9, 0xf5], bob()), coin.raw([0, 1, 2, 3], ())] {
        let refused = coin.world.as_(alice()).try_call(message).map(|receipt| receipt.value);
        assert_eq!(refused, unreadable);
    }
    let before = coin.world.native_balance(alice());
    let message = on(&coin.token).approve(bob(), 1);
    let refused = coin.world.as_(alice()).with_value(1).try_call(message);
    assert!(refused.is_err(), "the token took native money");
    assert_eq!(coin.world.native_balance(alice()), before);
    assert_eq!(coin.allowance(alice(), bob()), 0);
}

#[test]
fn two_tokens_of_one_code_share_nothing() {
    let mut coin = Coin::new();
    let other = coin.world.as_(bob()).deploy("token", constructor(7));
    coin.transfer(alice(), charlie(), 5).done();
    assert_eq!(coin.world.read(on(&other).balance_of(charlie())), 0);
    assert_eq!(coin.world.read(on(&other).total_supply()), 7);
    assert!(!coin.world.read(on(&other).has_role(Role::Admin, alice())));
}

// ---- random sequences against a plain model ----

/// The token as plainly as it can be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    supply: u128,
    balances: BTreeMap<AccountId, u128>,
    allowances: BTreeMap<(AccountId, AccountId), u128>,
    roles: BTreeMap<AccountId, BTreeSet<u8>>,
}

#[derive(Clone, Debug)]
enum Op {
    Transfer { to: AccountId, value: u128 },
    TransferFrom { from: AccountId, to: AccountId, value: u128 },
    Approve { spender: AccountId, value: u128 },
    Increase { spender: AccountId, delta: u128 },
    Decrease { spender: AccountId, delta: u128 },
    Mint { to: AccountId, value: u128 },
    Burn { from: AccountId, value: u128 },
    Grant { role: Role, account: AccountId },
    Revoke { role: Role, account: AccountId },
}

impl Model {
    fn balance(&self, owner: AccountId) -> u128 {
        self.balances.get(&owner).copied().unwrap_or(0)
    }

    fn allowance(&self, owner: AccountId, spender: AccountId) -> u128 {
        self.allowances.get(&(owner, spender)).copied().unwrap_or(0)
    }

    fn has(&self, role: Role, account: AccountId) -> bool {
        self.roles.get(&account).is_some_and(|roles| roles.contains(&(role as u8)))
    }

    /// What the call should do: the events, or the error and no change.
    fn apply(&mut self, caller: AccountId, op: &Op) -> Result<Vec<Happened>, TokenError> {
        let mut next = self.clone();
        let events = next.run(caller, op)?;
        *self = next;
        Ok(events)
    }

    fn run(&mut self, caller: AccountId, op: &Op) -> Result<Vec<Happened>, TokenError> {
        let mut events = Vec::new();
        match *op {
            Op::Transfer { to, value } if caller != to && value > 0 => {
                self.shift(caller, to, value, &mut events)?;
            }
            Op::TransferFrom { from, to, value } if from != to && value > 0 => {
                self.spend(from, caller, value, &mut events)?;
                self.shift(from, to, value, &mut events)?;
            }
            Op::Approve { spender, value } if caller != spender => {
                self.allow(caller, spender, value, &mut events);
            }
            Op::Increase { spender, delta } if caller != spender && delta > 0 => {
                let sum = self.allowance(caller, spender).saturating_add(delta);
                self.allow(caller, spender, sum, &mut events);
            }
            Op::Decrease { spender, delta } if caller != spender && delta > 0 => {
                self.spend(caller, spender, delta, &mut events)?;
            }
            Op::Mint { to, value } => {
                self.need(Role::Minter, caller)?;
                if value > 0 {
                    self.supply =
                        self.supply.checked_add(value).ok_or(TokenError::SupplyOverflow)?;
                    self.balances.insert(to, self.balance(to) + value);
                    events.push(minted(to, value));
                }
            }
            Op::Burn { from, value } => {
                self.need(Role::Burner, caller)?;
                if value > 0 {
                    self.spend(from, caller, value, &mut events)?;
                    self.take(from, value)?;
                    self.supply -= value;
                    events.push(burned(from, value));
                }
            }
            Op::Grant { role, account } => {
                self.need(Role::Admin, caller)?;
                if self.roles.entry(account).or_default().insert(role as u8) {
                    events.push(role_changed(account, role, true));
                }
            }
            Op::Revoke { role, account } => {
                if caller != account {
                    self.need(Role::Admin, caller)?;
                }
                if self.roles.entry(account).or_default().remove(&(role as u8)) {
                    events.push(role_changed(account, role, false));
                }
            }
            // The cases left out above do nothing.
            Op::Transfer { .. }
            | Op::TransferFrom { .. }
            | Op::Approve { .. }
            | Op::Increase { .. }
            | Op::Decrease { .. } => {}
        }
        Ok(events)
    }

    fn need(&self, role: Role, caller: AccountId) -> Result<(), TokenError> {
        match self.has(role, caller) {
            true => Ok(()),
            false => Err(TokenError::MissingRole(role)),
        }
    }

    fn allow(
        &mut self,
        owner: AccountId,
        spender: AccountId,
        amount: u128,
        events: &mut Vec<Happened>,
    ) {
        self.allowances.insert((owner, spender), amount);
        events.push(allowed(owner, spender, amount));
    }

    fn spend(
        &mut self,
        owner: AccountId,
        spender: AccountId,
        value: u128,
        events: &mut Vec<Happened>,
    ) -> Result<(), PSP22Error> {
        if owner != spender {
            let allowance = self.allowance(owner, spender);
            if allowance < value {
                return Err(PSP22Error::InsufficientAllowance);
            }
            self.allow(owner, spender, allowance - value, events);
        }
        Ok(())
    }

    fn take(&mut self, from: AccountId, value: u128) -> Result<(), PSP22Error> {
        let balance = self.balance(from);
        if balance < value {
            return Err(PSP22Error::InsufficientBalance);
        }
        self.balances.insert(from, balance - value);
        Ok(())
    }

    fn shift(
        &mut self,
        from: AccountId,
        to: AccountId,
        value: u128,
        events: &mut Vec<Happened>,
    ) -> Result<(), PSP22Error> {
        self.take(from, value)?;
        self.balances.insert(to, self.balance(to) + value);
        events.push(moved(from, to, value));
        Ok(())
    }
}

/// What these tests draw.
trait Draws {
    /// An amount, mostly at an edge of what is there.
    fn amount(&mut self, there: u128) -> u128;
}

impl Draws for Dice {
    fn amount(&mut self, there: u128) -> u128 {
        match self.below(8) {
            0 => 0,
            1 => 1,
            2 => there,
            3 => there.saturating_add(1),
            4 => there / 2,
            5 => u128::from(self.below(1_000)),
            6 => u128::MAX - u128::from(self.below(3)),
            _ => u128::from(self.roll()),
        }
    }
}

fn random_op(dice: &mut Dice, model: &Model, caller: AccountId, people: &[AccountId]) -> Op {
    let (one, other) = (dice.pick(people), dice.pick(people));
    let role = dice.pick(&ROLES);
    match dice.below(20) {
        0..=4 => Op::Transfer { to: one, value: dice.amount(model.balance(caller)) },
        5..=8 => {
            let there = match dice.below(2) {
                0 => model.allowance(one, caller),
                _ => model.balance(one),
            };
            Op::TransferFrom { from: one, to: other, value: dice.amount(there) }
        }
        9..=10 => Op::Approve { spender: one, value: dice.amount(model.balance(caller)) },
        11 => Op::Increase { spender: one, delta: dice.amount(model.allowance(caller, one)) },
        12 => Op::Decrease { spender: one, delta: dice.amount(model.allowance(caller, one)) },
        13..=14 => Op::Mint { to: one, value: dice.amount(u128::MAX - model.supply) },
        15..=16 => {
            let there = model.balance(one).min(model.allowance(one, caller));
            Op::Burn { from: one, value: dice.amount(there) }
        }
        17..=18 => Op::Grant { role, account: one },
        _ => Op::Revoke { role, account: one },
    }
}

impl Coin {
    fn run(&mut self, caller: AccountId, op: &Op) -> Receipt<Result<(), TokenError>> {
        fn widen(receipt: Receipt<Result<(), PSP22Error>>) -> Receipt<Result<(), TokenError>> {
            let Receipt { value, reverted, emitted, gas, deposit } = receipt;
            Receipt { value: value.map_err(TokenError::from), reverted, emitted, gas, deposit }
        }
        match *op {
            Op::Transfer { to, value } => widen(self.transfer(caller, to, value)),
            Op::TransferFrom { from, to, value } => {
                widen(self.transfer_from(caller, from, to, value))
            }
            Op::Approve { spender, value } => widen(self.approve(caller, spender, value)),
            Op::Increase { spender, delta } => widen(self.increase(caller, spender, delta)),
            Op::Decrease { spender, delta } => widen(self.decrease(caller, spender, delta)),
            Op::Mint { to, value } => self.mint(caller, to, value),
            Op::Burn { from, value } => self.burn(caller, from, value),
            Op::Grant { role, account } => self.grant(caller, role, account),
            Op::Revoke { role, account } => self.revoke(caller, role, account),
        }
    }

    /// Reads everything there is to know about these people.
    fn everything(&mut self, people: &[AccountId]) -> Model {
        let mut model = Model { supply: self.supply(), ..Model::default() };
        for &owner in people {
            model.balances.insert(owner, self.balance(owner));
            for &spender in people {
                model.allowances.insert((owner, spender), self.allowance(owner, spender));
            }
            let roles = ROLES.into_iter().filter(|role| self.has(*role, owner));
            let roles = roles.map(|role| role as u8).collect();
            model.roles.insert(owner, roles);
        }
        model
    }
}

/// Runs random calls; after each, the events and the sum of all balances must be the model's, and
/// from time to time everything.
fn random_calls(seed: u64, steps: usize) {
    let people = ["alice", "bob", "charlie", "dave", "eve"].map(account);
    let mut coin = Coin::new();
    let mut model = Model { supply: SUPPLY, ..Model::default() };
    model.balances.insert(alice(), SUPPLY);
    model.roles.entry(alice()).or_default().insert(Role::Admin as u8);
    let mut dice = Dice::new(seed);
    let (mut done, mut refused, mut errors) = (0, 0, BTreeSet::new());

    for step in 0..steps {
        let caller = dice.pick(&people);
        let mut op = random_op(&mut dice, &model, caller, &people);
        if let Op::Revoke { role: Role::Admin, account } = op {
            if account == alice() {
                op = Op::Grant { role: Role::Minter, account: caller };
            }
        }
        let context = format!("seed {seed}, step {step}: {op:?} by {caller:?}");
        let receipt = coin.run(caller, &op);
        match model.apply(caller, &op) {
            Ok(events) => {
                assert_eq!(receipt.value, Ok(()), "{context}");
                assert_eq!(coin.events(&receipt), events, "{context}");
                done += 1;
            }
            Err(error) => {
                errors.insert(error.encode());
                assert_eq!(receipt.fails(), error, "{context}");
                refused += 1;
            }
        }
        let held: u128 = people.iter().map(|owner| coin.balance(*owner)).sum();
        assert_eq!(
            (held, coin.supply()),
            (model.supply, model.supply),
            "money lost or made: {context}"
        );
        if step % 100 == 99 {
            let seen = coin.everything(&people);
            assert_eq!(seen.balances, filled(&model.balances, people), "{context}");
            assert_eq!(seen.roles, filled(&model.roles, people), "{context}");
            for (pair, amount) in seen.allowances {
                assert_eq!(amount, model.allowance(pair.0, pair.1), "{context}");
            }
        }
    }
    // The sequence is worth something only if it meets both outcomes, and every error.
    assert!(done > steps / 4 && refused > steps / 10, "{done} done, {refused} refused");
    assert_eq!(errors.len(), 6, "errors met: {errors:?}");
}

/// The map with an entry for everyone.
fn filled<V: Clone + Default>(
    map: &BTreeMap<AccountId, V>,
    people: [AccountId; 5],
) -> BTreeMap<AccountId, V> {
    people.map(|one| (one, map.get(&one).cloned().unwrap_or_default())).into()
}

#[test]
fn random_calls_do_what_the_model_says() {
    random_calls(71, 2_500);
}

#[test]
fn other_random_calls_do_what_the_model_says() {
    random_calls(0xc1cada, 1_000);
}

// ---- size and cost ----

#[test]
fn the_code_is_small() {
    let size = Bundle::load("token").wasm.len();
    assert!(size <= MAX_CODE, "the code of the token is {size} bytes, allowed are {MAX_CODE}");
    check_size("token");
}

#[test]
fn calls_cost_what_they_did() {
    let mut world = World::new();
    let receipt = world.as_(alice()).try_deploy("token", constructor(SUPPLY)).unwrap();
    check_gas("token.new", &receipt);
    let mut coin = Coin { world, token: receipt.value };
    check_gas(
        "token.transfer: first payment to an account",
        &coin.transfer(alice(), bob(), 10).succeeds(),
    );
    check_gas("token.transfer: another", &coin.transfer(alice(), bob(), 10).succeeds());
    check_gas("token.transfer: everything", &coin.transfer(bob(), charlie(), 20).succeeds());
    check_gas("token.approve", &coin.approve(alice(), bob(), 10).succeeds());
    check_gas("token.increase_allowance", &coin.increase(alice(), bob(), 10).succeeds());
    check_gas("token.decrease_allowance", &coin.decrease(alice(), bob(), 10).succeeds());
    check_gas(
        "token.transfer_from: part of the allowance",
        &coin.transfer_from(bob(), alice(), charlie(), 4).succeeds(),
    );
    for role in [Role::Minter, Role::Burner] {
        check_gas(
            &format!("token.grant_role: {role:?}"),
            &coin.grant(alice(), role, charlie()).succeeds(),
        );
    }
    check_gas(
        "token.mint: to an account that has some",
        &coin.mint(charlie(), alice(), 5).succeeds(),
    );
    check_gas("token.burn: own", &coin.burn(charlie(), charlie(), 5).succeeds());
    let message = on(&coin.token).balance_of(alice());
    check_gas("token.balance_of", &coin.call(bob(), message));
}

/// A transfer and an approval leave the root cell alone: they cost less than one that writes it.
#[test]
fn a_transfer_does_not_write_the_root() {
    let mut coin = coin_with_charlie();
    coin.transfer(alice(), bob(), 10).done();
    let transfer = coin.transfer(alice(), bob(), 10).succeeds();
    let mint = coin.mint(charlie(), bob(), 10).succeeds();
    // `mint` writes the root and one balance, `transfer` two balances, so they should be close; if a
    // transfer wrote the root too, it would cost a whole write (131.5 M) more.
    let write = 131_500_000;
    assert!(
        transfer.gas.ref_time < mint.gas.ref_time + write / 2,
        "transfer {}, mint {}",
        transfer.gas.ref_time,
        mint.gas.ref_time
    );
}

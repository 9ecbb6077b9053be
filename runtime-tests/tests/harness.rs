//! The harness itself: its clock, its money, its states and its receipts.

use cicada_runtime_tests::{
    account, address, at, bundle,
    message::Undecoded,
    on,
    world::{BLOCK_MS, FUNDS, GENESIS_MS, NAMES},
    Bundle, Message, RawMessage, Refusal, World,
};
use cicada_traits::psp22::{PSP22Error, PSP22};
use ink::primitives::LangError;
use token::token::{Approval, TokenRef, Transfer};

fn coin(world: &mut World) -> TokenRef {
    let constructor = TokenRef::new("Coin".into(), "C".into(), 12, 1_000);
    world.as_(account("alice")).deploy("token", constructor)
}

#[test]
fn the_clock_moves_only_when_told() {
    let mut world = World::new();
    assert_eq!((world.now(), world.block_number()), (GENESIS_MS, 1));
    world.next_block();
    assert_eq!((world.now(), world.block_number()), (GENESIS_MS + BLOCK_MS, 2));
    world.advance(1);
    assert_eq!((world.now(), world.block_number()), (GENESIS_MS + BLOCK_MS + 1, 3));
    world.at(GENESIS_MS + 86_400_000);
    let chain = drink::sandbox_api::prelude::TimestampAPI::get_timestamp(world.sandbox());
    assert_eq!((world.now(), chain), (GENESIS_MS + 86_400_000, GENESIS_MS + 86_400_000));
}

#[test]
#[should_panic(expected = "the clock would go back")]
fn the_clock_does_not_go_back() {
    World::new().at(GENESIS_MS - 1);
}

#[test]
fn named_people_have_money_and_others_get_it() {
    let mut world = World::new();
    for name in NAMES {
        assert_eq!(world.native_balance(account(name)), FUNDS, "{name}");
    }
    let stranger = account("stranger");
    assert_eq!(world.native_balance(stranger), 0);
    world.fund(stranger, 7);
    assert_eq!(world.native_balance(stranger), 7);
}

#[test]
fn a_receipt_tells_events_cost_and_deposit() {
    let mut world = World::new();
    let (alice, bob) = (account("alice"), account("bob"));
    let token = coin(&mut world);
    let before = world.native_balance(alice);

    let receipt = world.as_(alice).call(on(&token).transfer(bob, 40, vec![])).succeeds();

    assert!(!receipt.reverted);
    assert!(receipt.gas.ref_time > 0 && receipt.gas.proof_size > 0);
    assert!(receipt.deposit > 0, "a new entry is paid for");
    assert_eq!(world.native_balance(alice) as i128, before as i128 - receipt.deposit);
    let event = receipt.event::<Transfer>(&token);
    assert_eq!((event.from, event.to, event.value), (Some(alice), Some(bob), 40));
    assert_eq!(receipt.events::<Approval>(&token).len(), 0);
    assert_eq!(receipt.events_at::<Transfer>(bob).len(), 0, "of this contract only");
}

#[test]
fn an_error_of_the_contract_undoes_everything() {
    let mut world = World::new();
    let (alice, bob) = (account("alice"), account("bob"));
    let token = coin(&mut world);
    let before = world.native_balance(bob);
    let receipt = world.as_(bob).call(on(&token).transfer(alice, 1, vec![]));
    assert!(receipt.reverted && receipt.emitted.is_empty());
    assert_eq!(receipt.fails(), PSP22Error::InsufficientBalance);
    assert_eq!(world.native_balance(bob), before);
}

#[test]
#[should_panic(expected = "the contract said InsufficientBalance")]
fn an_unexpected_error_fails_the_test() {
    let mut world = World::new();
    let token = coin(&mut world);
    let _ =
        world.as_(account("bob")).call(on(&token).transfer(account("eve"), 1, vec![])).succeeds();
}

#[test]
fn reading_changes_nothing() {
    let mut world = World::new();
    let (alice, bob) = (account("alice"), account("bob"));
    let token = coin(&mut world);
    let answer = world.as_(alice).read(on(&token).transfer(bob, 40, vec![]));
    assert_eq!(answer, Ok(()));
    assert_eq!(world.read(on(&token).balance_of(bob)), 0);
}

#[test]
fn the_chain_refuses_by_name() {
    let mut world = World::new();
    let (alice, bob) = (account("alice"), account("bob"));
    let token = coin(&mut world);

    let refusal =
        world.as_(alice).with_gas_limit(1_000, 1_000).try_call(on(&token).transfer(bob, 1, vec![]));
    assert!(refusal.as_ref().unwrap_err().is("OutOfGas"), "{refusal:?}");

    let nobody: TokenRef = at(bob);
    let refusal = world.as_(alice).try_call(on(&nobody).total_supply()).unwrap_err();
    assert!(refusal.is("ContractNotFound"), "{refusal}");

    let unknown = RawMessage { callee: address(&token), value: 0, data: vec![0; 4] };
    let refusal = world.as_(alice).try_call(unknown).unwrap_err();
    assert_eq!(refusal, Refusal::Lang(LangError::CouldNotReadInput));
}

#[test]
fn a_raw_message_answers_in_bytes() {
    let mut world = World::new();
    let token = coin(&mut world);
    let raw = on(&token).total_supply().into_raw();
    assert_eq!(world.read(raw), Undecoded(1_000_u128.to_le_bytes().to_vec()));
}

#[test]
fn a_restored_state_is_the_old_one_with_its_time() {
    let mut world = World::new();
    let (alice, bob) = (account("alice"), account("bob"));
    let token = coin(&mut world);
    world.next_block();
    let snapshot = world.snapshot();
    for _ in 0..2 {
        let _ = world.as_(alice).call(on(&token).transfer(bob, 40, vec![])).succeeds();
        world.advance(1_000);
        assert_eq!(world.read(on(&token).balance_of(bob)), 40);
        world.restore(&snapshot);
        assert_eq!(world.read(on(&token).balance_of(bob)), 0);
        assert_eq!((world.now(), world.block_number()), (GENESIS_MS + BLOCK_MS, 2));
    }
}

#[test]
fn equal_contracts_have_different_addresses() {
    let mut world = World::new();
    let (first, second) = (coin(&mut world), coin(&mut world));
    assert_ne!(address(&first), address(&second));
}

#[test]
fn uploading_gives_the_hash_of_the_bundle() {
    let mut world = World::new();
    assert_eq!(world.as_(account("alice")).upload("token"), Bundle::load("token").code_hash);
}

#[test]
fn a_missing_bundle_says_what_to_run() {
    let problem = std::panic::catch_unwind(|| Bundle::load("no-such-contract")).unwrap_err();
    let problem = problem.downcast::<String>().unwrap();
    assert!(problem.contains("run scripts/build-contracts no-such-contract"), "{problem}");
    assert!(bundle::folder().ends_with("bundles") || std::env::var_os("CICADA_BUNDLES").is_some());
}

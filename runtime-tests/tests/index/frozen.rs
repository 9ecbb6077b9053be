//! Tokens that do not pay: gone, refusing, eating all gas, answering too much. None of them stops
//! a redemption, and what they withhold stays claimable.

use crate::stage::*;
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::index::{Index, IndexError};
use drink::frame_support::storage::unhashed;
use drink::frame_support::{StorageHasher, Twox128, Twox64Concat};
use drink::pallet_contracts::Determinism;
use drink::sandbox_api::prelude::ContractAPI;
use drink::{AccountId32, Sandbox};
use index::index::{Owed, OwedPaid, Redeemed};

/// Where the chain keeps what it knows of a contract.
fn place(contract: AccountId) -> Vec<u8> {
    let parts = [Twox128::hash(b"Contracts").to_vec(), Twox128::hash(b"ContractInfoOf").to_vec()];
    [parts.concat(), Twox64Concat::hash(contract.as_ref())].concat()
}

/// What a token is made into; the bytes to make it whole again.
impl Stage {
    fn info(&mut self, coin: usize) -> Vec<u8> {
        let key = place(self.coin(coin));
        self.world.sandbox().execute_with(|| unhashed::get_raw(&key)).expect("it is a contract")
    }

    fn put_info(&mut self, coin: usize, info: &[u8]) {
        let key = place(self.coin(coin));
        self.world.sandbox().execute_with(|| unhashed::put_raw(&key, info));
    }

    /// The token's contract is gone.
    pub fn remove(&mut self, coin: usize) -> Vec<u8> {
        let info = self.info(coin);
        let key = place(self.coin(coin));
        self.world.sandbox().execute_with(|| unhashed::kill(&key));
        info
    }

    /// The token's contract has other code.
    fn recode(&mut self, coin: usize, code: [u8; 32]) -> Vec<u8> {
        let info = self.info(coin);
        let old = self.world.as_(account(OWNER)).upload("token");
        let at = info.windows(32).position(|bytes| bytes == old).expect("it names its code");
        let mut changed = info.clone();
        changed[at..at + 32].copy_from_slice(&code);
        self.put_info(coin, &changed);
        info
    }

    pub fn restore(&mut self, coin: usize, info: &[u8]) {
        self.put_info(coin, info);
    }

    /// Puts code on the chain.
    fn upload(&mut self, wasm: Vec<u8>) -> [u8; 32] {
        let owner = account(OWNER);
        let owner: &[u8; 32] = owner.as_ref();
        let uploaded = self.world.sandbox().upload_contract(
            wasm,
            AccountId32::new(*owner),
            None,
            Determinism::Enforced,
        );
        uploaded.expect("the code is valid").code_hash.0
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id, u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// A contract whose every message is `body`. Function 0 is `seal_return`.
fn contract(body: &[u8]) -> Vec<u8> {
    let memory = b"\x03env\x06memory\x02\x01\x01\x01";
    let imports = [&b"\x02"[..], memory, b"\x05seal0\x0bseal_return\x00\x00"].concat();
    let function = |body: &[u8]| [&[body.len() as u8 + 2, 0][..], body, b"\x0b"].concat();
    let code = [&b"\x02"[..], &function(body), &function(b"")].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, b"\x02\x60\x03\x7f\x7f\x7f\x00\x60\x00\x00"),
        section(2, &imports),
        section(3, b"\x02\x01\x01"),
        section(7, b"\x02\x04call\x00\x01\x06deploy\x00\x02"),
        section(10, &code),
    ]
    .concat()
}

/// loop { }
fn eater() -> Vec<u8> {
    contract(b"\x03\x40\x0c\x00\x0b")
}

/// Returns this many zeros without a flag: the first says "Ok".
fn screamer(length: u8) -> Vec<u8> {
    // seal_return(0, 0, length << 10)
    contract(&[0x41, 0, 0x41, 0, 0x41, length, 0x41, 10, 0x74, 0x10, 0])
}

/// bob redeems a tenth; all but coin 7 are paid, and coin 7 is owed. Then it works again.
fn withholds(stage: &mut Stage, info: &[u8]) {
    let (held, before) = (stage.amounts(), {
        let mut purse = Vec::new();
        for coin in 0..COINS {
            purse.push(if coin == 7 { 0 } else { stage.balance(account("bob"), coin) });
        }
        purse
    });
    let receipt = stage.redeem("bob", 100 * ONE).succeeds();
    let share = |coin: usize| held[coin] / 10;
    let event = receipt.event::<Owed>(&stage.index);
    assert_eq!((event.who, event.token, event.amount), (account("bob"), stage.coin(7), share(7)));
    assert_eq!(receipt.event::<Redeemed>(&stage.index).tokens, 100 * ONE);
    for coin in (0..COINS).filter(|coin| *coin != 7) {
        assert_eq!(stage.balance(account("bob"), coin) - before[coin], share(coin), "coin {coin}");
    }
    assert_eq!((stage.owed("bob", 7), stage.owed_total(7)), (share(7), share(7)));
    assert_eq!(stage.amounts()[7], held[7] - share(7), "what is owed is no longer held");
    assert_eq!(stage.claim("bob", 7).fails(), IndexError::TokenRefused);
    assert_eq!(stage.owed("bob", 7), share(7), "it is not lost");
    let mint = stage.mint("charlie", ONE);
    assert_eq!(mint.fails(), IndexError::TokenRefused);

    stage.restore(7, info);
    let purse = stage.balance(account("bob"), 7);
    assert_eq!(stage.claim("charlie", 7).fails(), IndexError::NothingOwed);
    let receipt = stage.claim("bob", 7).succeeds();
    let event = receipt.event::<OwedPaid>(&stage.index);
    assert_eq!((event.who, event.token, event.amount), (account("bob"), stage.coin(7), share(7)));
    assert_eq!(stage.balance(account("bob"), 7) - purse, share(7));
    assert_eq!((stage.owed("bob", 7), stage.owed_total(7)), (0, 0));
    assert_eq!(stage.claim("bob", 7).fails(), IndexError::NothingOwed);
    stage.check_books(0);
    let _ = stage.mint("charlie", ONE).succeeds();
}

#[test]
fn a_token_without_code_is_owed() {
    let mut stage = Stage::minted();
    let info = stage.remove(7);
    withholds(&mut stage, &info);
}

#[test]
fn a_token_that_knows_no_transfer_is_owed() {
    let mut stage = Stage::minted();
    let other = stage.world.as_(account(OWNER)).upload("leaderboard");
    let info = stage.recode(7, other);
    withholds(&mut stage, &info);
}

#[test]
fn a_token_that_eats_all_gas_is_owed() {
    let mut stage = Stage::minted();
    let code = stage.upload(eater());
    let info = stage.recode(7, code);
    let receipt = stage.redeem("bob", ONE).succeeds();
    assert!(receipt.gas.ref_time < 60_000_000_000, "only its part: {}", receipt.gas.ref_time);
    assert_eq!(stage.owed_total(7), receipt.event::<Owed>(&stage.index).amount);
    // A mint stops there, with all of its gas: nothing is lost but the fee of who minted.
    let limits = vec![u128::MAX; COINS];
    let message = on(&stage.index).mint(ONE, 0, limits, stage.world.now() + 1);
    assert!(stage.world.as_(account("charlie")).try_call(message).map_or(true, |r| r.reverted));
    stage.restore(7, &info);
    let _ = stage.claim("bob", 7).succeeds();
    stage.check_books(0);
}

#[test]
fn a_token_that_answers_too_much_stops_nobody() {
    let mut stage = Stage::minted();
    let code = stage.upload(screamer(48));
    let info = stage.recode(7, code);
    // It says that it paid, at length; what it says is not read, and nobody else is harmed.
    let receipt = stage.redeem("bob", ONE).succeeds();
    assert!(receipt.events::<Owed>(&stage.index).is_empty());
    stage.restore(7, &info);
    let surplus = stage.balance(address(&stage.index), 7) - stage.amounts()[7];
    assert!(surplus > 0);
    let _ = stage.sync(7).succeeds();
    stage.check_books(0);
}

#[test]
fn several_are_owed_to_several_and_each_gets_his_own() {
    let mut stage = Stage::minted();
    let _ = stage.mint("charlie", 500 * ONE).succeeds();
    let infos: Vec<_> = [0, 3, 19].map(|coin| (coin, stage.remove(coin))).to_vec();
    for _ in 0..2 {
        let _ = stage.redeem("bob", 10 * ONE).succeeds();
        let _ = stage.redeem("charlie", 20 * ONE).succeeds();
    }
    for (coin, info) in &infos {
        stage.restore(*coin, info);
    }
    stage.check_books(0);
    stage.donate("dave", 3, 5);
    let _ = stage.sync(3).succeeds();
    stage.check_books(0);
    for (coin, _) in &infos {
        assert!(stage.owed("charlie", *coin) > stage.owed("bob", *coin));
        for who in ["charlie", "bob"] {
            let (owed, purse) = (stage.owed(who, *coin), stage.balance(account(who), *coin));
            let _ = stage.claim(who, *coin).succeeds();
            assert_eq!(stage.balance(account(who), *coin) - purse, owed);
        }
        assert_eq!(stage.owed_total(*coin), 0);
    }
    stage.check_books(0);
}

#[test]
fn tokens_are_burned_and_all_is_owed_when_every_token_eats_all_gas() {
    let mut stage = Stage::minted();
    let code = stage.upload(eater());
    let infos: Vec<_> = (0..COINS).map(|coin| stage.recode(coin, code)).collect();
    let held = stage.amounts();
    let receipt = stage.redeem("bob", 500 * ONE).succeeds();
    assert!(receipt.gas.ref_time < 500_000_000_000, "{} of a block", receipt.gas.ref_time);
    assert_eq!(receipt.events::<Owed>(&stage.index).len(), COINS);
    for (coin, info) in infos.iter().enumerate() {
        stage.restore(coin, info);
        assert_eq!(stage.owed("bob", coin), held[coin] / 2);
        let _ = stage.claim("bob", coin).succeeds();
    }
    stage.check_books(0);
}

/// With too little gas a redemption fails whole, or else what could not be paid is owed to the one
/// who was so sparing: nobody else has a unit less, and he has none more.
#[test]
fn who_gives_too_little_gas_harms_only_himself() {
    let mut stage = Stage::minted();
    let _ = stage.mint("charlie", 500 * ONE).succeeds();
    let limits = vec![0; COINS];
    let full = {
        let snapshot = stage.world.snapshot();
        let gas = stage.redeem("bob", 100 * ONE).succeeds().gas;
        stage.world.restore(&snapshot);
        gas
    };
    for percent in [30, 60, 90, 93, 95, 96, 97, 98, 99, 100] {
        let snapshot = stage.world.snapshot();
        let message = on(&stage.index).redeem(100 * ONE, limits.clone(), stage.world.now() + 1);
        let gas = (full.ref_time / 100 * percent, full.proof_size * 2);
        let tried = stage.world.as_(account("bob")).with_gas_limit(gas.0, gas.1).try_call(message);
        if tried.is_ok_and(|receipt| receipt.value.is_ok()) {
            stage.check_books(0);
            for coin in 0..COINS {
                let owed = stage.owed("bob", coin);
                if owed > 0 {
                    let _ = stage.claim("bob", coin).succeeds();
                }
            }
            stage.check_books(0);
        }
        stage.world.restore(&snapshot);
    }
}

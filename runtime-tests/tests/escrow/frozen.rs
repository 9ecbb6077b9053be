//! Tokens that do not pay: what they withhold waits for its side, and stops nobody else.

use crate::stage::*;
use cicada_core::escrow::*;
use cicada_runtime_tests::{account, address, on, AccountId};
use cicada_traits::escrow::Escrow;
use drink::frame_support::storage::unhashed;
use drink::frame_support::{StorageHasher, Twox128, Twox64Concat};
use drink::Sandbox;
use escrow::escrow::{Claimed, Credited};

/// Where the chain keeps what it knows of a contract.
fn place(contract: AccountId) -> Vec<u8> {
    let parts = [Twox128::hash(b"Contracts").to_vec(), Twox128::hash(b"ContractInfoOf").to_vec()];
    [parts.concat(), Twox64Concat::hash(contract.as_ref())].concat()
}

impl Stage {
    /// The token's contract is gone; what makes it whole again.
    fn freeze(&mut self) -> Vec<u8> {
        let key = place(address(&self.token));
        let info = self.world.sandbox().execute_with(|| unhashed::get_raw(&key));
        self.world.sandbox().execute_with(|| unhashed::kill(&key));
        info.expect("it is a contract")
    }

    fn thaw(&mut self, info: &[u8]) {
        let key = place(address(&self.token));
        self.world.sandbox().execute_with(|| unhashed::put_raw(&key, info));
    }

    /// What somebody claims.
    fn claimed(&mut self, who: &str) -> Result<u128, EscrowError> {
        let message = on(&self.escrow).claim(address(&self.token));
        self.call(who, message).value
    }
}

#[test]
fn what_a_token_refuses_waits_for_each_side_alone() {
    let mut stage = Stage::new();
    let terms = stage.with_fee(500);
    let escrow = stage.disputed(&terms);
    let before = stage.balance_of(REQUESTER);
    let info = stage.freeze();
    let split = Verdict::Split { provider_share: 700, requester_share: 300 };
    let _ = stage.vote(ARBITRATORS[0], escrow, split).succeeds();
    let receipt = stage.vote(ARBITRATORS[1], escrow, split).succeeds();
    let token = address(&stage.token);
    let credited = |owner: &str, amount| Credited { owner: account(owner), token, amount };
    let expected = [
        credited(PROVIDER, 700),
        credited(REQUESTER, 300),
        credited(ARBITRATORS[0], 25),
        credited(ARBITRATORS[1], 25),
    ];
    assert_eq!(receipt.events::<Credited>(&stage.escrow), expected);
    assert_eq!(stage.state(escrow), State::Resolved);
    assert_eq!(stage.claimed(PROVIDER), Err(EscrowError::TokenRefused), "it is not lost");

    stage.thaw(&info);
    assert_eq!(stage.claimed(STRANGER), Err(EscrowError::WrongAmount));
    let message = on(&stage.escrow).claim(token);
    let receipt = stage.call(PROVIDER, message).succeeds();
    let event = receipt.event::<Claimed>(&stage.escrow);
    assert_eq!(event, Claimed { owner: account(PROVIDER), token, amount: 700 });
    assert_eq!(stage.claimed(PROVIDER), Err(EscrowError::WrongAmount), "once");
    assert_eq!(stage.claimed(REQUESTER), Ok(300));
    assert_eq!((stage.balance_of(PROVIDER), stage.balance_of(REQUESTER)), (700, before + 300));
    assert_eq!(stage.paid(escrow), (700, 300));
}

#[test]
fn a_frozen_token_stops_no_deadline_and_no_reserve() {
    let mut stage = Stage::new();
    let reserve = stage.reserved(500);
    let terms = stage.terms();
    let (done, undone) = (stage.completed(&terms), stage.funded(&terms));
    let info = stage.freeze();
    let _ = stage.refund(PROVIDER, undone).succeeds();
    stage.wait_for(done, 0);
    let _ = stage.expire(STRANGER, done).succeeds();
    let _ = stage.spend(OPERATOR, reserve, PROVIDER, 100).succeeds();
    assert_eq!(stage.close_reserve(OPERATOR, reserve).succeeds().value, 400);
    stage.thaw(&info);
    assert_eq!((stage.state(done), stage.state(undone)), (State::Released, State::Refunded));
    assert_eq!(stage.claimed(PROVIDER), Ok(AMOUNT + 100));
    assert_eq!(stage.claimed(REQUESTER), Ok(AMOUNT + 400));
    assert_eq!(stage.locked(REQUESTER), 0);
}

#[test]
fn nothing_is_locked_by_a_token_that_does_not_answer() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.created(&terms);
    let info = stage.freeze();
    assert_eq!(stage.fund(REQUESTER, escrow).fails(), EscrowError::TokenRefused);
    assert_eq!(stage.create_funded(REQUESTER, &terms).fails(), EscrowError::TokenRefused);
    stage.thaw(&info);
    assert_eq!((stage.state(escrow), stage.locked(REQUESTER)), (State::Created, 0));
}

#[test]
fn who_chooses_the_gas_does_not_choose_whether_somebody_is_paid() {
    let mut stage = Stage::new();
    let terms = stage.terms();
    let escrow = stage.completed(&terms);
    let part = stage.part(escrow);
    let start = stage.world.snapshot();
    let full = stage.release(REQUESTER, escrow).succeeds().gas;
    let (mut refused, mut paid) = (0, 0);
    for step in 1..=40u64 {
        for by_proof in [false, true] {
            stage.world.restore(&start);
            let share = |all: u64| all / 20 * step;
            let limit = match by_proof {
                true => (500_000_000_000, share(full.proof_size)),
                false => (share(full.ref_time), 5 << 20),
            };
            let message = on(&stage.escrow).decide(escrow, part, Decision::Release);
            let caller = stage.world.as_(account(REQUESTER));
            let done = caller.with_gas_limit(limit.0, limit.1).try_call(message).is_ok();
            assert_eq!(stage.credit(PROVIDER), 0, "{step}, {by_proof}");
            assert_eq!(stage.balance_of(PROVIDER), if done { AMOUNT } else { 0 });
            *(if done { &mut paid } else { &mut refused }) += 1;
        }
    }
    println!("with up to twice the gas: {refused} times nothing, {paid} times everything");
    assert!(refused > 0);
}

//! The chain, its clock and its people.
//!
//! Calls are typed by the contracts' own crates (dev-dependencies with `ink-as-dependency`), so a
//! test that does not fit the contract does not compile:
//!
//! ```no_run
//! use cicada_runtime_tests::{account, on, World};
//! use cicada_traits::psp22::{PSP22Error, PSP22};
//! use token::token::{TokenRef, Transfer};
//!
//! let mut world = World::new();
//! let (alice, bob) = (account("alice"), account("bob"));
//! let constructor = TokenRef::new("Coin".into(), "C".into(), 12, 1_000);
//! let token = world.as_(alice).deploy("token", constructor);
//!
//! let receipt = world.as_(alice).call(on(&token).transfer(bob, 40, vec![])).succeeds();
//!
//! assert_eq!(world.read(on(&token).balance_of(bob)), 40);
//! assert_eq!(receipt.event::<Transfer>(&token).value, 40);
//!
//! let error = world.as_(bob).call(on(&token).transfer(alice, 41, vec![])).fails();
//! assert_eq!(error, PSP22Error::InsufficientBalance);
//! ```
//!
//! **Time** is in milliseconds and moves only when a test says so: [`World::at`],
//! [`World::advance`] and [`World::next_block`] each make one block. (The sandbox underneath sets the
//! wall clock, in seconds, at every block; nothing of that is visible here.)
//!
//! **Money**: the accounts of the names in [`NAMES`] hold [`FUNDS`] of native money; others get it by
//! [`World::fund`]. **Failure**: `call` panics when the chain itself refuses (a trap, no gas);
//! `try_call` returns that as an `Err`. As on a chain, a call that fails changes nothing.

use drink::{
    frame_support::{
        dispatch::RawOrigin,
        storage::{with_transaction, TransactionOutcome},
    },
    minimal::{MinimalSandbox, MinimalSandboxRuntime},
    pallet_contracts::{Code, CollectEvents, DebugInfo, Determinism, Pallet},
    sandbox_api::prelude::{BalanceAPI, ContractAPI, SystemAPI, TimestampAPI},
    session::Session,
    AccountId32, DispatchError, Sandbox, Weight,
};
use ink::primitives::LangError;
use parity_scale_codec::Decode;

use crate::{
    keys::account,
    message::{Constructor, Message, RawMessage},
    receipt::{contract_events, signed_deposit, Receipt, Refusal},
    AccountId, Balance, Bundle,
};

/// Who has money from the start.
pub const NAMES: [&str; 8] = ["alice", "bob", "charlie", "dave", "eve", "ferdie", "grace", "heidi"];
/// How much native money they have: a million units of 12 decimals.
pub const FUNDS: Balance = 1_000_000_000_000_000_000;
/// The time of the first block: 2026-01-01 00:00:00 UTC, in milliseconds.
pub const GENESIS_MS: u64 = 1_767_225_600_000;
/// What [`World::next_block`] adds to the clock.
pub const BLOCK_MS: u64 = 6_000;
/// Gas limit of a call unless a test sets another: the largest extrinsic of a usual chain.
pub const GAS_LIMIT: Weight = Weight::from_parts(500_000_000_000, 5 * 1024 * 1024);

/// An in-process chain with a clock that the test owns.
pub struct World {
    session: Session<MinimalSandbox>,
    now_ms: u64,
    /// Makes the addresses of equal contracts different.
    deployed: u32,
}

/// A state of the world to come back to.
#[derive(Clone)]
pub struct Snapshot {
    storage: ink_sandbox::Snapshot,
    now_ms: u64,
    deployed: u32,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A chain at [`GENESIS_MS`] with the people of [`NAMES`].
    pub fn new() -> Self {
        let mut world = Self { session: Session::default(), now_ms: GENESIS_MS, deployed: 0 };
        world.sandbox().set_timestamp(GENESIS_MS);
        for name in NAMES {
            world.fund(account(name), FUNDS);
        }
        world
    }

    // ---- time ----

    /// Milliseconds since 1970, as contracts see them.
    pub fn now(&self) -> u64 {
        self.now_ms
    }

    /// Makes a block at this time. Panics when the clock would go back.
    #[track_caller]
    pub fn at(&mut self, ms: u64) -> &mut Self {
        assert!(ms >= self.now_ms, "the clock would go back from {} to {ms}", self.now_ms);
        self.sandbox().build_block();
        self.sandbox().set_timestamp(ms);
        self.now_ms = ms;
        self
    }

    /// Makes a block this many milliseconds later.
    #[track_caller]
    pub fn advance(&mut self, ms: u64) -> &mut Self {
        self.at(self.now_ms.checked_add(ms).expect("the clock ends"))
    }

    /// Makes the next block, [`BLOCK_MS`] later.
    pub fn next_block(&mut self) -> &mut Self {
        self.advance(BLOCK_MS)
    }

    /// The number of the current block.
    pub fn block_number(&mut self) -> u32 {
        self.sandbox().block_number()
    }

    // ---- people ----

    /// Acts as this account, without money sent along and with the usual gas limit.
    pub fn as_(&mut self, actor: AccountId) -> Actor<'_> {
        Actor { world: self, actor, gas_limit: GAS_LIMIT, value: None }
    }

    /// Gives native money.
    #[track_caller]
    pub fn fund(&mut self, account: AccountId, amount: Balance) {
        self.sandbox().mint_into(&account32(account), amount).expect("money can be minted");
    }

    /// Native money that the account can spend.
    pub fn native_balance(&mut self, account: AccountId) -> Balance {
        self.sandbox().free_balance(&account32(account))
    }

    /// What a message returns now; changes nothing. For messages that look without touching.
    #[track_caller]
    pub fn read<M: Message>(&mut self, message: M) -> M::Output {
        self.as_(account(NAMES[0])).read(message)
    }

    // ---- states ----

    /// The state now, to come back to with [`World::restore`].
    pub fn snapshot(&mut self) -> Snapshot {
        Snapshot {
            storage: self.sandbox().take_snapshot(),
            now_ms: self.now_ms,
            deployed: self.deployed,
        }
    }

    /// Goes back to a state, clock included.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.sandbox().restore_snapshot(snapshot.storage.clone());
        self.now_ms = snapshot.now_ms;
        self.deployed = snapshot.deployed;
    }

    /// Gives a contract the code with this hash, which is on chain; what it stores stays. A token
    /// with the code of something else refuses everything until it has its own again.
    pub fn set_code(&mut self, contract: AccountId, code: [u8; 32]) {
        self.sandbox().execute_with(|| {
            let root = RawOrigin::Root.into();
            Pallet::<MinimalSandboxRuntime>::set_code(
                root,
                account32(contract).into(),
                code.into(),
            )
            .expect("contract and code are there");
        });
    }

    /// The chain itself, for what this type does not offer.
    pub fn sandbox(&mut self) -> &mut MinimalSandbox {
        self.session.sandbox()
    }

    /// drink's session on this chain, which speaks to contracts in text and can mock them. A failed
    /// call of a session leaves its changes; those of this type do not.
    pub fn session(&mut self) -> &mut Session<MinimalSandbox> {
        &mut self.session
    }
}

/// Someone who acts: made by [`World::as_`], used once.
pub struct Actor<'a> {
    world: &'a mut World,
    actor: AccountId,
    gas_limit: Weight,
    value: Option<Balance>,
}

impl Actor<'_> {
    /// Sends native money along with the call or deployment.
    pub fn with_value(mut self, value: Balance) -> Self {
        self.value = Some(value);
        self
    }

    /// Sets another gas limit.
    pub fn with_gas_limit(mut self, ref_time: u64, proof_size: u64) -> Self {
        self.gas_limit = Weight::from_parts(ref_time, proof_size);
        self
    }

    /// Sends a call. Panics when the chain refuses it; an `Err` of the contract is in the receipt.
    #[track_caller]
    pub fn call<M: Message>(self, message: M) -> Receipt<M::Output> {
        self.try_call(message).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// Sends a call; a refusal of the chain (a trap, no gas, no such contract) is an `Err`.
    pub fn try_call<M: Message>(self, message: M) -> Result<Receipt<M::Output>, Refusal> {
        self.execute(message, true)
    }

    /// What the message would return; changes nothing.
    #[track_caller]
    pub fn read<M: Message>(self, message: M) -> M::Output {
        self.execute(message, false).unwrap_or_else(|refusal| panic!("{refusal}")).value
    }

    /// Deploys a contract from its bundle. Panics when the chain refuses it.
    #[track_caller]
    pub fn deploy<C: Constructor>(self, bundle: &str, constructor: C) -> C::Output {
        self.try_deploy(bundle, constructor).unwrap_or_else(|refusal| panic!("{refusal}")).value
    }

    /// Deploys a contract from its bundle, with the receipt; a refusal of the chain is an `Err`.
    pub fn try_deploy<C: Constructor>(
        self,
        bundle: &str,
        constructor: C,
    ) -> Result<Receipt<C::Output>, Refusal> {
        let bundle = Bundle::load(bundle);
        let salt = self.world.deployed.to_le_bytes().to_vec();
        self.world.deployed += 1;
        let (code, data) = (Code::Upload(bundle.wasm.clone()), constructor.data());
        let (actor, value, gas) = (account32(self.actor), self.value.unwrap_or(0), self.gas_limit);
        self.world.sandbox().reset_events();
        let outcome = self
            .world
            .sandbox()
            .execute_with(|| {
                with_transaction(|| {
                    let outcome = Pallet::<MinimalSandboxRuntime>::bare_instantiate(
                        actor,
                        value,
                        gas,
                        None,
                        code,
                        data,
                        salt,
                        DebugInfo::Skip,
                        CollectEvents::UnsafeCollect,
                    );
                    let keep = outcome.result.as_ref().is_ok_and(|done| !done.result.did_revert());
                    finish(outcome, keep)
                })
            })
            .map_err(Refusal::Dispatch)?;
        let done = outcome.result.map_err(Refusal::Dispatch)?;
        let address = AccountId::from(<[u8; 32]>::from(done.account_id));
        Ok(Receipt {
            value: C::output(address, &done.result.data).map_err(Refusal::Answer)?,
            reverted: done.result.did_revert(),
            emitted: contract_events(outcome.events.unwrap_or_default()),
            gas: outcome.gas_consumed.into(),
            deposit: signed_deposit(outcome.storage_deposit),
        })
    }

    /// Puts the code of a bundle on chain without making a contract; returns its hash.
    #[track_caller]
    pub fn upload(self, bundle: &str) -> [u8; 32] {
        let wasm = Bundle::load(bundle).wasm.clone();
        let uploaded = self.world.sandbox().upload_contract(
            wasm,
            account32(self.actor),
            None,
            Determinism::Enforced,
        );
        uploaded.unwrap_or_else(|error| panic!("{}", Refusal::Dispatch(error))).code_hash.0
    }

    fn execute<M: Message>(
        self,
        message: M,
        keep_changes: bool,
    ) -> Result<Receipt<M::Output>, Refusal> {
        let RawMessage { callee, value, data } = message.into_raw();
        let (actor, callee) = (account32(self.actor), account32(callee));
        let (value, gas) = (self.value.unwrap_or(value), self.gas_limit);
        self.world.sandbox().reset_events();
        // As an extrinsic does: whatever fails is undone as a whole.
        let outcome = self
            .world
            .sandbox()
            .execute_with(|| {
                with_transaction(|| {
                    let outcome = Pallet::<MinimalSandboxRuntime>::bare_call(
                        actor,
                        callee,
                        value,
                        gas,
                        None,
                        data,
                        DebugInfo::Skip,
                        CollectEvents::UnsafeCollect,
                        Determinism::Enforced,
                    );
                    let keep = keep_changes
                        && outcome.result.as_ref().is_ok_and(|done| !done.did_revert());
                    finish(outcome, keep)
                })
            })
            .map_err(Refusal::Dispatch)?;
        let done = outcome.result.map_err(Refusal::Dispatch)?;
        let answer =
            Result::<M::Output, LangError>::decode(&mut &done.data[..]).map_err(|error| {
                Refusal::Answer(format!("the answer {:02x?} does not decode: {error}", done.data))
            })?;
        Ok(Receipt {
            value: answer.map_err(Refusal::Lang)?,
            reverted: done.did_revert(),
            emitted: contract_events(outcome.events.unwrap_or_default()),
            gas: outcome.gas_consumed.into(),
            deposit: signed_deposit(outcome.storage_deposit),
        })
    }
}

fn finish<T>(outcome: T, keep: bool) -> TransactionOutcome<Result<T, DispatchError>> {
    match keep {
        true => TransactionOutcome::Commit(Ok(outcome)),
        false => TransactionOutcome::Rollback(Ok(outcome)),
    }
}

fn account32(account: AccountId) -> AccountId32 {
    let bytes: &[u8; 32] = account.as_ref();
    AccountId32::new(*bytes)
}

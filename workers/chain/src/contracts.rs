//! Contracts: made, called and read.

use crate::chain::Block;
use crate::dry_run::{call_args, instantiate_args};
use crate::events::{emitted, ContractEvent};
use crate::transactions::id;
use crate::{account_of, Bundle, Call, Chain, DryRun, Error, Receipt, Signer, Weight};
use cicada_contracts::{Constructor, Message};
use cicada_core::hash::Digest;
use cicada_core::Account;
use parity_scale_codec::{Decode, DecodeAll};
use scale_value::Value;

/// A contract that was made.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its account.
    pub account: Account,
    /// The block in which it was made.
    pub block: u64,
    /// What the signer paid, in base units of the chain's currency, without the deposit.
    pub fee: u128,
    /// What its constructor consumed.
    pub gas_consumed: Weight,
    /// The weight that the block was charged for the transaction.
    pub weight: Weight,
}

/// What a call did. It is final.
#[derive(Clone, Debug)]
pub struct CallOutcome<T = ()> {
    /// The number of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: Digest,
    /// The hash of the transaction.
    pub transaction: Digest,
    /// What the contract consumed, by the dry run.
    pub gas_consumed: Weight,
    /// The weight that the block was charged for the transaction, its base not included.
    pub weight: Weight,
    /// What the signer paid, in base units of the chain's currency, without a deposit.
    pub fee: u128,
    /// What the message returned in the dry run, without the `Result`s round it. Others may have been
    /// faster: what really happened, the events say.
    pub returned: T,
    /// The events of the called contract and of those that it called, in order.
    pub events: Vec<ContractEvent>,
}

/// A weight as an argument of a call.
fn weight(weight: Weight) -> Value {
    let [ref_time, proof_size] = [weight.ref_time, weight.proof_size].map(u128::from);
    Value::named_composite([
        ("ref_time", Value::u128(ref_time)),
        ("proof_size", Value::u128(proof_size)),
    ])
}

fn some(value: u128) -> Value {
    Value::unnamed_variant("Some", [Value::u128(value)])
}

/// The limits of a transaction.
fn limits(gas: Weight, deposit: u128) -> [(&'static str, Value); 3] {
    [
        ("value", Value::u128(0)),
        ("gas_limit", weight(gas)),
        ("storage_deposit_limit", some(deposit)),
    ]
}

/// What a transaction may use after its dry run: a fifth more of everything, and room for some
/// storage even if the dry run needed none.
fn with_margin<T>(dry_run: &DryRun<T>) -> (Weight, u128) {
    let deposit = dry_run.deposit.saturating_add(dry_run.deposit / 5);
    (dry_run.gas_required.with_margin(), deposit.saturating_add(dry_run.deposit_room))
}

impl Chain {
    /// Uploads the code if the chain does not have it, and makes a contract. Another `salt`
    /// makes another contract of the same code and arguments.
    ///
    /// # Errors
    /// [`Error::Contract`] if the constructor refuses, before anything is sent; [`Error::Bundle`] if
    /// it is one of another contract; else as [`Chain::send`].
    pub async fn upload_and_instantiate<E>(
        &self,
        bundle: &Bundle,
        constructor: &Constructor<E>,
        salt: &[u8],
        signer: &Signer,
    ) -> Result<Instance, Error> {
        let (interface, name) = (constructor.interface(), bundle.name());
        let entry = interface.constructor(constructor.label()).filter(|_| interface.name() == name);
        let entry = entry.ok_or_else(|| Error::Bundle {
            path: format!("{name}.contract").into(),
            reason: format!("it is not the bundle of {}", interface.name()),
        })?;
        let (origin, input) = (account_of(signer), constructor.input());
        let dry_args = instantiate_args(&origin, bundle.wasm(), input, salt);
        let (at, function) = (self.at_final().await?, "ContractsApi_instantiate");
        // Constructors that can refuse answer in another form than those that cannot.
        let of = (&**constructor, entry);
        let dry_run = self.dry_run_at(&at, (function, dry_args), of, |_| Ok(())).await?;
        let what = format!("making a contract {name}");
        let account =
            dry_run.account.ok_or("the dry run names no account").map_err(Error::decode(&what))?;
        let (gas, deposit) = with_margin(&dry_run);
        let mut fields = limits(gas, deposit).to_vec();
        fields.extend([
            ("code", Value::from_bytes(bundle.wasm())),
            ("data", Value::from_bytes(input)),
            ("salt", Value::from_bytes(salt)),
        ]);
        let call = Call::new(what, "Contracts", "instantiate_with_code", fields);
        let receipt = self.send(&call, signer).await?;
        Ok(Instance {
            account,
            block: receipt.block,
            fee: receipt.fee,
            gas_consumed: dry_run.gas_consumed,
            weight: receipt.weight,
        })
    }

    /// What a call by `origin` would do, at the newest final block. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Contract`] with the contract's reason if it refuses.
    pub async fn dry_run<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        origin: &Account,
    ) -> Result<DryRun<T>, Error> {
        self.dry_run_of(&self.at_final().await?, contract, message, origin).await
    }

    /// The same at any block.
    pub(crate) async fn dry_run_of<T: Decode, E>(
        &self,
        block: &Block,
        contract: &Account,
        message: &Message<T, E>,
        origin: &Account,
    ) -> Result<DryRun<T>, Error> {
        let label = message.label();
        let entry = message.interface().message(label).ok_or("it is in no bundle");
        let entry = entry.map_err(Error::decode(label))?;
        let args = call_args(origin, contract, message.input());
        let read = |bytes: &[u8]| T::decode_all(&mut &*bytes);
        self.dry_run_at(block, ("ContractsApi_call", args), (message, entry), read).await
    }

    /// Calls a message and waits until that is final. The call is dry-run first: if the
    /// contract refuses, nothing is sent.
    ///
    /// # Errors
    /// [`Error::Contract`] with the contract's reason; else as [`Chain::send`].
    pub async fn call<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        signer: &Signer,
    ) -> Result<CallOutcome<T>, Error> {
        let origin = account_of(signer);
        let dry_run = self.dry_run(contract, message, &origin).await?;
        let call = prepared(contract, message, &dry_run);
        match self.send(&call, signer).await {
            Ok(receipt) => CallOutcome::new(dry_run, &receipt).map_err(|error| {
                let done = format!("it is done, in block {}, but {error}", receipt.block);
                Error::unknown(message.label(), receipt.underway, done)
            }),
            Err(error) if error.underway().is_some() => Err(error),
            Err(error) => {
                // Someone may have been faster: then a second dry run knows why.
                let again = self.dry_run(contract, message, &origin).await;
                Err(again.err().filter(|why| why.refusal().is_some()).unwrap_or(error))
            }
        }
    }

    /// The transaction of a call, with limits from a dry run: for [`Chain::send_all`].
    ///
    /// # Errors
    /// [`Error::Contract`] with the contract's reason if it refuses.
    pub async fn prepare<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        signer: &Signer,
    ) -> Result<Call, Error> {
        let dry_run = self.dry_run(contract, message, &account_of(signer)).await?;
        Ok(prepared(contract, message, &dry_run))
    }

    /// Reads a view at the newest final block.
    ///
    /// # Errors
    /// [`Error::Contract`] if the view refuses.
    pub async fn read<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
    ) -> Result<T, Error> {
        Ok(self.dry_run(contract, message, &Account::NOBODY).await?.returned)
    }
}

fn prepared<T, E>(contract: &Account, message: &Message<T, E>, dry_run: &DryRun<T>) -> Call {
    let (gas, deposit) = with_margin(dry_run);
    limited(contract, message, gas, deposit)
}

/// The transaction of a call that may consume `gas` and `deposit` and no more.
pub(crate) fn limited<T, E>(
    contract: &Account,
    message: &Message<T, E>,
    gas: Weight,
    deposit: u128,
) -> Call {
    let data = Value::from_bytes(message.input());
    let mut fields = vec![("dest", id(contract)), ("data", data)];
    fields.extend(limits(gas, deposit));
    Call::new(message.label(), "Contracts", "call", fields)
}

impl<T> CallOutcome<T> {
    /// The same without what the dry run answered.
    pub fn without(self) -> CallOutcome {
        CallOutcome {
            block: self.block,
            block_hash: self.block_hash,
            transaction: self.transaction,
            gas_consumed: self.gas_consumed,
            weight: self.weight,
            fee: self.fee,
            returned: (),
            events: self.events,
        }
    }

    fn new(dry_run: DryRun<T>, receipt: &Receipt) -> Result<Self, Error> {
        let mut events = Vec::new();
        for event in receipt.events.iter() {
            let event = event.map_err(Error::decode("an event of a transaction"))?;
            events.extend(emitted(&event, receipt.block, receipt.block_hash)?);
        }
        Ok(Self {
            block: receipt.block,
            block_hash: receipt.block_hash,
            transaction: receipt.transaction,
            gas_consumed: dry_run.gas_consumed,
            weight: receipt.weight,
            fee: receipt.fee,
            returned: dry_run.returned,
            events,
        })
    }
}

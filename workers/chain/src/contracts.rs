//! Contracts: made, called and read.

use crate::dry_run::{call_args, instantiate_args};
use crate::events::{emitted, ContractEvent};
use crate::transactions::id;
use crate::{account_of, Bundle, Call, Chain, DryRun, Error, Receipt, Signer, Weight};
use cicada_core::hash::Hash;
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
pub struct CallOutcome {
    /// The number of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: Hash,
    /// The hash of the transaction.
    pub transaction: Hash,
    /// What the contract consumed, by the dry run.
    pub gas_consumed: Weight,
    /// The weight that the block was charged for the transaction, its base not included.
    pub weight: Weight,
    /// What the signer paid, in base units of the chain's currency, without a deposit.
    pub fee: u128,
    /// What the message returned in the dry run, in SCALE, without the `Result`s round it.
    pub returned: Vec<u8>,
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
fn with_margin(dry_run: &DryRun) -> (Weight, u128) {
    let deposit = dry_run.deposit.saturating_add(dry_run.deposit / 5);
    (dry_run.gas_required.with_margin(), deposit.saturating_add(dry_run.deposit_room))
}

impl Chain {
    /// Uploads the code if the chain does not have it, and makes a contract. Another `salt`
    /// makes another contract of the same code and arguments.
    ///
    /// # Errors
    /// [`Error::Contract`] if the constructor refuses, before anything is sent; else as
    /// [`Chain::send`].
    pub async fn upload_and_instantiate(
        &self,
        bundle: &Bundle,
        constructor: &str,
        args: &[u8],
        salt: &[u8],
        signer: &Signer,
    ) -> Result<Instance, Error> {
        let entry = bundle.constructor(constructor)?;
        let input = entry.call(args);
        let origin = account_of(signer);
        let dry_args = instantiate_args(&origin, bundle.wasm(), &input, salt);
        let dry_run = self.dry_run_raw("ContractsApi_instantiate", dry_args, bundle, entry).await?;
        let what = format!("making a contract {}", bundle.name());
        let account =
            dry_run.account.ok_or("the dry run names no account").map_err(Error::decode(&what))?;
        let (gas, deposit) = with_margin(&dry_run);
        let mut fields = limits(gas, deposit).to_vec();
        fields.extend([
            ("code", Value::from_bytes(bundle.wasm())),
            ("data", Value::from_bytes(&input)),
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
    pub async fn dry_run(
        &self,
        contract: &Account,
        bundle: &Bundle,
        message: &str,
        args: &[u8],
        origin: &Account,
    ) -> Result<DryRun, Error> {
        let entry = bundle.message(message)?;
        let args = call_args(origin, contract, &entry.call(args));
        self.dry_run_raw("ContractsApi_call", args, bundle, entry).await
    }

    /// Calls a message and waits until that is final. The call is dry-run first: if the
    /// contract refuses, nothing is sent.
    ///
    /// # Errors
    /// [`Error::Contract`] with the contract's reason; else as [`Chain::send`].
    pub async fn call(
        &self,
        contract: &Account,
        bundle: &Bundle,
        message: &str,
        args: &[u8],
        signer: &Signer,
    ) -> Result<CallOutcome, Error> {
        let origin = account_of(signer);
        let dry_run = self.dry_run(contract, bundle, message, args, &origin).await?;
        let call = prepared(contract, bundle, message, args, &dry_run)?;
        match self.send(&call, signer).await {
            Ok(receipt) => CallOutcome::new(dry_run, &receipt).map_err(|error| {
                let done = format!("it is done, in block {}, but {error}", receipt.block);
                Error::unknown(message, receipt.underway, done)
            }),
            Err(error) if error.underway().is_some() => Err(error),
            Err(error) => {
                // Someone may have been faster: then a second dry run knows why.
                let again = self.dry_run(contract, bundle, message, args, &origin).await;
                Err(again.err().filter(|why| why.refusal().is_some()).unwrap_or(error))
            }
        }
    }

    /// The transaction of a call, with limits from a dry run: for [`Chain::send_all`].
    ///
    /// # Errors
    /// [`Error::Contract`] with the contract's reason if it refuses.
    pub async fn prepare(
        &self,
        contract: &Account,
        bundle: &Bundle,
        message: &str,
        args: &[u8],
        signer: &Signer,
    ) -> Result<Call, Error> {
        let origin = account_of(signer);
        let dry_run = self.dry_run(contract, bundle, message, args, &origin).await?;
        prepared(contract, bundle, message, args, &dry_run)
    }

    /// Reads a view at the newest final block.
    ///
    /// # Errors
    /// [`Error::Contract`] if the view refuses, [`Error::Decode`] if `T` is not its type.
    pub async fn read<T: Decode>(
        &self,
        contract: &Account,
        bundle: &Bundle,
        message: &str,
        args: &[u8],
    ) -> Result<T, Error> {
        let nobody = [0; 32];
        let dry_run = self.dry_run(contract, bundle, message, args, &nobody).await?;
        T::decode_all(&mut &dry_run.returned[..]).map_err(Error::decode(message))
    }
}

fn prepared(
    contract: &Account,
    bundle: &Bundle,
    message: &str,
    args: &[u8],
    dry_run: &DryRun,
) -> Result<Call, Error> {
    let input = bundle.message_call(message, args)?;
    let (gas, deposit) = with_margin(dry_run);
    Ok(limited(contract, message, input, gas, deposit))
}

/// The transaction of a call that may consume `gas` and `deposit` and no more.
pub(crate) fn limited(
    contract: &Account,
    message: &str,
    input: Vec<u8>,
    gas: Weight,
    deposit: u128,
) -> Call {
    let mut fields = vec![("dest", id(contract)), ("data", Value::from_bytes(input))];
    fields.extend(limits(gas, deposit));
    Call::new(message, "Contracts", "call", fields)
}

impl CallOutcome {
    fn new(dry_run: DryRun, receipt: &Receipt) -> Result<Self, Error> {
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

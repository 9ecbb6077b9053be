//! Dry runs: what a call would do, without a transaction.
//!
//! The arguments and results of the runtime's `ContractsApi` have been the same from
//! pallet-contracts 38 (substrate-contracts-node 0.42) to 51 (our node), so they are written
//! down here instead of being looked up in the node's metadata.

use crate::chain::Block;
use crate::{Chain, Error};
use cicada_contracts::{Call, Entry, Refused};
use cicada_core::Account;
use parity_scale_codec::{Compact, Decode, Encode};

/// Computation time in picoseconds, and bytes of proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Picoseconds of computation.
    pub ref_time: u64,
    /// Bytes of proof that a parachain would need.
    pub proof_size: u64,
}

impl Weight {
    /// A fifth more, so that a transaction still passes if the state moved a little.
    pub(crate) fn with_margin(self) -> Self {
        Self {
            ref_time: self.ref_time.saturating_add(self.ref_time / 5),
            proof_size: self.proof_size.saturating_add(self.proof_size / 5),
        }
    }
}

impl Decode for Weight {
    fn decode<I: parity_scale_codec::Input>(
        input: &mut I,
    ) -> Result<Self, parity_scale_codec::Error> {
        let (ref_time, proof_size) = <(Compact<u64>, Compact<u64>)>::decode(input)?;
        Ok(Self { ref_time: ref_time.0, proof_size: proof_size.0 })
    }
}

/// What a call would do; `T` is what it returns.
#[derive(Clone, Debug)]
pub struct DryRun<T = ()> {
    /// What the contract would consume.
    pub gas_consumed: Weight,
    /// What it must be allowed to consume.
    pub gas_required: Weight,
    /// The deposit for new storage, in base units of the chain's currency; 0 if none is due
    /// or one is refunded.
    pub deposit: u128,
    /// What may be due beside it, in the same unit, if somebody else's transaction comes first and
    /// storage is new for this one.
    pub deposit_room: u128,
    /// What the message returns, without the `Result`s round it.
    pub returned: T,
    /// The address of the contract that would be made, for a constructor.
    pub account: Option<Account>,
}

#[derive(Decode)]
enum StorageDeposit {
    Refund(#[allow(dead_code)] u128),
    Charge(u128),
}

/// The front of a `ContractResult`, up to the result itself.
#[derive(Decode)]
struct Front {
    gas_consumed: Weight,
    gas_required: Weight,
    deposit: StorageDeposit,
    debug_message: Vec<u8>,
}

#[derive(Decode)]
struct Returned {
    flags: u32,
    data: Vec<u8>,
}

/// New storage that a transaction may need although its dry run did not: items, and their bytes.
const ROOM: (u128, u128) = (4, 1_024);
const REVERTED: u32 = 1;
/// The index of `DispatchError::Module`, and the length of its encoding.
const MODULE_ERROR: (u8, usize) = (3, 6);

/// The arguments of `ContractsApi::call`; no limits on gas and deposit.
pub(crate) fn call_args(origin: &Account, contract: &Account, input: &[u8]) -> Vec<u8> {
    (origin, contract, 0u128, 0u8, 0u8, input).encode()
}

/// The arguments of `ContractsApi::instantiate` with new code.
pub(crate) fn instantiate_args(
    origin: &Account,
    wasm: &[u8],
    input: &[u8],
    salt: &[u8],
) -> Vec<u8> {
    // The third byte is the variant `Code::Upload`.
    (origin, 0u128, 0u8, 0u8, 0u8, wasm, input, salt).encode()
}

impl Chain {
    /// Runs a runtime call of `ContractsApi` at a block and reads its result.
    /// `read` makes what it returned of the bytes.
    pub(crate) async fn dry_run_at<T>(
        &self,
        block: &Block,
        (function, args): (&str, Vec<u8>),
        (call, entry): (&Call, &Entry),
        read: impl FnOnce(&[u8]) -> Result<T, parity_scale_codec::Error>,
    ) -> Result<DryRun<T>, Error> {
        let what = &entry.label;
        let answer = block
            .runtime_apis()
            .call_raw(function, Some(&args))
            .await
            .map_err(Error::node(what))?;
        let mut rest = &answer[..];
        let front = Front::decode(&mut rest).map_err(Error::decode(what))?;
        let (failed, mut rest) = match rest.split_first() {
            Some((failed, rest)) => (*failed != 0, rest),
            None => (false, rest),
        };
        if failed {
            let error = dispatch_error(rest, block.metadata());
            return Err(failure(what, error, &front.debug_message));
        }
        let returned = Returned::decode(&mut rest).map_err(Error::decode(what))?;
        let reverted = returned.flags & REVERTED != 0;
        let value = call
            .interface()
            .returned(entry, &returned.data, reverted)
            .map_err(|why| refused(call, why, &returned.data))?;
        Ok(DryRun {
            gas_consumed: front.gas_consumed,
            gas_required: front.gas_required,
            deposit: match front.deposit {
                StorageDeposit::Refund(_) => 0,
                StorageDeposit::Charge(due) => due,
            },
            deposit_room: deposit_room(block),
            returned: read(value).map_err(Error::decode(what))?,
            account: Account::decode(&mut rest)
                .ok()
                .filter(|_| function == "ContractsApi_instantiate"),
        })
    }
}

fn refused(call: &Call, why: Refused, data: &[u8]) -> Error {
    let label = call.label().to_owned();
    match why {
        Refused::Unread(error) => Error::Lang { label, error },
        Refused::Contract { error, explanation, data } => {
            Error::Contract { label, error, explanation, data, kind: call.refuses_with() }
        }
        Refused::Unreadable => Error::Reverted { label, data: data.to_vec() },
    }
}

/// The deposit for some new storage; 0 on a chain that does not say what that costs.
fn deposit_room(block: &Block) -> u128 {
    let price = |name: &str| {
        let constant = subxt::dynamic::constant::<u128>("Contracts", name);
        block.constants().entry(constant).unwrap_or(0)
    };
    let items = ROOM.0.saturating_mul(price("DepositPerItem"));
    items.saturating_add(ROOM.1.saturating_mul(price("DepositPerByte")))
}

/// The name of the chain's error, decoded by the node's metadata.
fn dispatch_error(bytes: &[u8], metadata: subxt::ArcMetadata) -> String {
    let bytes = match bytes.first() {
        Some(&index) if index == MODULE_ERROR.0 => bytes.get(..MODULE_ERROR.1).unwrap_or(bytes),
        _ => bytes,
    };
    match subxt::error::DispatchError::decode_from(bytes, metadata) {
        Ok(error) => error.to_string(),
        Err(_) => format!("unknown error 0x{}", hex::encode(bytes)),
    }
}

fn failure(what: &str, error: String, debug_message: &[u8]) -> Error {
    let said = String::from_utf8_lossy(debug_message);
    let said = said.trim();
    Error::Dispatch {
        what: what.into(),
        error: if said.is_empty() { error } else { format!("{error} ({said})") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_a_fifth_and_never_overflows() {
        let weight = Weight { ref_time: 1_000, proof_size: u64::MAX };
        let margin = weight.with_margin();
        assert_eq!((margin.ref_time, margin.proof_size), (1_200, u64::MAX));
    }

    #[test]
    fn arguments_are_encoded_as_the_runtime_expects() {
        let args = call_args(&Account([1; 32]), &Account([2; 32]), &[9, 9]);
        assert_eq!(args.len(), 32 + 32 + 16 + 1 + 1 + 1 + 2);
        assert_eq!(args[args.len() - 3..], [8, 9, 9]);
        let args = instantiate_args(&Account([1; 32]), &[7; 3], &[9], &[]);
        assert_eq!(args.len(), 32 + 16 + 3 + 4 + 2 + 1);
    }

    #[test]
    fn weights_are_compact() {
        let bytes = (Compact(5u64), Compact(300u64)).encode();
        let weight = Weight::decode(&mut &bytes[..]).unwrap();
        assert_eq!((weight.ref_time, weight.proof_size), (5, 300));
    }
}

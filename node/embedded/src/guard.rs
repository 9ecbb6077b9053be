//! What a caller may not ask of a runtime that runs natively: as Wasm it would run out of its own stack or be
//! stopped with the node; here the stack's end is the process's, and nobody stops a computation.

use crate::runtime::CallError;
use cicada_runtime::{opaque, AccountId, Balance, UncheckedExtrinsic};
use codec::{Decode, DecodeLimit, Encode};
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
use sp_runtime::{transaction_validity::TransactionSource, OpaqueExtrinsic};
use std::borrow::Cow;

/// How deeply an extrinsic may nest calls.
const NESTED: u32 = 256;
/// How much a dry run may compute: what a block may. Without a limit the runtime takes this anyway.
const DRY_RUN_REF_TIME: u64 = 2 * WEIGHT_REF_TIME_PER_SECOND;

/// The arguments of a runtime call, made harmless.
///
/// # Errors
/// If they cannot be.
pub fn harmless<'a>(method: &str, arguments: &'a [u8]) -> Result<Cow<'a, [u8]>, CallError> {
    let input = &mut &arguments[..];
    match method {
        "TaggedTransactionQueue_validate_transaction" => {
            TransactionSource::decode(input)?;
            check_nesting(&OpaqueExtrinsic::decode(input)?)?;
        }
        "BlockBuilder_apply_extrinsic"
        | "TransactionPaymentApi_query_info"
        | "TransactionPaymentApi_query_fee_details" => {
            check_nesting(&OpaqueExtrinsic::decode(input)?)?;
        }
        "Core_execute_block" | "BlockBuilder_check_inherents" => {
            opaque::Block::decode(input)?.extrinsics.iter().try_for_each(check_nesting)?;
        }
        "ContractsApi_call" => {
            let head = <(AccountId, AccountId, Balance)>::decode(input)?;
            return limit_gas(&head, arguments, input);
        }
        "ContractsApi_instantiate" => {
            let head = <(AccountId, Balance)>::decode(input)?;
            return limit_gas(&head, arguments, input);
        }
        _ => {}
    }
    Ok(Cow::Borrowed(arguments))
}

fn check_nesting(extrinsic: &OpaqueExtrinsic) -> Result<(), CallError> {
    UncheckedExtrinsic::decode_with_depth_limit(NESTED, &mut &extrinsic.encode()[..])?;
    Ok(())
}

/// The arguments with at most [`DRY_RUN_REF_TIME`] as the limit that follows after `head`.
fn limit_gas<'a>(
    head: &impl Encode,
    arguments: &'a [u8],
    input: &mut &'a [u8],
) -> Result<Cow<'a, [u8]>, CallError> {
    match Option::<Weight>::decode(input)? {
        Some(limit) if limit.ref_time() > DRY_RUN_REF_TIME => {
            let limit = Some(limit.set_ref_time(DRY_RUN_REF_TIME));
            Ok(Cow::Owned([&head.encode(), &limit.encode(), *input].concat()))
        }
        _ => Ok(Cow::Borrowed(arguments)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(limit: Option<Weight>) -> Vec<u8> {
        let nobody = AccountId::from([0; 32]);
        (&nobody, &nobody, 0 as Balance, limit, None::<Balance>, vec![1u8, 2, 3]).encode()
    }

    #[test]
    fn a_dry_run_gets_what_a_block_has_and_no_more() {
        let most = Weight::from_parts(DRY_RUN_REF_TIME, u64::MAX);
        for (given, taken) in [
            (None, None),
            (Some(Weight::from_parts(5, 7)), Some(Weight::from_parts(5, 7))),
            (Some(most), Some(most)),
            (Some(Weight::MAX), Some(most)),
        ] {
            let harmless =
                harmless("ContractsApi_call", &call(given)).expect("it is a call").into_owned();
            assert_eq!(harmless, call(taken), "{given:?}");
        }
    }
}

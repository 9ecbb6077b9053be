//! `payment_*`: what a transaction would cost.

use super::{chain, error, Api, Args};
use crate::{runtime, App};
use cicada_runtime::Balance;
use codec::Decode;
use jsonrpsee::types::ErrorObjectOwned;
use pallet_transaction_payment::{FeeDetails, InclusionFee, RuntimeDispatchInfo};
use sp_core::Bytes;
use sp_rpc::number::NumberOrHex;
use sp_runtime::OpaqueExtrinsic;

pub(super) fn register(api: &mut Api) {
    api.slow("payment_queryInfo", query_info, &[]);
    api.slow("payment_queryFeeDetails", query_fee_details, &[]);
}

fn query<T: Decode>(
    app: &App,
    mut args: Args,
    method: &str,
    what: &str,
) -> Result<T, ErrorObjectOwned> {
    let bytes: Bytes = args.next("encodedXt")?;
    let block = chain::at(app, args.next("at")?)?;
    let extrinsic = OpaqueExtrinsic::decode(&mut &bytes[..])
        .map_err(|error| error::query_format(what, &error))?;
    let length = u32::try_from(bytes.len()).map_err(error::params)?;
    runtime::query(&app.node.state(&block), method, &(extrinsic, length))
        .map_err(|error| error::query(what, &error))
}

fn query_info(app: &App, args: Args) -> Result<RuntimeDispatchInfo<Balance>, ErrorObjectOwned> {
    query(app, args, "TransactionPaymentApi_query_info", "Unable to query dispatch info.")
}

fn query_fee_details(app: &App, args: Args) -> Result<FeeDetails<NumberOrHex>, ErrorObjectOwned> {
    let details: FeeDetails<Balance> = query(
        app,
        args,
        "TransactionPaymentApi_query_fee_details",
        "Unable to query fee details.",
    )?;
    let shown = |fee: Balance| NumberOrHex::Hex(fee.into());
    let inclusion_fee = details.inclusion_fee.map(|fee| InclusionFee {
        base_fee: shown(fee.base_fee),
        len_fee: shown(fee.len_fee),
        adjusted_weight_fee: shown(fee.adjusted_weight_fee),
    });
    Ok(FeeDetails { inclusion_fee, tip: NumberOrHex::Number(0) })
}

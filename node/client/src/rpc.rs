//! What the node answers beyond the calls that every Substrate node knows.

use crate::service::{Client, Pool};
use cicada_runtime::{opaque::Block, AccountId, Balance, Hash, Nonce};
use jsonrpsee::{server::RegisterMethodError, RpcModule};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// The next nonce of an account, dry runs and the fees of transactions.
///
/// # Errors
/// If two of the methods had the same name.
pub fn module(client: Arc<Client>, pool: Arc<Pool>) -> Result<RpcModule<()>, RegisterMethodError> {
    let mut module = RpcModule::new(());
    let system = System::<_, _, Block>::new(client.clone(), pool);
    module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(system))?;
    let fees = TransactionPayment::<_, Block>::new(client);
    module
        .merge(TransactionPaymentApiServer::<Hash, RuntimeDispatchInfo<Balance>>::into_rpc(fees))?;
    Ok(module)
}

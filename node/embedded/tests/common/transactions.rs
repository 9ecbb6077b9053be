//! Transactions, signed by the development accounts.

use super::Client;
use cicada_runtime::{
    AccountId, Balance, Hash, Nonce, RuntimeCall, Signature, TxExtension, UncheckedExtrinsic,
    VERSION,
};
use codec::{Decode, Encode};
use serde_json::{json, Value};
use sp_core::Bytes;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::{Era, SignedPayload},
    MultiAddress,
};

/// One UNIT, in plancks.
pub const UNIT: Balance = cicada_runtime::UNIT;

/// A call, signed.
pub fn signed(
    call: impl Into<RuntimeCall>,
    signer: Sr25519Keyring,
    nonce: Nonce,
    tip: Balance,
    genesis: Hash,
) -> Vec<u8> {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip),
    );
    let versions = (VERSION.spec_version, VERSION.transaction_version);
    let implicit = ((), versions.0, versions.1, genesis, genesis, (), (), ());
    let payload = SignedPayload::from_raw(call.into(), extension, implicit);
    let signature = payload.using_encoded(|bytes| signer.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(
        call,
        MultiAddress::Id(signer.to_account_id()),
        Signature::Sr25519(signature),
        extension,
    )
    .encode()
}

/// A transfer to `to` as a call.
pub fn transfer(to: AccountId, value: Balance) -> RuntimeCall {
    let dest = MultiAddress::Id(to);
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
}

/// A signed transfer of one UNIT to Bob, as a parameter.
pub fn to_bob(client: &mut Client, from: Sr25519Keyring, nonce: Nonce, tip: Balance) -> Value {
    let call = transfer(Sr25519Keyring::Bob.to_account_id(), UNIT);
    json!([Bytes(signed(call, from, nonce, tip, client.genesis()))])
}

/// What an account has free, in plancks.
pub fn free(client: &mut Client, account: Sr25519Keyring) -> Balance {
    let account = account.to_account_id();
    let key = frame_system::Account::<cicada_runtime::Runtime>::hashed_key_for(&account);
    let value = client.ok("state_getStorage", json!([Bytes(key)]));
    let value: Bytes = serde_json::from_value(value).expect("the account exists");
    let account = frame_system::AccountInfo::<Nonce, pallet_balances::AccountData<Balance>>::decode(
        &mut &value[..],
    );
    account.expect("it is an account").data.free
}

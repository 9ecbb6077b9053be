//! The development chain's runtime: seven pallets, of which `Contracts` is the point.
//!
//! To clients it is compatible with `substrate-contracts-node`: the same accounts, addresses, signatures,
//! deposits and contract limits, so that what works here works there.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "wasm")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

mod apis;
mod configs;
mod genesis;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

#[cfg(feature = "std")]
pub use apis::api::dispatch;
pub use apis::RuntimeApi;
#[cfg(feature = "std")]
pub use genesis::development_storage;

/// A signature by any of the key types that clients use (sr25519, ed25519, ECDSA).
pub type Signature = MultiSignature;
/// 32 bytes, shown as SS58 with prefix 42.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of plancks; see [`UNIT`].
pub type Balance = u128;
/// How many transactions an account has sent.
pub type Nonce = u32;
/// The hash of blocks, transactions and code.
pub type Hash = sp_core::H256;
/// The height of a block.
pub type BlockNumber = u32;
/// Milliseconds since the Unix epoch.
pub type Moment = u64;
/// How a transaction names an account: there are no account indices.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block whose transactions the runtime understands.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// What a signed transaction carries besides its call.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
);
/// A transaction as it travels.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// The types the client works with: to it a transaction is bytes.
pub mod opaque {
    use super::{BlakeTwo256, BlockNumber};
    use sp_runtime::{generic, OpaqueExtrinsic};

    /// A block whose transactions are bytes.
    pub type Block = generic::Block<generic::Header<BlockNumber, BlakeTwo256>, OpaqueExtrinsic>;
}

/// One unit of the native currency: 10^12 plancks.
pub const UNIT: Balance = 1_000_000_000_000;
/// How many decimals a balance has, for clients that show balances.
pub const DECIMALS: u8 = 12;
/// The prefix of addresses, for clients that show addresses.
pub const SS58_PREFIX: u8 = 42;

/// Which runtime this is. `spec_version` moves with every change of behaviour, `transaction_version`
/// with every change of a call's encoding.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("cicada-node"),
    impl_name: Cow::Borrowed("cicada-node"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type RandomnessCollectiveFlip = pallet_insecure_randomness_collective_flip;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(3)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(4)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(5)]
    pub type Sudo = pallet_sudo;
    #[runtime::pallet_index(6)]
    pub type Contracts = pallet_contracts;
}

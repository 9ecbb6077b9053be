//! Transactions: signed, numbered, and waited for until they are final.

use crate::nonce::is_stale;
use crate::{account_of, Chain, Error, Signer, Weight};
use cicada_core::hash::Hash;
use cicada_core::Account;
use parity_scale_codec::Decode;
use scale_value::{Composite, Value};
use std::time::Duration;
use subxt::client::OnlineClientAtBlockImpl;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::error::{
    BackendError, ExtrinsicError, RpcError, TransactionEventsError, TransactionProgressError,
};
use subxt::extrinsics::ExtrinsicEvents;
use subxt::tx::{DynamicPayload, TransactionInBlock, TransactionProgress, TransactionStatus};
use subxt::utils::AccountId32;
use subxt::PolkadotConfig;

type Progress = TransactionProgress<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;
type Status = TransactionStatus<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;
type InBlock = TransactionInBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

/// How long a transaction is waited for.
const FINAL_SECONDS: u64 = 120;
/// How many blocks a transaction stays valid. A chain that makes a block for every
/// transaction makes many of them, so this is generous.
const VALID_BLOCKS: u64 = 1_024;
/// How often a transaction with a stale number is signed again.
const NONCE_ATTEMPTS: u32 = 4;

/// A call of the chain's runtime, ready to be signed.
pub struct Call {
    pub(crate) what: String,
    payload: DynamicPayload<Composite<()>>,
}

impl Call {
    pub(crate) fn new(
        what: impl Into<String>,
        pallet: &str,
        call: &str,
        fields: Vec<(&str, Value)>,
    ) -> Self {
        Self {
            what: what.into(),
            payload: subxt::dynamic::transaction(pallet, call, Composite::named(fields)),
        }
    }

    pub(crate) fn payload(&self) -> &DynamicPayload<Composite<()>> {
        &self.payload
    }

    /// An empty transaction.
    pub fn remark() -> Self {
        let empty = vec![("remark", Value::from_bytes([]))];
        Self::new("System.remark", "System", "remark", empty)
    }

    /// Moves `amount` base units of the chain's currency to an account.
    pub fn transfer(to: &Account, amount: u128) -> Self {
        let fields = vec![("dest", id(to)), ("value", Value::u128(amount))];
        Self::new("transfer", "Balances", "transfer_keep_alive", fields)
    }
}

/// `MultiAddress::Id` of an account.
pub(crate) fn id(account: &Account) -> Value {
    Value::unnamed_variant("Id", [Value::from_bytes(account)])
}

/// What became of a transaction: it is final and succeeded.
pub struct Receipt {
    /// The number of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: Hash,
    /// The hash of the transaction.
    pub transaction: Hash,
    /// What the signer paid, in base units of the chain's currency.
    pub fee: u128,
    /// The weight that the block was charged for it, its base weight not included.
    pub weight: Weight,
    pub(crate) events: ExtrinsicEvents<PolkadotConfig>,
}

impl Chain {
    /// Moves `amount` base units of the chain's currency and waits until that is final.
    ///
    /// # Errors
    /// [`Error::Dispatch`], [`Error::Submit`], [`Error::NotFinal`], [`Error::Node`].
    pub async fn transfer(
        &self,
        signer: &Signer,
        to: &Account,
        amount: u128,
    ) -> Result<Receipt, Error> {
        self.send(&Call::transfer(to, amount), signer).await
    }

    /// Signs and sends a call and waits until it is final.
    ///
    /// # Errors
    /// [`Error::Dispatch`], [`Error::Submit`], [`Error::NotFinal`], [`Error::Node`].
    pub async fn send(&self, call: &Call, signer: &Signer) -> Result<Receipt, Error> {
        let mut attempt = 1;
        loop {
            let progress = self.submit(call, signer).await?;
            match finish(call, progress).await {
                // Another process used the number while this transaction was waiting.
                Err(Error::Submit { reason, .. })
                    if is_stale(&reason) && attempt < NONCE_ATTEMPTS =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends calls of one signer in order, without waiting in between, and then waits until
    /// all are final. The outcomes stand in the order of the calls.
    ///
    /// # Errors
    /// The first call that the node does not take; those before it were sent.
    pub async fn send_all(
        &self,
        calls: &[Call],
        signer: &Signer,
    ) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let mut sent = Vec::with_capacity(calls.len());
        for call in calls {
            sent.push(finish(call, self.submit(call, signer).await?));
        }
        Ok(futures::future::join_all(sent).await)
    }

    /// Gets a transaction into the node's pool, with the right number.
    async fn submit(&self, call: &Call, signer: &Signer) -> Result<Progress, Error> {
        let account = account_of(signer);
        let mut attempt = 1;
        loop {
            let reason = match self.submit_once(call, signer, account).await? {
                Ok(progress) => return Ok(progress),
                Err(reason) => reason,
            };
            if !is_stale(&reason) || attempt == NONCE_ATTEMPTS {
                return Err(Error::Submit { what: call.what.clone(), reason });
            }
            tracing::debug!("{}: {reason}; signing again", call.what);
            tokio::time::sleep(Duration::from_millis(200) * attempt).await;
            attempt += 1;
        }
    }

    /// One attempt. The inner error is the node's reason for not taking the transaction.
    async fn submit_once(
        &self,
        call: &Call,
        signer: &Signer,
        account: Account,
    ) -> Result<Result<Progress, String>, Error> {
        // Held until the node has the transaction: they arrive in the order of their numbers.
        let mut nonces = self.nonces.lock().await;
        let on_node = self
            .rpc
            .system_account_next_index(&AccountId32(account))
            .await
            .map_err(Error::node("asking for an account's next nonce"))?;
        let params = DefaultExtrinsicParamsBuilder::new()
            .nonce(nonces.take(account, on_node))
            .mortal(VALID_BLOCKS)
            .build();
        let block = self.at_final().await?;
        let submitted = async {
            let transaction =
                block.transactions().create_signed(&call.payload, signer, params).await?;
            transaction.submit_and_watch().await
        };
        let submitted = submitted.await.map_err(|error| refusal(&error));
        if submitted.is_err() {
            nonces.forget(&account);
        }
        Ok(submitted)
    }
}

/// Why the node does not take a transaction. What is wrong stands in the data of its answer.
fn refusal(error: &ExtrinsicError) -> String {
    let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
        subxt::rpcs::Error::User(answer),
    ))) = error
    else {
        return error.to_string();
    };
    match &answer.data {
        Some(data) => format!("{answer}: {}", data.get().trim_matches('"')),
        None => answer.to_string(),
    }
}

/// Waits until a transaction is final and succeeded.
async fn finish(call: &Call, progress: Progress) -> Result<Receipt, Error> {
    let waiting = tokio::time::timeout(Duration::from_secs(FINAL_SECONDS), finalized(progress));
    let in_block = waiting
        .await
        .map_err(|_| Error::NotFinal { what: call.what.clone(), seconds: FINAL_SECONDS })?
        .map_err(|reason| Error::Submit { what: call.what.clone(), reason })?;
    let events = in_block.wait_for_success().await.map_err(|error| {
        let what = call.what.clone();
        match error {
            TransactionEventsError::ExtrinsicFailed(error) => {
                Error::Dispatch { what, error: error.to_string() }
            }
            other => Error::Node { what, reason: other.to_string() },
        }
    })?;
    let block = in_block.at().await.map_err(Error::node(&call.what))?;
    receipt(&in_block, block.block_number(), events)
}

async fn finalized(mut progress: Progress) -> Result<InBlock, String> {
    while let Some(status) = progress.next().await {
        match status.map_err(|error: TransactionProgressError| error.to_string())? {
            Status::InFinalizedBlock(block) => return Ok(block),
            Status::Error { message }
            | Status::Invalid { message }
            | Status::Dropped { message } => return Err(message),
            _ => {}
        }
    }
    Err("the connection to the node ended".into())
}

fn receipt(
    in_block: &InBlock,
    block: u64,
    events: ExtrinsicEvents<PolkadotConfig>,
) -> Result<Receipt, Error> {
    let mut receipt = Receipt {
        block,
        block_hash: in_block.block_hash().0,
        transaction: in_block.extrinsic_hash().0,
        fee: 0,
        weight: Weight::default(),
        events,
    };
    let what = "an event of a transaction";
    for event in receipt.events.iter() {
        let event = event.map_err(Error::decode(what))?;
        let mut fields = event.field_bytes();
        match (event.pallet_name(), event.event_name()) {
            ("TransactionPayment", "TransactionFeePaid") => {
                let (_, fee) =
                    <(Account, u128)>::decode(&mut fields).map_err(Error::decode(what))?;
                receipt.fee = fee;
            }
            ("System", "ExtrinsicSuccess") => {
                receipt.weight = Weight::decode(&mut fields).map_err(Error::decode(what))?;
            }
            _ => {}
        }
    }
    Ok(receipt)
}

//! Transactions: signed, numbered, and waited for until they are final.

use crate::chain::account_field;
use crate::nonce::is_stale;
use crate::{account_of, Chain, Error, Signer, Weight};
use cicada_core::hash::Digest;
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
/// How many blocks a transaction stays valid: people wait for its fate, so not for hours, but a
/// chain that makes a block for every transaction makes many of them.
const VALID_BLOCKS: u64 = 256;
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
    pub block_hash: Digest,
    /// The hash of the transaction.
    pub transaction: Digest,
    /// What the signer paid, in base units of the chain's currency.
    pub fee: u128,
    /// The weight that the block was charged for it, its base weight not included.
    pub weight: Weight,
    pub(crate) underway: Underway,
    pub(crate) events: ExtrinsicEvents<PolkadotConfig>,
}

/// A transaction that was sent, and of which nobody has said what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Underway {
    /// Its hash.
    pub transaction: Digest,
    /// Who signed it.
    pub account: Account,
    /// Its number among those of the account.
    pub nonce: u64,
    /// The last block in which it can be.
    pub valid_until: u64,
}

/// What is known of a transaction that was [`Underway`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may still be done.
    Open,
    /// It was done, or another one with its number: what it changes shows which.
    Used,
    /// It can no longer be done.
    Expired,
}

// A transaction in the node's pool.
struct Sent {
    progress: Progress,
    underway: Underway,
}

impl Chain {
    /// What became of a transaction, by the newest final block.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn fate(&self, of: &Underway) -> Result<Fate, Error> {
        let block = self.at_final().await?;
        if account_field(&block, &of.account, &["nonce"]).await? > u128::from(of.nonce) {
            return Ok(Fate::Used);
        }
        Ok(if block.block_number() > of.valid_until { Fate::Expired } else { Fate::Open })
    }

    /// Moves `amount` base units of the chain's currency and waits until that is final.
    ///
    /// # Errors
    /// [`Error::Dispatch`], [`Error::Submit`], [`Error::Node`]; [`Error::Unknown`] once it was sent.
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
    /// [`Error::Dispatch`], [`Error::Submit`], [`Error::Node`]; [`Error::Unknown`] once it was sent.
    pub async fn send(&self, call: &Call, signer: &Signer) -> Result<Receipt, Error> {
        let mut attempt = 1;
        loop {
            let sent = self.submit(call, signer).await?;
            let underway = sent.underway;
            match self.finish(call, sent).await {
                // Another process used the number while this transaction was waiting.
                Err(Error::Submit { .. })
                    if attempt < NONCE_ATTEMPTS && self.is_used(&underway).await =>
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
            sent.push(self.finish(call, self.submit(call, signer).await?));
        }
        Ok(futures::future::join_all(sent).await)
    }

    /// Whether another transaction has the number of one that cannot be done any more.
    async fn is_used(&self, of: &Underway) -> bool {
        let next = self.rpc.system_account_next_index(&AccountId32(of.account.0)).await;
        next.is_ok_and(|next| next > of.nonce)
    }

    /// Waits until a transaction is final and succeeded. Whatever else becomes of it, the node's count
    /// says which number is next.
    async fn finish(&self, call: &Call, sent: Sent) -> Result<Receipt, Error> {
        let account = sent.underway.account;
        let outcome = finish(call, sent).await;
        if matches!(outcome, Err(Error::Submit { .. } | Error::Unknown { .. })) {
            self.nonces.lock().await.forget(&account);
        }
        outcome
    }

    /// Gets a transaction into the node's pool, with the right number.
    async fn submit(&self, call: &Call, signer: &Signer) -> Result<Sent, Error> {
        let account = account_of(signer);
        let mut attempt = 1;
        loop {
            let reason = match self.submit_once(call, signer, account).await? {
                Ok(sent) => return Ok(sent),
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
    ) -> Result<Result<Sent, String>, Error> {
        // Held until the node has the transaction: they arrive in the order of their numbers.
        let mut nonces = self.nonces.lock().await;
        let on_node = self
            .rpc
            .system_account_next_index(&AccountId32(account.0))
            .await
            .map_err(Error::node("asking for an account's next nonce"))?;
        let block = self.at_final().await?;
        let nonce = nonces.take(account, on_node);
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).mortal(VALID_BLOCKS).build();
        let mut transactions = block.transactions();
        let signed = match transactions.create_signed(&call.payload, signer, params).await {
            Ok(signed) => signed,
            Err(error) => {
                nonces.forget(&account);
                return Ok(Err(error.to_string()));
            }
        };
        let underway = Underway {
            transaction: Digest(signed.hash().0),
            account,
            nonce,
            valid_until: block.block_number().saturating_add(VALID_BLOCKS),
        };
        match signed.submit_and_watch().await {
            Ok(progress) => Ok(Ok(Sent { progress, underway })),
            Err(error) => {
                nonces.forget(&account);
                match refusal(&error) {
                    Some(reason) => Ok(Err(reason)),
                    // It may have arrived before the connection broke.
                    None => Err(Error::unknown(&call.what, underway, error)),
                }
            }
        }
    }
}

/// Why the node does not take a transaction, if that is its answer. What is wrong stands in the
/// answer's data.
fn refusal(error: &ExtrinsicError) -> Option<String> {
    let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
        subxt::rpcs::Error::User(answer),
    ))) = error
    else {
        return None;
    };
    Some(match &answer.data {
        Some(data) => format!("{answer}: {}", data.get().trim_matches('"')),
        None => answer.to_string(),
    })
}

/// Waits until a transaction is final and succeeded.
async fn finish(call: &Call, sent: Sent) -> Result<Receipt, Error> {
    let Sent { progress, underway } = sent;
    let what = &call.what;
    let unknown = |reason: String| Error::unknown(what, underway, reason);
    let waiting = tokio::time::timeout(Duration::from_secs(FINAL_SECONDS), finalized(progress));
    let in_block = match waiting.await {
        Ok(Ok(in_block)) => in_block,
        Ok(Err(Lost::Invalid(reason))) => {
            return Err(Error::Submit { what: what.clone(), reason });
        }
        Ok(Err(Lost::Sight(reason))) => return Err(unknown(reason)),
        Err(_) => return Err(unknown(format!("not final after {FINAL_SECONDS} s"))),
    };
    let events = in_block.wait_for_success().await.map_err(|error| match error {
        TransactionEventsError::ExtrinsicFailed(error) => {
            Error::Dispatch { what: what.clone(), error: error.to_string() }
        }
        other => unknown(other.to_string()),
    })?;
    let block = in_block.at().await.map_err(|error| unknown(error.to_string()))?;
    receipt(&in_block, block.block_number(), events, underway).map_err(|error| {
        unknown(format!("it is done, in block {}, but {error}", block.block_number()))
    })
}

// Why a transaction is not seen in a final block.
enum Lost {
    // The node has found that it cannot be done.
    Invalid(String),
    // It may be done all the same.
    Sight(String),
}

async fn finalized(mut progress: Progress) -> Result<InBlock, Lost> {
    let sight = |error: TransactionProgressError| Lost::Sight(error.to_string());
    while let Some(status) = progress.next().await {
        match status.map_err(sight)? {
            Status::InFinalizedBlock(block) => return Ok(block),
            Status::Invalid { message } => return Err(Lost::Invalid(message)),
            // Other nodes may have it still.
            Status::Error { message } | Status::Dropped { message } => {
                return Err(Lost::Sight(message));
            }
            _ => {}
        }
    }
    Err(Lost::Sight("the connection to the node ended".into()))
}

fn receipt(
    in_block: &InBlock,
    block: u64,
    events: ExtrinsicEvents<PolkadotConfig>,
    underway: Underway,
) -> Result<Receipt, Error> {
    let mut receipt = Receipt {
        block,
        block_hash: Digest(in_block.block_hash().0),
        transaction: Digest(in_block.extrinsic_hash().0),
        fee: 0,
        weight: Weight::default(),
        underway,
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

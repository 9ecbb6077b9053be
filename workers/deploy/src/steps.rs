//! What does not depend on each other.

use anyhow::Result;
use cicada_chain::{Call, Chain, Error, Signer};
use cicada_contracts::Message;
use cicada_core::Account;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use parity_scale_codec::Decode;
use std::future::Future;

/// How many dry runs or transactions are under way at a time.
const AT_ONCE: usize = 8;

/// What all of these come to, in their order; some are under way at a time.
///
/// # Errors
/// The first one.
pub(crate) async fn each<T, E>(
    all: impl IntoIterator<Item = impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    stream::iter(all).buffered(AT_ONCE).try_collect().await
}

/// Calls of one account that do not depend on each other.
pub struct Steps<'a> {
    chain: &'a Chain,
    signer: &'a Signer,
    prepared: Vec<BoxFuture<'a, Result<Call, Error>>>,
}

impl<'a> Steps<'a> {
    /// None yet.
    pub fn new(chain: &'a Chain, signer: &'a Signer) -> Self {
        Self { chain, signer, prepared: Vec::new() }
    }

    /// One more; nothing is asked or sent yet.
    pub fn add<T: Decode + Send + 'a, E: 'a>(
        &mut self,
        contract: &Account,
        message: Message<T, E>,
    ) {
        let (chain, signer, contract) = (self.chain, self.signer, *contract);
        let prepared = async move { chain.prepare(&contract, &message, signer).await };
        self.prepared.push(Box::pin(prepared));
    }

    /// Makes them: all are dry-run, sent in their order, and final when this returns.
    ///
    /// # Errors
    /// In words.
    pub async fn call(self) -> Result<()> {
        let calls = each(self.prepared).await?;
        for receipt in self.chain.send_all(&calls, self.signer).await? {
            receipt?;
        }
        Ok(())
    }
}

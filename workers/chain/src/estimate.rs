//! What a transaction would cost, without sending it.

use crate::transactions::Call;
use crate::{signer_from_seed, Chain, Error, Weight};
use cicada_contracts::Message;
use cicada_core::Account;
use parity_scale_codec::Decode;
use subxt::config::DefaultExtrinsicParamsBuilder;

/// What a call would cost and return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate<T = ()> {
    /// What the signer would pay, in base units of the chain's currency, without the deposit.
    pub fee: u128,
    /// The deposit for new storage, in base units of the chain's currency; 0 if none is due or one
    /// is refunded.
    pub deposit: u128,
    /// What the contract would consume.
    pub gas_consumed: Weight,
    /// What the message would return, without the `Result`s round it.
    pub returned: T,
}

/// The chain's own currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Its symbol, such as `UNIT`.
    pub symbol: String,
    /// Decimals of its balances.
    pub decimals: u8,
}

impl Default for Currency {
    /// What wallets assume of a chain that names no currency.
    fn default() -> Self {
        Self { symbol: "UNIT".into(), decimals: 12 }
    }
}

impl Currency {
    /// Reads it from the properties of a chain. Some name several; the first is the native one.
    fn of(properties: &serde_json::Map<String, serde_json::Value>) -> Self {
        let first = |key: &str| {
            let value = properties.get(key)?;
            Some(value.as_array().map_or(Some(value), |list| list.first())?.clone())
        };
        let assumed = Self::default();
        let symbol = first("tokenSymbol").and_then(|value| value.as_str().map(String::from));
        let decimals = first("tokenDecimals").and_then(|value| value.as_u64());
        Self {
            symbol: symbol.unwrap_or(assumed.symbol),
            decimals: decimals.and_then(|d| u8::try_from(d).ok()).unwrap_or(assumed.decimals),
        }
    }
}

impl Chain {
    /// The chain's own currency, in which fees and deposits are paid.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn currency(&self) -> Result<Currency, Error> {
        let properties = self.rpc.system_properties().await;
        Ok(Currency::of(&properties.map_err(Error::node("asking for the chain's currency"))?))
    }

    /// What a call by `origin` would cost and return, at the newest final block. Nothing is sent,
    /// and nobody's key is needed.
    ///
    /// The fee is that of the weight which the dry run consumes: what is charged in the end, unless
    /// the state or the chain's fee multiplier moves.
    ///
    /// # Errors
    /// As [`Chain::dry_run`]; [`Error::Node`].
    pub async fn estimate<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        origin: &Account,
    ) -> Result<Estimate<T>, Error> {
        let dry_run = self.dry_run(contract, message, origin).await?;
        let gas = dry_run.gas_consumed;
        let call = crate::contracts::limited(contract, message, gas, dry_run.deposit);
        Ok(Estimate {
            fee: self.fee(&call).await?,
            deposit: dry_run.deposit,
            gas_consumed: gas,
            returned: dry_run.returned,
        })
    }

    /// What a call without a dry run would cost if it consumed `gas`, in base units of the chain's
    /// currency: for a call that can succeed only after another one.
    ///
    /// # Errors
    /// [`Error::Node`].
    pub async fn fee_of<T, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        gas: Weight,
    ) -> Result<u128, Error> {
        self.fee(&crate::contracts::limited(contract, message, gas, 0)).await
    }

    /// What the sender of a call pays, if it consumes all the weight that it may.
    async fn fee(&self, call: &Call) -> Result<u128, Error> {
        // The fee depends on a signature's length and not on whose it is.
        let anybody = signer_from_seed(&[1; 32])?;
        let params = DefaultExtrinsicParamsBuilder::new().nonce(0).build();
        let block = self.at_final().await?;
        let asked = async {
            let mut transactions = block.transactions();
            let signed = transactions.create_signed(call.payload(), &anybody, params).await?;
            signed.partial_fee_estimate().await
        };
        asked.await.map_err(Error::node("asking for a fee"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_currency_is_the_one_that_the_chain_names_first() {
        let currency = |value: serde_json::Value| Currency::of(value.as_object().unwrap());
        let one = currency(json!({ "tokenSymbol": "DOT", "tokenDecimals": 10 }));
        assert_eq!(one, Currency { symbol: "DOT".into(), decimals: 10 });
        let two = currency(json!({ "tokenSymbol": ["A", "B"], "tokenDecimals": [3, 4] }));
        assert_eq!(two, Currency { symbol: "A".into(), decimals: 3 });
        for none in [json!({}), json!({ "tokenSymbol": [], "tokenDecimals": 300 })] {
            assert_eq!(currency(none), Currency::default());
        }
    }
}

//! A quote as JSON.

use crate::MmcNumber;
use cicada_core::quote::Quote;
use serde::{Deserialize, Serialize};

/// A quote in the field names and units of the first source document. For JSON text only, see
/// [`MmcNumber`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuoteJson {
    /// Whose performance.
    pub framework: String,
    /// Points of its verified successful results.
    pub score: u64,
    /// MMC for one point.
    #[cfg_attr(feature = "openapi", schema(value_type = f64, example = 0.001))]
    pub price_per_point: MmcNumber,
    /// What the market maker pays for one token, in MMC.
    #[cfg_attr(feature = "openapi", schema(value_type = f64, example = 49.5))]
    pub bid: MmcNumber,
    /// What the market maker takes for one token, in MMC.
    #[cfg_attr(feature = "openapi", schema(value_type = f64, example = 50.5))]
    pub ask: MmcNumber,
    /// Tokens traded with the market maker in the 24 hours before.
    pub volume_24h: u128,
    /// When it was made, in seconds since 1970.
    pub timestamp: u64,
}

impl From<&Quote> for QuoteJson {
    fn from(quote: &Quote) -> Self {
        Self {
            framework: quote.framework.to_string(),
            score: quote.score,
            price_per_point: MmcNumber(quote.price_per_point),
            bid: MmcNumber(quote.bid),
            ask: MmcNumber(quote.ask),
            volume_24h: quote.volume_24h,
            timestamp: quote.time_ms / 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::quote::Framework;

    #[test]
    fn a_quote_looks_as_in_the_document_and_loses_nothing() {
        let claude = Framework::new("claude").unwrap();
        let quote = QuoteJson::from(&Quote::new(claude.clone(), 50_000, 1_000, 1_738_425_600_000));
        let text = "{\"framework\":\"claude\",\"score\":50000,\"price_per_point\":0.001,\
                    \"bid\":49.50,\"ask\":50.50,\"volume_24h\":1000,\"timestamp\":1738425600}";
        assert_eq!(serde_json::to_string(&quote).unwrap(), text);
        let largest = QuoteJson::from(&Quote::new(claude, u64::MAX, u128::MAX, u64::MAX));
        for quote in [quote, largest] {
            let text = serde_json::to_string(&quote).unwrap();
            assert_eq!(serde_json::from_str::<QuoteJson>(&text).unwrap(), quote, "{text}");
        }
    }
}

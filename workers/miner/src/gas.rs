//! What transactions cost, in the smallest unit of TAO, at rates that the configuration gives.

use cicada_chain::Weight;
use cicada_core::fixed::{add, mul_div_ceil, MathError};

/// Picoseconds of a second.
const SECOND: u128 = 1_000_000_000_000;
/// Bytes of a mebibyte.
const MIB: u128 = 1 << 20;

/// Prices of weight, in units of TAO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of a second of computation.
    pub second: u128,
    /// Of a MiB of proof.
    pub mib: u128,
}

impl Rates {
    /// The price of a weight, rounded up.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn price_ceil(&self, weight: Weight) -> Result<u128, MathError> {
        let time = mul_div_ceil(weight.ref_time.into(), self.second, SECOND)?;
        add(time, mul_div_ceil(weight.proof_size.into(), self.mib, MIB)?)
    }
}

/// The newest known weight of each kind of transaction: those of the contracts' pages, until a
/// dry run or a block says better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// A mint.
    pub mint: Weight,
    /// A redemption.
    pub redeem: Weight,
    /// A trade in the pool.
    pub trade: Weight,
    /// An approval.
    pub approve: Weight,
}

impl Default for Weights {
    fn default() -> Self {
        let weight = |ref_time, proof_size| Weight { ref_time, proof_size };
        Self {
            mint: weight(54_000_000_000, 820_000),
            redeem: weight(43_000_000_000, 660_000),
            trade: weight(6_000_000_000, 120_000),
            approve: weight(2_000_000_000, 40_000),
        }
    }
}

/// What a miner pays for its transactions, in units of TAO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// A mint, and its part of the approvals before it.
    pub mint: u128,
    /// A redemption, and its part of the approval before it.
    pub redeem: u128,
    /// A trade in the pool, and its part of the approval before it.
    pub trade: u128,
}

impl Weights {
    /// The costs with `tokens` in the basket, if an approval lasts for `approvals` uses.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn costs(&self, rates: &Rates, tokens: usize, approvals: u32) -> Result<Costs, MathError> {
        let approve = rates.price_ceil(self.approve)?;
        let part = |count: usize| {
            let count = u128::try_from(count).map_err(|_| MathError::Overflow)?;
            mul_div_ceil(approve, count, approvals.max(1).into())
        };
        Ok(Costs {
            mint: add(rates.price_ceil(self.mint)?, part(tokens)?)?,
            redeem: add(rates.price_ceil(self.redeem)?, part(1)?)?,
            trade: add(rates.price_ceil(self.trade)?, part(1)?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_amounts::TAO;

    #[test]
    fn weight_is_priced_up_and_approvals_are_spread() {
        let rates = Rates { second: TAO, mib: 0 };
        let weight = Weight { ref_time: 1, proof_size: 7 };
        assert_eq!(rates.price_ceil(weight), Ok(1));
        let second = Weight { ref_time: 1_000_000_000_000, proof_size: 1 << 20 };
        assert_eq!(Rates { second: TAO, mib: 5 }.price_ceil(second), Ok(TAO + 5));
        let weights = Weights { mint: second, approve: second, ..Weights::default() };
        let costs = weights.costs(&rates, 20, 10).unwrap();
        assert_eq!(costs.mint, 3 * TAO);
        assert_eq!(costs.trade, TAO / 1_000 * 6 + TAO / 10);
    }
}

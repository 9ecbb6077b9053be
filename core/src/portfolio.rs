//! What trades in one performance token come to for an account: average cost, profit and loss.
//!
//! Buying adds what was paid to the cost of the tokens held. Selling takes the sold part of that
//! cost away, rounded up, so that no profit is stated that is not there. Tokens received without a
//! trade cost nothing; tokens given away take their part of the cost along and realise nothing.

use crate::exchange::Side;
use crate::fixed::{add, mul_div_ceil, sub, MathError};
use parity_scale_codec::{Decode, Encode};

/// Why a position cannot change as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PositionError {
    /// More tokens leave than are held.
    NotEnough,
    /// Money changes hands for no tokens.
    NoTokens,
    /// A calculation has no result.
    Math(MathError),
}

impl From<MathError> for PositionError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// One trade, as the account sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Leg {
    /// Whether the account bought or sold.
    pub side: Side,
    /// Tokens.
    pub amount: u128,
    /// Base units of MMC for all of them.
    pub value: u128,
}

/// The tokens of one framework that an account has, those in its resting orders included, and what
/// became of its money. Always `paid = cost + cost_sold + cost_given`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// Tokens held.
    pub amount: u128,
    /// What the tokens held have cost, in base units of MMC.
    pub cost: u128,
    /// What was paid for all that was ever bought.
    pub paid: u128,
    /// What was received for all that was ever sold.
    pub proceeds: u128,
    /// What the tokens sold had cost.
    pub cost_sold: u128,
    /// What the tokens given away without a trade had cost.
    pub cost_given: u128,
}

/// A position at a price. Base units of MMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Valuation {
    /// What the market maker would pay for the tokens.
    pub value: u128,
    /// The value, less what the tokens have cost.
    pub unrealised: i128,
    /// What was received for tokens sold, less what they had cost.
    pub realised: i128,
}

/// `a − b`, with its sign.
fn difference(a: u128, b: u128) -> Result<i128, MathError> {
    let magnitude = i128::try_from(a.abs_diff(b)).map_err(|_| MathError::Overflow)?;
    // The magnitude is not negative, so its negation exists.
    Ok(if a < b { magnitude.saturating_neg() } else { magnitude })
}

/// A cost without tokens would have nothing to leave with.
fn ensure_tokens(amount: u128, value: u128) -> Result<(), PositionError> {
    match amount == 0 && value > 0 {
        true => Err(PositionError::NoTokens),
        false => Ok(()),
    }
}

impl Position {
    /// After buying `amount` tokens for `value` base units of MMC.
    ///
    /// # Errors
    /// [`PositionError::NoTokens`], [`PositionError::Math`].
    pub fn buy(self, amount: u128, value: u128) -> Result<Self, PositionError> {
        ensure_tokens(amount, value)?;
        Ok(Self {
            amount: add(self.amount, amount)?,
            cost: add(self.cost, value)?,
            paid: add(self.paid, value)?,
            ..self
        })
    }

    /// After selling `amount` tokens for `value` base units of MMC.
    ///
    /// # Errors
    /// [`PositionError::NotEnough`], [`PositionError::NoTokens`], [`PositionError::Math`].
    pub fn sell(self, amount: u128, value: u128) -> Result<Self, PositionError> {
        ensure_tokens(amount, value)?;
        let share = self.cost_share_ceil(amount)?;
        Ok(Self {
            amount: sub(self.amount, amount)?,
            cost: sub(self.cost, share)?,
            proceeds: add(self.proceeds, value)?,
            cost_sold: add(self.cost_sold, share)?,
            ..self
        })
    }

    /// After `amount` tokens came without a trade.
    ///
    /// # Errors
    /// [`PositionError::Math`].
    pub fn receive(self, amount: u128) -> Result<Self, PositionError> {
        Ok(Self { amount: add(self.amount, amount)?, ..self })
    }

    /// After `amount` tokens went without a trade.
    ///
    /// # Errors
    /// [`PositionError::NotEnough`], [`PositionError::Math`].
    pub fn give(self, amount: u128) -> Result<Self, PositionError> {
        let share = self.cost_share_ceil(amount)?;
        Ok(Self {
            amount: sub(self.amount, amount)?,
            cost: sub(self.cost, share)?,
            cost_given: add(self.cost_given, share)?,
            ..self
        })
    }

    /// After one transaction with these trades, in order, at whose end the account has `held`
    /// tokens. What the trades do not explain came or went without one: as much as is needed came
    /// before the trades, the rest went after them.
    ///
    /// # Errors
    /// [`PositionError::NoTokens`], [`PositionError::Math`].
    pub fn settle(self, held: u128, legs: &[Leg]) -> Result<Self, PositionError> {
        let mut position = self.receive(self.lacking(held, legs)?)?;
        for leg in legs {
            position = match leg.side {
                Side::Buy => position.buy(leg.amount, leg.value)?,
                Side::Sell => position.sell(leg.amount, leg.value)?,
            };
        }
        position.give(sub(position.amount, held)?)
    }

    /// The fewest tokens with which every sale is covered and `held` are left at the end.
    fn lacking(&self, held: u128, legs: &[Leg]) -> Result<u128, MathError> {
        let (mut came, mut went, mut lack) = (self.amount, 0, 0u128);
        for leg in legs {
            match leg.side {
                Side::Buy => came = add(came, leg.amount)?,
                Side::Sell => went = add(went, leg.amount)?,
            }
            lack = lack.max(went.saturating_sub(came));
        }
        Ok(lack.max(add(went, held)?.saturating_sub(came)))
    }

    /// The part of the cost that belongs to `amount` of the tokens: `⌈cost · amount / held⌉`, all of
    /// it for all of them.
    ///
    /// # Errors
    /// [`PositionError::NotEnough`].
    fn cost_share_ceil(&self, amount: u128) -> Result<u128, PositionError> {
        if amount > self.amount {
            return Err(PositionError::NotEnough);
        }
        if amount == 0 {
            return Ok(0);
        }
        Ok(mul_div_ceil(self.cost, amount, self.amount)?)
    }

    /// The position at a bid, in base units of MMC for one token. Exactly:
    /// `realised + unrealised = proceeds + value − (paid − cost_given)`.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn value_at(&self, bid: u128) -> Result<Valuation, MathError> {
        let value = self.amount.checked_mul(bid).ok_or(MathError::Overflow)?;
        Ok(Valuation {
            value,
            unrealised: difference(value, self.cost)?,
            realised: self.realised()?,
        })
    }

    /// What was received for tokens sold, less what they had cost.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn realised(&self) -> Result<i128, MathError> {
        difference(self.proceeds, self.cost_sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quote::{Framework, Quote};
    use alloc::vec::Vec;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;

    fn bought(amount: u128, value: u128) -> Position {
        Position::default().buy(amount, value).unwrap()
    }

    #[test]
    fn the_seeds_example_by_hand() {
        // Claude at 50,000 points: 1,000 tokens at the ask of 50.5 MMC, valued at the bid of 49.5.
        let quote = Quote::new(Framework::new("claude").unwrap(), 50_000, 0, 0);
        let position = bought(1_000, 1_000 * quote.ask);
        assert_eq!(position.cost, 50_500_000_000);
        let at_bid = position.value_at(quote.bid).unwrap();
        assert_eq!((at_bid.value, at_bid.unrealised), (49_500_000_000, -1_000_000_000));
        // Half of it sold at the bid: half of the loss is realised.
        let half = position.sell(500, 500 * quote.bid).unwrap().value_at(quote.bid).unwrap();
        assert_eq!((half.realised, half.unrealised), (-500_000_000, -500_000_000));
    }

    #[test]
    fn cost_is_an_average_and_its_share_is_rounded_up() {
        let position = bought(1, 10).buy(2, 1).unwrap();
        // A third of 11 is 3.67.
        let sold = position.sell(1, 5).unwrap();
        assert_eq!((sold.cost, sold.cost_sold, sold.realised()), (7, 4, Ok(1)));
        let all = sold.sell(2, 20).unwrap();
        assert_eq!((all.amount, all.cost, all.cost_sold), (0, 0, 11), "nothing is lost");
    }

    #[test]
    fn gifts_cost_nothing_and_take_their_cost_along() {
        let position = bought(10, 100).receive(10).unwrap();
        assert_eq!((position.amount, position.cost), (20, 100));
        let given = position.give(5).unwrap();
        assert_eq!((given.cost, given.cost_given, given.realised()), (75, 25, Ok(0)));
        let at = given.value_at(10).unwrap();
        assert_eq!(at.unrealised, 150 - 75);
    }

    #[test]
    fn nobody_sells_what_is_not_there() {
        let position = bought(3, 30);
        assert_eq!(position.sell(4, 1), Err(PositionError::NotEnough));
        assert_eq!(position.give(4), Err(PositionError::NotEnough));
        assert_eq!(Position::default().sell(0, 0), Ok(Position::default()));
        assert_eq!(Position::default().buy(0, 1), Err(PositionError::NoTokens));
        assert_eq!(position.sell(0, 1), Err(PositionError::NoTokens));
        let full = bought(u128::MAX, 0);
        assert_eq!(full.receive(1), Err(PositionError::Math(MathError::Overflow)));
        assert_eq!(full.value_at(2), Err(MathError::Overflow));
        assert_eq!(bought(1, u128::MAX).value_at(0), Err(MathError::Overflow), "beyond i128");
    }

    #[test]
    fn what_trades_do_not_explain_came_before_or_went_after_them() {
        let leg = |side, amount, value| Leg { side, amount, value };
        // Received 10, sold 10, bought 10, gave 10, all in one transaction: the end shows nothing.
        let legs = [leg(Side::Sell, 10, 100), leg(Side::Buy, 10, 90)];
        let after = Position::default().settle(0, &legs).unwrap();
        assert_eq!((after.amount, after.cost, after.cost_given, after.proceeds), (0, 0, 90, 100));
        // Only received; only gave.
        assert_eq!(Position::default().settle(7, &[]), Position::default().receive(7));
        assert_eq!(bought(7, 70).settle(5, &[]), bought(7, 70).give(2));
        // Explained by trades alone.
        let legs = [leg(Side::Buy, 5, 50), leg(Side::Sell, 2, 30)];
        assert_eq!(bought(1, 1).settle(4, &legs).unwrap().cost_given, 0);
        assert_eq!(bought(1, 1).settle(4, &legs), bought(1, 1).buy(5, 50).unwrap().sell(2, 30));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Buy(u64, u64),
        Sell(u64, u64),
        Receive(u64),
        Give(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..1_000u64, any::<u64>()).prop_map(|(amount, value)| Step::Buy(amount, value)),
            (0..1_000u64, any::<u64>()).prop_map(|(part, value)| Step::Sell(part, value)),
            (0..1_000u64).prop_map(Step::Receive),
            (0..1_000u64).prop_map(Step::Give),
        ];
        proptest::collection::vec(step, 0..60)
    }

    /// So many thousandths of what is held.
    fn part(position: &Position, thousandths: u64) -> u128 {
        position.amount * u128::from(thousandths) / 999
    }

    fn apply(position: Position, step: &Step) -> Position {
        let (amount, after) = match *step {
            Step::Buy(amount, value) => (amount.into(), position.buy(amount.into(), value.into())),
            Step::Sell(thousandths, value) => {
                let amount = part(&position, thousandths);
                (amount, position.sell(amount, value.into()))
            }
            Step::Receive(amount) => (amount.into(), position.receive(amount.into())),
            Step::Give(thousandths) => {
                let amount = part(&position, thousandths);
                (amount, position.give(amount))
            }
        };
        match after {
            Err(PositionError::NoTokens) if amount == 0 => position,
            after => after.unwrap(),
        }
    }

    proptest! {
        #[test]
        fn every_unit_paid_is_somewhere(steps in steps(), bid in any::<u64>()) {
            let mut position = Position::default();
            for step in &steps {
                let before = position;
                position = apply(position, step);
                prop_assert_eq!(
                    position.paid,
                    position.cost + position.cost_sold + position.cost_given
                );
                prop_assert!(position.amount > 0 || position.cost == 0, "nothing held, no cost");
                if let Step::Sell(thousandths, _) | Step::Give(thousandths) = step {
                    // The share of the cost is the exact one, rounded up by less than a unit.
                    let taken = BigRational::from(BigInt::from(before.cost - position.cost));
                    let exact = if before.amount == 0 { BigRational::from(BigInt::ZERO) } else {
                        BigRational::new(
                            BigInt::from(before.cost) * BigInt::from(part(&before, *thousandths)),
                            BigInt::from(before.amount),
                        )
                    };
                    prop_assert_eq!(taken, exact.ceil());
                }
            }
            let at = position.value_at(bid.into()).unwrap();
            let sum = BigInt::from(at.realised) + BigInt::from(at.unrealised);
            let exact = BigInt::from(position.proceeds) + BigInt::from(at.value)
                + BigInt::from(position.cost_given) - BigInt::from(position.paid);
            prop_assert_eq!(sum, exact);
        }

        #[test]
        fn a_transaction_ends_with_what_is_held(
            steps in steps(),
            legs in proptest::collection::vec((any::<bool>(), 0..1_000u128, any::<u64>()), 0..10),
            held in 0..5_000u128,
        ) {
            let before = steps.iter().fold(Position::default(), apply);
            let legs: Vec<Leg> = legs.into_iter().map(|(buys, amount, value)| {
                let side = if buys { Side::Buy } else { Side::Sell };
                Leg { side, amount, value: value.into() }
            }).collect();
            let after = before.settle(held, &legs);
            if legs.iter().any(|leg| leg.amount == 0 && leg.value > 0) {
                prop_assert_eq!(after, Err(PositionError::NoTokens));
                return Ok(());
            }
            let after = after.unwrap();
            prop_assert_eq!(after.amount, held);
            prop_assert_eq!(after.paid, after.cost + after.cost_sold + after.cost_given);
            let sum = |side| -> u128 {
                legs.iter().filter(|leg| leg.side == side).map(|leg| leg.value).sum()
            };
            prop_assert_eq!(after.paid - before.paid, sum(Side::Buy));
            prop_assert_eq!(after.proceeds - before.proceeds, sum(Side::Sell));
        }
    }
}

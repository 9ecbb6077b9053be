//! Holdings from the chain with what they have cost from the indexer.

use crate::{Error, Holding, Position};
use cicada_core::quote::Framework;

/// One line of a portfolio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which token.
    pub framework: Framework,
    /// Tokens in the account.
    pub amount: u128,
    /// Tokens in resting orders; none where the indexer does not say.
    pub in_orders: Option<u128>,
    /// What they all have cost, in base units of MMC; none where the indexer does not say.
    pub cost: Option<u128>,
    /// What the market maker pays for one, in base units of MMC; none without a quote.
    pub bid: Option<u128>,
    /// All tokens at the bid.
    pub value: Option<u128>,
    /// Value less cost.
    pub unrealised: Option<i128>,
    /// What was gained with tokens sold.
    pub realised: Option<i128>,
}

/// Joins both: one line for each token of which the account has, or had, any. Whether the indexer
/// lags behind the chain is said, too: then its figures of the token are left out.
///
/// # Errors
/// [`Error::Overflow`].
pub fn lines(
    holdings: &[Holding],
    positions: Option<&[Position]>,
) -> Result<(Vec<Line>, bool), Error> {
    let mut lines = Vec::new();
    let mut lags = false;
    for Holding { framework, amount, quote, .. } in holdings {
        let known = positions.map(|list| list.iter().find(|p| p.framework == *framework));
        let position = match known {
            // The indexer answers, and knows of no trade or transfer.
            Some(None) if *amount == 0 => continue,
            Some(Some(position))
                if position.amount.0.checked_sub(position.in_orders.0) == Some(*amount) =>
            {
                Some(position)
            }
            Some(_) => {
                lags = true;
                None
            }
            None if *amount == 0 => continue,
            None => None,
        };
        let in_orders = position.map(|position| position.in_orders.0);
        let all = amount.checked_add(in_orders.unwrap_or(0)).ok_or(Error::Overflow)?;
        let bid = quote.as_ref().map(|quote| quote.bid);
        let value = bid.map(|bid| bid.checked_mul(all).ok_or(Error::Overflow)).transpose()?;
        let cost = position.map(|position| position.cost.0);
        let unrealised =
            value.zip(cost).map(|(value, cost)| difference(value, cost)).transpose()?;
        lines.push(Line {
            framework: framework.clone(),
            amount: *amount,
            in_orders,
            cost,
            bid,
            value,
            unrealised,
            realised: position.map(|position| position.realised.0),
        });
    }
    Ok((lines, lags))
}

/// The sum of a column of amounts; none if one is missing or the sum has no place.
pub fn total(lines: &[Line], column: impl Fn(&Line) -> Option<u128>) -> Option<u128> {
    lines.iter().map(column).try_fold(0u128, |sum, next| sum.checked_add(next?))
}

/// The sum of a column of profits; none if one is missing or the sum has no place.
pub fn signed_total(lines: &[Line], column: impl Fn(&Line) -> Option<i128>) -> Option<i128> {
    lines.iter().map(column).try_fold(0i128, |sum, next| sum.checked_add(next?))
}

fn difference(a: u128, b: u128) -> Result<i128, Error> {
    let magnitude = i128::try_from(a.abs_diff(b)).map_err(|_| Error::Overflow)?;
    Ok(if a < b { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_amounts::Units;
    use cicada_core::quote::Quote;
    use cicada_core::Account;

    fn holding(name: &str, amount: u128, score: u64) -> Holding {
        let framework = Framework::new(name).unwrap();
        let quote = Some(Quote::new(framework.clone(), score, 0, 1));
        Holding { framework, token: Account([1; 32]), amount, quote }
    }

    fn position(name: &str, amount: u128, in_orders: u128, cost: u128) -> Position {
        let framework = Framework::new(name).unwrap();
        Position {
            framework,
            amount: Units(amount + in_orders),
            in_orders: Units(in_orders),
            cost: Units(cost),
            realised: Units(-7),
        }
    }

    #[test]
    fn cost_and_value_meet() {
        let holdings = [holding("claude", 600, 50_000), holding("openai", 0, 45_000)];
        let positions = [position("claude", 600, 400, 50_500_000_000)];
        let (lines, lags) = lines(&holdings, Some(&positions)).unwrap();
        assert_eq!((lines.len(), lags), (1, false));
        let line = &lines[0];
        assert_eq!((line.value, line.in_orders), (Some(49_500_000_000), Some(400)));
        assert_eq!((line.unrealised, line.realised), (Some(-1_000_000_000), Some(-7)));
        assert_eq!(signed_total(&lines, |line| line.unrealised), Some(-1_000_000_000));
    }

    #[test]
    fn without_an_indexer_what_it_knows_is_left_open() {
        let holdings = [holding("claude", 2, 50_000), holding("openai", 0, 45_000)];
        let (lines, lags) = lines(&holdings, None).unwrap();
        assert_eq!((lines.len(), lags), (1, false));
        assert_eq!((lines[0].value, lines[0].cost), (Some(99_000_000), None));
        assert_eq!(total(&lines, |line| line.cost), None);
        assert_eq!(total(&lines, |line| line.value), Some(99_000_000));
    }

    #[test]
    fn an_indexer_that_lags_is_not_believed() {
        let holdings = [holding("claude", 2, 50_000)];
        for positions in [vec![position("claude", 1, 0, 5)], vec![]] {
            let (lines, lags) = lines(&holdings, Some(&positions)).unwrap();
            assert!(lags && lines[0].cost.is_none() && lines[0].value == Some(99_000_000));
        }
        // All in orders: the chain's balance is 0, and the line stays.
        let holdings = [holding("claude", 0, 50_000)];
        let (lines, _) = lines(&holdings, Some(&[position("claude", 0, 3, 5)])).unwrap();
        assert_eq!(lines[0].value, Some(148_500_000));
    }
}

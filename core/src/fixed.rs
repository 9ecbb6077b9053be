//! Integer arithmetic with the rounding in the name, and splits that lose nothing.

use alloc::vec;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode};
use primitive_types::U256;

/// Ten thousand basis points are the whole.
pub const BPS: u128 = 10_000;

/// Why a calculation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum MathError {
    /// The exact result does not fit the type.
    Overflow,
    /// The divisor is zero.
    DivisionByZero,
}

/// `⌊a · b / c⌋`, exact in the intermediate product.
///
/// # Errors
/// [`MathError::DivisionByZero`] if `c` is 0, [`MathError::Overflow`] if the result exceeds `u128`.
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Result<u128, MathError> {
    let (quotient, _) = mul_div(a, b, c)?;
    quotient.try_into().map_err(|_| MathError::Overflow)
}

/// `⌈a · b / c⌉`, exact in the intermediate product.
///
/// # Errors
/// As [`mul_div_floor`].
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Result<u128, MathError> {
    let (quotient, remainder) = mul_div(a, b, c)?;
    let up = U256::from(u8::from(!remainder.is_zero()));
    let rounded = quotient.checked_add(up).ok_or(MathError::Overflow)?;
    rounded.try_into().map_err(|_| MathError::Overflow)
}

fn mul_div(a: u128, b: u128, c: u128) -> Result<(U256, U256), MathError> {
    if c == 0 {
        return Err(MathError::DivisionByZero);
    }
    Ok(product(a, b).div_mod(U256::from(c)))
}

/// `a · b`, exact.
pub fn product(a: u128, b: u128) -> U256 {
    // A product of two 128-bit numbers always fits 256 bits: nothing saturates.
    U256::from(a).saturating_mul(U256::from(b))
}

/// `a + b`.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn add(a: u128, b: u128) -> Result<u128, MathError> {
    a.checked_add(b).ok_or(MathError::Overflow)
}

/// `a − b`.
///
/// # Errors
/// [`MathError::Overflow`] if `b` is the greater.
pub fn sub(a: u128, b: u128) -> Result<u128, MathError> {
    a.checked_sub(b).ok_or(MathError::Overflow)
}

/// The sum of all values.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn sum(values: impl IntoIterator<Item = u128>) -> Result<u128, MathError> {
    values.into_iter().try_fold(0, add)
}

/// `⌊a / b⌋` of wide numbers, as an amount.
///
/// # Errors
/// As [`mul_div_floor`].
pub fn div_floor(a: U256, b: U256) -> Result<u128, MathError> {
    let quotient = a.checked_div(b).ok_or(MathError::DivisionByZero)?;
    quotient.try_into().map_err(|_| MathError::Overflow)
}

/// `⌈a / b⌉` of wide numbers, as an amount.
///
/// # Errors
/// As [`mul_div_floor`].
pub fn div_ceil(a: U256, b: U256) -> Result<u128, MathError> {
    let floor = div_floor(a, b)?;
    let exact = a.checked_rem(b).is_none_or(|rest| rest.is_zero());
    add(floor, u128::from(!exact))
}

/// Splits `total` in proportion to `weights` by floor plus largest remainder; the parts sum
/// exactly to `total`.
///
/// Units left over by the floors go one each to the largest remainders; of equal remainders
/// the earlier position wins, so order the weights by rank and then by id.
///
/// # Errors
/// [`MathError::DivisionByZero`] if the weights are empty or all zero, [`MathError::Overflow`]
/// if they sum to more than `u128`.
pub fn split_largest_remainder(total: u128, weights: &[u128]) -> Result<Vec<u128>, MathError> {
    let sum = sum(weights.iter().copied())?;
    let mut parts = vec![0u128; weights.len()];
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = total;
    for (position, (part, weight)) in parts.iter_mut().zip(weights).enumerate() {
        let (quotient, remainder) = mul_div(total, *weight, sum)?;
        *part = quotient.try_into().map_err(|_| MathError::Overflow)?;
        left = left.checked_sub(*part).ok_or(MathError::Overflow)?;
        remainders.push((remainder, position));
    }
    if sum == 0 {
        return Err(MathError::DivisionByZero);
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    // The floors lose less than one unit each, so fewer units are left than there are parts.
    for (_, position) in remainders {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(position) {
            *part = part.checked_add(1).ok_or(MathError::Overflow)?;
            left = left.checked_sub(1).ok_or(MathError::Overflow)?;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use proptest::prelude::*;

    #[test]
    fn products_beyond_128_bits_are_exact() {
        assert_eq!(mul_div_floor(u128::MAX, u128::MAX, u128::MAX), Ok(u128::MAX));
        assert_eq!(mul_div_floor(u128::MAX, 2, 1), Err(MathError::Overflow));
        assert_eq!(mul_div_ceil(u128::MAX, u128::MAX, 1), Err(MathError::Overflow));
        assert_eq!(mul_div_floor(1, 1, 0), Err(MathError::DivisionByZero));
        assert_eq!((mul_div_floor(7, 1, 2), mul_div_ceil(7, 1, 2)), (Ok(3), Ok(4)));
        assert_eq!((mul_div_floor(8, 1, 2), mul_div_ceil(8, 1, 2)), (Ok(4), Ok(4)));
    }

    #[test]
    fn a_split_breaks_ties_towards_the_earlier_position() {
        assert_eq!(split_largest_remainder(10, &[1, 1, 1]), Ok(vec![4, 3, 3]));
        assert_eq!(split_largest_remainder(11, &[1, 1, 1]), Ok(vec![4, 4, 3]));
        assert_eq!(split_largest_remainder(1, &[1, 2]), Ok(vec![0, 1]));
        assert_eq!(split_largest_remainder(0, &[5, 0]), Ok(vec![0, 0]));
    }

    #[test]
    fn a_split_without_weight_is_an_error() {
        for weights in [&[][..], &[0, 0][..]] {
            assert_eq!(split_largest_remainder(5, weights), Err(MathError::DivisionByZero));
        }
        assert_eq!(split_largest_remainder(5, &[u128::MAX, 1]), Err(MathError::Overflow));
    }

    proptest! {
        #[test]
        fn rounding_matches_big_rationals(a: u128, b: u128, c in 1..=u128::MAX) {
            let exact = Ratio::new(BigUint::from(a) * b, BigUint::from(c));
            let floor = u128::try_from(exact.floor().to_integer()).map_err(|_| MathError::Overflow);
            let ceil = u128::try_from(exact.ceil().to_integer()).map_err(|_| MathError::Overflow);
            prop_assert_eq!(mul_div_floor(a, b, c), floor);
            prop_assert_eq!(mul_div_ceil(a, b, c), ceil);
        }

        #[test]
        fn wide_quotients_match_big_rationals(a: (u128, u128), b in (1..=u128::MAX, 1..=u128::MAX)) {
            let exact = Ratio::new(BigUint::from(a.0) * a.1, BigUint::from(b.0) * b.1);
            let (a, b) = (product(a.0, a.1), product(b.0, b.1));
            let floor = u128::try_from(exact.floor().to_integer()).map_err(|_| MathError::Overflow);
            let ceil = u128::try_from(exact.ceil().to_integer()).map_err(|_| MathError::Overflow);
            prop_assert_eq!(div_floor(a, b), floor);
            prop_assert_eq!(div_ceil(a, b), ceil);
            prop_assert_eq!(div_ceil(a, U256::zero()), Err(MathError::DivisionByZero));
        }

        #[test]
        fn a_split_is_exact_and_within_one_unit(
            total: u128,
            weights in proptest::collection::vec(0..=u128::MAX / 64, 1..40),
        ) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let sum: u128 = weights.iter().sum();
            let parts = split_largest_remainder(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<u128>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = mul_div_floor(total, *weight, sum).unwrap();
                prop_assert!(*part == floor || *part == floor + 1);
                prop_assert!(*weight > 0 || *part == 0);
            }
        }
    }
}

//! Gödel numbers as big integers.

use super::{Exponents, GoedelError, MAX_EXPONENT, PRIMES, SHARDS};
use alloc::vec::Vec;
use num_bigint::BigUint;

/// No vector's number has more bits. The product of the first 71 primes has 475.
pub const MAX_BITS: u64 = 475 * 10_000;

/// The Gödel number of a vector.
pub fn encode(exponents: &Exponents) -> BigUint {
    let powers = PRIMES.iter().zip(exponents.as_array());
    let mut factors: Vec<BigUint> =
        powers.map(|(prime, exponent)| BigUint::from(*prime).pow(*exponent)).collect();
    // In pairs, so that the factors of a product are of like size, which is fastest.
    while factors.len() > 1 {
        factors = factors.chunks(2).map(|pair| pair.iter().product()).collect();
    }
    factors.pop().unwrap_or_else(|| BigUint::from(1u8))
}

/// The vector of a Gödel number, by trial division.
///
/// The time grows with the square of the number's bits: a quarter of a second with 1,000 points in
/// every shard, half a minute with 10,000. Who takes numbers from strangers bounds their bits first.
///
/// # Errors
/// [`GoedelError`]: every number but 0 has factors, but only those of a vector have no others.
pub fn decode(number: &BigUint) -> Result<Exponents, GoedelError> {
    if *number == BigUint::ZERO {
        return Err(GoedelError::Zero);
    }
    if number.bits() > MAX_BITS {
        return Err(GoedelError::TooLarge);
    }
    let mut rest = number.clone();
    let mut exponents = [0; SHARDS];
    for ((exponent, prime), shard) in exponents.iter_mut().zip(PRIMES).zip(0u8..) {
        *exponent = divide_out(&mut rest, prime);
        if *exponent > MAX_EXPONENT {
            return Err(GoedelError::ExponentTooLarge { shard });
        }
    }
    if rest != BigUint::from(1u8) {
        return Err(GoedelError::Remainder);
    }
    Exponents::new(exponents)
}

/// Divides by a prime as often as possible; how often.
///
/// By `p`, `p²`, `p⁴` … while that works, and then by the same powers downwards, each at most
/// once: a number of many bits is divided some dozen times and not thousands of times.
fn divide_out(number: &mut BigUint, prime: u16) -> u32 {
    let mut powers = Vec::new();
    let mut power = BigUint::from(prime);
    let (mut exponent, mut step) = (0u32, 1u32);
    while divide(number, &power) {
        exponent = exponent.saturating_add(step);
        let next = &power * &power;
        powers.push((power, step));
        power = next;
        step = step.saturating_mul(2);
    }
    for (power, step) in powers.iter().rev() {
        if divide(number, power) {
            exponent = exponent.saturating_add(*step);
        }
    }
    exponent
}

/// Divides if that leaves no remainder.
fn divide(number: &mut BigUint, by: &BigUint) -> bool {
    if by.bits() > number.bits() {
        return false;
    }
    let quotient = &*number / by;
    let exact = &quotient * by == *number;
    if exact {
        *number = quotient;
    }
    exact
}

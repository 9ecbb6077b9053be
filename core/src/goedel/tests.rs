use super::*;
use crate::hash::{Hasher, Native};
use num_bigint::BigUint;
use parity_scale_codec::DecodeAll;
use proptest::prelude::*;

fn vector(scores: &[(usize, u32)]) -> Exponents {
    let mut exponents = [0; SHARDS];
    for (shard, score) in scores {
        exponents[*shard] = *score;
    }
    Exponents::new(exponents).unwrap()
}

fn number(text: &str) -> BigUint {
    text.parse().unwrap()
}

#[test]
fn the_primes_are_the_first_71() {
    let is_prime = |n: &u16| (2..*n).all(|divisor| n % divisor != 0);
    let primes: Vec<u16> = (2..).filter(is_prime).take(SHARDS).collect();
    assert_eq!(PRIMES[..], primes);
    assert_eq!(PRIMES[70], 353);
    assert_eq!(SHARDS, usize::from(crate::results::SHARDS));
}

#[test]
fn worked_examples() {
    assert_eq!(encode(&vector(&[])), number("1"));
    assert_eq!(encode(&vector(&[(0, 5), (1, 3), (2, 7)])), number("67500000"));
    assert_eq!(encode(&vector(&[(70, 2)])), number("124609"));
    assert_eq!(decode(&number("67500000")), Ok(vector(&[(0, 5), (1, 3), (2, 7)])));
    assert_eq!(decode(&number("1")), Ok(vector(&[])));
}

#[test]
fn numbers_with_other_factors_are_refused() {
    assert_eq!(decode(&number("0")), Err(GoedelError::Zero));
    assert_eq!(decode(&number("359")), Err(GoedelError::Remainder), "the 72nd prime");
    assert_eq!(decode(&number("718")), Err(GoedelError::Remainder));
    assert_eq!(decode(&number("128881")), Err(GoedelError::Remainder), "its square");
}

#[test]
fn exponents_have_a_cap() {
    let mut scores = [0; SHARDS];
    scores[3] = MAX_EXPONENT;
    assert!(Exponents::new(scores).is_ok());
    scores[3] += 1;
    assert_eq!(Exponents::new(scores), Err(GoedelError::ExponentTooLarge { shard: 3 }));
    let two = |exponent| BigUint::from(2u8).pow(exponent);
    assert_eq!(decode(&two(MAX_EXPONENT)), Ok(vector(&[(0, MAX_EXPONENT)])));
    let too_large = Err(GoedelError::ExponentTooLarge { shard: 0 });
    assert_eq!(decode(&two(MAX_EXPONENT + 1)), too_large);
    assert_eq!(decode(&two(20_000)), too_large);
    assert_eq!(decode(&two(4_750_000)), Err(GoedelError::TooLarge));
}

#[test]
fn no_number_of_a_vector_is_beyond_the_bound() {
    let whole: BigUint = PRIMES.iter().map(|prime| BigUint::from(*prime)).product();
    assert!(whole.bits() * u64::from(MAX_EXPONENT) <= MAX_BITS);
    let full = Exponents::new([500; SHARDS]).unwrap();
    assert_eq!(decode(&encode(&full)), Ok(full));
}

#[test]
fn a_commitment_binds_every_score_and_its_shard() {
    let base = vector(&[(0, 5), (1, 3)]).commitment::<Native>();
    assert_ne!(base, vector(&[(0, 3), (1, 5)]).commitment::<Native>());
    assert_ne!(base, vector(&[(0, 5), (1, 4)]).commitment::<Native>());
    assert_ne!(base, vector(&[(0, 5), (1, 3), (70, 1)]).commitment::<Native>());
}

#[test]
fn the_commitment_is_that_of_the_scores_and_needs_no_cap() {
    let mut scores = [0u64; SHARDS];
    (scores[0], scores[70]) = (5, u64::from(MAX_EXPONENT));
    let same = vector(&[(0, 5), (70, MAX_EXPONENT)]).commitment::<Native>();
    assert_eq!(commitment::<Native>(&scores), same);
    let plain = [b"cicada71/goedel/v1".to_vec(), scores.map(u64::to_le_bytes).concat()].concat();
    assert_eq!(plain.len(), 18 + 71 * 8);
    assert_eq!(Native::sha256(&plain), same, "anybody can compute it");
    scores[70] = u64::MAX;
    assert_ne!(commitment::<Native>(&scores), same);
}

#[test]
fn errors_say_what_is_wrong() {
    let error = GoedelError::ExponentTooLarge { shard: 3 };
    assert_eq!(alloc::format!("{error}"), "the score of shard 3 is above 10000");
    for error in [GoedelError::Zero, GoedelError::TooLarge, GoedelError::Remainder] {
        assert!(!alloc::format!("{error}").is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_vector_comes_back_from_its_number(
        scores in prop::collection::vec(prop_oneof![3 => Just(0), 3 => 0u32..8, 1 => 0u32..400], SHARDS),
    ) {
        let exponents = Exponents::new(scores.clone().try_into().unwrap()).unwrap();
        let found = encode(&exponents);
        // The plain definition: one factor after the other.
        let mut plain = BigUint::from(1u8);
        for (prime, score) in PRIMES.iter().zip(&scores) {
            for _ in 0..*score {
                plain *= *prime;
            }
        }
        prop_assert_eq!(&found, &plain);
        prop_assert_eq!(decode(&found), Ok(exponents.clone()));
        prop_assert_eq!(decode(&(found * 359u32)), Err(GoedelError::Remainder));
        let bytes = exponents.encode();
        prop_assert_eq!(bytes.len(), 4 * SHARDS);
        prop_assert_eq!(Exponents::decode_all(&mut &bytes[..]), Ok(exponents));
    }

    #[test]
    fn small_numbers_are_decoded_exactly_if_their_factors_are_small(number in 1u32..5_000_000) {
        let mut rest = number;
        let mut exponents = [0; SHARDS];
        for (exponent, prime) in exponents.iter_mut().zip(PRIMES) {
            while rest % u32::from(prime) == 0 {
                rest /= u32::from(prime);
                *exponent += 1;
            }
        }
        let expected = if rest == 1 {
            Ok(Exponents::new(exponents).unwrap())
        } else {
            Err(GoedelError::Remainder)
        };
        prop_assert_eq!(decode(&BigUint::from(number)), expected);
    }

    #[test]
    fn an_encoding_above_the_cap_is_refused(shard in 0usize..SHARDS, score in 10_001u32..) {
        let mut scores = [0; SHARDS];
        scores[shard] = score;
        prop_assert!(Exponents::decode_all(&mut &scores.encode()[..]).is_err());
    }
}

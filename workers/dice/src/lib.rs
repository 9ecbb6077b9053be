//! Numbers that look random and depend on a seed alone: for simulations, recordings and tests. Never
//! for keys.

use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// A stream of numbers: SplitMix64, so that a seed means the same on every machine and in every version.
#[derive(Clone, Debug)]
pub struct Dice(SplitMix64);

impl Dice {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::from_seed(seed.to_le_bytes()))
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 if that is 0. It favours small numbers, by less than `bound` in 2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A number below `bound`; 0 if that is 0. Of two rolls, the upper half first.
    pub fn wide(&mut self, bound: u128) -> u128 {
        let upper = u128::from(self.roll()) << 64;
        (upper | u128::from(self.roll())) % bound.max(1)
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A place in something of this length; 0 if it is empty.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// One of several.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())].clone()
    }

    /// Any order of the items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.place(last.saturating_add(1));
            items.swap(last, other);
        }
    }

    /// Another stream.
    pub fn fork(&mut self) -> Self {
        Self::new(self.roll())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_of_splitmix64() {
        // The first three of the reference implementation (https://prng.di.unimi.it/splitmix64.c).
        let mut dice = Dice::new(1_234_567);
        let rolls = [dice.roll(), dice.roll(), dice.roll()];
        let known =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(rolls, known);
    }

    #[test]
    fn what_is_drawn_is_in_its_range() {
        let mut dice = Dice::new(7);
        let mut items: Vec<u64> = (0..20).collect();
        for bound in 1..1_000 {
            assert!(dice.below(bound) < bound);
            assert!(dice.wide(u128::MAX / u128::from(bound)) < u128::MAX / u128::from(bound));
            assert!(items.contains(&dice.pick(&items)));
        }
        assert_eq!((dice.below(0), dice.wide(0), dice.place(0)), (0, 0, 0));
        assert!((0..100).all(|_| !dice.chance(0) && dice.chance(1_000)));
        dice.shuffle(&mut items);
        assert_ne!(items, (0..20).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..20).collect::<Vec<_>>());
        assert_ne!(dice.fork().roll(), dice.roll());
    }
}

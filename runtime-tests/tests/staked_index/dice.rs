//! Numbers that look random, the same in every run.

/// SplitMix64: small, and the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// True once in so many.
    pub fn once_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(u64::from(bound))).expect("below a small bound")
    }

    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())].clone()
    }

    pub fn wide(&mut self, bound: u128) -> u128 {
        (u128::from(self.roll()) << 64 | u128::from(self.roll())) % bound
    }

    /// Some part of what is there: mostly any, at times its ends and what lies just beyond.
    pub fn part(&mut self, of: u128) -> u128 {
        match self.below(12) {
            0 => 0,
            1 => of + 1,
            2 => of,
            3 => 1,
            4 | 5 => self.wide(of / 100 + 1),
            _ => self.wide(of + 1),
        }
    }
}

//! What the operations are drawn with.

use cicada_dice::Dice;

/// More ways to throw the dice.
pub trait Draws {
    /// True once in so many.
    fn once_in(&mut self, many: u64) -> bool;
    /// A number below a small bound.
    fn small(&mut self, bound: u8) -> u8;
    /// Some part of what is there: mostly any, at times its ends and what lies just beyond.
    fn part(&mut self, of: u128) -> u128;
}

impl Draws for Dice {
    fn once_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(u64::from(bound))).expect("below a small bound")
    }

    fn part(&mut self, of: u128) -> u128 {
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

//! Characters of liars.

use cicada_dice::Dice;

/// How a liar lies, in a thousandth each.
#[derive(Clone, Copy, Debug)]
pub struct Lies {
    /// As a leader, proposes two values at once.
    pub equivocate: bool,
    /// Signs everything it is asked for.
    pub agree: bool,
    /// Pledges without its locks.
    pub hide: bool,
    /// Makes up certificates, decisions, entries and signatures.
    pub forge: u64,
    /// Says old things again.
    pub replay: u64,
    /// Wishes for other views.
    pub hurry: u64,
    /// Keeps decisions and certificates to itself.
    pub withhold: bool,
    /// As a leader, justifies its second value with pledges that it bent.
    pub bend: bool,
    /// Signs votes with signatures that nobody can verify.
    pub spoil: bool,
    /// Says nothing.
    pub silent: u64,
    /// Splits the honest nodes evenly, and keeps each half from hearing of the other value.
    pub split: bool,
}

impl Lies {
    /// A character.
    pub fn draw(rng: &mut Dice) -> Self {
        Self {
            equivocate: rng.chance(700),
            agree: rng.chance(800),
            hide: rng.chance(600),
            forge: rng.below(4) * 30,
            replay: rng.below(4) * 30,
            hurry: rng.below(3) * 20,
            silent: if rng.chance(150) { 1_000 } else { rng.below(3) * 100 },
            split: false,
            spoil: rng.chance(200),
            withhold: rng.chance(400),
            bend: rng.chance(500),
        }
    }

    /// All for one aim: two decisions.
    pub fn attack() -> Self {
        Self {
            equivocate: true,
            agree: true,
            hide: true,
            forge: 0,
            replay: 0,
            hurry: 0,
            spoil: false,
            withhold: false,
            bend: false,
            silent: 0,
            split: true,
        }
    }
}

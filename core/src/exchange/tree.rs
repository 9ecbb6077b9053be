//! Which price levels of one side of a book hold orders: a tree of 256-bit words over 32-bit keys.
//!
//! A bit of a word of depth 3 is a level; a bit of a word above it is a word that is not empty. So
//! the next level, a new one and an emptied one each touch at most seven words, however many levels
//! there are.

/// How many words lie on the way to a level.
const DEPTH: usize = 4;

/// 256 bits, the lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub [u64; 4]);

/// Where a word stands: how many of the key's bytes lead to it, and these bytes, the others 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// 0 to 3.
    pub depth: u8,
    /// The first bytes of the keys below it.
    pub prefix: [u8; 3],
}

/// The words of one tree. A word that was never written is empty.
pub trait Words {
    /// A word.
    fn word(&self, node: Node) -> Word;
    /// Writes a word; an empty one needs not be kept.
    fn set_word(&mut self, node: Node, word: Word);
}

impl Word {
    /// Whether no bit is set.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    fn limb_of(bit: u8) -> (usize, u64) {
        (usize::from(bit >> 6), 1_u64.wrapping_shl(u32::from(bit & 63)))
    }

    /// The word with this bit set or not.
    fn with(mut self, bit: u8, set: bool) -> Self {
        let (limb, mask) = Self::limb_of(bit);
        if let Some(limb) = self.0.get_mut(limb) {
            *limb = if set { *limb | mask } else { *limb & !mask };
        }
        self
    }

    /// The lowest bit that is set and at least `from`.
    fn first_from(&self, from: u8) -> Option<u8> {
        let (first, mask) = Self::limb_of(from);
        // All bits of the first limb from `mask` on.
        let mut visible = !mask.wrapping_sub(1);
        for (limb, base) in self.0.iter().zip([0_u8, 64, 128, 192]).skip(first) {
            let bits = *limb & visible;
            if bits != 0 {
                // At most 192 + 63.
                return u8::try_from(bits.trailing_zeros()).ok().map(|bit| base | bit);
            }
            visible = u64::MAX;
        }
        None
    }
}

/// The node of a depth on the way to a key, and the bit of the key in its word.
fn step(depth: usize, key: [u8; DEPTH]) -> (Node, u8) {
    let [a, b, c, d] = key;
    match depth {
        0 => (Node { depth: 0, prefix: [0, 0, 0] }, a),
        1 => (Node { depth: 1, prefix: [a, 0, 0] }, b),
        2 => (Node { depth: 2, prefix: [a, b, 0] }, c),
        _ => (Node { depth: 3, prefix: [a, b, c] }, d),
    }
}

/// Notes a level.
#[inline(never)]
pub fn insert<W: Words>(words: &mut W, key: u32) {
    let key = key.to_be_bytes();
    for depth in (0..DEPTH).rev() {
        let (node, bit) = step(depth, key);
        let word = words.word(node);
        words.set_word(node, word.with(bit, true));
        if !word.is_empty() {
            return;
        }
    }
}

/// Forgets a level.
#[inline(never)]
pub fn remove<W: Words>(words: &mut W, key: u32) {
    let key = key.to_be_bytes();
    for depth in (0..DEPTH).rev() {
        let (node, bit) = step(depth, key);
        let word = words.word(node).with(bit, false);
        words.set_word(node, word);
        if !word.is_empty() {
            return;
        }
    }
}

/// The lowest level above this key.
#[inline(never)]
pub fn above<W: Words>(words: &W, key: u32) -> Option<u32> {
    let mut found = key.to_be_bytes();
    // Up to the first word with a bit behind the key's, …
    let mut depth = DEPTH;
    loop {
        depth = depth.checked_sub(1)?;
        let (node, bit) = step(depth, found);
        let next = bit.checked_add(1).and_then(|from| words.word(node).first_from(from));
        if let Some(bit) = next {
            *found.get_mut(depth)? = bit;
            break;
        }
    }
    // … and down again along the lowest bits.
    for depth in depth.saturating_add(1)..DEPTH {
        let (node, _) = step(depth, found);
        *found.get_mut(depth)? = words.word(node).first_from(0)?;
    }
    Some(u32::from_be_bytes(found))
}

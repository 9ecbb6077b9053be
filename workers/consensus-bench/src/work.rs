//! What is to be decided; the same for ours and for the peers.

/// A number of values, and how they are handed in.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// How many values.
    pub values: u64,
    /// The length of each, in bytes; at least 8.
    pub value_len: usize,
    /// How many the client leaves undecided at once; 1 is one value after the other.
    pub outstanding: u64,
}

impl Work {
    /// The value of a number: all differ.
    pub fn value(&self, number: u64) -> Vec<u8> {
        let mut value = vec![0x5a; self.value_len];
        let head = self.value_len.min(8);
        value[..head].copy_from_slice(&number.to_le_bytes()[..head]);
        value
    }
}

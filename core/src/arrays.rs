//! Lists of byte arrays in SCALE, copied as one block.
//!
//! The encoding is that of `Vec<[u8; N]>`. The derived code moves one array at a time, several
//! times each, which a contract pays for in every call.

use alloc::vec;
use alloc::vec::Vec;
use parity_scale_codec::{Compact, Decode, Encode, Error, Input, Output};

/// Writes the number of arrays and then all their bytes.
pub fn encode<const N: usize, T: Output + ?Sized>(arrays: &[[u8; N]], output: &mut T) {
    // Lists here have at most some dozen elements.
    Compact(u32::try_from(arrays.len()).unwrap_or(u32::MAX)).encode_to(output);
    output.write(arrays.as_flattened());
}

/// Reads what [`encode`] wrote, at most `limit` arrays.
///
/// # Errors
/// If there are more, or bytes are missing.
pub fn decode<const N: usize, I: Input>(
    limit: usize,
    input: &mut I,
) -> Result<Vec<[u8; N]>, Error> {
    let count = usize::try_from(Compact::<u32>::decode(input)?.0).unwrap_or(usize::MAX);
    if count > limit {
        return Err("too many elements".into());
    }
    let mut arrays = vec![[0; N]; count];
    input.read(arrays.as_flattened_mut())?;
    Ok(arrays)
}

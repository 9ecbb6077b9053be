//! Lists of byte arrays in SCALE, and structs of equal numbers, copied as one block.
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

/// Implements `Decode` of a struct of `length` bytes, whose fields all have one length each: one
/// read instead of one for each field. `Encode` is derived.
macro_rules! decode_as_block {
    ($name:ident, $length:expr, $($field:ident: $number:ty),+) => {
        impl parity_scale_codec::Decode for $name {
            #[inline(never)]
            fn decode<I: parity_scale_codec::Input>(
                input: &mut I,
            ) -> Result<Self, parity_scale_codec::Error> {
                let mut block = [0; $length];
                input.read(&mut block)?;
                let mut rest = &block[..];
                Ok(Self { $($field: <$number as crate::arrays::Fixed>::take(&mut rest)),+ })
            }
        }
    };
}
pub(crate) use decode_as_block;

/// A value of fixed length in a block of bytes.
pub(crate) trait Fixed {
    /// Takes the value from the front of a block that is long enough.
    fn take(block: &mut &[u8]) -> Self;
}

impl<const N: usize> Fixed for [u8; N] {
    fn take(block: &mut &[u8]) -> Self {
        let Some((head, rest)) = block.split_first_chunk() else {
            return [0; N];
        };
        *block = rest;
        *head
    }
}

macro_rules! fixed_bytes {
    ($($newtype:ty),+) => {$(
        impl Fixed for $newtype {
            fn take(block: &mut &[u8]) -> Self {
                Self(Fixed::take(block))
            }
        }
    )+};
}
fixed_bytes!(crate::Account, crate::hash::Digest);

macro_rules! fixed_number {
    ($($number:ty),+) => {$(
        impl Fixed for $number {
            fn take(block: &mut &[u8]) -> Self {
                Self::from_le_bytes(Fixed::take(block))
            }
        }
    )+};
}
fixed_number!(u8, u16, u64, u128);

/// Implements the codec of a struct of equal numbers as that of an array of them: the same bytes
/// as derived, moved as one block.
macro_rules! codec_as_array {
    ($name:ident, $array:ty, $($field:ident),+) => {
        impl parity_scale_codec::Encode for $name {
            #[inline(never)]
            fn encode_to<O: parity_scale_codec::Output + ?Sized>(&self, output: &mut O) {
                let array: $array = [$(self.$field),+];
                array.encode_to(output);
            }
        }

        impl parity_scale_codec::Decode for $name {
            #[inline(never)]
            fn decode<I: parity_scale_codec::Input>(
                input: &mut I,
            ) -> Result<Self, parity_scale_codec::Error> {
                let [$($field),+] = <$array>::decode(input)?;
                Ok(Self { $($field),+ })
            }
        }
    };
}
pub(crate) use codec_as_array;

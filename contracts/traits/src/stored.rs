//! Types of `core` in storage, and values that are passed on unread.

use core::marker::PhantomData;
#[cfg(not(feature = "std"))]
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::scale::{Decode, Encode, EncodeLike, Error, Input, Output};

#[cfg(feature = "std")]
use ink::metadata::layout::{Layout, LeafLayout};
#[cfg(feature = "std")]
use ink::primitives::Key;
#[cfg(feature = "std")]
use ink::storage::traits::StorageLayout;

/// A value of `core` in a storage field: `core` does not know ink!, so its types have no
/// storage layout of their own. Encoded exactly as the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Stored<T>(pub T);

#[cfg(feature = "std")]
impl<T: ink::scale_info::TypeInfo + 'static> StorageLayout for Stored<T> {
    fn layout(key: &Key) -> Layout {
        Layout::Leaf(LeafLayout::from_key::<T>(key.into()))
    }
}

/// An encoded `T` that a contract passes on without looking into it, which spares it the codec of
/// `T`. Encoded exactly as the value itself.
///
/// Inside a contract it must be decoded last, from an input that ends with it: it takes whatever
/// is left. Outside it is decoded as a `T`, anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque<T> {
    bytes: Vec<u8>,
    of: PhantomData<T>,
}

impl<T> Opaque<T> {
    /// The encoding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Encode> From<&T> for Opaque<T> {
    fn from(value: &T) -> Self {
        Self { bytes: value.encode(), of: PhantomData }
    }
}

#[cfg(feature = "std")]
impl<T: Decode> Opaque<T> {
    /// The value.
    ///
    /// # Errors
    /// If the bytes are no `T`.
    pub fn open(&self) -> Result<T, Error> {
        T::decode(&mut &self.bytes[..])
    }
}

impl<T> Encode for Opaque<T> {
    fn size_hint(&self) -> usize {
        self.bytes.len()
    }

    fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
        output.write(&self.bytes);
    }
}

#[cfg(feature = "std")]
impl<T: ink::scale_info::TypeInfo + 'static> StorageLayout for Opaque<T> {
    fn layout(key: &Key) -> Layout {
        Layout::Leaf(LeafLayout::from_key::<T>(key.into()))
    }
}

impl<T> EncodeLike for Opaque<T> {}

impl<T: Encode> EncodeLike<Opaque<T>> for Stored<T> {}

#[cfg(not(feature = "std"))]
impl<T> Decode for Opaque<T> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let mut bytes = vec![0; input.remaining_len()?.unwrap_or_default()];
        input.read(&mut bytes)?;
        Ok(Self { bytes, of: PhantomData })
    }
}

#[cfg(feature = "std")]
impl<T: Encode + Decode> Decode for Opaque<T> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        T::decode(input).map(|value| Self::from(&value))
    }
}

#[cfg(feature = "std")]
impl<T: ink::scale_info::TypeInfo + 'static> ink::scale_info::TypeInfo for Opaque<T> {
    type Identity = T::Identity;

    fn type_info() -> ink::scale_info::Type {
        T::type_info()
    }
}

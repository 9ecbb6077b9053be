//! Types of `core` in storage.

#[cfg(feature = "std")]
use ink::metadata::layout::{Layout, LeafLayout};
#[cfg(feature = "std")]
use ink::primitives::Key;
#[cfg(feature = "std")]
use ink::storage::traits::StorageLayout;

/// A value of `core` in a storage field: `core` does not know ink!, so its types have no
/// storage layout of their own. Encoded exactly as the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Stored<T>(pub T);

#[cfg(feature = "std")]
impl<T: ink::scale_info::TypeInfo + 'static> StorageLayout for Stored<T> {
    fn layout(key: &Key) -> Layout {
        Layout::Leaf(LeafLayout::from_key::<T>(key.into()))
    }
}

//! How long an answer becomes while it is put together.

use super::{error, MESSAGE_BYTES};
use jsonrpsee::types::ErrorObjectOwned;

/// What has been put into an answer so far, as it will be written.
#[derive(Default)]
pub(super) struct Length(usize);

impl Length {
    /// Makes room for so many bytes, in hexadecimal digits, and `besides`.
    ///
    /// # Errors
    /// If the answer becomes longer than a message.
    pub(super) fn add(&mut self, bytes: usize, besides: usize) -> Result<(), ErrorObjectOwned> {
        self.0 = self.0.saturating_add(bytes.saturating_mul(2)).saturating_add(besides);
        if self.0 > MESSAGE_BYTES as usize {
            return Err(error::count(self.0, MESSAGE_BYTES as usize));
        }
        Ok(())
    }
}

//! Files that this node's own validator writes for it, in SCALE.

use parity_scale_codec::DecodeAll;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// More bytes than any of these files has.
const LONGEST: u64 = 64 * 1024;

/// The content of a file; `None` if there is no such file.
///
/// # Errors
/// In words, if it cannot be read or holds something else.
pub(super) fn read<T: DecodeAll>(path: &Path) -> Result<Option<T>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(&error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| said(&error))?;
    T::decode_all(&mut &bytes[..]).map(Some).map_err(|error| said(&error))
}

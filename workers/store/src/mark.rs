//! The mark beside the key file that says that an identity has voted, and from which disk.

use super::Owner;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the mark says; `None` if there is none.
pub(super) fn read(path: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the mark of an identity lies.
pub(super) fn path(owner: &Owner) -> PathBuf {
    let mut name = owner.key_file.as_os_str().to_owned();
    let digest = hex::encode(&owner.config_digest.0[..4]);
    name.push(format!(".voted-{digest}-{}", owner.seat));
    PathBuf::from(name)
}

/// Writes a mark, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory(directory)
}

/// Makes names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> std::io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

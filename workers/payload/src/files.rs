//! Files that only their owner may read.

use crate::Error;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Writes a new file with mode 0600, whole or not at all, and makes it last: when this returns,
/// a crash of the machine does not lose it. A file that exists is never overwritten.
///
/// # Errors
/// If it exists or cannot be written.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        fs::hard_link(&draft, path)?;
        File::open(folder)?.sync_all()
    };
    let outcome = written();
    let _ = fs::remove_file(&draft);
    outcome.map_err(|error| {
        let exists = error.kind() == std::io::ErrorKind::AlreadyExists;
        let reason = match exists {
            true => "exists already; a key file is never overwritten".into(),
            false => error.to_string(),
        };
        Error::File { path: path.into(), reason }
    })
}

/// Reads a file that only its owner may read.
///
/// # Errors
/// If it cannot be read, or others may read it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, Error> {
    let mode = fs::metadata(path).map_err(Error::file(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::file(path)("others may read this key file: chmod 600 it"));
    }
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(Error::file(path))?;
    // As editors of some systems begin a text.
    Ok(text.strip_prefix('\u{feff}').map(|rest| Zeroizing::new(rest.to_owned())).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_its_owner_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/key");
        write_secret(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = write_secret(&path, b"two").unwrap_err().to_string();
        assert!(error.contains("never overwritten"), "{error}");
        assert_eq!(read_secret(&path).unwrap().as_str(), "one");
        let marked = folder.path().join("marked");
        write_secret(&marked, "\u{feff}one".as_bytes()).unwrap();
        assert_eq!(read_secret(&marked).unwrap().as_str(), "one");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "no draft is left");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_secret(&path).unwrap_err().to_string().contains("chmod 600"));
    }
}

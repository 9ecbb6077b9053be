//! Files that are written whole or not at all, and secrets that only their owner reads. What is written
//! is on disk when the function returns: neither a killed process nor a power cut loses it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// The mode of a file that is no secret: what the user's mask leaves of it.
pub const PLAIN: u32 = 0o666;
/// The mode of a secret.
const SECRET: u32 = 0o600;

/// The most links one after the other, as in Linux.
const MOST_LINKS: usize = 40;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl Error {
    fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.into(), reason: reason.to_string() }
    }
}

/// Writes a file, and its folder if need be, in place of what is there: of a link, what it leads to. A
/// device or a pipe takes the bytes.
///
/// # Errors
/// If the system says no; what was there stays.
pub fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let written = match fs::metadata(path) {
        Ok(there) if !there.is_file() && !there.is_dir() => {
            OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes))
        }
        _ => {
            let end = end_of_links(path);
            put(&end, bytes, mode, |draft| fs::rename(draft, &end))
        }
    };
    written.map_err(|error| Error::new(path, error))
}

// Where links lead, also if nothing is there yet.
fn end_of_links(path: &Path) -> PathBuf {
    let mut end = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&end) else { break };
        end = end.parent().unwrap_or(Path::new("")).join(next);
    }
    end
}

/// Writes a new file that only its owner may read.
///
/// # Errors
/// If there is one already, or the system says no.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    // Unlike a rename, a link does not replace what is there.
    let link = |draft: &Path| {
        fs::hard_link(draft, path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                io::Error::other("exists already; a key file is never overwritten")
            }
            _ => error,
        })?;
        fs::remove_file(draft)
    };
    put(path, bytes, SECRET, link).map_err(|error| Error::new(path, error))
}

/// The same, in place of what is there.
///
/// # Errors
/// As [`write_whole`].
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_whole(path, bytes, SECRET)
}

/// Reads a text that only its owner may read.
///
/// # Errors
/// If it cannot be read, or others may read it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, Error> {
    let failed = |error: io::Error| Error::new(path, error);
    let mut file = File::open(path).map_err(failed)?;
    if !is_owners(&file).map_err(failed)? {
        return Err(Error::new(path, "others may read this secret: chmod 600 it"));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    // As editors of some systems begin a text.
    Ok(text.strip_prefix('\u{feff}').map(|rest| Zeroizing::new(rest.to_owned())).unwrap_or(text))
}

/// Whether only its owner may read a file.
///
/// # Errors
/// If it cannot be opened.
pub fn is_secret(path: &Path) -> Result<bool, Error> {
    File::open(path).and_then(|file| is_owners(&file)).map_err(|error| Error::new(path, error))
}

fn is_owners(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.permissions().mode() & 0o077 == 0)
}

// Writes a draft beside a file, and has it put into its place; then there is no draft any more.
fn put(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    place: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let (draft, mut file) = new_draft(folder, &name, mode)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| place(&draft)) {
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    // A power cut forgets names that were not written.
    File::open(folder)?.sync_all()
}

// No two writers have the same.
fn new_draft(folder: &Path, name: &str, mode: u32) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!(".{name}.{}-{number}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft) {
            // Left behind by a process that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return Ok((draft, file?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_file_is_replaced_and_no_draft_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        write_whole(&path, b"one", PLAIN).unwrap();
        write_whole(&path, b"two", 0o640).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o640));
        assert_eq!(names(path.parent().unwrap()), 1);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let link = |name: &str, to: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        link("first", "second");
        link("second", "there/file");
        for words in ["new", "other"] {
            write_whole(&at("first"), words.as_bytes(), PLAIN).unwrap();
            assert_eq!(fs::read_to_string(at("there/file")).unwrap(), words);
        }
        link("device", "/dev/null");
        write_whole(&at("device"), b"x", PLAIN).unwrap();
        assert!(["first", "second", "device"].iter().all(|name| at(name).is_symlink()));
        link("round", "round");
        write_whole(&at("round"), b"x", PLAIN).unwrap();
        assert_eq!(fs::read(at("round")).unwrap(), b"x", "a link that leads nowhere is replaced");
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("full")).unwrap();
        let said = write_whole(&taken, b"x", PLAIN).unwrap_err().to_string();
        assert!(said.starts_with(&taken.display().to_string()), "{said}");
        assert_eq!(names(folder.path()), 1);
        assert!(write_whole(Path::new("/"), b"x", PLAIN).is_err());
    }

    #[test]
    fn drafts_of_others_are_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for number in 0..100 {
            let left = format!(".file.{}-{number}", std::process::id());
            fs::write(folder.path().join(left), "half").unwrap();
        }
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let path = &path;
                scope.spawn(move || write_whole(path, &[writer; 10_000], PLAIN).unwrap());
            }
        });
        let read = fs::read(&path).unwrap();
        assert_eq!(read, vec![read[0]; 10_000], "of one writer");
        assert_eq!(names(folder.path()), 101);
    }

    #[test]
    fn a_secret_is_for_its_owner_and_is_overwritten_only_if_that_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/key");
        write_secret(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        let error = write_secret(&path, b"two").unwrap_err().to_string();
        assert!(error.contains("never overwritten"), "{error}");
        assert_eq!(read_secret(&path).unwrap().as_str(), "one");
        assert_eq!(names(path.parent().unwrap()), 1, "no draft is left");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(!is_secret(&path).unwrap());
        assert!(read_secret(&path).unwrap_err().to_string().contains("chmod 600"));
        replace_secret(&path, "\u{feff}two".as_bytes()).unwrap();
        assert!(is_secret(&path).unwrap() && mode(&path) == 0o600);
        assert_eq!(read_secret(&path).unwrap().as_str(), "two", "without the mark of an editor");
    }
}

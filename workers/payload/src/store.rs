//! Where encrypted payloads and results lie: a folder, or a web server.

use crate::key::within_limit;
use crate::{ContentId, Error, MAX_CONTENT};
use cicada_files::{write_whole, PLAIN};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// The longest that a web server may take for one file.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// A place of contents, each under its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// A folder; a file's name is its identifier.
    Folder(PathBuf),
    /// A web server that gives a content at ADDRESS/IDENTIFIER: a folder behind any server, or
    /// a gateway of IPFS. It can only be read.
    Web(String),
}

impl FromStr for Store {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Web(text.trim_end_matches('/').into()));
        }
        if text.contains("://") || text.is_empty() {
            let text = format!("'{text}' is no store: write a folder, or an address http(s)://…");
            return Err(Error::Invalid(text));
        }
        Ok(Self::Folder(text.into()))
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Web(address) => f.write_str(address),
        }
    }
}

impl Store {
    /// Stores a content and gives its identifier. Storing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::TooLarge`], [`Error::File`].
    pub async fn put(&self, content: &[u8]) -> Result<ContentId, Error> {
        within_limit("the content", content.len())?;
        let Self::Folder(folder) = self else {
            return Err(Error::ReadOnly(self.to_string()));
        };
        let cid = ContentId::of(content);
        let path = folder.join(cid.to_string());
        if self.get(&cid).await.is_ok() {
            // It counts as new for whoever removes what is old, if it is this account's file.
            let file = std::fs::File::open(&path);
            let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(cid);
        }
        let (file, content) = (path.clone(), content.to_vec());
        let write = move || write_whole(&file, &content, PLAIN);
        tokio::task::spawn_blocking(write).await.map_err(Error::file(&path))??;
        Ok(cid)
    }

    /// Removes contents that were stored, or stored again, longer than `age` ago; whatever else lies there
    /// stays. How many that were.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::File`].
    pub fn remove_older(&self, age: Duration) -> Result<usize, Error> {
        let Self::Folder(folder) = self else {
            return Err(Error::ReadOnly(self.to_string()));
        };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(Error::file(folder))?,
        };
        let mut removed = 0usize;
        for entry in entries {
            let entry = entry.map_err(Error::file(folder))?;
            let is_content =
                entry.file_name().to_str().is_some_and(|name| name.parse::<ContentId>().is_ok());
            let stored = entry.metadata().and_then(|about| about.modified());
            let is_old = stored.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > age));
            if is_content && is_old {
                std::fs::remove_file(entry.path()).map_err(Error::file(&entry.path()))?;
                removed = removed.saturating_add(1);
            }
        }
        Ok(removed)
    }

    /// Fetches a content and checks it against its identifier.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongContent`], [`Error::TooLarge`], [`Error::Fetch`].
    pub async fn get(&self, cid: &ContentId) -> Result<Vec<u8>, Error> {
        let place = self.to_string();
        let content = match self {
            Self::Folder(folder) => read(folder, cid).await?,
            Self::Web(address) => fetch(address, cid).await?,
        };
        let Some(content) = content else {
            return Err(Error::NotFound { cid: cid.to_string(), place });
        };
        if !cid.names(&content) {
            return Err(Error::WrongContent { cid: cid.to_string(), place });
        }
        Ok(content)
    }
}

async fn read(folder: &Path, cid: &ContentId) -> Result<Option<Vec<u8>>, Error> {
    let path = folder.join(cid.to_string());
    match tokio::fs::metadata(&path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file(&path)(error)),
        Ok(about) => {
            let size = usize::try_from(about.len()).unwrap_or(usize::MAX);
            within_limit(&path.display().to_string(), size)?;
        }
    }
    tokio::fs::read(&path).await.map(Some).map_err(Error::file(&path))
}

async fn fetch(address: &str, cid: &ContentId) -> Result<Option<Vec<u8>>, Error> {
    let url = format!("{address}/{cid}");
    let place = url.clone();
    match tokio::task::spawn_blocking(move || fetch_blocking(&url)).await {
        Ok(fetched) => fetched,
        Err(error) => Err(Error::Fetch { place, reason: error.to_string() }),
    }
}

fn fetch_blocking(url: &str) -> Result<Option<Vec<u8>>, Error> {
    let failed = |reason: String| Error::Fetch { place: url.into(), reason };
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(FETCH_TIMEOUT))
        .http_status_as_error(false)
        .build();
    let answer = ureq::Agent::new_with_config(config).get(url).call();
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    match answer.status() {
        ureq::http::StatusCode::NOT_FOUND => return Ok(None),
        status if !status.is_success() => return Err(failed(status.to_string())),
        _ => {}
    }
    // Counted as it comes: what a server says about the length is not to be relied on.
    let mut content = Vec::new();
    let most = u64::try_from(MAX_CONTENT).map_or(u64::MAX, |most| most.saturating_add(1));
    let body = answer.into_body().into_with_config().limit(u64::MAX).reader();
    body.take(most).read_to_end(&mut content).map_err(|error| failed(error.to_string()))?;
    within_limit(url, content.len())?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn a_store_is_a_folder_or_an_address() {
        assert_eq!("/a/b".parse::<Store>().unwrap(), Store::Folder("/a/b".into()));
        assert_eq!("https://x/y/".parse::<Store>().unwrap(), Store::Web("https://x/y".into()));
        assert!("ftp://x".parse::<Store>().is_err() && "".parse::<Store>().is_err());
    }

    #[tokio::test]
    async fn a_folder_gives_back_what_was_put_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Folder(folder.path().join("store"));
        let cid = store.put(b"content").await.unwrap();
        assert_eq!(store.put(b"content").await.unwrap(), cid);
        assert_eq!(store.get(&cid).await.unwrap(), b"content");
        let missing = store.get(&ContentId::of(b"other")).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
        std::fs::write(folder.path().join("store").join(cid.to_string()), b"changed").unwrap();
        let changed = store.get(&cid).await.unwrap_err();
        assert!(matches!(changed, Error::WrongContent { .. }), "{changed}");
        assert_eq!(store.put(b"content").await.unwrap(), cid, "what is damaged is replaced");
        assert_eq!(store.get(&cid).await.unwrap(), b"content");
        let large = store.put(&vec![0; MAX_CONTENT + 1]).await.unwrap_err();
        assert!(matches!(large, Error::TooLarge { .. }), "{large}");
    }

    #[tokio::test]
    async fn what_is_old_is_removed_unless_it_was_stored_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Folder(folder.path().join("store"));
        let day = Duration::from_secs(86_400);
        assert_eq!(store.remove_older(day).unwrap(), 0, "there is no folder yet");
        let (old, again) = (store.put(b"old").await.unwrap(), store.put(b"again").await.unwrap());
        let other = folder.path().join("store/index.html");
        std::fs::write(&other, "x").unwrap();
        let path = |cid: &ContentId| folder.path().join("store").join(cid.to_string());
        for path in [path(&old), path(&again), other.clone()] {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - 2 * day).unwrap();
        }
        store.put(b"again").await.unwrap();
        assert_eq!(store.remove_older(day).unwrap(), 1);
        assert!(!path(&old).exists() && path(&again).exists() && other.exists());
        assert!(Store::Web("http://x".into()).remove_older(day).is_err());
    }

    /// A server that answers each question with the next of these.
    async fn serve(answers: Vec<Vec<u8>>) -> Store {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = Store::Web(format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut question = [0; 1024];
                let _ = stream.read(&mut question).await;
                let _ = stream.write_all(&answer).await;
            }
        });
        store
    }

    fn ok(body: &[u8]) -> Vec<u8> {
        [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", body].concat()
    }

    #[tokio::test]
    async fn a_web_server_is_not_believed() {
        let cid = ContentId::of(b"content");
        let none = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let broken = b"HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let answers = vec![
            ok(b"content"),
            ok(b"poison"),
            none.to_vec(),
            broken.to_vec(),
            ok(&vec![0; MAX_CONTENT + 9]),
        ];
        let store = serve(answers).await;
        assert_eq!(store.get(&cid).await.unwrap(), b"content");
        assert!(matches!(store.get(&cid).await, Err(Error::WrongContent { .. })));
        assert!(matches!(store.get(&cid).await, Err(Error::NotFound { .. })));
        assert!(matches!(store.get(&cid).await, Err(Error::Fetch { .. })));
        assert!(matches!(store.get(&cid).await, Err(Error::TooLarge { .. })));
        assert!(matches!(store.put(b"x").await, Err(Error::ReadOnly(_))));
    }
}

//! Connections that only read, for requests.

use crate::queries::QueryError;
use crate::store::{reader, StoreError};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections at most; who comes when all are busy waits.
const CONNECTIONS: usize = 8;
/// How long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// All connections are busy.
    #[error("too many requests at once: ask again later")]
    Busy,
    /// No connection can be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The question has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The process is ending.
    #[error("ending")]
    Ending,
}

/// The readers of one store.
#[derive(Clone)]
pub struct Readers(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Readers of the store in a folder. It is opened when it is needed first.
    pub fn new(folder: PathBuf) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        Self(Arc::new(Inner { folder, idle: Mutex::default(), permits }))
    }

    /// Asks. All statements of one question see the store as of one block.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let permit = tokio::time::timeout(PATIENCE, self.0.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| ReadError::Busy)?.map_err(|_| ReadError::Ending)?;
        let inner = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let answer = inner.ask(question);
            drop(permit);
            answer
        });
        asked.await.map_err(|_| ReadError::Ending)?
    }
}

impl Inner {
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, QueryError>,
    ) -> Result<T, ReadError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let database = match idle {
            Some(database) => database,
            None => reader(&self.folder)?,
        };
        let snapshot = database.unchecked_transaction().map_err(QueryError::from)?;
        let answer = question(&snapshot);
        drop(snapshot);
        // One that failed may be broken: another is opened in its place.
        if !matches!(answer, Err(QueryError::Database(_))) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(database);
        }
        Ok(answer?)
    }
}

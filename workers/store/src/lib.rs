//! What must survive: one redb file, and a mark beside the keys.
//!
//! A node that lost its disk has forgotten its promises and must not vote again under its old
//! identity. The directory alone cannot tell a first start from a lost disk, so the first start
//! leaves a mark beside the key file that names the generation of the disk: no disk, or a disk
//! of another generation, together with a mark is refused. What this cannot notice: a disk
//! restored from an old copy, and keys copied without their mark.

mod mark;

use cicada_consensus::{digest, Position, Record};
use cicada_core::hash::Digest;
use parity_scale_codec::{Decode, DecodeAll, Encode};
pub use redb::StorageBackend;
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "node.redb";
/// How the name of a store begins that is being made.
const DRAFT: &str = ".node.redb.";
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
const IDENTITY: &str = "identity";

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It belongs to another node or committee.
    #[error("{0} holds the data of another node or committee: give another --data directory")]
    Foreign(PathBuf),
    /// The identity has voted from another disk.
    #[error(
        "{mark} says that this identity has voted before, but {data} does not hold what it \
         promised then. A node that forgot its promises must not vote: restore the directory, \
         or register new keys. (--init starts anew all the same; only right if no other node \
         relies on what this one promised)"
    )]
    Forgotten {
        /// The mark.
        mark: PathBuf,
        /// The data directory.
        data: PathBuf,
    },
    /// Its pages do not have their checksums.
    #[error(
        "{0} is damaged: its checksums are wrong. A node must not vote from it: restore the \
         directory, or register new keys"
    )]
    Damaged(PathBuf),
    /// The system or the database says no.
    #[error("{path}: {reason}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

type Failed = Box<dyn std::error::Error>;

/// Whose disk it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Identity {
    config_digest: Digest,
    seat: u8,
    consensus_key: [u8; 32],
    // When the disk was set up, in nanoseconds since 1970: tells two disks apart.
    generation: u64,
}

/// The open store of one node.
pub struct Store {
    database: Database,
    path: PathBuf,
}

/// Who opens the store.
pub struct Owner<'a> {
    /// The committee's configuration digest.
    pub config_digest: Digest,
    /// The seat.
    pub seat: u8,
    /// The node's public key.
    pub consensus_key: [u8; 32],
    /// Its key file, beside which the mark lies.
    pub key_file: &'a Path,
}

impl Store {
    /// Opens the store in a directory, or creates it at the first start of an identity; with
    /// `init` also at a later one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(directory: &Path, owner: &Owner, init: bool) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let failed = |error: &dyn std::fmt::Display| StoreError::Failed {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mark = mark::path(owner);
        let marked = mark::read(&mark).map_err(|error| StoreError::Failed {
            path: mark.clone(),
            reason: error.to_string(),
        })?;
        if marked.is_some() && !path.exists() && !init {
            return Err(StoreError::Forgotten { mark, data: directory.into() });
        }
        fs::create_dir_all(directory).map_err(|e| failed(&e))?;
        if !path.exists() {
            Self::create(directory, &path, owner)?;
        }
        let database = Database::open(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.clone()),
            other if marked.is_none() => failed(&format!(
                "{other}; no mark lies beside the key file, so nothing was promised from it yet: \
                 remove it and start again"
            )),
            other => failed(&other),
        })?;
        mark::sync_directory(directory).map_err(|e| failed(&e))?;
        let store = Self::intact(database, path)?;
        let generation = store.identity(owner)?.generation.to_string();
        match marked {
            Some(marked) if marked == generation => {}
            Some(_) if !init => return Err(StoreError::Forgotten { mark, data: directory.into() }),
            _ => mark::write(&mark, &generation)
                .map_err(|e| StoreError::Failed { path: mark, reason: e.to_string() })?,
        }
        Ok(store)
    }

    // Makes an empty store under another name first: a start that is interrupted leaves nothing
    // that could never be opened again.
    fn create(directory: &Path, path: &Path, owner: &Owner) -> Result<(), StoreError> {
        let draft = directory.join(format!("{DRAFT}{}", std::process::id()));
        let made = || -> Result<(), Failed> {
            for entry in fs::read_dir(directory)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with(DRAFT) {
                    fs::remove_file(entry.path())?;
                }
            }
            let store = Self { database: Database::create(&draft)?, path: draft.clone() };
            store.identity(owner)?;
            drop(store);
            // Unlike a rename, a link does not replace what another process has made meanwhile.
            match fs::hard_link(&draft, path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error)?,
                _ => {}
            }
            Ok(fs::remove_file(&draft)?)
        };
        let failed =
            |error: Failed| StoreError::Failed { path: path.into(), reason: error.to_string() };
        made().map_err(failed)
    }

    /// Opens a store on any medium, and says of which generation it is: a later start of the
    /// same identity must find the same one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on(medium: impl StorageBackend, owner: &Owner) -> Result<(Self, u64), StoreError> {
        let path = owner.key_file.to_path_buf();
        let opened = Database::builder().set_cache_size(1 << 20).create_with_backend(medium);
        let database =
            opened.map_err(|e| StoreError::Failed { path: path.clone(), reason: e.to_string() })?;
        let store = Self::intact(database, path)?;
        let generation = store.identity(owner)?.generation;
        Ok((store, generation))
    }

    // Every page against its checksum: redb trusts a file that two-phase commit wrote, but a
    // disk may rot, and a node must not vote from what is left.
    fn intact(mut database: Database, path: PathBuf) -> Result<Self, StoreError> {
        match database.check_integrity() {
            Ok(true) => Ok(Self { database, path }),
            Ok(false) => Err(StoreError::Damaged(path)),
            Err(error) => Err(StoreError::Failed { path, reason: error.to_string() }),
        }
    }

    // Reads the identity of the disk, or writes it at the first start.
    fn identity(&self, owner: &Owner) -> Result<Identity, StoreError> {
        let read = || -> Result<Option<Vec<u8>>, Failed> {
            let read = self.database.begin_read()?;
            match read.open_table(META) {
                Ok(meta) => Ok(meta.get(IDENTITY)?.map(|bytes| bytes.value().to_vec())),
                Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        let mut identity = Identity {
            config_digest: owner.config_digest,
            seat: owner.seat,
            consensus_key: owner.consensus_key,
            generation: 0,
        };
        if let Some(bytes) = read().map_err(|e| self.failed(&e))? {
            let known =
                Identity::decode_all(&mut &bytes[..]).map_err(|_| self.failed(&"damaged"))?;
            identity.generation = known.generation;
            if identity != known {
                return Err(StoreError::Foreign(self.path.clone()));
            }
            return Ok(known);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        identity.generation = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let bytes = identity.encode();
        self.transact(|transaction| {
            transaction.open_table(RECORDS)?;
            transaction.open_table(META)?.insert(IDENTITY, &bytes[..])?;
            Ok(())
        })?;
        Ok(identity)
    }

    /// Writes records, all or none, and returns when they are on disk. Votes up to
    /// `forget_votes_to` are dropped: what they voted about is decided.
    ///
    /// # Errors
    /// If the disk does not take them. The process must then end: what a failed flush left
    /// behind is unknown, and a second flush may lie.
    pub fn write(&self, records: &[Record], forget_votes_to: Position) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut table = transaction.open_table(RECORDS)?;
            for record in records {
                table.insert(&key(record)[..], &record.encode()[..])?;
            }
            if forget_votes_to > 0 {
                for kind in VOTE_KINDS {
                    let first = place(kind, 0);
                    let end = place(kind, forget_votes_to.saturating_add(1));
                    table.retain_in(&first[..]..&end[..], |_, _| false)?;
                }
            }
            Ok(())
        })
    }

    /// Everything written.
    ///
    /// # Errors
    /// If it cannot be read, or is damaged.
    pub fn records(&self) -> Result<Vec<Record>, StoreError> {
        self.read_records().map_err(|error| self.failed(&error))
    }

    fn read_records(&self) -> Result<Vec<Record>, Failed> {
        let read = self.database.begin_read()?;
        let table = read.open_table(RECORDS)?;
        let decoded = table.iter()?.map(|row| Ok(Record::decode_all(&mut row?.1.value())?));
        decoded.collect()
    }

    fn transact(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), Failed>,
    ) -> Result<(), StoreError> {
        let run = || -> Result<(), Failed> {
            let mut transaction = self.database.begin_write()?;
            // Checksums alone would do against accidents; the values come from others.
            transaction.set_two_phase_commit(true);
            change(&transaction)?;
            transaction.commit()?;
            Ok(())
        };
        run().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> StoreError {
        StoreError::Failed { path: self.path.clone(), reason: error.to_string() }
    }
}

// The kinds of records that are votes about one position.
const VOTE_KINDS: [u8; 4] = [1, 6, 7, 8];

// A kind of record at a position; big-endian, so that keys sort by position.
fn place(kind: u8, position: Position) -> Vec<u8> {
    [&[kind][..], &position.to_be_bytes()].concat()
}

// Where a record lies: one replaces the one before it that lies there.
fn key(record: &Record) -> Vec<u8> {
    match record {
        Record::Promised(_) => place(0, 0),
        Record::Voted(vote) => place(1, vote.position),
        Record::Decided { position, .. } => place(2, *position),
        Record::Certified { position, .. } => place(3, *position),
        Record::Attested { feed, slot, .. } => [&[4][..], &(feed, slot).encode()].concat(),
        Record::Entered(_) => place(5, 0),
        Record::Held { position, value } => {
            [place(6, *position), digest(value).0.to_vec()].concat()
        }
        Record::Prepared { position, .. } => place(7, *position),
        Record::Locked(lock) => place(8, lock.statement.position),
        Record::Proven(proof) => place(9, proof.statement.position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_consensus::{Ballot, Vote};

    fn owner(key_file: &Path) -> Owner<'_> {
        Owner { config_digest: Digest([1; 32]), seat: 3, consensus_key: [2; 32], key_file }
    }

    fn vote(position: Position) -> Record {
        Record::Voted(Vote {
            position,
            ballot: Ballot { round: 4, seat: 1 },
            since: Ballot { round: 3, seat: 2 },
            value: vec![1, 2, 3],
        })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let data = dir.path().join("data");
        let kept = vec![
            Record::Promised(Ballot { round: 4, seat: 1 }),
            vote(2),
            Record::Decided { position: 1, value: vec![9] },
        ];
        let store = Store::open(&data, &owner(&key), false).unwrap();
        store.write(&[vote(1), Record::Promised(Ballot::ZERO)], 0).unwrap();
        store.write(&kept, 1).unwrap();
        drop(store);
        let store = Store::open(&data, &owner(&key), false).unwrap();
        assert_eq!(store.records().unwrap(), kept);
    }

    #[test]
    fn a_first_start_that_was_interrupted_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join(".node.redb.77"), "half a database").unwrap();
        drop(Store::open(&data, &owner(&key), false).unwrap());
        let names = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["node.redb"]);
    }

    #[test]
    fn what_an_older_start_left_half_done_may_be_removed_and_is_said_to_be_so() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join(FILE), [0; 4096]).unwrap();
        let said = Store::open(&data, &owner(&key), false).err().unwrap().to_string();
        assert!(said.contains("nothing was promised") && said.contains("remove it"), "{said}");
    }

    #[test]
    fn an_identity_that_lost_its_disk_does_not_vote() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let data = dir.path().join("data");
        drop(Store::open(&data, &owner(&key), false).unwrap());
        fs::remove_dir_all(&data).unwrap();
        let lost = Store::open(&data, &owner(&key), false).err().unwrap();
        assert!(matches!(lost, StoreError::Forgotten { .. }), "{lost}");
        drop(Store::open(&data, &owner(&key), true).unwrap());
        drop(Store::open(&data, &owner(&key), false).unwrap());
        // A second disk beside the first is one too many.
        let other = dir.path().join("other");
        let second = Store::open(&other, &owner(&key), false).err().unwrap();
        assert!(matches!(second, StoreError::Forgotten { .. }), "{second}");
    }

    #[test]
    fn a_store_has_one_owner_and_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let data = dir.path().join("data");
        let store = Store::open(&data, &owner(&key), false).unwrap();
        let twice = Store::open(&data, &owner(&key), false).err().unwrap();
        assert!(matches!(twice, StoreError::InUse(_)), "{twice}");
        drop(store);
        let stranger = Owner { seat: 4, ..owner(&key) };
        let foreign = Store::open(&data, &stranger, false).err().unwrap();
        assert!(matches!(foreign, StoreError::Foreign(_)), "{foreign}");
    }
}

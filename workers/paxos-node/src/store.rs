//! What must survive: one redb file, and a mark beside the keys.
//!
//! A node that lost its disk has forgotten its promises and must not vote again under its old
//! identity. The directory alone cannot tell a first start from a lost disk, so the first start
//! leaves a mark beside the key file that names the generation of the disk: no disk, or a disk
//! of another generation, together with a mark is refused. What this cannot notice: a disk
//! restored from an old copy, and keys copied without their mark.

mod mark;

use cicada_consensus::{Position, Record, Vote};
use cicada_core::certificate::Certificate;
use cicada_core::hash::Hash;
use cicada_core::report::Feed;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "node.redb";
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const VOTES: TableDefinition<u64, &[u8]> = TableDefinition::new("votes");
const DECIDED: TableDefinition<u64, &[u8]> = TableDefinition::new("decided");
const CERTIFICATES: TableDefinition<u64, &[u8]> = TableDefinition::new("certificates");
const ATTESTED: TableDefinition<&[u8], &[u8]> = TableDefinition::new("attested");
const IDENTITY: &str = "identity";
const PROMISED: &str = "promised";

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
    config_digest: Hash,
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
    pub config_digest: Hash,
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
        let database = Database::create(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.clone()),
            other => failed(&other),
        })?;
        mark::sync_directory(directory).map_err(|e| failed(&e))?;
        let store = Self { database, path };
        let identity = store.identity(owner)?;
        let generation = identity.generation.to_string();
        match marked {
            Some(marked) if marked == generation => {}
            Some(_) if !init => return Err(StoreError::Forgotten { mark, data: directory.into() }),
            _ => mark::write(&mark, &generation)
                .map_err(|e| StoreError::Failed { path: mark, reason: e.to_string() })?,
        }
        Ok(store)
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
            transaction.open_table(VOTES)?;
            transaction.open_table(DECIDED)?;
            transaction.open_table(CERTIFICATES)?;
            transaction.open_table(ATTESTED)?;
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
            for record in records {
                write_record(transaction, record)?;
            }
            if forget_votes_to > 0 {
                let mut votes = transaction.open_table(VOTES)?;
                votes.retain_in(..=forget_votes_to, |_, _| false)?;
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
        let mut records = Vec::new();
        if let Some(bytes) = read.open_table(META)?.get(PROMISED)? {
            records.push(Record::Promised(DecodeAll::decode_all(&mut bytes.value())?));
        }
        for row in read.open_table(VOTES)?.iter()? {
            records.push(Record::Voted(Vote::decode_all(&mut row?.1.value())?));
        }
        for row in read.open_table(DECIDED)?.iter()? {
            let (position, value) = row?;
            records.push(Record::Decided {
                position: position.value(),
                value: value.value().to_vec(),
            });
        }
        for row in read.open_table(CERTIFICATES)?.iter()? {
            let (position, certificate) = row?;
            records.push(Record::Certified {
                position: position.value(),
                certificate: Certificate::decode_all(&mut certificate.value())?,
            });
        }
        for row in read.open_table(ATTESTED)?.iter()? {
            let (key, message) = row?;
            let (feed, slot) = <(Feed, u64)>::decode_all(&mut key.value())?;
            records.push(Record::Attested {
                feed,
                slot,
                message: Hash::decode_all(&mut message.value())?,
            });
        }
        Ok(records)
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

fn write_record(transaction: &WriteTransaction, record: &Record) -> Result<(), Failed> {
    match record {
        Record::Promised(ballot) => {
            let bytes = ballot.encode();
            transaction.open_table(META)?.insert(PROMISED, &bytes[..])?;
        }
        Record::Voted(vote) => {
            let bytes = vote.encode();
            let mut votes = transaction.open_table(VOTES)?;
            votes.insert(vote.position, &bytes[..])?;
        }
        Record::Decided { position, value } => {
            let mut decided = transaction.open_table(DECIDED)?;
            decided.insert(position, &value[..])?;
        }
        Record::Certified { position, certificate } => {
            let bytes = certificate.encode();
            let mut certificates = transaction.open_table(CERTIFICATES)?;
            certificates.insert(position, &bytes[..])?;
        }
        Record::Attested { feed, slot, message } => {
            let key = (feed, slot).encode();
            let mut attested = transaction.open_table(ATTESTED)?;
            attested.insert(&key[..], &message[..])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_consensus::Ballot;

    fn owner(key_file: &Path) -> Owner<'_> {
        Owner { config_digest: [1; 32], seat: 3, consensus_key: [2; 32], key_file }
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

//! Disks: a list of records, or the real database on a medium that fails.

use cicada_consensus::{Position, Record, Seat};
use cicada_core::hash::Digest;
use cicada_dice::Dice;
use cicada_store::{Owner, StorageBackend, Store};
use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Once};

/// What is written together reaches the medium in such pieces, in bytes.
const SECTOR: usize = 512;

/// A change that is not flushed yet.
#[derive(Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Debug, Default)]
struct Medium {
    // As the system sees it.
    seen: Vec<u8>,
    // As it is after a power failure, but for what is not flushed.
    durable: Vec<u8>,
    unflushed: Vec<Change>,
    // The power fails at this flush, counted down; at 0 it is off.
    power: Option<u64>,
    // A disk that says that it has flushed and has not.
    lies: bool,
}

impl Medium {
    fn change(&mut self, change: Change) -> Result<(), Error> {
        if self.power == Some(0) {
            return Err(Error::other("the power is off"));
        }
        apply(&mut self.seen, &change);
        self.unflushed.push(change);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.power = self.power.map(|left| left.saturating_sub(1));
        if self.power == Some(0) {
            return Err(Error::other("the power is off"));
        }
        if !self.lies {
            for change in std::mem::take(&mut self.unflushed) {
                apply(&mut self.durable, &change);
            }
        }
        Ok(())
    }

    // What is not flushed, in an order of its own: that in which the database writes pages is
    // not the same in each process.
    fn take_unflushed(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.unflushed);
        changes.sort_by_key(|change| match change {
            Change::Length(_) => None,
            Change::Write(offset, _) => Some(*offset),
        });
        changes
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => bytes.resize(*length as usize, 0),
        Change::Write(offset, data) => {
            let from = *offset as usize;
            let to = from + data.len();
            if bytes.len() < to {
                bytes.resize(to, 0);
            }
            bytes[from..to].copy_from_slice(data);
        }
    }
}

/// A handle on a medium; the medium outlives the process that has it open.
#[derive(Clone, Debug, Default)]
struct Handle(Arc<Mutex<Medium>>);

impl Handle {
    fn medium(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.medium().seen.len() as u64)
    }

    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, Error> {
        let medium = self.medium();
        let from = offset as usize;
        let bytes = medium.seen.get(from..from + len);
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.medium().change(Change::Length(len))
    }

    fn sync_data(&self, _: bool) -> Result<(), Error> {
        self.medium().flush()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.medium().change(Change::Write(offset, data.to_vec()))
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

// The database panics over some damage; a process would end. Here the node stays down.
fn guarded<T>(action: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    GUARDED.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(action));
    GUARDED.set(false);
    done.ok()
}

/// The disk of a host.
pub(crate) enum Disk {
    /// Keeps what it is given.
    List(Vec<Record>),
    /// redb on a medium.
    Database(Box<Redb>),
}

/// The real database of one node, and the mark that lies beside its keys.
pub(crate) struct Redb {
    medium: Handle,
    store: Option<Store>,
    mark: Option<u64>,
    seat: Seat,
}

impl Disk {
    /// An empty one; `lies` if it forgets what it said it flushed.
    pub(crate) fn database(seat: Seat, lies: bool) -> Self {
        let medium = Handle::default();
        medium.medium().lies = lies;
        Self::Database(Box::new(Redb { medium, store: None, mark: None, seat }))
    }

    /// What a node that starts finds.
    pub(crate) fn open(&mut self) -> Result<Vec<Record>, String> {
        match self {
            Self::List(records) => Ok(records.clone()),
            Self::Database(redb) => {
                guarded(|| redb.open()).unwrap_or_else(|| Err("the database panics".into()))
            }
        }
    }

    /// What is written, while the host is up.
    pub(crate) fn records(&self) -> Option<Vec<Record>> {
        match self {
            Self::List(records) => Some(records.clone()),
            Self::Database(redb) => redb.store.as_ref()?.records().ok(),
        }
    }

    /// What a disk holds before the first start of its node.
    pub(crate) fn seed(&mut self, records: &[Record]) -> Result<(), String> {
        self.open()?;
        let written = self.write(records, 0);
        if let Self::Database(redb) = self {
            redb.store = None;
        }
        written.then_some(()).ok_or("the disk takes nothing".into())
    }

    /// Writes all or none.
    pub(crate) fn write(&mut self, records: &[Record], applied: Position) -> bool {
        match self {
            Self::List(list) => {
                list.extend_from_slice(records);
                true
            }
            Self::Database(redb) => match &redb.store {
                Some(store) => guarded(|| store.write(records, applied).is_ok()).unwrap_or(false),
                None => false,
            },
        }
    }

    /// The power will fail at once or at one of the next flushes.
    pub(crate) fn fail_soon(&mut self, rng: &mut Dice) {
        if let Self::Database(redb) = self {
            redb.medium.medium().power = Some(rng.below(5));
        }
    }

    /// The power failed: what was not flushed is there, in part there, or gone.
    pub(crate) fn power_off(&mut self, rng: &mut Dice) {
        let Self::Database(redb) = self else {
            return;
        };
        redb.medium.medium().power = Some(0);
        // A process that dies closes nothing.
        guarded(|| redb.store = None);
        let mut medium = redb.medium.medium();
        for change in medium.take_unflushed() {
            match change {
                Change::Write(offset, data) if rng.chance(500) => {
                    let sectors = data.len() / SECTOR + 1;
                    let torn = rng.below(sectors as u64 + 1) as usize * SECTOR;
                    let data = data[..torn.min(data.len())].to_vec();
                    apply(&mut medium.durable, &Change::Write(offset, data));
                }
                whole if rng.chance(500) => apply(&mut medium.durable, &whole),
                _ => {}
            }
        }
        medium.seen = medium.durable.clone();
        medium.power = None;
    }

    /// Single bits turn over while the power is off.
    pub(crate) fn rot(&mut self, rng: &mut Dice) {
        if let Self::Database(redb) = self {
            let mut medium = redb.medium.medium();
            for _ in 0..1 + rng.below(8) {
                let length = medium.durable.len() as u64;
                if length > 0 {
                    let at = rng.below(length) as usize;
                    medium.durable[at] ^= 1 << rng.below(8);
                }
            }
            medium.seen = medium.durable.clone();
        }
    }
}

impl Redb {
    fn open(&mut self) -> Result<Vec<Record>, String> {
        let owner = Owner {
            config_digest: Digest(crate::app::CONFIG_DIGEST),
            seat: self.seat,
            consensus_key: [self.seat; 32],
            key_file: Path::new("simulated"),
        };
        let (store, generation) =
            Store::on(self.medium.clone(), &owner).map_err(|error| error.to_string())?;
        if self.mark.is_some_and(|mark| mark != generation) {
            return Err("another generation of the disk".into());
        }
        self.mark = Some(generation);
        let records = store.records().map_err(|error| error.to_string())?;
        self.store = Some(store);
        Ok(records)
    }
}

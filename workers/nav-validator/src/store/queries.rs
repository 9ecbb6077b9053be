//! Questions to the store that change nothing.

use super::{one, rows, Members, Place, Row, Store, StoreError};
use super::{
    AWARDED, CLAIMS, COMMITTEES, EPOCHS, HOLDERS, MOVEMENTS, PAST, PENALTIES, REGISTERED, SETTLED,
    TRADES,
};
use crate::rows::{Epoch, Past, Penalty, SettledAward, SettledNav, Trade};
use cicada_core::activity::held::{Holder, Movement};
use cicada_core::activity::Event;
use cicada_core::rewards::{Claim, Registration};
use cicada_core::Account;
use parity_scale_codec::DecodeAll;
use redb::ReadableTable;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

impl Store {
    /// Mints and redemptions of blocks, in order.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn events(&self, blocks: Range<u64>) -> Result<Vec<Event>, StoreError> {
        self.read(|read| {
            let table = read.open_table(TRADES)?;
            let range = table.range((blocks.start, 0)..(blocks.end, 0))?;
            let event = |row: Row<Place>| {
                let (key, bytes) = row?;
                Ok(Trade::decode_all(&mut bytes.value())?.event(key.value()))
            };
            range.map(event).collect()
        })
    }

    /// Transfers of index tokens in blocks, in order. Those of epochs that are over are forgotten.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn movements(&self, blocks: Range<u64>) -> Result<Vec<Movement>, StoreError> {
        self.read(|read| {
            let table = read.open_table(MOVEMENTS)?;
            let range = table.range((blocks.start, 0)..(blocks.end, 0))?;
            range.map(|row| Ok(Movement::decode_all(&mut row?.1.value())?)).collect()
        })
    }

    /// What accounts had at the end of the newest epoch, as far as they ever had anything.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn holders(
        &self,
        accounts: &BTreeSet<Account>,
    ) -> Result<BTreeMap<Account, Holder>, StoreError> {
        self.read(|read| {
            let table = read.open_table(HOLDERS)?;
            let mut found = BTreeMap::new();
            for account in accounts {
                found.extend(one(&table, account.0)?.map(|holder| (*account, holder)));
            }
            Ok(found)
        })
    }

    /// Which of the accounts are registered from `start_ms` on and before `end_ms`, as far as that
    /// is known.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn registered(
        &self,
        accounts: &BTreeSet<Account>,
        (start_ms, end_ms): (u64, u64),
    ) -> Result<BTreeSet<Account>, StoreError> {
        self.read(|read| {
            let table = read.open_table(REGISTERED)?;
            let mut found = BTreeSet::new();
            for account in accounts {
                let registration: Option<Registration> = one(&table, account.0)?;
                if registration.is_some_and(|one| one.covers(start_ms, end_ms)) {
                    found.insert(*account);
                }
            }
            Ok(found)
        })
    }

    /// How many mints and redemptions there are.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn count_events(&self) -> Result<u64, StoreError> {
        use redb::ReadableTableMetadata;
        self.read(|read| Ok(read.open_table(TRADES)?.len()?))
    }

    /// The settled NAVs from a time on, the newest first. Times rise from slot to slot.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn settled_since(&self, time_ms: u64) -> Result<Vec<(u64, SettledNav)>, StoreError> {
        self.newest(SETTLED, |slot| slot, usize::MAX, |nav: &SettledNav| nav.time_ms >= time_ms)
    }

    /// The newest settled NAVs, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_settled(&self, count: usize) -> Result<Vec<(u64, SettledNav)>, StoreError> {
        self.newest(SETTLED, |slot| slot, count, |_| true)
    }

    /// The awards that were settled from a time on, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn awarded_since(&self, time_ms: u64) -> Result<Vec<(u64, SettledAward)>, StoreError> {
        let since = |award: &SettledAward| award.settled_ms >= time_ms;
        self.newest(AWARDED, |epoch| epoch, usize::MAX, since)
    }

    /// The newest settled award.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_awarded(&self) -> Result<Option<(u64, SettledAward)>, StoreError> {
        Ok(self.newest(AWARDED, |epoch| epoch, 1, |_| true)?.pop())
    }

    /// The committees that are known, operators in seat order, with their stakes when they first
    /// settled something, or of the one before the newest what was left when that did.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn committees(&self) -> Result<BTreeMap<u32, Members>, StoreError> {
        self.read(|read| Ok(rows(read, COMMITTEES, |epoch| epoch)?.into_iter().collect()))
    }

    /// The newest penalties, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_penalties(&self, count: usize) -> Result<Vec<(Place, Penalty)>, StoreError> {
        self.newest(PENALTIES, |place| place, count, |_| true)
    }

    /// The epochs that are over, from the first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let epochs: Vec<(u64, Epoch)> = self.read(|read| rows(read, EPOCHS, |epoch| epoch))?;
        Ok(epochs.into_iter().map(|(_, epoch)| epoch).collect())
    }

    /// The newest of them, at most `count`, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_epochs(&self, count: usize) -> Result<Vec<Epoch>, StoreError> {
        let epochs = self.newest(EPOCHS, |epoch| epoch, count, |_| true)?;
        Ok(epochs.into_iter().map(|(_, epoch)| epoch).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn epoch(&self, epoch: u64) -> Result<Option<Epoch>, StoreError> {
        self.read(|read| one(&read.open_table(EPOCHS)?, epoch))
    }

    /// The number of the newest of them.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_epoch_number(&self) -> Result<Option<u64>, StoreError> {
        self.read(|read| Ok(read.open_table(EPOCHS)?.last()?.map(|(epoch, _)| epoch.value())))
    }

    /// The newest of them.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn newest_epoch(&self) -> Result<Option<Epoch>, StoreError> {
        Ok(self.newest_epochs(1)?.pop())
    }

    /// The claims after an epoch; `None` if they are not kept any more.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn claims(&self, epoch: u64) -> Result<Option<Vec<Claim>>, StoreError> {
        self.read(|read| one(&read.open_table(CLAIMS)?, epoch))
    }

    /// What miners did in earlier epochs.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn past(&self) -> Result<BTreeMap<Account, Past>, StoreError> {
        self.read(|read| Ok(rows(read, PAST, Account)?.into_iter().collect()))
    }
}

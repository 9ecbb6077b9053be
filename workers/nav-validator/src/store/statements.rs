//! What was signed of rankings.

use super::{one, Failed, Store, StoreError, STATEMENTS};
use cicada_core::hash::Digest;
use cicada_core::ranking::{Own, Statement};
use parity_scale_codec::{DecodeAll, Encode};
use redb::ReadableTable;

type Key = (u64, [u8; 32]);

/// What was signed for an epoch, under any committee.
fn of_epoch(table: &impl ReadableTable<Key, super::Bytes>, epoch: u64) -> Result<Vec<Own>, Failed> {
    let range = table.range((epoch, [0; 32])..=(epoch, [255; 32]))?;
    range.map(|row| Ok(Own::decode_all(&mut row?.1.value())?)).collect()
}

impl Store {
    /// What was signed for an epoch under a committee.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn statement(&self, epoch: u64, config_digest: &Digest) -> Result<Option<Own>, StoreError> {
        self.read(|read| one(&read.open_table(STATEMENTS)?, (epoch, config_digest.0)))
    }

    /// Whether anything was signed for an epoch.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn has_ranked(&self, epoch: u64) -> Result<bool, StoreError> {
        self.read(|read| Ok(!of_epoch(&read.open_table(STATEMENTS)?, epoch)?.is_empty()))
    }

    /// Keeps what is signed of a ranking, and returns when it is on disk: only then it may be given
    /// out. Another ranking of the epoch is never kept, under no committee.
    ///
    /// # Errors
    /// [`StoreError::RankedOther`], [`StoreError::Failed`].
    pub fn keep_statement(&self, config_digest: &Digest, own: &Own) -> Result<(), StoreError> {
        let epoch = own.statement.epoch;
        self.change(|transaction| {
            let mut table = transaction.open_table(STATEMENTS)?;
            let said = |one: &Statement| (one.start_ms, one.end_ms, one.ranking);
            let is_other = |known: &Own| said(&known.statement) != said(&own.statement);
            if of_epoch(&table, epoch)?.iter().any(is_other) {
                return Err(Box::new(StoreError::RankedOther(epoch)));
            }
            table.insert((epoch, config_digest.0), &own.encode()[..])?;
            Ok(())
        })
    }
}

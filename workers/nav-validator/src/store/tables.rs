//! What happened in blocks, each kind into its table.

use super::{
    one, Bytes, Failed, Place, AWARDED, MOVEMENTS, PENALTIES, REGISTERED, SETTLED, TRADES,
};
use crate::rows::Change;
use cicada_core::rewards::Registration;
use cicada_core::Account;
use parity_scale_codec::Encode;
use redb::{Table, WriteTransaction};

pub(super) struct Tables<'a> {
    trades: Table<'a, Place, Bytes>,
    settled: Table<'a, u64, Bytes>,
    awarded: Table<'a, u64, Bytes>,
    penalties: Table<'a, Place, Bytes>,
    movements: Table<'a, Place, Bytes>,
    registered: Table<'a, [u8; 32], Bytes>,
}

impl<'a> Tables<'a> {
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, Failed> {
        Ok(Self {
            trades: transaction.open_table(TRADES)?,
            settled: transaction.open_table(SETTLED)?,
            awarded: transaction.open_table(AWARDED)?,
            penalties: transaction.open_table(PENALTIES)?,
            movements: transaction.open_table(MOVEMENTS)?,
            registered: transaction.open_table(REGISTERED)?,
        })
    }

    pub(super) fn take(&mut self, place: Place, change: &Change) -> Result<(), Failed> {
        match change {
            Change::Traded(trade) => drop(self.trades.insert(place, &trade.encode()[..])?),
            Change::Settled(slot, nav) => drop(self.settled.insert(slot, &nav.encode()[..])?),
            Change::Awarded(epoch, award) => {
                drop(self.awarded.insert(epoch, &award.encode()[..])?);
            }
            Change::Slashed(penalty) => {
                drop(self.penalties.insert(place, &penalty.encode()[..])?);
            }
            Change::Moved(movement) => {
                drop(self.movements.insert(place, &movement.encode()[..])?);
            }
            Change::Registered(account, since_ms) => {
                let since = Registration { since_ms: *since_ms, left_ms: None };
                drop(self.registered.insert(account.0, &since.encode()[..])?);
            }
            Change::Unregistered(account, left_ms) => self.unregister(account, *left_ms)?,
        }
        Ok(())
    }

    fn unregister(&mut self, account: &Account, left_ms: u64) -> Result<(), Failed> {
        let known: Option<Registration> = one(&self.registered, account.0)?;
        let registration =
            known.ok_or("somebody left who was not registered: from_block is too late")?;
        let left = Registration { left_ms: Some(left_ms), ..registration };
        self.registered.insert(account.0, &left.encode()[..])?;
        Ok(())
    }
}

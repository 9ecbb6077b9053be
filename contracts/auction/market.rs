//! The market's records, and how a message ends.

use crate::calls::{Escrow, Register, Scores};
use cicada_core::escrow::Limits;
use cicada_core::market::{Assignment, OfferRecord, Parameters, RequestRecord, Success};
use cicada_core::name::Name;
use cicada_core::prices::Window;
use cicada_core::Account;
use cicada_traits::auction::AuctionError;
use cicada_traits::bytes::{pack, Encoded};
use ink::env::{DefaultEnvironment, ReturnFlags};
use ink::prelude::vec;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::scale::{Decode, Encode};
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

/// What there is a record of.
#[derive(Clone)]
#[ink::scale_derive(Encode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum Cell {
    /// A [`RequestRecord`].
    Request(u64),
    /// An [`OfferRecord`].
    Offer(u64),
    /// An [`Assignment`].
    Assignment(u64),
    /// The [`cicada_core::market::HandOver`] of an assignment.
    Payload(u64),
    /// The [`Success`] of a provider in a task type.
    Success(Account, Name),
    /// The [`Window`] of a task type.
    Prices(Name),
    /// The newest number, a `u64`, of requests (0), offers (1) and assignments (2).
    Newest(u8),
    /// That a provider has or had a place in a request: nothing, `()`.
    Place(u64, Account),
}

/// All records, encoded. One map instead of eight spares the code of seven.
pub type Cells = Mapping<Cell, Vec<u8>, ManualKey<0x4345_4c4c>>;

/// What is fixed when the market is made: all that the root of the storage holds.
#[derive(Clone, Copy, Debug)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Market {
    /// The PSP22 contract of the money.
    pub token: AccountId,
    /// The contract that holds the money.
    pub escrow: AccountId,
    /// The contract of the scores.
    pub reputation: AccountId,
    /// The contract of attested capabilities.
    pub capabilities: AccountId,
    /// The rest.
    pub parameters: Parameters,
    /// What the escrow contract permits.
    pub limits: Limits,
}

/// `Err(error)` unless `holds`.
pub fn ensure(holds: bool, error: AuctionError) -> Result<(), AuctionError> {
    if holds {
        Ok(())
    } else {
        Err(error)
    }
}

/// The block's time.
#[inline(never)]
pub fn now() -> u64 {
    ink::env::block_timestamp::<DefaultEnvironment>()
}

/// Who calls.
#[inline(never)]
pub fn caller() -> Account {
    Account::of(&ink::env::caller::<DefaultEnvironment>())
}

/// The bytes of a record.
#[inline(never)]
fn bytes(cell: Cell) -> Option<Vec<u8>> {
    Cells::new().get(cell)
}

/// A record; none too if there is none.
pub fn find<T: Decode>(cell: Cell) -> Option<T> {
    T::decode(&mut bytes(cell)?.as_slice()).ok()
}

/// A request.
#[inline(never)]
pub fn find_request(request: u64) -> Result<RequestRecord, AuctionError> {
    find(Cell::Request(request)).ok_or(AuctionError::NotFound)
}

/// An offer.
#[inline(never)]
pub fn find_offer(offer: u64) -> Result<OfferRecord, AuctionError> {
    find(Cell::Offer(offer)).ok_or(AuctionError::NotFound)
}

/// An assignment.
#[inline(never)]
pub fn find_assignment(assignment: u64) -> Result<Assignment, AuctionError> {
    find(Cell::Assignment(assignment)).ok_or(AuctionError::NotFound)
}

/// How a provider has done in a task type.
#[inline(never)]
pub fn success(provider: Account, task_type: Name) -> Success {
    find(Cell::Success(provider, task_type)).unwrap_or_default()
}

/// The prices of a task type.
#[inline(never)]
pub fn window(task_type: Name) -> Window {
    find(Cell::Prices(task_type)).unwrap_or_default()
}

/// The newest number of a kind; 0 before the first.
#[inline(never)]
pub fn newest(kind: u8) -> u64 {
    find(Cell::Newest(kind)).unwrap_or_default()
}

/// The next number of a kind. Each is a paid transaction: nobody lives to see 2^64 of them.
#[inline(never)]
pub fn next(kind: u8) -> u64 {
    let number = newest(kind).saturating_add(1);
    save(Cell::Newest(kind), &number);
    number
}

/// Writes a record.
pub fn save<T: Encode>(cell: Cell, record: &T) {
    save_bytes(cell, pack(record));
}

#[inline(never)]
fn save_bytes(cell: Cell, record: Vec<u8>) {
    Cells::new().insert(cell, &record);
}

/// Whether a provider has or had a place in a request.
#[inline(never)]
pub fn has_place(request: u64, provider: Account) -> bool {
    Cells::new().contains(Cell::Place(request, provider))
}

/// Notes that a provider has a place in a request. It stays his, however the job ends: who gives
/// back, for whatever reason, takes no more of it.
pub fn take_place(request: u64, provider: Account) {
    save(Cell::Place(request, provider), &());
}

/// Writes a request.
#[inline(never)]
pub fn save_request(request: u64, record: &RequestRecord) {
    save(Cell::Request(request), record);
}

/// Writes an offer.
#[inline(never)]
pub fn save_offer(offer: u64, record: &OfferRecord) {
    save(Cell::Offer(offer), record);
}

/// Writes an assignment.
#[inline(never)]
pub fn save_assignment(assignment: u64, record: &Assignment) {
    save(Cell::Assignment(assignment), record);
}

impl Market {
    /// The contract that holds the money.
    pub fn money(&self) -> Escrow {
        Escrow(self.escrow)
    }

    /// The contract of the scores.
    pub fn scores(&self) -> Scores {
        Scores(self.reputation)
    }

    /// The contract of attested capabilities.
    pub fn register(&self) -> Register {
        Register(self.capabilities)
    }
}

/// Ends a message with an answer in bytes. Returning would make ink! write the root after each
/// message that may change something, though no message ever changes the root, and would cost a
/// fifth of a kilobyte of code for every type of answer.
#[inline(never)]
pub fn reply(answer: &[u8], flags: ReturnFlags) -> ! {
    let mut bytes = vec![0];
    bytes.extend_from_slice(answer);
    ink::env::return_value(flags, &Encoded(&bytes))
}

/// Ends a message with an `Ok` in bytes, or with an error, which undoes everything.
#[inline(never)]
pub fn finish_with(answer: Result<Vec<u8>, AuctionError>) -> ! {
    let (mut bytes, rest, flags) = match answer {
        Ok(value) => (vec![0], value, ReturnFlags::empty()),
        Err(error) => (vec![1], pack(&error), ReturnFlags::REVERT),
    };
    bytes.extend(rest);
    reply(&bytes, flags)
}

/// Ends a message with its answer.
pub fn finish<T: Encode>(answer: Result<T, AuctionError>) -> ! {
    finish_with(answer.map(|value| pack(&value)))
}

/// Ends a view with its answer.
pub fn tell<T: Encode>(answer: &T) -> ! {
    reply(&pack(answer), ReturnFlags::empty())
}

/// Ends a view with a record as it is stored; with none if there is none.
#[inline(never)]
pub fn show(cell: Cell) -> ! {
    let answer = match bytes(cell) {
        None => vec![0],
        Some(record) => {
            let mut answer = vec![1];
            answer.extend(record);
            answer
        }
    };
    reply(&answer, ReturnFlags::empty())
}

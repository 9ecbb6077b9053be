//! What a call gave back.

use std::fmt;

use drink::{
    minimal::{MinimalSandbox, MinimalSandboxRuntime},
    pallet_contracts::{Event as PalletEvent, StorageDeposit},
    DispatchError, Weight,
};
use ink::{
    env::{DefaultEnvironment, Event},
    primitives::LangError,
    ToAccountId,
};
use ink_sandbox::{EventRecordOf, RuntimeEventOf};
use parity_scale_codec::Decode;

use crate::{AccountId, Balance};

/// Weight that a call consumed, without the base weight of an extrinsic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gas {
    /// Picoseconds of the reference machine.
    pub ref_time: u64,
    /// Bytes of storage proof.
    pub proof_size: u64,
}

impl From<Weight> for Gas {
    fn from(weight: Weight) -> Self {
        Self { ref_time: weight.ref_time(), proof_size: weight.proof_size() }
    }
}

/// An event of a contract, not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The contract that emitted it.
    pub contract: AccountId,
    /// Topics; the first is the event's signature unless it is anonymous.
    pub topics: Vec<[u8; 32]>,
    /// All fields, SCALE-encoded.
    pub data: Vec<u8>,
}

/// The chain executed the call. When a message returned an `Err`, everything it did is undone.
#[derive(Clone, Debug)]
#[must_use]
pub struct Receipt<T> {
    /// What the message returned.
    pub value: T,
    /// Whether the contract asked to undo everything (ink! does when a message returns an `Err`).
    pub reverted: bool,
    /// Events of all contracts involved, in order; none after a revert.
    pub emitted: Vec<Emitted>,
    /// Weight consumed.
    pub gas: Gas,
    /// Storage deposit: positive when charged to the caller, negative when refunded.
    pub deposit: i128,
}

impl<T> Receipt<T> {
    /// The events of one type that a contract emitted, in order.
    #[track_caller]
    pub fn events<E>(&self, contract: &impl ToAccountId<DefaultEnvironment>) -> Vec<E>
    where
        E: Event + Decode,
    {
        self.events_at(contract.to_account_id())
    }

    /// The same by address.
    #[track_caller]
    pub fn events_at<E: Event + Decode>(&self, contract: AccountId) -> Vec<E> {
        let signature = E::SIGNATURE_TOPIC.expect("an anonymous event cannot be told from others");
        let of_type = |event: &&Emitted| {
            event.contract == contract && event.topics.first() == Some(&signature)
        };
        let decode = |event: &Emitted| {
            E::decode(&mut &event.data[..]).unwrap_or_else(|error| {
                panic!("the topic says {}, the data does not decode: {error}", name::<E>())
            })
        };
        self.emitted.iter().filter(of_type).map(decode).collect()
    }

    /// The one event of a type that a contract emitted; panics when there is none or more than one.
    #[track_caller]
    pub fn event<E>(&self, contract: &impl ToAccountId<DefaultEnvironment>) -> E
    where
        E: Event + Decode,
    {
        let mut events = self.events(contract);
        assert_eq!(
            events.len(),
            1,
            "expected one event {}, all events: {:?}",
            name::<E>(),
            self.emitted
        );
        events.remove(0)
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Receipt<U> {
        let Self { value, reverted, emitted, gas, deposit } = self;
        Receipt { value: change(value), reverted, emitted, gas, deposit }
    }
}

impl<T: fmt::Debug, E: fmt::Debug> Receipt<Result<T, E>> {
    /// The receipt of a message that must succeed; panics with the contract's error otherwise.
    #[track_caller]
    pub fn succeeds(self) -> Receipt<T> {
        assert_eq!(
            self.reverted,
            self.value.is_err(),
            "an Err and a revert go together: {:?}",
            self.value
        );
        self.map(|value| {
            value.unwrap_or_else(|error| panic!("expected success, the contract said {error:?}"))
        })
    }

    /// The error of a message that must fail; panics when it succeeds or leaves a trace.
    #[track_caller]
    pub fn fails(self) -> E {
        match self.value {
            Ok(value) => panic!("expected an error, the contract said Ok({value:?})"),
            Err(error) => {
                assert!(self.reverted, "the error {error:?} did not undo what the message did");
                assert!(self.emitted.is_empty(), "events remain after the error {error:?}");
                error
            }
        }
    }
}

/// The chain itself refused or broke off the call; nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The runtime's error: a trap, no gas, no contract, no money, re-entrancy and so on.
    Dispatch(DispatchError),
    /// The contract does not know the selector or cannot read the arguments.
    Lang(LangError),
    /// The answer does not have the type that the message should return.
    Answer(String),
}

impl Refusal {
    /// Whether this is the named error of `pallet-contracts`, for example `"ContractTrapped"`.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Dispatch(DispatchError::Module(error)) if error.message == Some(name))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dispatch(DispatchError::Module(error)) => {
                write!(f, "the runtime refused: {}", error.message.unwrap_or("an unnamed error"))
            }
            Self::Dispatch(error) => write!(f, "the runtime refused: {error:?}"),
            Self::Lang(error) => write!(f, "the contract could not read the call: {error:?}"),
            Self::Answer(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Refusal {}

/// Picks the contracts' events out of everything a call deposited.
pub(crate) fn contract_events(records: Vec<EventRecordOf<MinimalSandboxRuntime>>) -> Vec<Emitted> {
    let pick = |record: EventRecordOf<MinimalSandboxRuntime>| match record.event {
        RuntimeEventOf::<MinimalSandbox>::Contracts(PalletEvent::ContractEmitted {
            contract,
            data,
        }) => {
            let topics = record.topics.into_iter().map(|topic| topic.0).collect();
            Some(Emitted { contract: AccountId::from(<[u8; 32]>::from(contract)), topics, data })
        }
        _ => None,
    };
    records.into_iter().filter_map(pick).collect()
}

pub(crate) fn signed_deposit(deposit: StorageDeposit<Balance>) -> i128 {
    let signed = |amount| i128::try_from(amount).expect("deposits are small");
    match deposit {
        StorageDeposit::Charge(amount) => signed(amount),
        StorageDeposit::Refund(amount) => -signed(amount),
    }
}

fn name<T>() -> &'static str {
    std::any::type_name::<T>().rsplit("::").next().unwrap_or("event")
}

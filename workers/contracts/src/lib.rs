//! The contracts as Rust sees them: one module each, with a function for every message, the types,
//! errors and events of its interface. All of it is made from the bundles in `contracts/bundles`, so
//! who calls a contract that has changed does not compile until he follows. What a type is in `core`,
//! it is here; no copy of it is made.
//!
//! Nothing here talks to a chain: `cicada-chain` does, with what these functions return.

#[allow(dead_code, missing_docs, reason = "more of it is for the build")]
mod bundle;
mod interface;
mod render;

pub use bundle::{bytes, Entry};
pub use interface::{Interface, Refused};

use cicada_core::hash::Digest;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::any::TypeId;
use std::marker::PhantomData;
use std::ops::Deref;

/// A message of a contract with its arguments: what answers is a `T`, or an `E` if it refuses.
pub struct Message<T, E = Never> {
    call: Call,
    answer: PhantomData<fn() -> (T, E)>,
}

/// A constructor of a contract with its arguments; it refuses with an `E`.
pub struct Constructor<E = Never> {
    call: Call,
    answer: PhantomData<fn() -> E>,
}

/// A call of a contract, whatever it answers.
#[derive(Clone)]
pub struct Call {
    interface: &'static Interface,
    label: &'static str,
    input: Vec<u8>,
    refuses_with: TypeId,
}

impl Call {
    fn new(
        interface: &'static Interface,
        label: &'static str,
        selector: [u8; 4],
        arguments: &impl Encode,
    ) -> Self {
        let mut input = selector.to_vec();
        arguments.encode_to(&mut input);
        Self::with(interface, label, input)
    }

    /// One of a contract that has no module here.
    fn of(interface: &'static Interface, entry: &'static Entry, arguments: &impl Encode) -> Self {
        Self::with(interface, &entry.label, entry.call(&arguments.encode()))
    }

    fn with(interface: &'static Interface, label: &'static str, input: Vec<u8>) -> Self {
        Self { interface, label, input, refuses_with: TypeId::of::<Never>() }
    }

    fn refusing_with<E: 'static>(self) -> Self {
        Self { refuses_with: TypeId::of::<E>(), ..self }
    }

    /// The interface that it is of.
    pub fn interface(&self) -> &'static Interface {
        self.interface
    }

    /// Its name, such as `Leaderboard::submit`.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// The bytes that call it: selector and arguments.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// The type of the errors with which it is refused.
    pub fn refuses_with(&self) -> TypeId {
        self.refuses_with
    }
}

impl<T, E: 'static> Message<T, E> {
    fn new(call: Call) -> Self {
        Self { call: call.refusing_with::<E>(), answer: PhantomData }
    }

    /// A message of a contract of others, which has no module here; none if its bundle has none of
    /// this name. That arguments and answer are of its types, the caller vouches for.
    pub fn of(interface: &'static Interface, name: &str, arguments: &impl Encode) -> Option<Self> {
        Some(Self::new(Call::of(interface, interface.message(name)?, arguments)))
    }
}

impl<T, E> Deref for Message<T, E> {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl<E: 'static> Constructor<E> {
    fn new(call: Call) -> Self {
        Self { call: call.refusing_with::<E>(), answer: PhantomData }
    }

    /// As [`Message::of`], of a constructor.
    pub fn of(interface: &'static Interface, name: &str, arguments: &impl Encode) -> Option<Self> {
        Some(Self::new(Call::of(interface, interface.constructor(name)?, arguments)))
    }
}

impl<E> Deref for Constructor<E> {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

/// The interface in a bundle without code, which the build has read before.
fn interface(text: &str) -> Interface {
    Interface::parse(text).expect("a bundle that the build has read")
}

/// The error of what never refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Never {}

/// An event of a contract.
pub trait Event: Decode {
    /// Its name.
    const NAME: &'static str;
    /// Its first topic, which tells it from all others.
    const TOPIC: Digest;

    /// The event with these topics and fields; none if it is another one.
    ///
    /// # Errors
    /// If it is this event and its fields cannot be read.
    fn read(topics: &[Digest], fields: &[u8]) -> Result<Option<Self>, parity_scale_codec::Error> {
        match topics.first() == Some(&Self::TOPIC) {
            true => Self::decode_all(&mut &fields[..]).map(Some),
            false => Ok(None),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));

#[cfg(test)]
mod tests;

//! The contracts as Rust sees them: one module each, with a function for every message, the types,
//! errors and events of its interface. All of it is made from the bundles in `contracts/bundles`, so
//! who calls a contract that has changed does not compile until he follows. What a type is in `core`,
//! it is here; no copy of it is made.
//!
//! Nothing here talks to a chain: `cicada-chain` does, with what these functions return.

use cicada_core::hash::Hash;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::marker::PhantomData;

/// A message of a contract with its arguments: what answers is a `T`, or an `E` if it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<T, E = Never> {
    label: &'static str,
    input: Vec<u8>,
    answer: PhantomData<fn() -> (T, E)>,
}

impl<T, E> Message<T, E> {
    fn new(label: &'static str, selector: [u8; 4], arguments: &impl Encode) -> Self {
        let mut input = selector.to_vec();
        arguments.encode_to(&mut input);
        Self { label, input, answer: PhantomData }
    }

    /// Its name, such as `Leaderboard::submit`.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// The bytes that call it: selector and arguments.
    pub fn input(&self) -> &[u8] {
        &self.input
    }
}

/// A constructor of a contract with its arguments; it refuses with an `E`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constructor<E = Never> {
    label: &'static str,
    input: Vec<u8>,
    answer: PhantomData<fn() -> E>,
}

impl<E> Constructor<E> {
    fn new(label: &'static str, selector: [u8; 4], arguments: &impl Encode) -> Self {
        let mut input = selector.to_vec();
        arguments.encode_to(&mut input);
        Self { label, input, answer: PhantomData }
    }

    /// Its name.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// The bytes that call it: selector and arguments.
    pub fn input(&self) -> &[u8] {
        &self.input
    }
}

/// The error of what never refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Never {}

/// An event of a contract.
pub trait Event: Decode {
    /// Its name.
    const NAME: &'static str;
    /// Its first topic, which tells it from all others.
    const TOPIC: Hash;

    /// The event with these topics and fields; none if it is another one.
    ///
    /// # Errors
    /// If it is this event and its fields cannot be read.
    fn read(topics: &[Hash], fields: &[u8]) -> Result<Option<Self>, parity_scale_codec::Error> {
        match topics.first() == Some(&Self::TOPIC) {
            true => Self::decode_all(&mut &fields[..]).map(Some),
            false => Ok(None),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));

#[cfg(test)]
mod tests;

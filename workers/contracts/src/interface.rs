//! What a bundle says of a contract's interface, for who has to put its answers into words.

use crate::bundle::{Bundle, Entry, Event, Field, Topic};
use crate::render;
use cicada_core::hash::Digest;

/// A contract's types, messages and events.
#[derive(Debug)]
pub struct Interface(Bundle);

/// Why a call returned no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The contract could not read the call.
    Unread(String),
    /// The contract refuses.
    Contract {
        /// The error's variant, such as `Certificate(BadSignature { seat: 3 })`.
        error: String,
        /// What its documentation says of it; perhaps nothing.
        explanation: String,
        /// The error, in SCALE.
        data: Vec<u8>,
    },
    /// It stopped, and what it returned is no reason.
    Unreadable,
}

impl Interface {
    /// Reads it from a bundle, or from one without its code.
    ///
    /// # Errors
    /// In words, if it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| error.to_string())
    }

    /// The contract's name.
    pub fn name(&self) -> &str {
        &self.0.contract.name
    }

    /// A constructor.
    pub fn constructor(&self, label: &str) -> Option<&Entry> {
        self.0.spec.constructors.iter().find(|entry| entry.label == label)
    }

    /// A message.
    pub fn message(&self, label: &str) -> Option<&Entry> {
        self.0.spec.messages.iter().find(|entry| entry.label == label)
    }

    /// The names of all constructors and messages.
    #[cfg(test)]
    fn labels(&self) -> impl Iterator<Item = &str> {
        let all = self.0.spec.constructors.iter().chain(&self.0.spec.messages);
        all.map(|entry| entry.label.as_str())
    }

    /// What a call returned, without the layers that say that it succeeded: the language's
    /// `Result`, and the message's own if it has one.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn returned<'a>(
        &self,
        entry: &Entry,
        data: &'a [u8],
        reverted: bool,
    ) -> Result<&'a [u8], Refused> {
        let unreadable = || Refused::Unreadable;
        let Some((outer, (&first, rest))) = entry.returns.as_ref().zip(data.split_first()) else {
            return if reverted { Err(unreadable()) } else { Ok(data) };
        };
        let [ok, lang_error] = self.result_of(outer.id).ok_or_else(unreadable)?;
        if first != 0 {
            return Err(Refused::Unread(self.text(lang_error, rest).ok_or_else(unreadable)?));
        }
        match (self.result_of(ok), rest.split_first()) {
            (Some(_), Some((0, value))) if !reverted => Ok(value),
            (Some([_, own_error]), Some((1, value))) => Err(Refused::Contract {
                error: self.text(own_error, value).ok_or_else(unreadable)?,
                explanation: render::explanation(&self.0.types, own_error, &mut &value[..])
                    .unwrap_or_default(),
                data: value.to_vec(),
            }),
            _ if reverted => Err(unreadable()),
            _ => Ok(rest),
        }
    }

    /// The types of `Ok` and `Err`, if the type is a `Result`.
    fn result_of(&self, type_id: u32) -> Option<[u32; 2]> {
        let ty = self.0.types.resolve(type_id)?;
        if ty.path.ident()? != "Result" {
            return None;
        }
        let param = |i: usize| Some(ty.type_params.get(i)?.ty.as_ref()?.id);
        Some([param(0)?, param(1)?])
    }

    fn text(&self, type_id: u32, mut bytes: &[u8]) -> Option<String> {
        render::value(&self.0.types, type_id, &mut bytes).ok()
    }

    /// The name of an event of this contract, such as `SlotSettled`.
    pub fn event_name(&self, topics: &[Digest]) -> Option<&str> {
        Some(&self.event(topics)?.label)
    }

    /// An event in words: `Name { field: value, … }`. One that is not of this contract is written
    /// in hex.
    pub fn event_text(&self, topics: &[Digest], fields: &[u8]) -> String {
        let known = self.event(topics).and_then(|spec| {
            let mut data = fields;
            let mut value = |field: &Field| {
                let value = render::value(&self.0.types, field.ty.id, &mut data).ok()?;
                Some(format!("{}: {value}", field.label))
            };
            let fields: Option<Vec<String>> = spec.args.iter().map(&mut value).collect();
            Some(format!("{} {{ {} }}", spec.label, fields?.join(", ")))
        });
        known.unwrap_or_else(|| format!("unknown event 0x{}", hex::encode(fields)))
    }

    fn event(&self, topics: &[Digest]) -> Option<&Event> {
        let Digest(topic) = topics.first()?;
        let is_of = |spec: &&Event| matches!(&spec.signature_topic, Some(Topic(of)) if of == topic);
        self.0.spec.events.iter().find(is_of)
    }
}

impl Entry {
    /// The bytes that call it.
    pub fn call(&self, arguments: &[u8]) -> Vec<u8> {
        [&self.selector[..], arguments].concat()
    }
}

#[cfg(test)]
mod tests;

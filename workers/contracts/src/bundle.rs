//! A bundle, as far as it describes an interface: the build makes Rust of it, and the crate words.

use scale_info::{PortableRegistry, PortableType};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
pub struct Bundle {
    pub contract: Contract,
    #[serde(deserialize_with = "registry")]
    pub types: PortableRegistry,
    pub spec: Spec,
}

#[derive(Debug, Deserialize)]
pub struct Contract {
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct Spec {
    pub constructors: Vec<Entry>,
    pub messages: Vec<Entry>,
    pub events: Vec<Event>,
}

/// A constructor or a message.
#[derive(Debug, Deserialize)]
pub struct Entry {
    pub label: String,
    #[serde(deserialize_with = "bytes")]
    pub selector: [u8; 4],
    #[serde(default)]
    pub args: Vec<Field>,
    #[serde(rename = "returnType")]
    pub returns: Option<TypeRef>,
    #[serde(default)]
    pub docs: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    pub label: String,
    pub args: Vec<Field>,
    #[serde(default)]
    pub docs: Vec<String>,
    pub signature_topic: Option<Topic>,
}

/// What tells an event from all others.
#[derive(Debug, Deserialize)]
pub struct Topic(#[serde(deserialize_with = "bytes")] pub [u8; 32]);

#[derive(Debug, Deserialize)]
pub struct Field {
    pub label: String,
    #[serde(rename = "type")]
    pub ty: TypeRef,
    #[serde(default)]
    pub docs: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct TypeRef {
    #[serde(rename = "type")]
    pub id: u32,
}

fn registry<'de, D: Deserializer<'de>>(from: D) -> Result<PortableRegistry, D::Error> {
    Ok(PortableRegistry { types: Vec::<PortableType>::deserialize(from)? })
}

/// Bytes in hex, with or without `0x`.
///
/// # Errors
/// If it is no text, no hex, or of another length.
pub fn bytes<'de, const N: usize, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(from)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes).map_err(D::Error::custom)?;
    Ok(bytes)
}

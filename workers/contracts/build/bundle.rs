//! A bundle, as far as it describes an interface.

use crate::bytes::bytes;
use scale_info::{PortableRegistry, PortableType};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
pub struct Bundle {
    contract: Contract,
    #[serde(deserialize_with = "registry")]
    pub types: PortableRegistry,
    pub spec: Spec,
}

#[derive(Deserialize)]
struct Contract {
    name: String,
}

#[derive(Deserialize)]
pub struct Spec {
    pub constructors: Vec<Entry>,
    pub messages: Vec<Entry>,
    pub events: Vec<Event>,
}

/// A constructor or a message.
#[derive(Deserialize)]
pub struct Entry {
    pub label: String,
    #[serde(deserialize_with = "bytes")]
    pub selector: [u8; 4],
    pub args: Vec<Field>,
    #[serde(rename = "returnType")]
    pub returns: TypeRef,
    pub docs: Vec<String>,
}

#[derive(Deserialize)]
pub struct Event {
    pub label: String,
    pub args: Vec<Field>,
    pub docs: Vec<String>,
    #[serde(deserialize_with = "bytes")]
    pub signature_topic: [u8; 32],
}

#[derive(Deserialize)]
pub struct Field {
    pub label: String,
    #[serde(rename = "type")]
    pub ty: TypeRef,
    #[serde(default)]
    pub docs: Vec<String>,
}

#[derive(Deserialize)]
pub struct TypeRef {
    #[serde(rename = "type")]
    pub id: u32,
}

impl Bundle {
    pub fn name(&self) -> &str {
        &self.contract.name
    }
}

fn registry<'de, D: Deserializer<'de>>(from: D) -> Result<PortableRegistry, D::Error> {
    Ok(PortableRegistry { types: Vec::<PortableType>::deserialize(from)? })
}

//! A contract's bundle: its Wasm, and what its calls and events look like.

use crate::events::ContractEvent;
use crate::{render, Error};
use cicada_core::hash::Hash;
use scale_info::PortableRegistry;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A contract as `scripts/build-contracts` writes it: `NAME.contract`.
#[derive(Debug)]
pub struct Bundle {
    name: String,
    wasm: Vec<u8>,
    code_hash: Hash,
    types: PortableRegistry,
    spec: Spec,
}

/// A constructor or a message.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) label: String,
    #[serde(deserialize_with = "hex_bytes")]
    selector: [u8; 4],
    #[serde(rename = "returnType")]
    returns: Option<TypeRef>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    constructors: Vec<Entry>,
    messages: Vec<Entry>,
    events: Vec<EventSpec>,
}

#[derive(Debug, Deserialize)]
struct EventSpec {
    label: String,
    args: Vec<Field>,
    signature_topic: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Field {
    label: String,
    #[serde(rename = "type")]
    ty: TypeRef,
}

#[derive(Debug, Deserialize)]
struct TypeRef {
    #[serde(rename = "type")]
    id: u32,
}

#[derive(Deserialize)]
struct File {
    source: Source,
    contract: Contract,
    types: Vec<scale_info::PortableType>,
    spec: Spec,
}

#[derive(Deserialize)]
struct Source {
    #[serde(deserialize_with = "hex_bytes")]
    hash: Hash,
    wasm: Option<String>,
}

#[derive(Deserialize)]
struct Contract {
    name: String,
}

fn hex_bytes<'de, const N: usize, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
        .map_err(serde::de::Error::custom)?;
    Ok(bytes)
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// [`Error::Bundle`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| bad(path, e))?;
        Self::parse(&text).map_err(|reason| Error::Bundle { path: PathBuf::from(path), reason })
    }

    /// Reads the bundle of a contract in a folder: `NAME.contract`, or `NAME/NAME.contract`, which is where
    /// `cargo contract build` puts it in its target folder.
    ///
    /// # Errors
    /// [`Error::Bundle`].
    pub fn find(folder: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let file = format!("{name}.contract");
        let path = folder.as_ref().join(&file);
        let built = folder.as_ref().join(name).join(file);
        Self::load(if !path.exists() && built.exists() { built } else { path })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let wasm = file.source.wasm.ok_or("it holds no Wasm")?;
        Ok(Self {
            name: file.contract.name,
            wasm: hex::decode(wasm.trim_start_matches("0x")).map_err(|e| e.to_string())?,
            code_hash: file.source.hash,
            types: PortableRegistry { types: file.types },
            spec: file.spec,
        })
    }

    /// The contract's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Wasm blob.
    pub fn wasm(&self) -> &[u8] {
        &self.wasm
    }

    /// BLAKE2-256 of the Wasm: the code's identity on the chain.
    pub fn code_hash(&self) -> &Hash {
        &self.code_hash
    }

    /// The bytes that call a constructor: its selector and the SCALE encoding of its
    /// arguments.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`].
    pub fn constructor_call(&self, label: &str, args: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.constructor(label)?.call(args))
    }

    /// The bytes that call a message such as `Leaderboard::submit`.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`].
    pub fn message_call(&self, label: &str, args: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.message(label)?.call(args))
    }

    pub(crate) fn constructor(&self, label: &str) -> Result<&Entry, Error> {
        self.named(&self.spec.constructors, label)
    }

    pub(crate) fn message(&self, label: &str) -> Result<&Entry, Error> {
        self.named(&self.spec.messages, label)
    }

    fn named<'a>(&self, entries: &'a [Entry], label: &str) -> Result<&'a Entry, Error> {
        entries.iter().find(|entry| entry.label == label).ok_or_else(|| Error::UnknownLabel {
            contract: self.name.clone(),
            label: label.into(),
            known: entries.iter().map(|entry| entry.label.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// What a call returned, without the layers that say that it succeeded: the language's
    /// `Result`, and the message's own if it has one.
    pub(crate) fn returned<'a>(
        &self,
        entry: &Entry,
        data: &'a [u8],
        reverted: bool,
    ) -> Result<&'a [u8], Error> {
        let label = || entry.label.clone();
        let unreadable = || Error::Reverted { label: label(), data: data.to_vec() };
        let Some((outer, (&first, rest))) = entry.returns.as_ref().zip(data.split_first()) else {
            return if reverted { Err(unreadable()) } else { Ok(data) };
        };
        let [ok, lang_error] = self.result_of(outer.id).ok_or_else(unreadable)?;
        if first != 0 {
            let error = self.text(lang_error, rest).ok_or_else(unreadable)?;
            return Err(Error::Lang { label: label(), error });
        }
        match (self.result_of(ok), rest.split_first()) {
            (Some(_), Some((0, value))) if !reverted => Ok(value),
            (Some([_, own_error]), Some((1, value))) => Err(Error::Contract {
                label: label(),
                error: self.text(own_error, value).ok_or_else(unreadable)?,
                explanation: render::explanation(&self.types, own_error, &mut &value[..])
                    .unwrap_or_default(),
            }),
            _ if reverted => Err(unreadable()),
            _ => Ok(rest),
        }
    }

    /// The types of `Ok` and `Err`, if the type is a `Result`.
    fn result_of(&self, type_id: u32) -> Option<[u32; 2]> {
        let ty = self.types.resolve(type_id)?;
        if ty.path.ident()? != "Result" {
            return None;
        }
        let param = |i: usize| Some(ty.type_params.get(i)?.ty.as_ref()?.id);
        Some([param(0)?, param(1)?])
    }

    fn text(&self, type_id: u32, mut bytes: &[u8]) -> Option<String> {
        render::value(&self.types, type_id, &mut bytes).ok()
    }

    /// The name of an event of this contract, such as `SlotSettled`.
    pub fn event_name(&self, event: &ContractEvent) -> Option<&str> {
        Some(&self.event_spec(event)?.label)
    }

    /// An event in words: `Name { field: value, … }`. One that is not in the bundle is
    /// written in hex.
    pub fn event_text(&self, event: &ContractEvent) -> String {
        let known = self.event_spec(event).and_then(|spec| {
            let mut data = &event.data[..];
            let fields: Option<Vec<String>> = spec
                .args
                .iter()
                .map(|field| {
                    let value = render::value(&self.types, field.ty.id, &mut data).ok()?;
                    Some(format!("{}: {value}", field.label))
                })
                .collect();
            Some(format!("{} {{ {} }}", spec.label, fields?.join(", ")))
        });
        known.unwrap_or_else(|| format!("unknown event 0x{}", hex::encode(&event.data)))
    }

    fn event_spec(&self, event: &ContractEvent) -> Option<&EventSpec> {
        let topic = format!("0x{}", hex::encode(event.topics.first()?));
        self.spec.events.iter().find(|spec| spec.signature_topic.as_deref() == Some(&topic))
    }
}

impl Entry {
    pub(crate) fn call(&self, args: &[u8]) -> Vec<u8> {
        [&self.selector[..], args].concat()
    }
}

fn bad(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Bundle { path: path.into(), reason: reason.to_string() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cicada_core::certificate::CertificateError;
    use parity_scale_codec::Encode;
    use scale_info::{meta_type, Registry, TypeInfo};

    #[derive(Encode, TypeInfo)]
    enum LangError {
        #[codec(index = 1)]
        CouldNotReadInput,
    }

    type Plain = Result<u32, LangError>;
    type Fallible = Result<Result<u32, CertificateError>, LangError>;

    pub(crate) fn bundle() -> Bundle {
        let mut registry = Registry::new();
        let plain = registry.register_type(&meta_type::<Plain>()).id;
        let fallible = registry.register_type(&meta_type::<Fallible>()).id;
        let number = registry.register_type(&meta_type::<u32>()).id;
        let types: PortableRegistry = registry.into();
        let entry = |label: &str, returns: u32| {
            serde_json::json!({"label": label, "selector": "0x01020304",
                "returnType": {"type": returns, "displayName": []}})
        };
        let file = serde_json::json!({
            "source": {"hash": format!("0x{}", "07".repeat(32)), "wasm": "0x0061736d"},
            "contract": {"name": "sample"},
            "types": types.types,
            "spec": {
                "constructors": [entry("new", plain)],
                "messages": [entry("Sample::get", plain), entry("Sample::set", fallible)],
                "events": [{"label": "Changed", "signature_topic": format!("0x{}", "09".repeat(32)),
                    "args": [{"label": "to", "indexed": false, "type": {"type": number}}]}],
            },
        });
        Bundle::parse(&file.to_string()).unwrap()
    }

    fn returned(label: &str, value: impl Encode, reverted: bool) -> Result<Vec<u8>, String> {
        let bundle = bundle();
        let entry = bundle.message(label).unwrap();
        bundle
            .returned(entry, &value.encode(), reverted)
            .map(<[u8]>::to_vec)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_call_is_selector_and_arguments() {
        let call = bundle().message_call("Sample::get", &7u8.encode());
        assert_eq!(call.unwrap(), [1, 2, 3, 4, 7]);
        let unknown = bundle().message_call("get", &[]).unwrap_err().to_string();
        assert!(unknown.contains("Sample::get, Sample::set"), "{unknown}");
        assert_eq!(bundle().wasm(), b"\0asm");
        assert_eq!(bundle().code_hash(), &[7; 32]);
    }

    #[test]
    fn success_is_unwrapped() {
        assert_eq!(returned("Sample::get", Plain::Ok(5), false), Ok(5u32.encode()));
        assert_eq!(returned("Sample::set", Fallible::Ok(Ok(5)), false), Ok(5u32.encode()));
    }

    #[test]
    fn refusals_carry_the_name_of_the_variant() {
        let bad = Fallible::Ok(Err(CertificateError::BadSignature { seat: 3 }));
        let refusal = returned("Sample::set", bad, true).unwrap_err();
        let (name, why) = refusal.split_once("}: ").unwrap();
        assert_eq!(name, "Sample::set refuses: BadSignature { seat: 3 ");
        assert!(why.ends_with('.'), "the error's documentation: {why}");
        let lang = returned("Sample::get", Plain::Err(LangError::CouldNotReadInput), true);
        assert!(lang.unwrap_err().contains("CouldNotReadInput"));
        assert!(returned("Sample::get", (), true).is_err());
        assert!(returned("Sample::get", Plain::Ok(5), true).is_err());
    }

    #[test]
    fn events_are_told_apart_by_their_topic() {
        let event = |topic: u8| ContractEvent {
            block: 1,
            block_hash: [0; 32],
            index: 0,
            contract: [0; 32],
            topics: vec![[topic; 32]],
            data: 5u32.encode(),
        };
        assert_eq!(bundle().event_name(&event(9)), Some("Changed"));
        assert_eq!(bundle().event_text(&event(9)), "Changed { to: 5 }");
        assert_eq!(bundle().event_name(&event(8)), None);
        assert!(bundle().event_text(&event(8)).contains("05000000"));
    }

    #[test]
    fn a_bundle_is_found_where_cargo_contract_puts_it() {
        let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(crate::BUNDLES);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("token")).unwrap();
        let place = folder.path().join("token/token.contract");
        std::fs::copy(bundles.join("token.contract"), place).unwrap();
        let found = Bundle::find(folder.path(), "token").unwrap();
        assert_eq!(found.code_hash(), Bundle::find(bundles, "token").unwrap().code_hash());
    }

    #[test]
    fn a_missing_bundle_says_how_to_make_it() {
        let error = Bundle::find("/nowhere", "x").unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.contract"), "{error}");
        assert!(error.contains("scripts/build-contracts"), "{error}");
    }
}

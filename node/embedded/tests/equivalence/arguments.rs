//! Arguments for every message of a contract, made from the types in its bundle.

use cicada_runtime::AccountId;
use codec::{Compact, Encode};
use serde_json::Value;
use sp_core::Bytes;
use std::{collections::BTreeMap, path::Path};

/// How deeply values nest before the smallest variant is taken.
const DEPTH: usize = 6;

/// A contract as its bundle describes it.
pub struct Bundle {
    pub name: String,
    pub wasm: Vec<u8>,
    description: Value,
}

/// A constructor or message.
pub struct Function<'a> {
    pub label: &'a str,
    selector: Vec<u8>,
    arguments: &'a [Value],
}

/// What values are made of.
#[derive(Clone, Copy)]
pub struct Recipe<'a> {
    /// All integers, as far as they fit.
    pub number: u128,
    /// Which variant, how many elements.
    pub pick: usize,
    /// The accounts that arguments are named after, such as `token`.
    pub contracts: &'a BTreeMap<String, AccountId>,
    /// All other accounts.
    pub accounts: &'a [AccountId],
}

fn bytes(hex: &Value) -> Vec<u8> {
    serde_json::from_value::<Bytes>(hex.clone()).expect("bundles have hexadecimal bytes").0
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Bundle {
    /// Reads a `.contract` file.
    pub fn read(path: &Path) -> Self {
        let text =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let description: Value = serde_json::from_slice(&text).expect("bundles are JSON");
        let name =
            path.file_stem().and_then(|name| name.to_str()).expect("it has a name").to_owned();
        Self { name, wasm: bytes(&description["source"]["wasm"]), description }
    }

    /// Its constructors.
    pub fn constructors(&self) -> Vec<Function<'_>> {
        self.functions("constructors")
    }

    /// Its messages.
    pub fn messages(&self) -> Vec<Function<'_>> {
        self.functions("messages")
    }

    fn functions(&self, kind: &str) -> Vec<Function<'_>> {
        let functions = list(&self.description["spec"][kind]).iter().map(|function| Function {
            label: function["label"].as_str().expect("functions have names"),
            selector: bytes(&function["selector"]),
            arguments: list(&function["args"]),
        });
        functions.collect()
    }

    /// The input of a call of `function`: its selector and arguments, each by a recipe of its own.
    pub fn input<'a>(&self, function: &Function, recipe: impl Fn(usize) -> Recipe<'a>) -> Vec<u8> {
        let mut input = function.selector.clone();
        for (place, argument) in function.arguments.iter().enumerate() {
            let label = argument["label"].as_str().unwrap_or_default();
            let maker =
                Maker { types: list(&self.description["types"]), label, recipe: recipe(place) };
            maker.value(&argument["type"]["type"], 0, &mut input);
        }
        input
    }
}

impl Function<'_> {
    /// How many arguments it has.
    pub fn arity(&self) -> usize {
        self.arguments.len()
    }
}

/// Makes one argument.
struct Maker<'a> {
    types: &'a [Value],
    label: &'a str,
    recipe: Recipe<'a>,
}

impl Maker<'_> {
    fn value(&self, id: &Value, depth: usize, out: &mut Vec<u8>) {
        let found = self.types.iter().find(|other| other["id"] == *id).expect("types are complete");
        let (path, definition) = (list(&found["type"]["path"]), &found["type"]["def"]);
        if path.last().is_some_and(|name| name == "AccountId") {
            return self.account().encode_to(out);
        }
        let (kind, inside) = definition
            .as_object()
            .and_then(|definition| definition.iter().next())
            .expect("types have a definition");
        let pick = self.recipe.pick;
        match kind.as_str() {
            "primitive" => self.primitive(inside.as_str().unwrap_or_default(), out),
            "compact" => Compact(self.recipe.number).encode_to(out),
            "tuple" => list(inside).iter().for_each(|id| self.value(id, depth + 1, out)),
            "composite" => self.fields(&inside["fields"], depth, out),
            "array" => {
                let length = inside["len"].as_u64().unwrap_or_default();
                (0..length).for_each(|_| self.value(&inside["type"], depth + 1, out));
            }
            "sequence" => {
                let length = if depth < DEPTH { pick % 3 } else { 0 };
                Compact(length as u32).encode_to(out);
                (0..length).for_each(|_| self.value(&inside["type"], depth + 1, out));
            }
            "variant" => {
                let variants = list(&inside["variants"]);
                let variant = &variants[if depth < DEPTH { pick % variants.len() } else { 0 }];
                out.push(variant["index"].as_u64().unwrap_or_default() as u8);
                self.fields(&variant["fields"], depth, out);
            }
            other => panic!("a type of unknown kind: {other}"),
        }
    }

    fn fields(&self, fields: &Value, depth: usize, out: &mut Vec<u8>) {
        for field in list(fields) {
            self.value(&field["type"], depth + 1, out);
        }
    }

    fn account(&self) -> AccountId {
        let Recipe { contracts, accounts, pick, .. } = self.recipe;
        contracts.get(self.label).unwrap_or(&accounts[pick % accounts.len()]).clone()
    }

    fn primitive(&self, name: &str, out: &mut Vec<u8>) {
        let number = self.recipe.number;
        match name {
            "bool" => (self.recipe.pick % 2 == 1).encode_to(out),
            "str" => format!("text {}", self.recipe.pick).encode_to(out),
            "char" => u32::from('c').encode_to(out),
            integer => {
                let bits: usize = integer[1..].parse().expect("integers have a size");
                out.extend(&number.to_le_bytes()[..bits / 8]);
            }
        }
    }
}

//! Makes the contracts' Rust side from their bundles.

#![allow(missing_docs)] // a program

#[path = "../src/bundle.rs"]
mod bundle;
mod calls;
mod types;

use bundle::Bundle;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use types::Definition;

/// Where the bundles are, from this crate.
const BUNDLES: &str = "../../contracts/bundles";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLES);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "contract"));
    files.sort();
    let (mut modules, mut types) = (TokenStream::new(), BTreeMap::new());
    for file in &files {
        modules.extend(module(file, &mut types)?);
    }
    let types = types.values().map(|definition| &definition.text);
    let all = quote! {
        #modules

        /// Types of the contracts' interfaces that `core` does not have.
        pub mod types {
            use parity_scale_codec::{Decode, Encode};
            #(#types)*
        }
    };
    let text = prettyplease::unparse(&syn::parse2(all)?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("contracts.rs");
    Ok(std::fs::write(out, text)?)
}

/// The module of one contract; its types go to those of all.
fn module(
    file: &Path,
    all: &mut BTreeMap<String, Definition>,
) -> Result<TokenStream, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", file.display());
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| said(&error))?;
    let mut whole: serde_json::Value = serde_json::from_str(&text).map_err(|error| said(&error))?;
    if let Some(source) = whole.get_mut("source").and_then(|source| source.as_object_mut()) {
        source.remove("wasm");
    }
    let interface = whole.to_string();
    let bundle: Bundle = serde_json::from_str(&text).map_err(|error| said(&error))?;
    let types = types::Types::new(&bundle);
    let name = &bundle.contract.name;
    let calls = calls::calls(&bundle, &types)?;
    let events = calls::events(&bundle, &types)?;
    let events = (!events.is_empty()).then(|| {
        quote! {
            /// Its events.
            pub mod events {
                use parity_scale_codec::{Decode, Encode};
                #events
            }
        }
    });
    for (name, definition) in types.definitions()? {
        types::merge(all, name, definition)?;
    }
    let module = types::ident(name);
    let doc = format!(" The contract `{name}`.");
    Ok(quote! {
        #[doc = #doc]
        #[allow(clippy::too_many_arguments, clippy::type_complexity)]
        #[allow(rustdoc::broken_intra_doc_links)]
        pub mod #module {
            /// The name of its bundle.
            pub const NAME: &str = #name;

            /// Its types, messages and events, for answers in words.
            pub static INTERFACE: std::sync::LazyLock<crate::Interface> =
                std::sync::LazyLock::new(|| crate::interface(#interface));

            #calls

            #events
        }
    })
}

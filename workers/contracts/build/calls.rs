//! Messages, constructors and events.

use crate::bundle::{Bundle, Entry, Field, Topic};
use crate::types::{docs, ident, Types};
use proc_macro2::TokenStream;
use quote::quote;

/// A function for each constructor and message.
pub fn calls(bundle: &Bundle, types: &Types) -> Result<TokenStream, String> {
    let constructors = bundle.spec.constructors.iter().map(|entry| constructor(entry, types));
    let messages = bundle.spec.messages.iter().map(|entry| message(entry, types));
    constructors.chain(messages).collect()
}

fn constructor(entry: &Entry, types: &Types) -> Result<TokenStream, String> {
    let (_, error) = types.answer(entry)?;
    function(entry, types, &quote!(crate::Constructor), &quote!(#error))
}

fn message(entry: &Entry, types: &Types) -> Result<TokenStream, String> {
    let (ok, error) = types.answer(entry)?;
    function(entry, types, &quote!(crate::Message), &quote!(#ok, #error))
}

fn function(
    entry: &Entry,
    types: &Types,
    kind: &TokenStream,
    answer: &TokenStream,
) -> Result<TokenStream, String> {
    let Entry { label, selector, args, docs: lines, .. } = entry;
    let name = ident(label.rsplit("::").next().unwrap_or(label));
    let mut parameters = Vec::new();
    let mut names = Vec::new();
    for Field { label, ty, .. } in args {
        let (name, ty) = (ident(label), types.parameter(ty.id)?);
        parameters.push(quote!(#name: #ty));
        names.push(name);
    }
    let lines = docs(lines, &format!("`{label}`."));
    Ok(quote! {
        #lines
        pub fn #name(#(#parameters),*) -> #kind<#answer> {
            #kind::new(crate::Call::new(&INTERFACE, #label, [#(#selector),*], &(#(#names,)*)))
        }
    })
}

/// A struct for each event.
pub fn events(bundle: &Bundle, types: &Types) -> Result<TokenStream, String> {
    let mut all = TokenStream::new();
    for event in &bundle.spec.events {
        let label = &event.label;
        let Some(Topic(topic)) = &event.signature_topic else {
            return Err(format!("the event {label} has no topic"));
        };
        let name = ident(label);
        let mut fields = TokenStream::new();
        for Field { label, ty, docs: lines } in &event.args {
            let (name, ty, lines) = (ident(label), types.name(ty.id)?, docs(lines, label));
            fields.extend(quote!(#lines pub #name: #ty,));
        }
        let lines = docs(&event.docs, &format!("`{label}`."));
        all.extend(quote! {
            #lines
            #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
            pub struct #name { #fields }

            impl crate::Event for #name {
                const NAME: &'static str = #label;
                const TOPIC: cicada_core::hash::Digest = cicada_core::hash::Digest([#(#topic),*]);
            }
        });
    }
    Ok(all)
}

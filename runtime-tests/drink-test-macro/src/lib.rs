//! The attributes that the crate `drink` exports, as its documentation describes them, but for the
//! build: bundles are those of `contracts/bundles`.

#![forbid(unsafe_code)]

use std::{fs, path::Path};

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{parse_macro_input, parse_quote, ItemEnum, ItemFn};

/// `contracts/bundles` of this checkout.
const BUNDLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/bundles");

/// A test that gets a new `Session`: `#[drink::test]`, or `#[drink::test(sandbox = MySandbox)]` for
/// another chain than `drink::minimal::MinimalSandbox`.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut sandbox: syn::Path = parse_quote!(::drink::minimal::MinimalSandbox);
    let options = syn::meta::parser(|option| {
        if !option.path.is_ident("sandbox") {
            return Err(option.error("the only option is 'sandbox = PATH'"));
        }
        sandbox = option.value()?.parse()?;
        Ok(())
    });
    parse_macro_input!(attribute with options);
    let mut function = parse_macro_input!(item as ItemFn);
    let session = match function.sig.inputs.pop() {
        Some(argument) if function.sig.inputs.is_empty() => argument.into_value(),
        _ => {
            let problem = "a drink test takes one argument: mut session: Session";
            return syn::Error::new_spanned(&function.sig, problem).to_compile_error().into();
        }
    };
    let syn::FnArg::Typed(syn::PatType { pat, .. }) = session else {
        return syn::Error::new_spanned(session, "not a session").to_compile_error().into();
    };
    function
        .block
        .stmts
        .insert(0, parse_quote!(let #pat = ::drink::session::Session::<#sandbox>::default();));
    quote!(#[::core::prelude::v1::test] #function).into()
}

/// Gives an empty enum a variant for each bundle, `Token` for `token.contract`, and a method `bundle`
/// that loads it.
#[proc_macro_attribute]
pub fn contract_bundle_provider(_: TokenStream, item: TokenStream) -> TokenStream {
    let ItemEnum { attrs, vis, ident, .. } = parse_macro_input!(item as ItemEnum);
    let names = match bundles() {
        Ok(names) => names,
        Err(error) => {
            let problem = format!("{BUNDLES}: {error}");
            return syn::Error::new_spanned(ident, problem).to_compile_error().into();
        }
    };
    let variants: Vec<_> =
        names.iter().map(|name| format_ident!("{}", pascal_case(name))).collect();
    let paths = names.iter().map(|name| format!("{BUNDLES}/{name}.contract"));
    quote! {
        #(#attrs)*
        #[derive(Copy, Clone, PartialEq, Eq, Debug)]
        #vis enum #ident { #(#variants),* }

        impl #ident {
            #vis fn bundle(self) -> ::drink::DrinkResult<::drink::session::ContractBundle> {
                ::drink::session::ContractBundle::load(match self { #(Self::#variants => #paths),* })
            }
        }
    }
    .into()
}

/// The names of the bundles, sorted.
fn bundles() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(BUNDLES)? {
        let file = entry?.file_name();
        let file = Path::new(&file);
        if file.extension().is_some_and(|extension| extension == "contract") {
            names.extend(file.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn pascal_case(name: &str) -> String {
    let capitalised = name.split(['_', '-']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    capitalised.collect()
}

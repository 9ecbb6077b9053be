//! Types: those of `core` by their name there, those of a contract's interface as new ones.

use crate::bundle::{Bundle, Entry};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, Type, TypeDef, TypeDefPrimitive};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Modules of `core` inside others whose types are known by their own path; those of all others are
/// known by that of the module round them.
const PUBLIC: [&str; 2] = ["basket::agreed", "basket::holdings"];

/// Types round another one that is encoded as it is.
const WRAPPERS: [&str; 2] = ["Stored", "Opaque"];

/// A type that an interface defines, and where.
pub struct Definition {
    path: String,
    pub text: TokenStream,
}

/// Adds a definition. Contracts share types, so that one may be there already.
pub fn merge(
    all: &mut BTreeMap<String, Definition>,
    name: String,
    one: Definition,
) -> Result<(), String> {
    if let Some(other) = all.get(&name) {
        let same = other.path == one.path && other.text.to_string() == one.text.to_string();
        return if same { Ok(()) } else { Err(format!("{} and {}", other.path, one.path)) };
    }
    all.insert(name, one);
    Ok(())
}

/// The types of a bundle, and which of them are to be defined.
pub struct Types<'a> {
    registry: &'a PortableRegistry,
    wanted: RefCell<BTreeSet<u32>>,
}

impl<'a> Types<'a> {
    pub fn new(bundle: &'a Bundle) -> Self {
        Self { registry: &bundle.types, wanted: RefCell::default() }
    }

    fn resolve(&self, id: u32) -> Result<&'a Type<PortableForm>, String> {
        self.registry.resolve(id).ok_or_else(|| format!("there is no type {id}"))
    }

    /// What a call returns and with what it refuses, without the layers of the language.
    pub fn answer(&self, entry: &Entry) -> Result<(TokenStream, TokenStream), String> {
        let outer = entry.returns.as_ref().map(|of| self.result(of.id)).transpose()?;
        let Some([ok, _]) = outer.flatten() else {
            return Err(format!("{} does not return the result of a call", entry.label));
        };
        Ok(match self.result(ok)? {
            Some([ok, error]) => (self.name(ok)?, self.name(error)?),
            None => (self.name(ok)?, quote!(crate::Never)),
        })
    }

    fn result(&self, id: u32) -> Result<Option<[u32; 2]>, String> {
        let ty = self.resolve(id)?;
        Ok(match ty.path.ident().as_deref() {
            Some("Result") => Some([parameter(ty, 0)?, parameter(ty, 1)?]),
            _ => None,
        })
    }

    /// A type as that of a parameter: numbers by value, lists as slices, all else by reference.
    pub fn parameter(&self, id: u32) -> Result<TokenStream, String> {
        let name = self.name(id)?;
        Ok(match &self.resolve(id)?.type_def {
            TypeDef::Primitive(TypeDefPrimitive::Str) => quote!(&str),
            TypeDef::Primitive(_) => name,
            TypeDef::Sequence(of) => {
                let of = self.name(of.type_param.id)?;
                quote!(&[#of])
            }
            _ => quote!(&#name),
        })
    }

    /// The name of a type; one that has to be defined is noted.
    pub fn name(&self, id: u32) -> Result<TokenStream, String> {
        let ty = self.resolve(id)?;
        Ok(match &ty.type_def {
            TypeDef::Primitive(primitive) => self::primitive(primitive)?,
            TypeDef::Sequence(of) => {
                let of = self.name(of.type_param.id)?;
                quote!(Vec<#of>)
            }
            TypeDef::Array(of) => {
                let (length, of) = (of.len as usize, self.name(of.type_param.id)?);
                quote!([#of; #length])
            }
            TypeDef::Tuple(of) => {
                let of = of.fields.iter().map(|field| self.name(field.id));
                let of = of.collect::<Result<Vec<_>, _>>()?;
                quote!((#(#of,)*))
            }
            TypeDef::Composite(_) | TypeDef::Variant(_) => self.named(id, ty)?,
            TypeDef::Compact(_) | TypeDef::BitSequence(_) => {
                return Err(format!("type {id} is of a kind that no interface here has"));
            }
        })
    }

    fn named(&self, id: u32, ty: &Type<PortableForm>) -> Result<TokenStream, String> {
        let path: Vec<&str> = ty.path.segments.iter().map(|part| &**part).collect();
        let of = |place| self.name(parameter(ty, place)?);
        match path[..] {
            ["Option"] => {
                let of = of(0)?;
                Ok(quote!(Option<#of>))
            }
            ["Result"] => {
                let (ok, error) = (of(0)?, of(1)?);
                Ok(quote!(Result<#ok, #error>))
            }
            ["ink_primitives", .., "AccountId"] => Ok(quote!(cicada_core::Account)),
            ["ink_primitives", .., "Digest"] => Ok(quote!(cicada_core::hash::Digest)),
            ["cicada_traits", .., name] if WRAPPERS.contains(&name) => of(0),
            ["cicada_core", ref inside @ .., name] => {
                let inside = inside.join("::");
                let known = PUBLIC.contains(&&*inside);
                let module = if known { &inside } else { inside.split("::").next().unwrap_or("") };
                let full = format!("cicada_core::{module}::{name}");
                syn::parse_str::<syn::Path>(&full)
                    .map(|path| quote!(#path))
                    .map_err(|error| format!("{full}: {error}"))
            }
            [.., name] => {
                self.wanted.borrow_mut().insert(id);
                let name = ident(name);
                Ok(quote!(crate::types::#name))
            }
            [] => Err(format!("type {id} has no name")),
        }
    }

    /// The types that are to be defined, and those inside them, by their names.
    pub fn definitions(&self) -> Result<BTreeMap<String, Definition>, String> {
        let mut done = BTreeSet::new();
        let mut all = BTreeMap::new();
        loop {
            let next = self.wanted.borrow().iter().find(|id| !done.contains(*id)).copied();
            let Some(id) = next else {
                return Ok(all);
            };
            done.insert(id);
            let ty = self.resolve(id)?;
            let text = self.definition(ty)?;
            let name = ty.path.ident().unwrap_or_default();
            merge(&mut all, name, Definition { path: ty.path.to_string(), text })?;
        }
    }

    fn definition(&self, ty: &Type<PortableForm>) -> Result<TokenStream, String> {
        let label = ty.path.ident().ok_or("a type has no name")?;
        let (name, lines) = (ident(&label), docs(&ty.docs, &label));
        let derives = quote!(#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]);
        match &ty.type_def {
            TypeDef::Composite(of) => {
                let fields = self.fields(&of.fields, &quote!(pub))?;
                let end = matches!(of.fields.first(), Some(field) if field.name.is_none());
                let end = end.then(|| quote!(;));
                Ok(quote!(#lines #derives pub struct #name #fields #end))
            }
            TypeDef::Variant(of) => {
                let mut variants = TokenStream::new();
                for variant in &of.variants {
                    let (name, index) = (ident(&variant.name), variant.index);
                    let lines = docs(&variant.docs, &variant.name);
                    let fields = match variant.fields.is_empty() {
                        true => TokenStream::new(),
                        false => self.fields(&variant.fields, &TokenStream::new())?,
                    };
                    variants.extend(quote!(#lines #[codec(index = #index)] #name #fields,));
                }
                Ok(quote!(#lines #derives pub enum #name { #variants }))
            }
            _ => Err(format!("{label} is neither a struct nor an enum")),
        }
    }

    fn fields(
        &self,
        fields: &[Field<PortableForm>],
        visible: &TokenStream,
    ) -> Result<TokenStream, String> {
        let mut all = TokenStream::new();
        let is_named = fields.first().is_none_or(|field| field.name.is_some());
        for field in fields {
            let ty = self.name(field.ty.id)?;
            match &field.name {
                Some(label) => {
                    let (name, lines) = (ident(label), docs(&field.docs, label));
                    all.extend(quote!(#lines #visible #name: #ty,));
                }
                None => all.extend(quote!(#visible #ty,)),
            }
        }
        Ok(if is_named { quote!({ #all }) } else { quote!((#all)) })
    }
}

fn parameter(ty: &Type<PortableForm>, place: usize) -> Result<u32, String> {
    let found = ty.type_params.get(place).and_then(|parameter| parameter.ty.as_ref());
    found.map(|ty| ty.id).ok_or_else(|| format!("{} lacks a parameter", ty.path))
}

fn primitive(of: &TypeDefPrimitive) -> Result<TokenStream, String> {
    Ok(match of {
        TypeDefPrimitive::Bool => quote!(bool),
        TypeDefPrimitive::Str => quote!(String),
        TypeDefPrimitive::U8 => quote!(u8),
        TypeDefPrimitive::U16 => quote!(u16),
        TypeDefPrimitive::U32 => quote!(u32),
        TypeDefPrimitive::U64 => quote!(u64),
        TypeDefPrimitive::U128 => quote!(u128),
        other => return Err(format!("no interface here has a {other:?}")),
    })
}

/// A name of a bundle in Rust.
pub fn ident(name: &str) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) => Ident::new_raw(name, Span::call_site()),
    }
}

/// Documentation, or in its place a name.
pub fn docs(lines: &[String], otherwise: &str) -> TokenStream {
    let lines: Vec<String> = match lines.iter().all(|line| line.trim().is_empty()) {
        true => vec![format!(" {otherwise}")],
        false => lines.iter().map(|line| format!(" {}", line.trim_start())).collect(),
    };
    quote!(#(#[doc = #lines])*)
}

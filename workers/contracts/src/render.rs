//! SCALE bytes of a contract as text for people, by the types in its bundle.

use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use scale_value::{Composite, Primitive, Value, ValueDef};

/// Decodes one value from the front of `bytes` and writes it as Rust would: variants with
/// their names, fields with theirs, bytes in hex, names in quotes.
pub(crate) fn value(
    types: &PortableRegistry,
    type_id: u32,
    bytes: &mut &[u8],
) -> Result<String, String> {
    scale_value::scale::decode_as_type(bytes, type_id, types)
        .map(|value| text(types, &value))
        .map_err(|error| error.to_string())
}

/// What the type's documentation says of an error: of its variant, and of those inside it; of
/// each the first paragraph.
pub(crate) fn explanation(
    types: &PortableRegistry,
    type_id: u32,
    bytes: &mut &[u8],
) -> Option<String> {
    let value = scale_value::scale::decode_as_type(bytes, type_id, types).ok()?;
    let mut said = Vec::new();
    documented(types, &value, &mut said);
    (!said.is_empty()).then(|| said.join(" "))
}

fn documented(types: &PortableRegistry, value: &Value<u32>, said: &mut Vec<String>) {
    match &value.value {
        ValueDef::Composite(composite) => {
            composite.values().for_each(|value| documented(types, value, said));
        }
        ValueDef::Variant(variant) => {
            let def = types.resolve(value.context).map(|ty| &ty.type_def);
            if let Some(TypeDef::Variant(def)) = def {
                let spec = def.variants.iter().find(|spec| spec.name == variant.name);
                let lines = spec.into_iter().flat_map(|spec| &spec.docs).map(|line| line.trim());
                said.extend(lines.take_while(|line| !line.is_empty()).map(str::to_owned));
            }
            variant.values.values().for_each(|value| documented(types, value, said));
        }
        _ => {}
    }
}

fn text(types: &PortableRegistry, value: &Value<u32>) -> String {
    match &value.value {
        ValueDef::Primitive(primitive) => primitive_text(primitive),
        ValueDef::BitSequence(bits) => format!("{bits:?}"),
        ValueDef::Variant(variant) => {
            format!("{}{}", variant.name, fields(types, &variant.values))
        }
        ValueDef::Composite(composite) => match bytes_of(types, value.context, composite) {
            Some(bytes) => bytes_text(&bytes),
            None => composite_text(types, composite),
        },
    }
}

/// A struct or tuple; one that only wraps a value is written as that value.
fn composite_text(types: &PortableRegistry, composite: &Composite<u32>) -> String {
    match composite {
        Composite::Unnamed(values) if values.len() == 1 => text(types, &values[0]),
        Composite::Unnamed(values) if values.is_empty() => "()".into(),
        _ => fields(types, composite).trim_start().into(),
    }
}

fn fields(types: &PortableRegistry, composite: &Composite<u32>) -> String {
    match composite {
        Composite::Named(fields) if fields.is_empty() => String::new(),
        Composite::Unnamed(values) if values.is_empty() => String::new(),
        Composite::Named(fields) => {
            let parts =
                fields.iter().map(|(name, value)| format!("{name}: {}", text(types, value)));
            format!(" {{ {} }}", parts.collect::<Vec<_>>().join(", "))
        }
        Composite::Unnamed(values) => {
            let parts = values.iter().map(|value| text(types, value));
            format!("({})", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn primitive_text(primitive: &Primitive) -> String {
    match primitive {
        Primitive::Bool(value) => value.to_string(),
        Primitive::Char(value) => format!("{value:?}"),
        Primitive::String(value) => format!("{value:?}"),
        Primitive::U128(value) => value.to_string(),
        Primitive::I128(value) => value.to_string(),
        Primitive::U256(bytes) | Primitive::I256(bytes) => format!("0x{}", hex::encode(bytes)),
    }
}

fn bytes_text(bytes: &[u8]) -> String {
    let readable = !bytes.is_empty() && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(name) if readable => format!("{name:?}"),
        _ => format!("0x{}", hex::encode(bytes)),
    }
}

/// The bytes of a sequence or array of `u8`, or of a struct round one.
fn bytes_of(types: &PortableRegistry, type_id: u32, composite: &Composite<u32>) -> Option<Vec<u8>> {
    let element = match &types.resolve(type_id)?.type_def {
        TypeDef::Sequence(sequence) => sequence.type_param.id,
        TypeDef::Array(array) => array.type_param.id,
        _ => return None,
    };
    let of_bytes =
        matches!(types.resolve(element)?.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
    let Composite::Unnamed(values) = composite else {
        return None;
    };
    let byte = |value: &Value<u32>| match value.value {
        ValueDef::Primitive(Primitive::U128(byte)) => u8::try_from(byte).ok(),
        _ => None,
    };
    of_bytes.then(|| values.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::certificate::CertificateError;
    use cicada_core::quote::Framework;
    use parity_scale_codec::Encode;
    use scale_info::{meta_type, Registry, TypeInfo};

    fn rendered<T: TypeInfo + Encode + 'static>(value: &T) -> String {
        let mut registry = Registry::new();
        let id = registry.register_type(&meta_type::<T>()).id;
        let types: PortableRegistry = registry.into();
        super::value(&types, id, &mut &value.encode()[..]).unwrap()
    }

    #[test]
    fn errors_are_written_as_in_rust() {
        assert_eq!(
            rendered(&CertificateError::BadSignature { seat: 3 }),
            "BadSignature { seat: 3 }"
        );
        assert_eq!(rendered(&CertificateError::UnknownSigner), "UnknownSigner");
        let nested: Result<(), Option<CertificateError>> =
            Err(Some(CertificateError::WrongEpoch { expected: 2 }));
        assert_eq!(rendered(&nested), "Err(Some(WrongEpoch { expected: 2 }))");
    }

    #[test]
    fn names_and_digests_are_readable() {
        assert_eq!(rendered(&Framework::new("claude").unwrap()), "\"claude\"");
        assert_eq!(rendered(&[255u8; 2]), "0xffff");
        assert_eq!(rendered(&vec![1u32, 2]), "(1, 2)");
        assert_eq!(rendered(&(1u8, true)), "(1, true)");
        assert_eq!(rendered(&()), "()");
    }

    #[test]
    fn an_error_is_explained_by_its_documentation() {
        use scale_info::{build::Variants, Path, Type};
        struct Bad;
        impl TypeInfo for Bad {
            type Identity = Self;
            fn type_info() -> Type {
                let variants = Variants::new()
                    .variant("Late", |v| {
                        v.index(0).docs_always(&["Its time", "is over.", "", "More."])
                    })
                    .variant("Odd", |v| v.index(1));
                Type::builder().path(Path::new("Bad", "x")).variant(variants)
            }
        }
        let mut registry = Registry::new();
        let id = registry.register_type(&meta_type::<Option<Bad>>()).id;
        let types: PortableRegistry = registry.into();
        let explain = |bytes: &[u8]| super::explanation(&types, id, &mut &bytes[..]);
        assert_eq!(explain(&[1, 0]).as_deref(), Some("Its time is over."));
        assert_eq!(explain(&[1, 1]), None);
    }

    #[test]
    fn short_bytes_are_an_error() {
        let types: PortableRegistry = Registry::new().into();
        assert!(super::value(&types, 0, &mut &[][..]).is_err());
    }
}

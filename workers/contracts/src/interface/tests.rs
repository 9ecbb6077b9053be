use super::*;
use cicada_core::certificate::CertificateError;
use parity_scale_codec::Encode;
use scale_info::{meta_type, PortableRegistry, Registry, TypeInfo};

#[derive(Encode, TypeInfo)]
enum LangError {
    #[codec(index = 1)]
    CouldNotReadInput,
}

type Plain = Result<u32, LangError>;
type Fallible = Result<Result<u32, CertificateError>, LangError>;

fn sample() -> Interface {
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
        "contract": {"name": "sample"},
        "types": types.types,
        "spec": {
            "constructors": [entry("new", plain)],
            "messages": [entry("Sample::get", plain), entry("Sample::set", fallible)],
            "events": [{"label": "Changed", "signature_topic": format!("0x{}", "09".repeat(32)),
                "args": [{"label": "to", "indexed": false, "type": {"type": number}}]}],
        },
    });
    Interface::parse(&file.to_string()).unwrap()
}

fn returned(label: &str, value: impl Encode, reverted: bool) -> Result<Vec<u8>, Refused> {
    let sample = sample();
    let entry = sample.message(label).unwrap();
    sample.returned(entry, &value.encode(), reverted).map(<[u8]>::to_vec)
}

#[test]
fn a_call_is_selector_and_arguments() {
    let sample = sample();
    assert_eq!(sample.message("Sample::get").unwrap().call(&[7]), [1, 2, 3, 4, 7]);
    assert!(sample.message("get").is_none());
    assert_eq!(sample.labels().collect::<Vec<_>>(), ["new", "Sample::get", "Sample::set"]);
}

#[test]
fn success_is_unwrapped() {
    assert_eq!(returned("Sample::get", Plain::Ok(5), false), Ok(5u32.encode()));
    assert_eq!(returned("Sample::set", Fallible::Ok(Ok(5)), false), Ok(5u32.encode()));
}

#[test]
fn refusals_carry_the_name_of_the_variant_its_words_and_itself() {
    let why = CertificateError::BadSignature { seat: 3 };
    let refused = returned("Sample::set", Fallible::Ok(Err(why)), true).unwrap_err();
    let Refused::Contract { error, explanation, data } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error, "BadSignature { seat: 3 }");
    assert!(explanation.ends_with('.'), "the error's documentation: {explanation}");
    assert_eq!(data, why.encode());
    let lang = returned("Sample::get", Plain::Err(LangError::CouldNotReadInput), true);
    assert_eq!(lang, Err(Refused::Unread("CouldNotReadInput".into())));
    assert_eq!(returned("Sample::get", (), true), Err(Refused::Unreadable));
    assert_eq!(returned("Sample::get", Plain::Ok(5), true), Err(Refused::Unreadable));
}

#[test]
fn events_are_told_apart_by_their_topic() {
    let (sample, fields) = (sample(), 5u32.encode());
    assert_eq!(sample.event_name(&[Digest([9; 32])]), Some("Changed"));
    assert_eq!(sample.event_text(&[Digest([9; 32])], &fields), "Changed { to: 5 }");
    assert_eq!(sample.event_name(&[Digest([8; 32])]), None);
    assert!(sample.event_text(&[Digest([8; 32])], &fields).contains("05000000"));
}

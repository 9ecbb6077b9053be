use super::*;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;

#[test]
fn a_message_is_its_selector_and_its_arguments() {
    let asked = index::nav(7);
    assert_eq!(asked.label(), "Index::nav");
    assert_eq!(asked.input()[4..], 7u64.encode());
    let none = token::total_supply();
    assert_eq!(none.input().len(), 4);
    assert_ne!(asked.input()[..4], none.input()[..]);
}

#[test]
fn a_contract_of_others_is_called_by_its_bundle() {
    let of = |name| Message::<u64>::of(&index::INTERFACE, name, &(7u64,));
    assert_eq!(of("Index::nav").unwrap().input(), index::nav(7).input());
    assert!(of("Index::none").is_none());
    let made = Constructor::<Never>::of(&token::INTERFACE, "new", &("a", "b", 6u8, 5u128));
    assert_eq!(made.unwrap().input(), token::new("a", "b", 6, 5).input());
}

#[test]
fn a_call_knows_the_type_of_its_errors() {
    use std::any::TypeId;
    assert_eq!(auction::start(1).refuses_with(), TypeId::of::<types::AuctionError>());
    assert_eq!(auction::market().refuses_with(), TypeId::of::<Never>());
    let made = reputation::new(1, 1);
    assert_eq!(made.refuses_with(), TypeId::of::<types::ReputationError>());
}

#[test]
fn what_core_knows_is_of_core() {
    let feed = Feed { kind: ReportKind::Rewards, contract: Account([1; 32]) };
    let report = FeedState::EMPTY.next_report(feed, 5, Digest([2; 32]));
    let error = types::RewardsError::Feed(cicada_core::report::FeedError::SlotTaken);
    let bytes = error.encode();
    assert_eq!(types::RewardsError::decode_all(&mut &bytes[..]), Ok(error));
    assert_eq!(report.slot, 1);
}

#[test]
fn an_event_is_known_by_its_first_topic() {
    let funded = rewards::events::Funded { from: Account([3; 32]), amount: 4, funded: 5 };
    let bytes = funded.encode();
    let topic = rewards::events::Funded::TOPIC;
    assert_eq!(rewards::events::Funded::read(&[topic], &bytes), Ok(Some(funded)));
    let other = rewards::events::Claimed::TOPIC;
    assert_eq!(rewards::events::Funded::read(&[other], &bytes), Ok(None));
    assert!(rewards::events::Funded::read(&[topic], &bytes[1..]).is_err());
}

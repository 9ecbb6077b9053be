//! The index of its tests, and a committee with stake that observes it.

#[path = "../../tests/index/observers.rs"]
pub mod observers;
#[path = "../../tests/index/stage.rs"]
pub mod stage;

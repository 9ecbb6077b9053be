//! The index of its tests, and a committee with stake that observes it.

#[path = "../../tests/index/observers.rs"]
pub mod observers;
#[allow(clippy::new_without_default)] // a new stage is not a default
#[path = "../../tests/index/stage.rs"]
pub mod stage;

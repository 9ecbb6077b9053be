//! Figures for Prometheus: what is counted by how it ended.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// A number that rises and falls, and is never below 0.
pub type Level = Gauge<u64, AtomicU64>;
/// How often something ended in which way.
pub type Outcomes = Family<Outcome, Counter>;

/// Declares the figures of a program: under which name Prometheus reads each, and what it says.
#[macro_export]
macro_rules! figures {
    ($prefix:literal: $($field:ident: $type:ty = $name:literal, $help:literal;)*) => {
        /// The figures of this program.
        #[derive(Default)]
        pub struct Metrics {
            registry: $crate::Registry,
            $(#[doc = $help] pub $field: $type,)*
        }

        impl Metrics {
            /// All at zero.
            pub fn new() -> Self {
                let registry = $crate::Registry::with_prefix($prefix);
                let mut all = Self { registry, ..Self::default() };
                $(all.registry.register($name, $help, all.$field.clone());)*
                all
            }

            /// The text that Prometheus reads.
            pub fn text(&self) -> String {
                $crate::figures_text(&self.registry)
            }
        }
    };
}

/// The outcome of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// Its name.
    pub outcome: &'static str,
}

/// Counts one.
pub fn count(family: &Outcomes, outcome: &'static str) {
    family.get_or_create(&Outcome { outcome }).inc();
}

/// The text that Prometheus reads.
pub fn figures_text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, registry);
    text
}

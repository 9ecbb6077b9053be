//! The compute market with its real programs, for its test and for the walk through it. Everything is
//! started as the program `localnet` does, and stopped when the value is dropped.

pub mod compute;

pub use cicada_localnet::{programs, repository};
use std::process::Command;

/// A script of this repository that starts programs of this one's profile. They must be built.
pub fn script(name: &str) -> Command {
    let profile = if programs().ends_with("debug") { "dev" } else { "release" };
    let mut command = Command::new(repository().join("scripts").join(name));
    command.env("CICADA_PROFILE", profile).env("CICADA_BUILT", "yes");
    command
}

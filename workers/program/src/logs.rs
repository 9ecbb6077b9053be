//! Logs: to standard error, as `CICADA_LOG` says.

use crate::complain;
use std::io::IsTerminal;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::EnvFilter;

/// The variable with the filter: error, warn, info, debug, trace, or a level for each module.
const VARIABLE: &str = "CICADA_LOG";

/// Logs of a service: from `info` on, unless `CICADA_LOG` says otherwise.
pub fn logs() {
    start(&[VARIABLE], LevelFilter::INFO);
}

/// Logs of a program that a person starts and waits for: errors, unless `CICADA_LOG` says otherwise.
pub fn quiet_logs() {
    start(&[VARIABLE], LevelFilter::ERROR);
}

/// Logs of a program of TAO20: as [`logs`], and `TAO20_LOG_LEVEL` goes before `CICADA_LOG`.
pub fn tao20_logs() {
    start(&["TAO20_LOG_LEVEL", VARIABLE], LevelFilter::INFO);
}

// The first variable that is set counts. In colours if standard error is a terminal. What cannot be read
// ends the program, as a wrong option does.
fn start(variables: &[&str], level: LevelFilter) {
    let set = |name: &&str| std::env::var_os(name).map(|value| (name.to_string(), value));
    let set = variables.iter().filter_map(set).find(|(_, value)| !value.is_empty());
    let filter = match set {
        None => Ok(EnvFilter::default().add_directive(level.into())),
        Some((name, value)) => {
            filter(&value.to_string_lossy()).map_err(|error| format!("{name}: {error}"))
        }
    };
    let filter = filter.unwrap_or_else(|error| {
        complain!("error: {error}");
        std::process::exit(2)
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

// A word that is no level would be read as a module.
fn filter(text: &str) -> Result<EnvFilter, String> {
    let bad = || {
        format!("'{text}' is no filter of logs: write error, warn, info, debug, trace, or levels of modules such as info,cicada_chain=debug")
    };
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let is_clear = |part: &str| part.contains('=') || is_level(part.trim());
    text.split(',').all(is_clear).then(|| EnvFilter::try_new(text).ok()).flatten().ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_level_or_a_level_for_each_module() {
        for good in ["warn", "DEBUG", "info,cicada_chain=trace", "paxos_node=debug, off"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["loud", "info;debug", "cicada_chain", "x=loud", "info,,debug", "="] {
            let said = filter(bad).unwrap_err();
            assert!(said.contains(bad) && said.contains("trace"), "{said}");
        }
    }
}

//! Secrets have no place on the command line: every user of the machine reads it.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Error, Parser};
use std::ffi::OsString;

/// The option that takes the secret of an account.
const SURI: &str = "suri";

/// Whether a secret is that of a development account, such as `//Alice`, which everybody has.
pub fn is_development(suri: &str) -> bool {
    suri.starts_with("//")
}

/// The options of a program with an option `--suri`. A secret that is one is taken from the environment
/// only; who writes it on the command line is told so, and the program ends.
pub fn options<T: Parser>() -> T {
    read(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

fn read<T: Parser>(line: impl IntoIterator<Item = OsString>) -> Result<T, Error> {
    let mut command = T::command();
    let matches = command.try_get_matches_from_mut(line)?;
    let suri = matches.get_one::<String>(SURI);
    let is_written = matches.value_source(SURI) == Some(ValueSource::CommandLine);
    if is_written && !suri.is_some_and(|suri| is_development(suri)) {
        let why = "--suri takes development accounts such as //Alice: every user of this machine can read \
                   arguments. Put another secret into the environment variable CICADA_SURI";
        return Err(command.error(ErrorKind::ValueValidation, why));
    }
    T::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Options {
        #[arg(long, env = "CICADA_TEST_OF_SURI", default_value = "//Alice")]
        suri: String,
    }

    fn of(line: &[&str]) -> Result<String, String> {
        let line = ["x"].iter().chain(line).map(OsString::from);
        read::<Options>(line).map(|options| options.suri).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_comes_from_the_environment_and_never_from_an_argument() {
        assert_eq!(of(&[]), Ok("//Alice".into()));
        assert_eq!(of(&["--suri", "//Bob//1"]), Ok("//Bob//1".into()));
        for secret in ["old orchard", "0x01", "/Bob"] {
            let refused = of(&["--suri", secret]).unwrap_err();
            assert!(refused.contains("CICADA_SURI") && !refused.contains(secret), "{refused}");
        }
        std::env::set_var("CICADA_TEST_OF_SURI", "old orchard");
        assert_eq!(of(&[]), Ok("old orchard".into()));
        std::env::remove_var("CICADA_TEST_OF_SURI");
    }
}

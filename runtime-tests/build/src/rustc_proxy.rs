//! Makes a contract's code depend on its source, and not on where the source, the compiler or cargo lie.
//!
//! Places enter in three ways. Cargo tells crates of one name apart by `-C metadata`, a hash of absolute
//! paths among other things, and the compiler orders functions by it; here it is a hash of what the crate
//! is. File names in spans and panic messages become relative to the crate. The compiler's own text of
//! its version, which differs between distributors, is replaced by a constant.
//!
//! Cargo calls the program named by `RUSTC_WRAPPER`; this program names itself there.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::recipe::SALT;

/// Set in the environment of the cargo whose compilers pass through this program.
const MARK: &str = "CICADA_BUILD_RUSTC";
/// What the compiler uses in place of its own version when it names crates.
const VERSION: &str = "RUSTC_FORCE_RUSTC_VERSION";

/// Lets every compiler that this cargo starts pass through this program.
pub fn install(cargo: &mut Command) -> Result<()> {
    let own = env::current_exe().context("cannot find the path of this program")?;
    cargo.env("RUSTC_WRAPPER", own).env(MARK, "yes");
    Ok(())
}

/// Acts as the compiler when started as such; `None` for an ordinary start.
pub fn run_if_proxy() -> Option<ExitCode> {
    env::var_os(MARK)?;
    let mut arguments = env::args_os().skip(1);
    let rustc = arguments.next()?;
    let mut arguments: Vec<_> = arguments.collect();
    // Clippy makes nothing, and names files as they are. It comes with the compiler as its argument.
    if Path::new(&rustc).file_stem().is_some_and(|name| name != "clippy-driver") {
        arguments = placeless(arguments, &Place::of_this_process());
    }
    let failure = Command::new(&rustc).args(&arguments).env(VERSION, SALT).env_remove(MARK).exec();
    eprintln!("error: cannot start {}: {failure}", rustc.to_string_lossy());
    Some(ExitCode::FAILURE)
}

/// What cargo says about a crate in the environment of its compiler.
struct Place {
    version: String,
    working: PathBuf,
    /// What the crate's build script has written.
    generated: Option<PathBuf>,
}

impl Place {
    fn of_this_process() -> Self {
        Self {
            version: env::var("CARGO_PKG_VERSION").unwrap_or_default(),
            working: env::current_dir().unwrap_or_default(),
            generated: env::var_os("OUT_DIR").map(PathBuf::from),
        }
    }
}

/// The arguments of a compiler without what tells of a place. Those without a crate stay as they are.
fn placeless(mut arguments: Vec<OsString>, place: &Place) -> Vec<OsString> {
    let text: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let Some(metadata) = text.iter().position(|argument| argument.starts_with("metadata=")) else {
        return arguments;
    };
    let name = value_of(&text, "--crate-name").unwrap_or_default();
    let identity = format!("metadata={}", identity(&text, place));
    let source = text.iter().find(|argument| argument.ends_with(".rs"));
    let source = source.map(|source| place.working.join(source.as_ref()));
    let folder = source.as_deref().and_then(Path::parent);

    let known = format!("/{name}-{}", place.version);
    let mut folders = vec![(place.working.as_path(), "/build".to_owned())];
    folders.extend(folder.map(|folder| (folder, known.clone())));
    folders.extend(place.generated.as_deref().map(|folder| (folder, format!("{known}/out"))));
    // The compiler takes the last that fits: the innermost.
    folders.sort_by_key(|(folder, _)| folder.as_os_str().len());

    arguments[metadata] = identity.into();
    for (folder, name) in folders {
        let mut rule = OsString::from("--remap-path-prefix=");
        rule.push(folder);
        rule.push(format!("={name}"));
        arguments.push(rule);
    }
    arguments
}

/// A hash of what distinguishes a crate from all others that are compiled with it.
fn identity<T: AsRef<str>>(arguments: &[T], place: &Place) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(SALT);
    add(&place.version);
    for option in ["--crate-name", "--crate-type", "--target"] {
        add(value_of(arguments, option).unwrap_or_default());
    }
    for (index, argument) in arguments.iter().enumerate() {
        if argument.as_ref() == "--cfg" {
            arguments.get(index + 1).into_iter().for_each(|cfg| add(cfg.as_ref()));
        }
    }
    hex::encode(&hash.finalize()[..8])
}

fn value_of<'a, T: AsRef<str>>(arguments: &'a [T], option: &str) -> Option<&'a str> {
    let index = arguments.iter().position(|argument| argument.as_ref() == option)?;
    arguments.get(index + 1).map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(folder: &str, version: &str, metadata: &str, feature: &str) -> Vec<String> {
        let place = Place {
            version: version.into(),
            working: folder.into(),
            generated: Some(format!("{folder}/target/build/ink/out").into()),
        };
        let feature = format!("feature=\"{feature}\"");
        let arguments = [
            "--crate-name",
            "ink",
            "src/lib.rs",
            "--crate-type",
            "lib",
            "--cfg",
            &feature,
            "-C",
            metadata,
            "-C",
            "extra-filename=-0f",
        ];
        let arguments = arguments.iter().map(OsString::from).collect();
        let placeless = placeless(arguments, &place);
        placeless.into_iter().map(|argument| argument.into_string().unwrap()).collect()
    }

    #[test]
    fn a_crate_is_the_same_in_every_folder() {
        let here = compile("/here", "5.1.1", "metadata=0011", "std");
        let there = compile("/over/there", "5.1.1", "metadata=2233", "std");
        assert_eq!(here[..11], there[..11]);
        assert_eq!(
            here[11..],
            [
                "--remap-path-prefix=/here=/build",
                "--remap-path-prefix=/here/src=/ink-5.1.1",
                "--remap-path-prefix=/here/target/build/ink/out=/ink-5.1.1/out",
            ]
        );
    }

    #[test]
    fn versions_and_features_are_told_apart() {
        let one = compile("/here", "5.1.1", "metadata=0011", "std");
        assert_ne!(one[8], compile("/here", "5.1.0", "metadata=0011", "std")[8]);
        assert_ne!(one[8], compile("/here", "5.1.1", "metadata=0011", "alloc")[8]);
    }

    #[test]
    fn a_question_to_the_compiler_stays_as_it_is() {
        let question = vec![OsString::from("-vV")];
        assert_eq!(placeless(question.clone(), &Place::of_this_process()), question);
    }
}

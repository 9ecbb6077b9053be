//! What `contract-build` and `substrate-wasm-builder` use of the crate `wasm-opt` 0.116.1, carried out
//! by the program `wasm-opt` of Binaryen 116: byte for byte the same Wasm, without compiling Binaryen.
//!
//! The program is the one that [`PROGRAM`] names in the environment, else `wasm-opt` on the PATH.
//! `scripts/setup` installs it. Another version would give other bytes, and is refused.

#![forbid(unsafe_code)]

use std::{
    env,
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The environment variable with the path of the program.
pub const PROGRAM: &str = "CICADA_WASM_OPT";
/// How the program calls its version.
const VERSION: &str = "version 116";

/// How a module is to be optimised: the command line, argument by argument.
#[derive(Clone, Debug)]
pub struct OptimizationOptions {
    arguments: Vec<&'static str>,
}

/// Extensions of WebAssembly that a module may use.
#[derive(Clone, Copy, Debug)]
pub enum Feature {
    /// Sign extension operators.
    SignExt,
}

/// Passes besides those of the optimisation level.
#[derive(Clone, Copy, Debug)]
pub enum Pass {
    /// Replaces sign extension operators by older instructions.
    SignextLowering,
    /// Removes debug information.
    StripDwarf,
}

/// Why a module was not optimised.
#[derive(Debug)]
pub enum OptimizationError {
    /// The program cannot be started.
    Start(PathBuf, io::Error),
    /// It is of another version: what it says of itself.
    Version(PathBuf, String),
    /// It refused the module: what it says.
    Refused(String),
}

impl fmt::Display for OptimizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = "run scripts/setup, or name the program in CICADA_WASM_OPT";
        match self {
            Self::Start(program, error) => {
                write!(f, "{} cannot be started ({error}): {advice}", program.display())
            }
            Self::Version(program, version) => {
                write!(f, "{} is '{version}', not {VERSION}: {advice}", program.display())
            }
            Self::Refused(text) => write!(f, "wasm-opt: {text}"),
        }
    }
}

impl std::error::Error for OptimizationError {}

impl OptimizationOptions {
    fn level(argument: &'static str) -> Self {
        Self { arguments: vec![argument] }
    }

    /// `-O0`.
    pub fn new_opt_level_0() -> Self {
        Self::level("-O0")
    }

    /// `-O1`.
    pub fn new_opt_level_1() -> Self {
        Self::level("-O1")
    }

    /// `-O2`.
    pub fn new_opt_level_2() -> Self {
        Self::level("-O2")
    }

    /// `-O3`.
    pub fn new_opt_level_3() -> Self {
        Self::level("-O3")
    }

    /// `-O4`.
    pub fn new_opt_level_4() -> Self {
        Self::level("-O4")
    }

    /// `-Os`.
    pub fn new_optimize_for_size() -> Self {
        Self::level("-Os")
    }

    /// `-Oz`.
    pub fn new_optimize_for_size_aggressively() -> Self {
        Self::level("-Oz")
    }

    fn with(&mut self, argument: &'static str) -> &mut Self {
        self.arguments.push(argument);
        self
    }

    /// Nothing beyond the first version of WebAssembly, but for what [`Self::enable_feature`] allows.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self.with("--mvp-features")
    }

    /// Allows an extension.
    pub fn enable_feature(&mut self, feature: Feature) -> &mut Self {
        match feature {
            Feature::SignExt => self.with("--enable-sign-ext"),
        }
    }

    /// Adds a pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        match pass {
            Pass::SignextLowering => self.with("--signext-lowering"),
            Pass::StripDwarf => self.with("--strip-dwarf"),
        }
    }

    /// Whether the imported memory is known to be zero at first.
    pub fn zero_filled_memory(&mut self, known: bool) -> &mut Self {
        if known {
            self.with("--zero-filled-memory")
        } else {
            self
        }
    }

    /// Whether names and debug information are kept.
    pub fn debug_info(&mut self, keep: bool) -> &mut Self {
        if keep {
            self.with("-g")
        } else {
            self
        }
    }

    /// Reads a module, writes the optimised one.
    ///
    /// # Errors
    /// If the program is missing or of another version, or refuses the module.
    pub fn run(
        &self,
        module: impl AsRef<Path>,
        optimised: impl AsRef<Path>,
    ) -> Result<(), OptimizationError> {
        let version = wasm_opt(&["--version"].map(OsString::from))?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        if !version.contains(VERSION) {
            return Err(OptimizationError::Version(program(), version));
        }
        let mut arguments: Vec<OsString> = self.arguments.iter().map(OsString::from).collect();
        arguments.extend([
            module.as_ref().as_os_str().to_owned(),
            "-o".into(),
            optimised.as_ref().as_os_str().to_owned(),
        ]);
        let output = wasm_opt(&arguments)?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(OptimizationError::Refused(text));
        }
        Ok(())
    }
}

fn program() -> PathBuf {
    env::var_os(PROGRAM).unwrap_or_else(|| "wasm-opt".into()).into()
}

fn wasm_opt(arguments: &[OsString]) -> Result<Output, OptimizationError> {
    let program = program();
    Command::new(&program)
        .args(arguments)
        .output()
        .map_err(|error| OptimizationError::Start(program, error))
}

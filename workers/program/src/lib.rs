//! What the programs share: where their logs and their output go, how they serve HTTP, how they end,
//! durations in their settings, secrets on their command lines, what they count, the clock, where the
//! contracts are.

#[cfg(feature = "client")]
mod client;
mod duration;
mod figures;
mod hosts;
pub mod http;
mod logs;
mod output;
mod room;
mod secret;
mod server;
mod settings;
mod visible;

#[cfg(feature = "client")]
pub use client::{ask, cause, client, read_answer};
pub use duration::{duration_text, ms, parse_ms, Millis};
pub use figures::{count, figures_text, Level, Outcome, Outcomes, Registry};
pub use logs::{logs, quiet_logs, tao20_logs};
pub use output::{complain_line, say_line, unsaid, write_out};
pub use secret::{is_development, options};
pub use server::{Limits, Server};
pub use settings::{load, local, secret_is_kept, secret_of, wrong_at};
pub use visible::{is_hidden, visible, visible_line};

use anyhow::Result;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{signal, SignalKind};

/// The folder of the contracts' bundles, in the repository.
pub const BUNDLES: &str = "contracts/bundles";

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The status that a program ends with. What went wrong, with its output too, is said on standard error,
/// after `prefix`.
pub fn status(prefix: &str, ended: Result<()>) -> ExitCode {
    let unsaid = unsaid().map(|error| anyhow::anyhow!("cannot write to standard output: {error}"));
    match ended.and_then(|()| unsaid.map_or(Ok(()), Err)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("{prefix}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a service on two threads to its end.
///
/// # Errors
/// Those of the service, or if there are no threads.
pub fn on_two_threads<F: std::future::Future<Output = Result<()>>>(service: F) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(service)
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// If signals cannot be had.
pub async fn termination() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    tracing::info!("ending");
    Ok(())
}

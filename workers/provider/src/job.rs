//! Runs a job's command as a restricted child process.

use crate::restrict::{Restrictions, NOT_STARTED, RUN_RESTRICTED};
use nix::sys::signal::{kill, killpg, Signal};
use nix::unistd::{chown, Gid, Pid, Uid};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How much of what a job writes to standard error is kept.
const KEPT_ERRORS: usize = 4_096;
/// How long a process that has ended may leave the other ends of its pipes open.
const DRAIN: Duration = Duration::from_millis(500);
/// The whole environment of a job, beside what its task sets.
const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8")];

/// A command and its limits.
#[derive(Clone, Debug)]
pub struct Job {
    /// This program, which starts itself as the job's process.
    pub own_program: PathBuf,
    /// Program and arguments.
    pub command: Vec<String>,
    /// What its environment has beside PATH, LANG and HOME.
    pub environment: BTreeMap<String, String>,
    /// Its limits.
    pub restrictions: Restrictions,
    /// The most bytes of its result.
    pub output: usize,
    /// The longest that it may take.
    pub timeout: Duration,
    /// Where its working directory is made.
    pub folder: PathBuf,
    /// How the name of that directory begins: a name of the provider's own.
    pub prefix: String,
}

/// Why a job gave no result.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It could not be started.
    #[error("the job could not be started: {0}")]
    NotStarted(String),
    /// It took longer than allowed.
    #[error("the job was stopped after {0:?}, the longest that it may take")]
    TimedOut(Duration),
    /// Its result is too large.
    #[error("the job was stopped: its result has more than {0} bytes")]
    TooMuchOutput(usize),
    /// It ended with an error, or was stopped by a limit.
    #[error("the job ended with {status}: {errors}")]
    Failed {
        /// Exit status or signal, with the limit that it stands for.
        status: String,
        /// The end of its standard error.
        errors: String,
    },
}

impl Job {
    /// Runs it: `payload` on its standard input; what it writes to standard output is the
    /// result. When this returns, or is dropped, no process is left of its group or in its
    /// working directory.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn run(&self, payload: &[u8]) -> Result<Vec<u8>, JobError> {
        let not_started = |error: io::Error| JobError::NotStarted(error.to_string());
        let folder = self.working_directory().map_err(not_started)?;
        let mut child = self.spawn(folder.path()).map_err(not_started)?;
        // Declared after the child: dropped, and so killed, before it.
        let group = Group::of(&child);
        let (mut stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async move {
            if let Some(stdin) = stdin.as_mut() {
                // A job need not read all of it.
                let _ = stdin.write_all(payload).await;
            }
            drop(stdin);
            std::future::pending::<()>().await
        };
        let mut errors = Vec::new();
        let mut output = Vec::new();
        let read = read_both((stdout, &mut output, self.output), (stderr, &mut errors));
        let ended = tokio::select! {
            () = feed => unreachable!("it never ends"),
            ended = self.watch(&mut child, &group, read) => ended,
        };
        drop(group);
        let status = ended?;
        let said = String::from_utf8_lossy(&errors).trim().to_owned();
        match status.code() {
            Some(0) => Ok(output),
            Some(code) if code == i32::from(NOT_STARTED) => Err(JobError::NotStarted(said)),
            _ => Err(JobError::Failed { status: in_words(status), errors: said }),
        }
    }

    /// Until the process has ended and its output is read, or a limit is reached.
    async fn watch(
        &self,
        child: &mut Child,
        group: &Group,
        read: impl std::future::Future<Output = Result<(), usize>>,
    ) -> Result<ExitStatus, JobError> {
        tokio::pin!(read);
        let mut deadline = std::pin::pin!(tokio::time::sleep(self.timeout));
        let mut all_read = false;
        loop {
            tokio::select! {
                outcome = &mut read, if !all_read => {
                    outcome.map_err(JobError::TooMuchOutput)?;
                    all_read = true;
                }
                status = child.wait() => {
                    let status = status.map_err(|e| JobError::NotStarted(e.to_string()))?;
                    // Whatever it left behind would keep the pipes open.
                    group.kill();
                    if !all_read {
                        if let Ok(outcome) = tokio::time::timeout(DRAIN, &mut read).await {
                            outcome.map_err(JobError::TooMuchOutput)?;
                        }
                    }
                    return Ok(status);
                }
                () = &mut deadline => return Err(JobError::TimedOut(self.timeout)),
            }
        }
    }

    fn spawn(&self, folder: &Path) -> io::Result<Child> {
        let restrictions = serde_json::to_string(&self.restrictions)?;
        Command::new(&self.own_program)
            .arg(RUN_RESTRICTED)
            .arg(restrictions)
            .args(&self.command)
            .env_clear()
            .envs(ENVIRONMENT)
            .env("HOME", folder)
            .envs(&self.environment)
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    /// A new, empty folder of the job's own; it goes when the job ends.
    fn working_directory(&self) -> io::Result<Workplace> {
        std::fs::create_dir_all(&self.folder)?;
        let folder = tempfile::Builder::new().prefix(&self.prefix).tempdir_in(&self.folder)?;
        let place = Workplace(folder);
        if let Some(id) = self.restrictions.account {
            chown(place.path(), Some(Uid::from_raw(id)), Some(Gid::from_raw(id)))?;
        }
        Ok(place)
    }
}

/// A job's working directory. Dropped, it goes, with every process that still works in it: also
/// one that has left the job's process group.
struct Workplace(tempfile::TempDir);

impl Workplace {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        sweep(self.0.path());
    }
}

/// Kills what works in a folder.
fn sweep(folder: &Path) {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.flatten() {
        let number = process.file_name().to_str().and_then(|name| name.parse().ok());
        let place = std::fs::read_link(process.path().join("cwd"));
        if let (Some(number), Ok(place)) = (number, place) {
            if place.starts_with(folder) {
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
            }
        }
    }
}

/// Ends what a provider that crashed has left: the working directories of its jobs, and the
/// processes in them.
pub fn clean_up(folder: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            tracing::info!("clearing up after an interrupted job: {}", entry.path().display());
            sweep(&entry.path());
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The process group of a job, killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    fn kill(&self) {
        if let Some(group) = self.0 {
            // Nobody left is fine.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads standard output up to a limit, and the end of standard error. The error is the limit.
async fn read_both(
    (stdout, output, limit): (Option<impl AsyncRead + Unpin>, &mut Vec<u8>, usize),
    (stderr, errors): (Option<impl AsyncRead + Unpin>, &mut Vec<u8>),
) -> Result<(), usize> {
    let result = async {
        let Some(mut stdout) = stdout else { return Ok(()) };
        let mut part = vec![0; 64 * 1024];
        loop {
            match stdout.read(&mut part).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(read) if output.len().saturating_add(read) > limit => return Err(limit),
                Ok(read) => output.extend_from_slice(&part[..read]),
            }
        }
    };
    let complaints = async {
        let Some(mut stderr) = stderr else { return Ok(()) };
        let mut part = vec![0; KEPT_ERRORS];
        loop {
            match stderr.read(&mut part).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(read) => {
                    errors.extend_from_slice(&part[..read]);
                    let old = errors.len().saturating_sub(KEPT_ERRORS);
                    errors.drain(..old);
                }
            }
        }
    };
    tokio::try_join!(result, complaints).map(|_| ())
}

/// The exit status, and which limit a signal stands for.
fn in_words(status: ExitStatus) -> String {
    let signal = status.signal().and_then(|number| Signal::try_from(number).ok());
    match signal {
        Some(Signal::SIGXCPU) => "the limit of processor time".into(),
        Some(Signal::SIGXFSZ) => "the limit of a file's size".into(),
        Some(signal) => format!("signal {signal}"),
        None => format!("status {}", status.code().unwrap_or_default()),
    }
}

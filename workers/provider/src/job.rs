//! Runs a job's command as a restricted child process.

use crate::restrict::{Restrictions, NOT_STARTED, RUN_RESTRICTED};
use crate::sandbox::HOME;
use nix::sys::signal::{kill, killpg, Signal};
use nix::unistd::{access, chown, AccessFlags, Gid, Pid, Uid};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How much of what a job writes to standard error is kept.
const KEPT_ERRORS: usize = 4_096;
/// How long a job that does nothing may take.
const REHEARSAL: Duration = Duration::from_secs(10);
/// How often the processes of an account are looked for, until none is left.
const SWEEPS: usize = 1_000;
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
    /// Where its working directory is made, if it has no world of its own.
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

/// How a job's process ended, and what it wrote.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    errors: String,
}

impl Job {
    /// Runs it: `payload` on its standard input; what it writes to standard output is the
    /// result. When this returns, or is dropped, no process of it is left: in a world of its own none
    /// can be; of an account of its own all are ended; else those of its group and in its working
    /// directory. Its exit status is its own: what can be started was started, whatever it says.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn run(&self, payload: &[u8]) -> Result<Vec<u8>, JobError> {
        let Ended { status, output, errors } = self.attempt(payload).await?;
        let code = status.code();
        if code == Some(0) {
            return Ok(output);
        }
        // What starts a job ends so if it cannot, and so may the job itself: shells do.
        if code == Some(i32::from(NOT_STARTED)) {
            self.rehearse().await?;
        }
        let signal = status.signal().or(code.filter(|_| self.has_sandbox()).and_then(signal_of));
        Err(JobError::Failed { status: in_words(code, signal), errors })
    }

    /// Whether a process can be started as this job's will be: its program, and the world it runs in.
    ///
    /// # Errors
    /// [`JobError::NotStarted`].
    pub async fn rehearse(&self) -> Result<(), JobError> {
        let program = self.command.first().map(String::as_str).unwrap_or_default();
        find_program(program).map_err(JobError::NotStarted)?;
        let idle = Self { command: vec!["/bin/true".into()], timeout: REHEARSAL, ..self.clone() };
        match idle.attempt(b"").await {
            Ok(ended) if ended.status.success() => Ok(()),
            Ok(ended) => Err(JobError::NotStarted(ended.errors)),
            Err(JobError::NotStarted(reason)) => Err(JobError::NotStarted(reason)),
            Err(error) => Err(JobError::NotStarted(error.to_string())),
        }
    }

    /// Runs it, however it ends.
    async fn attempt(&self, payload: &[u8]) -> Result<Ended, JobError> {
        let not_started = |error: io::Error| JobError::NotStarted(error.to_string());
        let folder = self.working_directory().map_err(not_started)?;
        let home = folder.as_ref().map_or(Path::new(HOME), Workplace::path);
        let mut child = self.spawn(home).map_err(not_started)?;
        // Declared after the child: dropped, and so killed, before it.
        let group = Group::of(&child, self.restrictions.account);
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
        Ok(Ended { status, output, errors: String::from_utf8_lossy(&errors).trim().to_owned() })
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
            .current_dir(if self.has_sandbox() { Path::new("/") } else { folder })
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    fn has_sandbox(&self) -> bool {
        self.restrictions.sandbox.is_some()
    }

    /// A new, empty folder of the job's own, which goes when the job ends; none for a job that has a
    /// world of its own.
    fn working_directory(&self) -> io::Result<Option<Workplace>> {
        if self.has_sandbox() {
            return Ok(None);
        }
        std::fs::create_dir_all(&self.folder)?;
        let folder = tempfile::Builder::new().prefix(&self.prefix).tempdir_in(&self.folder)?;
        let place = Workplace(folder);
        if let Some(id) = self.restrictions.account {
            chown(place.path(), Some(Uid::from_raw(id)), Some(Gid::from_raw(id)))?;
        }
        Ok(Some(place))
    }
}

/// Where the program of a command is, as a job will find it.
///
/// # Errors
/// In words, if there is none.
pub fn find_program(name: &str) -> Result<PathBuf, String> {
    let runs = |path: &Path| access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    let path = Path::new(name);
    let found = match name.contains('/') {
        true => Some(path.to_owned()).filter(|path| path.is_absolute() && runs(path)),
        false => {
            ENVIRONMENT[0].1.split(':').map(|folder| Path::new(folder).join(name)).find(|p| runs(p))
        }
    };
    found.ok_or_else(|| {
        format!(
            "there is no program '{name}': write its whole path, or a name that is in {}",
            ENVIRONMENT[0].1
        )
    })
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

/// The process group of a job and its account, if it has one of its own; killed when this is dropped.
struct Group(Option<Pid>, Option<u32>);

impl Group {
    fn of(child: &Child, account: Option<u32>) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Self(group, account)
    }

    fn kill(&self) {
        if let Some(group) = self.0 {
            // Nobody left is fine.
            let _ = killpg(group, Signal::SIGKILL);
        }
        if let Some(account) = self.1 {
            end_all_of(account);
        }
    }
}

/// Ends every process of an account that nothing but jobs runs as. Only root can.
pub fn end_all_of(account: u32) {
    // A process that forks all the time may be seen too late more than once.
    for _ in 0..SWEEPS {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return;
        };
        let own = |entry: &std::fs::DirEntry| {
            entry.metadata().is_ok_and(|of| of.uid() == account) && lives(&entry.path())
        };
        let own = processes.flatten().filter(own);
        let own: Vec<i32> = own.filter_map(|p| p.file_name().to_str()?.parse().ok()).collect();
        if own.is_empty() {
            return;
        }
        for process in own {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        std::thread::yield_now();
    }
    tracing::warn!(account, "processes of jobs do not end");
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process has not ended: one that nobody has asked about yet is still listed.
fn lives(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
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

/// The signal that a program within another one's exit status stands for.
fn signal_of(code: i32) -> Option<i32> {
    code.checked_sub(128).filter(|signal| *signal > 0)
}

/// The exit status, and which limit a signal stands for.
fn in_words(code: Option<i32>, signal: Option<i32>) -> String {
    match signal.and_then(|number| Signal::try_from(number).ok()) {
        Some(Signal::SIGXCPU) => "the limit of processor time".into(),
        Some(Signal::SIGXFSZ) => "the limit of a file's size".into(),
        Some(signal) => format!("signal {signal}"),
        None => format!("status {}", code.unwrap_or_default()),
    }
}

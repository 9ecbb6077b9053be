//! One process: started with a log, waited for, stopped.

use anyhow::{bail, ensure, Context, Result};
pub use rustix::process::Signal;
use rustix::process::{kill_process, Pid};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often something that is waited for is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(20);
/// How many lines of a log are shown with a failure.
const SHOWN_LINES: usize = 5;

/// A process of this program. It is killed when this is dropped, unless it was started
/// [detached](Self::detached).
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    detached: bool,
}

impl Process {
    /// Starts a program without input; what it prints is appended to `log`.
    ///
    /// # Errors
    /// If the log cannot be written, or the program cannot be run.
    pub fn start(name: impl Into<String>, command: &mut Command, log: &Path) -> Result<Self> {
        let name = name.into();
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command
            .spawn()
            .with_context(|| format!("{name}: {}", command.get_program().to_string_lossy()))?;
        Ok(Self { name, log: log.into(), child, detached: false })
    }

    /// The same for one that outlives this program, and gets no Ctrl-C of its terminal.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn detached(name: impl Into<String>, command: &mut Command, log: &Path) -> Result<Self> {
        let mut process = Self::start(name, command.process_group(0), log)?;
        process.detached = true;
        Ok(process)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// If it has ended, and that is known.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        send(self.id(), signal).with_context(|| self.name.clone())
    }

    /// kill -9, of one that still runs.
    ///
    /// # Errors
    /// If it had ended by itself, with the end of its log.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(status) = self.ended()? {
            bail!(self.death(status));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end by SIGTERM and waits.
    ///
    /// # Errors
    /// If it goes on after `patience`; it is killed then.
    pub fn stop(&mut self, patience: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.signal(Signal::TERM)?;
        let begin = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if begin.elapsed() > patience {
                self.kill()?;
                bail!("{} ignored SIGTERM for {patience:?} and was killed", self.name);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until it is `ready`.
    ///
    /// # Errors
    /// If it ends, or is not ready within `patience`: with the end of its log.
    pub fn until(&mut self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let begin = Instant::now();
        loop {
            // In this order: who answers may be another one, and this one dead.
            let is_ready = ready();
            if let Some(status) = self.ended()? {
                bail!(self.death(status));
            }
            if is_ready {
                return Ok(());
            }
            ensure!(
                begin.elapsed() < patience,
                "{} does not answer after {patience:?}{}",
                self.name,
                end_of(&self.log)
            );
            std::thread::sleep(POLL);
        }
    }

    fn death(&self, status: ExitStatus) -> String {
        format!("{} has ended ({status}){}", self.name, end_of(&self.log))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.detached {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to a process.
pub(crate) fn send(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("no process id")?;
    Ok(kill_process(pid, signal)?)
}

/// Where a log is, and its last lines.
pub(crate) fn end_of(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].iter();
    let shown: String = shown.map(|line| format!("\n  {line}")).collect();
    match shown.is_empty() {
        true => format!("; its log {} is empty", log.display()),
        false => format!("; the end of {}:{shown}", log.display()),
    }
}

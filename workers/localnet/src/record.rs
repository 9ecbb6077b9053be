//! What is known of a process that outlives the program that started it.
//!
//! A number alone is not enough: after a while the system gives it to somebody else. With the time of
//! its birth it is one process and no other.

use crate::process::{send, Process, Signal, POLL};
use anyhow::{bail, Context, Result};
use cicada_files::{write_whole, PLAIN};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process that was started, by its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub id: u32,
    /// When it was born, in clock ticks since the machine was.
    born: u64,
    /// Its program.
    pub program: PathBuf,
    /// Where it answers.
    pub url: String,
    /// What it serves: another one is to be started when this has changed.
    pub serves: String,
    /// Its log.
    pub log: PathBuf,
}

/// How long a process may take to end, and what becomes of it then.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// It is killed.
    Kill(Duration),
    /// It is left alone: what it is still writing down would be lost.
    Leave(Duration),
}

/// When somebody who waits is told why.
const SLOW: Duration = Duration::from_secs(5);

/// The files of all processes of a network.
#[derive(Clone, Debug)]
pub struct Records(PathBuf);

impl Records {
    /// Those in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.toml"))
    }

    /// Notes a process that was started.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&self, name: &str, process: &Process, mut record: Record) -> Result<()> {
        record.id = process.id();
        // Also of one that has ended already: nobody has asked for its status yet.
        record.born = stat(record.id).with_context(|| format!("{name} is gone"))?.1;
        let path = self.path(name);
        Ok(write_whole(&path, toml::to_string(&record)?.as_bytes(), PLAIN)?)
    }

    /// The process of this name, if it runs.
    pub fn running(&self, name: &str) -> Option<Record> {
        self.noted(name).filter(Record::runs)
    }

    /// The process of this name, whether it runs or not.
    pub fn noted(&self, name: &str) -> Option<Record> {
        toml::from_str(&fs::read_to_string(self.path(name)).ok()?).ok()
    }

    /// The names of all, in order.
    pub fn names(&self) -> Vec<String> {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let name = |file: fs::DirEntry| {
            file.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned)
        };
        let mut names: Vec<String> = files.filter_map(name).collect();
        names.sort();
        names
    }

    /// Sends a signal to all of these that run, waits until they have ended, and forgets them. How many
    /// ran.
    ///
    /// # Errors
    /// If a signal cannot be sent, or one that is not killed goes on.
    pub fn stop<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        signal: Signal,
        patience: Patience,
    ) -> Result<usize> {
        let mut running = Vec::new();
        for name in names {
            if let Some(record) = self.running(name) {
                // It may end in between.
                send(record.id, signal).or_else(|error| match record.runs() {
                    true => Err(error.context(format!("cannot stop {name}"))),
                    false => Ok(()),
                })?;
                running.push((name, record));
            } else {
                self.forget(name);
            }
        }
        let begin = Instant::now();
        for (name, record) in &running {
            await_end(name, record, begin, patience)?;
            self.forget(name);
        }
        Ok(running.len())
    }

    fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }
}

fn await_end(name: &str, record: &Record, begin: Instant, patience: Patience) -> Result<()> {
    let mut told = false;
    while record.runs() {
        let waited = begin.elapsed();
        match patience {
            Patience::Kill(most) if waited > most && !told => {
                crate::warn(format!("{name} ignores the request to stop: killing it"));
                let _ = send(record.id, Signal::KILL);
                told = true;
            }
            Patience::Leave(most) if waited > most => bail!(
                "{name} (process {}) has not ended in {most:?} and is left alone: killed, it would \
                 lose what it has not written down yet; its log is {}",
                record.id,
                record.log.display()
            ),
            Patience::Leave(_) if waited > SLOW && !told => {
                crate::warn(format!("waiting for {name}, which writes itself down"));
                told = true;
            }
            Patience::Kill(_) | Patience::Leave(_) => {}
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

impl Record {
    /// Of a process that is started now.
    pub fn new(program: &Path, url: String, serves: String, log: PathBuf) -> Self {
        Self { id: 0, born: 0, program: program.into(), url, serves, log }
    }

    /// Whether it is there, and no other process under its number.
    pub fn runs(&self) -> bool {
        born(self.id) == Some(self.born)
    }
}

/// When a process was born, if it runs. One that has ended and that nobody has asked for is no more.
fn born(id: u32) -> Option<u64> {
    let (state, born) = stat(id)?;
    (!matches!(state, 'Z' | 'X')).then_some(born)
}

/// State and birth of a process.
fn stat(id: u32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may have spaces and parentheses; state and birth are fields 3 and 22.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const SOON: Duration = Duration::from_millis(200);

    /// A process that takes a second to end, and writes a file then.
    fn slow(folder: &Path) -> (Records, Process, PathBuf) {
        let (ready, done) = (folder.join("ready"), folder.join("done"));
        let script =
            "trap 'sleep 1; touch done; exit' TERM; touch ready; while :; do sleep 0.05; done";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(folder);
        let mut process = Process::start("slow", &mut command, &folder.join("log")).unwrap();
        process.until(Duration::from_secs(30), || ready.exists()).unwrap();
        let records = Records::new(folder.join("processes"));
        let record = Record::new(Path::new("sh"), String::new(), String::new(), folder.join("log"));
        records.note("slow", &process, record).unwrap();
        (records, process, done)
    }

    #[test]
    fn what_writes_itself_down_is_waited_for_and_never_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (records, _process, done) = slow(folder.path());
        let stop = |patience| records.stop(["slow"], Signal::TERM, patience);
        let error = stop(Patience::Leave(SOON)).unwrap_err().to_string();
        assert!(error.contains("left alone"), "{error}");
        assert!(!done.exists() && records.running("slow").is_some());
        assert_eq!(stop(Patience::Leave(Duration::from_secs(60))).unwrap(), 1);
        assert!(done.exists() && records.noted("slow").is_none());
    }

    #[test]
    fn what_else_ignores_the_request_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (records, _process, done) = slow(folder.path());
        assert_eq!(records.stop(["slow"], Signal::TERM, Patience::Kill(SOON)).unwrap(), 1);
        assert!(!done.exists() && records.noted("slow").is_none());
    }
}

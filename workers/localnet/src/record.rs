//! What is known of a process that outlives the program that started it.
//!
//! A number alone is not enough: after a while the system gives it to somebody else. With the time of
//! its birth it is one process and no other.

use crate::process::{send, Process, Signal, POLL};
use anyhow::{Context, Result};
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
        fs::create_dir_all(&self.0)
            .and_then(|()| fs::write(&path, toml::to_string(&record).unwrap_or_default()))
            .with_context(|| path.display().to_string())
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
    /// ran. Who ignores it for `patience` is killed.
    ///
    /// # Errors
    /// If a signal cannot be sent.
    pub fn stop<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        signal: Signal,
        patience: Duration,
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
            let mut killed = false;
            while record.runs() {
                if begin.elapsed() > patience && !killed {
                    crate::warn(format!("{name} ignores the request to stop: killing it"));
                    let _ = send(record.id, Signal::KILL);
                    killed = true;
                }
                std::thread::sleep(POLL);
            }
            self.forget(name);
        }
        Ok(running.len())
    }

    fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }
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

//! Programs that a test starts, kills and starts again.

use crate::Stage;
use cicada_localnet::{free_ports, Process};
use std::path::PathBuf;
use std::process::Command;

/// A program that answers over HTTP; it ends with the test.
pub struct Service {
    /// Where it answers.
    pub url: String,
    name: String,
    program: String,
    args: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
}

impl Stage {
    /// Starts a program that answers at `url`; its log is `NAME.log` in the folder.
    pub fn service(&self, name: &str, url: String, program: &str, args: Vec<String>) -> Service {
        let log = self.folder.path().join(format!("{name}.log"));
        let (name, program) = (name.into(), program.into());
        let mut service = Service { url, name, program, args, log, process: None };
        service.start();
        service
    }
}

impl Service {
    /// Starts it, again.
    pub fn start(&mut self) {
        let mut command = Command::new(&self.program);
        let process = Process::start(&self.name, command.args(&self.args), &self.log);
        self.process = Some(process.expect("a process"));
    }

    /// Kills it at once. It must still run.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it was started");
        process.kill().expect("it ran until now");
    }
}

/// Addresses of this machine with ports that nothing uses now.
pub fn free_addresses(count: u8) -> Vec<String> {
    free_ports(count).iter().map(|port| format!("127.0.0.1:{port}")).collect()
}

//! Processes of a test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A process that ends with the test.
pub struct Process {
    /// Where it answers.
    pub url: String,
    program: String,
    args: Vec<String>,
    child: Option<Child>,
}

impl Process {
    /// Starts a program that answers at `url`.
    pub fn started(url: String, program: &str, args: Vec<String>) -> Self {
        let mut process = Self { url, program: program.into(), args, child: None };
        process.start();
        process
    }

    /// Starts it, again.
    pub fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null());
        self.child = Some(command.spawn().expect("a process"));
    }

    /// Kills it at once. It must still run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        let ended = child.try_wait().expect("a process of ours");
        assert!(ended.is_none(), "it had ended by itself: {ended:?}");
        child.kill().expect("a process of ours");
        child.wait().expect("a process of ours");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Addresses of this machine with ports that nothing uses now.
pub fn free_addresses(count: u8) -> Vec<String> {
    let bound = |_| TcpListener::bind("127.0.0.1:0").expect("a free port");
    // All at once, or one port could come twice.
    let all: Vec<TcpListener> = (0..count).map(bound).collect();
    all.iter().map(|one| one.local_addr().expect("an address").to_string()).collect()
}

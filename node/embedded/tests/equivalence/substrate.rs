//! The Substrate node, started for a test.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

/// What the node logs before its address.
const ADDRESS: &str = "JSON-RPC server: addr=";

/// A running node; it is killed when the test ends.
pub struct SubstrateNode {
    process: Child,
    /// Where it answers, without `ws://`.
    pub address: String,
}

impl SubstrateNode {
    /// Starts the program `binary` with a chain that is forgotten.
    pub fn start(binary: &Path) -> Self {
        let mut process = Command::new(binary)
            .args([
                "--dev",
                "--tmp",
                "--rpc-port",
                "0",
                "--no-prometheus",
                "--finalize-delay-sec",
                "0",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let mut log = BufReader::new(process.stderr.take().expect("it has a log"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let length = log.read_line(&mut line).expect("logs are text");
            assert!(length > 0, "the node ended: {said}");
            if let Some((_, address)) = line.split_once(ADDRESS) {
                let end = address.find([',', ' ', '\n']).unwrap_or(address.len());
                break address[..end].to_owned();
            }
            said.push_str(&line);
        };
        // Nobody reads on, but it must not wait for a reader.
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        Self { process, address }
    }
}

impl Drop for SubstrateNode {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

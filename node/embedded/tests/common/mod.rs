//! A real chain at a free port, a plain client for it, and signed transactions.

// Each test file uses some of it.
#![allow(dead_code)]

pub mod transactions;

use futures::{executor::block_on, io::AllowStdIo};
use serde_json::{json, Value};
use soketto::handshake::{self, ServerResponse};
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a request may wait for the chain to read it.
const WRITING: Duration = Duration::from_secs(5);

/// A running `cicada-chain`; it is killed when the test ends.
pub struct Chain {
    process: Child,
    /// Where it answers, without `ws://`.
    pub address: String,
}

impl Chain {
    /// Starts one at a free port, with more options.
    pub fn start(options: &[&str]) -> Self {
        let mut process = command(options).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
        let address = line.trim().strip_prefix("ws://").expect("it prints one URL").to_owned();
        Self { process, address }
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(&self.address)
    }

    /// Ends it as an operator would.
    pub fn stop(mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().expect("kill is installed").success());
        self.process.wait().expect("it was started here")
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().expect("it was started here").is_none()
    }

    /// How long it has computed, in milliseconds.
    pub fn cpu_ms(&self) -> u64 {
        const TICK_MS: u64 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let stat = stat.expect("it runs");
        let (_, fields) = stat.rsplit_once(") ").expect("its name is in parentheses");
        let ticks = |field: &str| field.parse::<u64>().expect("a number");
        fields.split(' ').skip(11).take(2).map(ticks).sum::<u64>() * TICK_MS
    }

    /// How much memory it has, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says so");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program with these options and a free port, not yet started.
pub fn command(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cicada-chain"));
    command.args(["--rpc-port", "0"]).args(options);
    command
}

/// A connection that asks one thing at a time.
pub struct Client {
    sender: soketto::Sender<AllowStdIo<TcpStream>>,
    receiver: soketto::Receiver<AllowStdIo<TcpStream>>,
    requests: u64,
    news: VecDeque<Value>,
    genesis: Option<cicada_runtime::Hash>,
}

impl Client {
    /// Connects to a chain at `address`.
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("the timeout is valid");
        stream.set_write_timeout(Some(WRITING)).expect("the timeout is valid");
        let stream = AllowStdIo::new(stream);
        let mut handshake = handshake::Client::new(stream, address, "/");
        let answer = block_on(handshake.handshake()).expect("it speaks WebSocket");
        assert!(matches!(answer, ServerResponse::Accepted { .. }), "{answer:?}");
        let (sender, receiver) = handshake.into_builder().finish();
        Self { sender, receiver, requests: 0, news: VecDeque::new(), genesis: None }
    }

    /// Sends requests until the chain reads no more of them; how many that took.
    pub fn flood(&mut self, method: &str, most: u64) -> u64 {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
        (0..most)
            .take_while(|_| {
                block_on(async {
                    self.sender.send_text(&request).await?;
                    self.sender.flush().await
                })
                .is_ok()
            })
            .count() as u64
    }

    /// Sends a request and does not wait; its number.
    pub fn send(&mut self, method: &str, params: Value) -> u64 {
        self.requests += 1;
        let id = self.requests;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        block_on(async {
            self.sender.send_text(request.to_string()).await?;
            self.sender.flush().await
        })
        .expect("the connection is open");
        id
    }

    /// The answer to a request, or the error.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send(method, params);
        loop {
            let mut message = self.receive();
            if message["id"] == id {
                return match message["error"].take() {
                    Value::Null => Ok(message["result"].take()),
                    error => Err(error),
                };
            }
            self.news.push_back(message);
        }
    }

    /// The answer to a request that must succeed.
    pub fn ok(&mut self, method: &str, params: Value) -> Value {
        self.call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The code of the error that a request must get, and all that it says.
    pub fn error(&mut self, method: &str, params: Value) -> (i64, String) {
        let error = self.call(method, params).expect_err(method);
        (error["code"].as_i64().expect("errors have codes"), error.to_string())
    }

    /// Subscribes and returns the subscription's name.
    pub fn subscribe(&mut self, method: &str, params: Value) -> String {
        self.ok(method, params).as_str().expect("subscriptions have names").to_owned()
    }

    /// The next message of a subscription.
    pub fn next(&mut self, subscription: &str) -> Value {
        let is_of = |message: &Value| message["params"]["subscription"] == subscription;
        if let Some(place) = self.news.iter().position(is_of) {
            return self.news.remove(place).expect("it is there")["params"]["result"].take();
        }
        loop {
            let mut message = self.receive();
            if is_of(&message) {
                return message["params"]["result"].take();
            }
            self.news.push_back(message);
        }
    }

    /// The messages of a subscription to the first that is `wanted`, which is returned.
    pub fn until(&mut self, subscription: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next(subscription);
            if wanted(&message) {
                return message;
            }
        }
    }

    /// The newest block's number.
    pub fn height(&mut self) -> u64 {
        number(&self.ok("chain_getHeader", json!([]))["number"])
    }

    /// The time of a block or the newest one, in milliseconds since 1970.
    pub fn time(&mut self) -> u64 {
        let key = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";
        let value = self.ok("state_getStorage", json!([key]));
        let bytes: sp_core::Bytes = serde_json::from_value(value).expect("there is a time");
        u64::from_le_bytes(bytes[..].try_into().expect("the time has 64 bits"))
    }

    /// The hash of the first block.
    pub fn genesis(&mut self) -> cicada_runtime::Hash {
        if let Some(known) = self.genesis {
            return known;
        }
        let hash = self.ok("chain_getBlockHash", json!([0]));
        *self.genesis.insert(serde_json::from_value(hash).expect("it is a hash"))
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        block_on(self.receiver.receive_data(&mut message)).expect("the chain answers in time");
        serde_json::from_slice(&message).expect("answers are JSON")
    }
}

/// An empty folder for the test called `name`.
pub fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("there is room for a folder");
    folder
}

/// A number that is written in hexadecimal.
pub fn number(hex: &Value) -> u64 {
    let digits = hex.as_str().and_then(|hex| hex.strip_prefix("0x")).expect("it begins with 0x");
    u64::from_str_radix(digits, 16).expect("it is a number")
}

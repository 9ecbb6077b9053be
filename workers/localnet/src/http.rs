//! Questions to what runs on this machine.

use serde_json::{json, Value};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::LazyLock;
use std::time::Duration;
use ureq::Agent;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE));
    config.build().into()
});

/// Whether a page is there.
pub fn answers(url: &str) -> bool {
    AGENT.get(url).call().is_ok()
}

/// The text of a page, if it is there.
pub fn text(url: &str) -> Option<String> {
    AGENT.get(url).call().ok()?.body_mut().read_to_string().ok()
}

/// The JSON of a page, if it is there and is some.
pub fn json(url: &str) -> Option<Value> {
    serde_json::from_str(&text(url)?).ok()
}

/// What a node of a chain says to a method; `url` begins with `ws` or `http`.
pub fn rpc(url: &str, method: &str, params: Value) -> Option<Value> {
    let url = url.strip_prefix("ws").map_or(url.to_owned(), |rest| format!("http{rest}"));
    let question =
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let request = AGENT.post(url).header("content-type", "application/json");
    let answer = request.send(question).ok()?.body_mut().read_to_string().ok()?;
    let mut answer: Value = serde_json::from_str(&answer).ok()?;
    answer.get_mut("result").map(Value::take)
}

/// Whether something listens there.
pub fn taken(host: &str, port: u16) -> bool {
    let addresses = (host, port).to_socket_addrs().into_iter().flatten();
    { addresses }.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}

//! The 23 nodes.

use crate::context::Settings;
use crate::reply::{Failure, Outcome, Reply};
use crate::table::{or_dash, table, Left, Right};
use cicada_amounts::thousands;
use cicada_network::Network;
use cicada_node_api::{Client, Limits, Status};
use cicada_program::duration_text;
use clap::Subcommand;
use futures::future::join_all;
use serde_json::{json, Value};
use std::path::Path;
use std::time::Duration;

/// How many nodes there are where no file says it, and the quorum of their default fault model.
const NODES: u16 = 23;
const QUORUM: usize = 16;
/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What can be asked of the nodes.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// One row for each node; exit status 1 if fewer than a quorum answer.
    Status,
}

/// `cicada71 node`.
pub async fn node(settings: &Settings, command: NodeCommand) -> Outcome {
    let NodeCommand::Status = command;
    let (urls, quorum) = places(&settings.nodes())?;
    let client = Client::with(Limits { ask: PATIENCE, ..Limits::default() });
    let client = client.map_err(|error| Failure::Refused(error.to_string()))?;
    let answers = join_all(urls.iter().map(|url| ask(&client, url))).await;
    Ok(shown(&urls, &answers, quorum))
}

async fn ask(client: &Client, url: &str) -> Result<Status, String> {
    client.node(url).status().await.map_err(|error| error.short())
}

/// The addresses of the nodes, and their quorum if a file says it.
fn places(nodes: &str) -> Result<(Vec<String>, Option<usize>), Failure> {
    if !nodes.starts_with("http://") && !nodes.starts_with("https://") {
        let network = Network::load(Path::new(nodes));
        let network = network.map_err(|error| Failure::Usage(error.to_string()))?;
        let urls = network.nodes.iter().map(|node| node.url.clone()).collect();
        return Ok((urls, Some(network.quorum().size().into())));
    }
    let bad = || {
        Failure::Usage(format!(
            "'{nodes}' is no address of the first node: write for example http://127.0.0.1:7100"
        ))
    };
    let (host, port) = nodes.trim_end_matches('/').rsplit_once(':').ok_or_else(bad)?;
    let first: u16 = port.parse().map_err(|_| bad())?;
    let last = first.checked_add(NODES - 1).ok_or_else(bad)?;
    Ok(((first..=last).map(|port| format!("{host}:{port}")).collect(), None))
}

fn shown(urls: &[String], answers: &[Result<Status, String>], quorum: Option<usize>) -> Reply {
    let up = answers.iter().flatten();
    let said = up.clone().map(|status| usize::from(status.quorum)).max();
    let quorum = quorum.or(said).unwrap_or(QUORUM);
    let answering = up.count();
    let holds = answering >= quorum;
    let rows = (0..).zip(urls).zip(answers).map(|((seat, url), answer): ((usize, _), _)| {
        let start = vec![seat.to_string(), url.clone()];
        [start, cells(answer)].concat()
    });
    let columns = [
        Right("Node"),
        Left("Address"),
        Left("State"),
        Right("View"),
        Right("Leader"),
        Right("Decided"),
        Right("Certified"),
        Right("Peers"),
        Right("Up"),
    ];
    let verdict = match holds {
        true => format!("{answering} of {} nodes answer; a quorum is {quorum}", urls.len()),
        false => format!(
            "ONLY {answering} OF {} NODES ANSWER; a quorum is {quorum}: './deploy_paxos.sh restart N' starts one",
            urls.len()
        ),
    };
    let text = format!("{}\n{verdict}", table(&columns, rows));
    let list =
        (0..).zip(urls).zip(answers).map(|((seat, url), answer)| row_json(seat, url, answer));
    let json = json!({
        "answering": answering, "nodes": urls.len(), "quorum": quorum, "holds": holds,
        "status": list.collect::<Vec<Value>>(),
    });
    Reply { holds, ..Reply::new(text, json) }
}

fn cells(answer: &Result<Status, String>) -> Vec<String> {
    let status = match answer {
        Ok(status) => status,
        Err(reason) => return vec![reason.clone()],
    };
    vec![
        format!("{}, epoch {}", status.fault_model, status.epoch),
        or_dash(status.view.map(|view| thousands(view.into()))),
        or_dash(status.leader.map(|leader| leader.to_string())),
        thousands(status.decided_position.into()),
        thousands(status.certified_slot.into()),
        status.peers.reachable.len().to_string(),
        duration_text(status.uptime_seconds.saturating_mul(1_000)),
    ]
}

fn row_json(seat: u8, url: &str, answer: &Result<Status, String>) -> Value {
    match answer {
        Ok(status) => json!({
            "node": seat, "url": url, "node_id": status.node_id,
            "fault_model": status.fault_model, "view": status.view, "leader": status.leader,
            "decided_position": status.decided_position,
            "certified_slot": status.certified_slot, "epoch": status.epoch,
            "peers": status.peers.reachable.len(), "uptime_seconds": status.uptime_seconds,
        }),
        Err(reason) => json!({ "node": seat, "url": url, "error": reason }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use axum::{Json, Router};
    use cicada_core::hash::Digest;
    use cicada_network::{FaultModelName, Rules};
    use cicada_node_api::Reached;
    use std::collections::BTreeMap;

    fn status() -> Status {
        Status {
            node_id: 0,
            fault_model: FaultModelName::Byzantine,
            view: Some(4),
            leader: Some(2),
            leading: false,
            decided_position: 1_234,
            certified_slot: 7,
            nodes: 23,
            quorum: 2,
            attestation_quorum: 2,
            epoch: 1,
            config_digest: Digest([1; 32]),
            rules_digest: Digest([2; 32]),
            rules: Rules::default(),
            promised_proposal: 4,
            promised_proposer: 2,
            accepted: Vec::new(),
            proposals_waiting: 0,
            has_value: true,
            feeds: BTreeMap::new(),
            peers: Reached { reachable: vec![1, 2], unreachable: vec![3] },
            engine_lag_ms: 0,
            uptime_seconds: 90,
        }
    }

    async fn serve(routes: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    #[tokio::test]
    async fn who_does_not_answer_is_marked_and_a_quorum_decides() {
        let up =
            serve(Router::new().route("/paxos/status", get(|| async { Json(status()) }))).await;
        let other = serve(Router::new()).await;
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let down = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let client = Client::new().unwrap();
        let urls = [up.clone(), other, down];
        let answers = join_all(urls.iter().map(|url| ask(&client, url))).await;
        let reply = shown(&urls, &answers, None);
        assert!(!reply.holds && reply.text.contains("ONLY 1 OF 3 NODES ANSWER"));
        assert_eq!(reply.value()["status"][1]["error"], "404 Not Found");
        assert_eq!(reply.value()["status"][2]["error"], "unreachable");
        let urls = [up.clone(), up];
        let answers = join_all(urls.iter().map(|url| ask(&client, url))).await;
        assert!(shown(&urls, &answers, None).holds, "the nodes themselves say that 2 are enough");
        assert!(!shown(&urls, &answers, Some(3)).holds);
    }

    #[test]
    fn the_table_has_a_row_for_each_node() {
        let up = status();
        let urls = ["http://a:7100", "http://a:7101"].map(String::from);
        let reply = shown(&urls, &[Ok(up), Err("unreachable".into())], Some(1));
        let golden = "\
Node  Address        State               View  Leader  Decided  Certified  Peers    Up
   0  http://a:7100  byzantine, epoch 1     4       2    1,234          7      2  90 s
   1  http://a:7101  unreachable

1 of 2 nodes answer; a quorum is 1";
        assert_eq!(reply.text, golden);
    }

    #[test]
    fn nodes_are_named_by_the_first_or_by_a_file() {
        let (urls, quorum) = places("http://127.0.0.1:7100/").unwrap();
        assert_eq!((urls.len(), quorum), (23, None));
        assert_eq!(urls[22], "http://127.0.0.1:7122");
        for bad in ["http://x", "http://x:y", "http://x:65530", "/no/such/file"] {
            assert!(places(bad).is_err(), "{bad}");
        }
    }
}

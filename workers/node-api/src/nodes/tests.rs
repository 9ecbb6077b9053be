use super::*;
use crate::{Limits, Opaque};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use cicada_network::SEAT_HEADER;
use serde_json::{json, Value};
use std::time::Duration;

async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

fn hasty() -> Client {
    let (ask, propose) = (Duration::from_millis(300), Duration::from_millis(300));
    Client::with(Limits { ask, propose, one: 1_000, list: 2_000, ..Limits::default() }).unwrap()
}

fn element(slot: u64) -> Value {
    let digest = format!("0x{}", "07".repeat(32));
    json!({ "slot": slot, "digest": digest, "proposal": "0x0102", "proposer": null, "certificate": null })
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(60)).await;
    "too late"
}

#[tokio::test]
async fn what_takes_too_long_or_is_too_long_is_no_answer() {
    let routes = Router::new()
        .route("/paxos/status", get(slow))
        .route("/paxos/propose", post(slow))
        .route("/paxos/attestation", get(|| async { "x".repeat(1_001) }))
        .route("/paxos/certificates", get(|| async { Redirect::to("/paxos/attestation") }));
    let node = hasty().node(serve(routes).await);
    assert!(matches!(node.status().await, Err(Error::Silent(_))));
    let proposed = node.propose(&7u8, &Pass::Token("t".into()), 0).await;
    assert!(matches!(proposed, Err(Error::Silent(_))));
    let long = node.attestation(ReportKind::Nav, 1).await.unwrap_err();
    assert_eq!(long, Error::Broken("its answer has more than 1000 bytes".into()));
    let away = node.decided::<u16>(ReportKind::Nav, 1).await.unwrap_err();
    assert!(away.refused_with(303).is_some(), "a redirect is not followed: {away}");
}

#[tokio::test]
async fn a_list_may_be_longer_than_one_answer() {
    let list = |count| Json((1..=count).map(element).collect::<Vec<_>>());
    let routes =
        |count| Router::new().route("/paxos/certificates", get(move || async move { list(count) }));
    let node = hasty().node(serve(routes(9)).await);
    let all = node.decided_after::<Opaque>(ReportKind::Nav, 0).await.unwrap();
    assert_eq!((all.len(), &all[8].proposal.0 .0), (9, &vec![1, 2]));
    assert!(matches!(node.decided::<u16>(ReportKind::Nav, 1).await, Err(Error::Broken(_))));
    let node = hasty().node(serve(routes(20)).await);
    let long = node.decided_after::<u16>(ReportKind::Nav, 0).await;
    assert!(matches!(long, Err(Error::Broken(_))), "a list has its limit too");
    let node = hasty().node(serve(routes(1)).await);
    assert_eq!(node.decided::<u16>(ReportKind::Nav, 1).await.unwrap().unwrap().proposal.0, 513);
    assert!(node.decided::<u16>(ReportKind::Nav, 2).await.unwrap().is_none(), "another slot");
    assert!(matches!(node.decided::<u64>(ReportKind::Nav, 1).await, Err(Error::Form(_))));
}

#[tokio::test]
async fn a_proposal_brings_its_pass_and_a_refusal_its_words() {
    async fn refuse(headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
        let token = headers[cicada_network::TOKEN_HEADER].to_str().unwrap();
        let seat = headers.contains_key(SEAT_HEADER);
        let error = format!("{token} {seat} {body:?}");
        let refusals = json!([{ "seat": 2, "reason": "stale" }]);
        let body = json!({ "error": error, "refusals": refusals });
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    }
    let plain = || async { (StatusCode::BAD_GATEWAY, "no json") };
    let routes =
        Router::new().route("/paxos/propose", post(refuse)).route("/paxos/status", get(plain));
    let node = hasty().node(serve(routes).await);
    let error = node.propose(&b'v', &Pass::Token("t".into()), 0).await.unwrap_err();
    let failed = error.refused_with(NO_QUORUM).unwrap();
    assert_eq!(failed.why(), "t false b\"v\" (seat 2: stale)");
    assert_eq!(error.refused_with(CONFLICT), None);
    let error = node.status().await.unwrap_err();
    assert_eq!(error.to_string(), "answers 502: no json");
    assert_eq!(error.short(), "502 Bad Gateway");
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = hasty().node(format!("http://{}", closed.local_addr().unwrap()));
    drop(closed);
    assert_eq!(nobody.status().await.unwrap_err().short(), "unreachable");
}

//! Every route, its errors, and its description.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::Router;
use cicada_indexer::http::{router, routes, App};
use cicada_indexer::readers::Readers;
use cicada_indexer::simulation::{identity, person, Simulation};
use cicada_indexer::store::Store;
use serde_json::Value;
use std::collections::BTreeSet;
use tower::ServiceExt;

struct Server {
    _folder: tempfile::TempDir,
    store: Store,
    simulation: Simulation,
    router: Router,
}

impl Server {
    fn with(trades: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), &identity()).unwrap();
        let mut simulation = Simulation::new(71);
        for block in simulation.blocks(trades) {
            store.take(&block).unwrap();
        }
        let app = App::new(identity(), Readers::new(folder.path().into()));
        Self { _folder: folder, store, simulation, router: router(app) }
    }

    async fn text(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, text) = self.text(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let (status, text) = self.text(path).await;
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"));
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["error"], "{path}");
        (status.as_u16(), body["error"].as_str().unwrap().into())
    }
}

fn somebody() -> String {
    person(3).to_string()
}

/// Each described path with parameters that have an answer.
fn paths() -> Vec<(&'static str, String)> {
    let who = somebody();
    let block = "/audit?block=1&limit=5".into();
    vec![
        ("/status", "/status".into()),
        ("/metrics", "/metrics".into()),
        ("/openapi.json", "/openapi.json".into()),
        ("/markets", "/markets".into()),
        ("/markets/{framework}", "/markets/claude".into()),
        ("/trades", format!("/trades?framework=claude&account={who}&limit=5")),
        ("/candles", "/candles?framework=claude&interval=1m".into()),
        ("/holdings/{account}", format!("/holdings/{who}")),
        ("/portfolio/{account}", format!("/portfolio/{who}")),
        ("/orders", "/orders?framework=claude&state=open".into()),
        ("/holders/{framework}", "/holders/claude?limit=5".into()),
        ("/audit/{account}", format!("/audit/{who}?limit=5")),
        ("/audit", block),
    ]
}

#[tokio::test]
async fn every_route_is_described_and_answers_as_described() {
    let server = Server::with(300);
    let description = server.get("/openapi.json").await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3."));
    let described: BTreeSet<&str> =
        description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let asked: BTreeSet<&str> = paths().iter().map(|(path, _)| *path).collect();
    assert_eq!(described, asked, "every route is described, and asked for here");
    for (path, question) in paths() {
        let get = &description["paths"][path]["get"];
        assert!(get["summary"].as_str().or(get["description"].as_str()).is_some(), "{path}");
        let content = &get["responses"]["200"]["content"];
        if path == "/metrics" {
            assert!(content["application/openmetrics-text"].is_object());
            continue;
        }
        let answer = server.get(&question).await;
        if path != "/openapi.json" {
            fits(&description, &content["application/json"]["schema"], &answer, path);
        }
        // Parameters in the path, and those that were given, are described.
        let parameters = get["parameters"].as_array().cloned().unwrap_or_default();
        let names: BTreeSet<&str> = parameters.iter().filter_map(|p| p["name"].as_str()).collect();
        let given = question.split_once('?').map_or("", |(_, query)| query);
        for parameter in given.split('&').filter(|part| !part.is_empty()) {
            let name = parameter.split_once('=').unwrap().0;
            assert!(names.contains(name), "{path}: {name} is not described");
        }
    }
}

/// Whether a value has the described form: known properties only, all required ones.
fn fits(description: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = description.pointer(&reference[1..]);
        return fits(description, target.expect(reference), value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let null = choices.iter().any(|choice| choice["type"] == "null");
        if value.is_null() {
            assert!(null, "{place} is null");
            return;
        }
        let other = choices.iter().find(|choice| choice["type"] != "null").unwrap();
        return fits(description, other, value, place);
    }
    let allowed: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(allowed.contains(&kind), "{place} is {kind}, not {schema}");
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(description, &schema["items"], item, &format!("{place}[{number}]"));
    }
    let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    for (name, inner) in object {
        let schema = properties.get(name);
        let place = format!("{place}.{name}");
        fits(
            description,
            schema.unwrap_or_else(|| panic!("{place} is not described")),
            inner,
            &place,
        );
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(name.as_str().unwrap()), "{place}: {name} is missing");
    }
}

#[tokio::test]
async fn a_wrong_question_is_refused_in_json() {
    let server = Server::with(50);
    let cases = [
        ("/trades?limit=0", 400, "1 to 500"),
        ("/trades?limit=501", 400, "1 to 500"),
        ("/trades?limit=x", 400, "limit"),
        ("/trades?before=x", 400, "next"),
        ("/trades?framework=No%20Name", 400, "framework"),
        ("/trades?accout=x", 400, "accout"),
        ("/trades?framework=unknown", 404, "no market"),
        ("/trades?account=5Grw", 400, "5Grw"),
        ("/markets/unknown", 404, "no market"),
        ("/markets/No%20Name", 400, "framework"),
        ("/candles?framework=claude", 400, "interval"),
        ("/candles?framework=claude&interval=2m", 400, "2m"),
        ("/candles?framework=claude&interval=1m&from=0&to=99999999999", 400, "longer interval"),
        ("/holdings/xyz", 400, "xyz"),
        ("/portfolio/0x12", 400, "0x12"),
        ("/orders?state=gone", 400, "open, filled, cancelled"),
        ("/holders/claude?after=x", 400, "next"),
        ("/audit", 400, "block"),
        ("/audit/xyz", 400, "xyz"),
        ("/nothing", 404, "/openapi.json"),
    ];
    for (path, status, says) in cases {
        let (found, error) = server.refused(path).await;
        assert_eq!(found, status, "{path}: {error}");
        assert!(error.contains(says), "{path}: {error}");
    }
    let request = Request::post("/trades").body(Body::empty()).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let metrics = server.text("/metrics").await.1;
    assert!(metrics.contains("cicada_indexer_requests_total{outcome=\"wrong\"}"), "{metrics}");
}

#[tokio::test]
async fn sql_in_a_parameter_is_only_text() {
    let server = Server::with(50);
    for path in
        ["/orders?state=open'--", "/trades?before=1-1;DROP%20TABLE%20trades", "/markets/x'or'1"]
    {
        assert_eq!(server.refused(path).await.0, 400, "{path}");
    }
    assert!(!server.get("/trades").await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_figures_are_those_of_the_exchange() {
    let server = Server::with(400);
    let held = server.simulation.holdings();
    for number in 0..40 {
        let who = person(number);
        let answer = server.get(&format!("/holdings/{who}")).await;
        let by_hex = server.get(&format!("/holdings/0x{}", hex::encode(who.0))).await;
        assert_eq!(answer, by_hex);
        let holdings = answer["holdings"].as_array().unwrap();
        let own = held.iter().filter(|((_, account), _)| *account == who);
        for (holding, (_, (amount, in_orders))) in holdings.iter().zip(own.clone()) {
            assert_eq!(holding["amount"], amount.to_string());
            assert_eq!(holding["in_orders"], in_orders.to_string());
        }
        assert_eq!(holdings.len(), own.count());
    }
    let status = server.get("/status").await;
    assert_eq!(status["trades"], server.simulation.trades);
    assert_eq!(status["block"], server.store.cursor().unwrap().unwrap().block);
    assert_eq!((&status["problem"], &status["unknown_events"]), (&Value::Null, &0.into()));
    // A trade is in the trail of its taker, with the same figures.
    let trade = server.get("/trades?limit=1").await["items"][0].clone();
    let taker = trade["taker"].as_str().unwrap();
    let trail = server.get(&format!("/audit/{taker}?limit=50")).await;
    let entry = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| (&entry["block"], &entry["index"]) == (&trade["block"], &trade["index"]));
    let entry = entry.expect("the trade is in the trail");
    assert_eq!(entry["event"], "Traded");
    assert_eq!(entry["fields"]["price"], trade["price"]);
}

#[tokio::test]
async fn what_is_taken_over_is_seen_at_once() {
    let mut server = Server::with(50);
    let before = server.get("/status").await["block"].as_u64().unwrap();
    let block = server.simulation.block();
    server.store.take(&block).unwrap();
    assert_eq!(server.get("/status").await["block"], before + 1);
}

#[tokio::test]
async fn an_empty_store_has_answers_too() {
    let server = Server::with(0);
    assert_eq!(server.get("/status").await["block"], Value::Null);
    assert_eq!(server.get("/markets").await, serde_json::json!([]));
    assert_eq!(server.get("/trades").await["items"], serde_json::json!([]));
    let portfolio = server.get(&format!("/portfolio/{}", somebody())).await;
    assert_eq!(portfolio["mmc"], "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_are_all_answered_while_blocks_come() {
    let mut server = Server::with(200);
    let blocks: Vec<_> = (0..50).map(|_| server.simulation.block()).collect();
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..200 {
        let router = server.router.clone();
        let (_, path) = paths()[3 + number % 10].clone();
        requests.spawn(async move {
            let request = Request::get(&path).body(Body::empty()).unwrap();
            router.oneshot(request).await.unwrap().status()
        });
    }
    for block in &blocks {
        server.store.take(block).unwrap();
    }
    while let Some(status) = requests.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
}

#[test]
fn the_program_prints_the_same_description() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cicada71-indexer"))
        .arg("openapi")
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (_, own) = routes().split_for_parts();
    assert_eq!(printed, serde_json::to_value(own).unwrap());
}

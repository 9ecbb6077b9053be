//! The compute market with a real node and real processes.
//!
//! Ignored by default because they need the built contracts and a node: `scripts/test e2e`.

use cicada_e2e::compute::{free_port, ComputeMarket, Provider};
use cicada_e2e::{programs, script};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

const REQUESTER: &str = "//Charlie";
const PROVIDER: &str = "//Bob";

/// Until `found` says something, for at most a minute.
fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn is_running(words: &str) -> bool {
    let list = Command::new("ps").args(["-eo", "args="]).output().expect("ps can be run");
    String::from_utf8_lossy(&list.stdout).lines().any(|line| line == words)
}

#[test]
#[ignore = "needs a node: scripts/test e2e"]
fn four_jobs_end_as_they_should_and_the_balances_add_up() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let url = format!("ws://127.0.0.1:{}", free_port());
    let output = script("compute-demo")
        .arg("--json")
        .env("CICADA_STATE", state.path())
        .env("CICADA_URL", &url)
        .output()
        .expect("the script can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");

    assert_eq!(report["adds_up"], true);
    let last = |part: &str| {
        let steps = report[part]["audit"].as_array().expect("a log");
        steps.last().expect("entries").as_str().expect("text").to_owned()
    };
    for (part, status, end) in [
        ("paid", "Completed", "Settled Completed->Released"),
        ("disputed", "ProviderWon", "Voted Disputed->Resolved"),
        ("sla", "SlaViolated", "Settled Completed->Released"),
        ("expired", "Failed", "Settled Funded->Refunded"),
    ] {
        assert_eq!(report[part]["assignment"]["status"], status, "{report}");
        assert_eq!(last(part), end);
    }
    assert_eq!(report["paid"]["assignment"]["paid"], report["paid"]["assignment"]["amount"]);
    assert_eq!(report["balances"].as_array().expect("a table").len(), 6);

    // What was private lies nowhere in the clear where others can read.
    for file in std::fs::read_dir(state.path().join("store")).expect("a store") {
        let content = std::fs::read(file.expect("a file").path()).expect("it can be read");
        let words = b"performance of agents";
        assert!(!content.windows(words.len()).any(|part| part == words));
    }
    // Nothing is left running: the port is free again.
    let port = url.rsplit(':').next().expect("a port").parse::<u16>().expect("a number");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// A request of 12 words for a provider whose job takes some seconds, handed over and begun.
fn begun(market: &ComputeMarket, provider: &Provider) -> u64 {
    let text = market.place.state.join("text.txt");
    std::fs::write(&text, "one two three four five six seven eight nine ten eleven twelve")
        .expect("it can be written");
    let line = format!(
        "request --task-type slow --units 10 --max-price 1 --private {} --max-duration 1m --no-panel",
        text.display()
    );
    let request = market.place.number(REQUESTER, &line, "request").expect("a request");
    let line = format!("hand-over --request {request} --wait 60s");
    let handed = market.place.must(REQUESTER, &line).expect("a hand-over");
    let id = handed["handed_over"][0].as_u64().expect("an assignment");
    wait_for("the job's start", || {
        let status = provider.status()?;
        status["running"].as_array()?.contains(&id.into()).then_some(())
    });
    id
}

#[test]
#[ignore = "needs a node: scripts/test e2e"]
fn a_provider_that_is_killed_in_a_job_finishes_it_after_its_restart() {
    let market = ComputeMarket::start().expect("a market");
    let place = &market.place;
    let file = std::fs::read(place.network()).expect("the network file");
    place.deploy().expect("it can be run again");
    assert_eq!(std::fs::read(place.network()).expect("it"), file, "and changes nothing");
    place.must("//Alice", "mint //Charlie 100").expect("money");

    let port = free_port();
    let mark = format!("sleep 6.{}", std::process::id());
    let task = format!(
        "type = \"slow\"\ncommand = [\"/bin/sh\", \"-c\", \"{mark}; wc -w\"]\nprice = \"1\"\nunits = 100"
    );
    let config = place.configure(PROVIDER, &task, port).expect("a configuration");
    let provider = place.start_provider(&config, port).expect("a provider");

    let second = Command::new(programs().join("cicada71-provider"))
        .args(["run", "--config"])
        .arg(&config)
        .output()
        .expect("it can be run");
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && said.contains("another provider uses"), "{said}");

    let id = begun(&market, &provider);
    wait_for("the job's process", || is_running(&mark).then_some(()));
    // Whose keys these are not cannot hand over again; the answer says what is missing.
    let (status, answer) = place.ask("//Dave", &format!("hand-over {id}")).expect("an answer");
    assert!(status == 1 && answer["error"].as_str().expect("text").contains("--state"), "{answer}");

    provider.kill().expect("it runs until then");
    wait_for("the end of the job's process", || (!is_running(&mark)).then_some(()));
    let shown = place.must(REQUESTER, &format!("show assignment {id}")).expect("an assignment");
    assert_eq!(shown["status"], "InProgress");

    let provider = place.start_provider(&config, port).expect("a provider");
    let line = format!("result {id} --wait 60s");
    let result = place.must(REQUESTER, &line).expect("a result");
    assert_eq!(result["content"], "12\n");
    place.must(REQUESTER, &format!("release {id}")).expect("a release");
    wait_for("the provider's notice", || {
        let status = provider.status()?;
        (status["assignments"] == serde_json::json!({})).then_some(())
    });
    let metrics = provider.get("/metrics").expect("it runs");
    assert!(metrics.contains("provider_jobs_total{outcome=\"delivered\"} 1"), "{metrics}");
    assert!(provider.log().contains("offered"), "{}", provider.log());
    let shown = place.must(REQUESTER, "show offer 1").expect("the offer of the first start");
    assert_eq!(shown["left"], 90, "the second start goes on with it");
    assert_eq!(place.ask(REQUESTER, "show offer 2").expect("an answer").0, 3, "and makes no other");
}

/// Places a public request of 10 units for a text; gives its number.
fn public_request(market: &ComputeMarket, task: &str, text: &str, more: &str) -> u64 {
    let path = market.place.state.join(format!("{}.txt", text.replace(' ', "-")));
    std::fs::write(&path, text).expect("it can be written");
    let line = format!(
        "request --task-type {task} --units 10 --max-price 1 --public {} --no-panel {more}",
        path.display()
    );
    market.place.number(REQUESTER, &line, "request").expect("a request")
}

#[test]
#[ignore = "needs a node: scripts/test e2e"]
fn a_providers_state_is_of_one_market_and_numbers_of_another_mean_nothing() {
    let market = ComputeMarket::start().expect("a market");
    let place = &market.place;
    let port = free_port();
    let task = "type = \"echo\"\ncommand = [\"/bin/cat\"]\nprice = \"1\"\nunits = 100";
    for said in ["of the first market", "of the second market"] {
        place.must("//Alice", "mint //Charlie 100").expect("money");
        let config = place.configure(PROVIDER, task, port).expect("a configuration");
        let provider = place.start_provider(&config, port).expect("a provider");
        let request = public_request(&market, "echo", said, "");
        assert_eq!(request, 1, "each market counts from 1");
        wait_for("an assignment", || {
            let (status, _) = place.ask(REQUESTER, "show assignment 1").ok()?;
            (status == 0).then_some(())
        });
        let result = place.must(REQUESTER, "result 1 --wait 60s").expect("a result");
        assert_eq!(result["content"], said);
        provider.kill().expect("it runs until then");
        // What a development chain that was reset comes to: the numbers begin anew.
        std::fs::remove_file(place.network()).expect("the network file");
        place.deploy().expect("another market");
    }
}

#[test]
#[ignore = "needs a node: scripts/test e2e"]
fn a_provider_promises_no_more_than_it_can_do_and_does_it_all() {
    let market = ComputeMarket::start().expect("a market");
    let place = &market.place;
    place.must("//Alice", "mint //Charlie 100").expect("money");
    place.must("//Alice", "mint //Bob 100").expect("money for a bond");
    let port = free_port();
    let task =
        "type = \"slow\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 3; cat\"]\nprice = \"1\"\n\
                units = 100\nbond = \"0.5\"";
    let config = place.configure(PROVIDER, task, port).expect("a configuration");
    let provider = place.start_provider(&config, port).expect("a provider");
    for number in ["one", "two", "three", "four"] {
        let tight = "--max-duration 10s --min-bond 0.5";
        public_request(&market, "slow", number, tight);
    }
    for id in 1..=4 {
        wait_for("a delivery", || {
            let shown = place.must(REQUESTER, &format!("show assignment {id}")).ok()?;
            let status = shown["status"].as_str()?.to_owned();
            assert!(status != "Failed" && status != "Declined", "{shown}");
            (status == "Delivered").then_some(())
        });
    }
    assert!(!provider.log().contains("its time is over"), "{}", provider.log());
}

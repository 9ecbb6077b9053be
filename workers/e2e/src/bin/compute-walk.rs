//! Walks four compute jobs through a market that is deployed, with the programs that people use.

use anyhow::{ensure, Context, Result};
use cicada_amounts::{parse_mmc, plain_mmc};
use cicada_chain::{account_of, signer, BUNDLES};
use cicada_contracts::token;
use cicada_core::Account;
use cicada_e2e::compute::{free_port, Place};
use cicada_localnet::repository;
use cicada_market::Market;
use cicada_network::Deployment;
use cicada_program::status;
use clap::Parser;
use serde_json::{json, Value};
use std::path::PathBuf;
use std::process::ExitCode;

/// Walks four jobs through the compute market of a development chain: a private job that is paid,
/// a dispute that is split 70/30, a missed service level, and two things that expire. Deploys the
/// market if it is not there, starts a provider, and ends with all balances, which must add up.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Address of a node of a development chain.
    #[arg(long, env = "CICADA_URL", default_value = "ws://127.0.0.1:9944")]
    url: String,
    /// Folder of the programs.
    #[arg(long)]
    programs: PathBuf,
    /// Folder of the built contracts.
    #[arg(long, env = "CICADA_BUNDLES", default_value_os_t = repository().join(BUNDLES))]
    bundles: PathBuf,
    /// Folder of everything that is written.
    #[arg(long)]
    state: PathBuf,
    /// Print one JSON document instead of the table.
    #[arg(long)]
    json: bool,
}

const MINTER: &str = "//Alice";
const PROVIDER: &str = "//Bob";
const REQUESTER: &str = "//Charlie";
const ARBITRATORS: [&str; 3] = ["//Dave", "//Eve", "//Ferdie"];
/// A provider who accepts and does nothing.
const IDLE: &str = "//Bob//stash";
const TASK: &str = "type = \"wordcount\"\ncommand = [\"/usr/bin/wc\", \"-w\"]\nprice = \"0.6\"\n\
                    units = 100000\nmax_duration = \"2m\"\n\
                    arbitrators = [\"//Dave\", \"//Eve\", \"//Ferdie\"]\n\
                    max_penalty_bps = 5000\nmin_response = \"1ms\"";
/// 12 words.
const TEXT: &str = "a market for compute, and for the performance of agents, in words\n";

type Balances = Vec<(&'static str, u128)>;

struct Walk {
    place: Place,
    market: Market,
    report: serde_json::Map<String, Value>,
}

fn account(suri: &str) -> Result<Account> {
    Ok(account_of(&signer(suri)?))
}

fn base_units(answer: &Value, field: &str) -> Result<u128> {
    let text = answer[field].as_str().with_context(|| format!("no {field} in {answer}"))?;
    parse_mmc(text).map_err(anyhow::Error::msg)
}

impl Walk {
    fn title(&self, text: &str) {
        eprintln!("\n==> {text}");
    }

    /// Places a private request and waits until its job is delivered. Gives the assignment.
    fn delivered(&self, options: &str) -> Result<u64> {
        let text = self.place.state.join("text.txt");
        std::fs::write(&text, TEXT)?;
        let line = format!(
            "request --task-type wordcount --units 100 --max-price 0.9 --private {} \
             --max-duration 30s {options}",
            text.display()
        );
        let request = self.place.number(REQUESTER, &line, "request")?;
        let line = format!("hand-over --request {request} --wait 60s");
        let handed = self.place.must(REQUESTER, &line)?;
        let assignment = handed["handed_over"][0].as_u64().context("nothing was handed over")?;
        let result = self.place.must(REQUESTER, &format!("result {assignment} --wait 60s"))?;
        let words = result["content"].as_str().unwrap_or_default().trim();
        ensure!(words == "12", "the result is '{words}', not 12");
        Ok(assignment)
    }

    /// Shows the log of an assignment's escrow and checks its chain.
    fn audit(&mut self, part: &str, assignment: u64, status: &str) -> Result<Value> {
        let shown = self.place.must(REQUESTER, &format!("show assignment {assignment}"))?;
        ensure!(shown["status"] == status, "assignment {assignment} is {}", shown["status"]);
        let escrow = shown["escrow"].as_u64().context("no escrow")?;
        let audit = self.place.must(REQUESTER, &format!("escrow audit {escrow}"))?;
        ensure!(audit["holds"] == true, "the log of escrow {escrow} does not hold");
        let entries = audit["entries"].as_array().context("no entries")?;
        let steps: Vec<String> = entries
            .iter()
            .map(|entry| {
                format!("{} {}->{}", text(entry, "action"), text(entry, "from"), text(entry, "to"))
            })
            .collect();
        eprintln!("    audit of escrow {escrow}, chain holds: {}", steps.join(", "));
        let value = json!({ "assignment": shown, "audit": steps, "head": audit["head"] });
        self.report.insert(part.into(), value);
        Ok(shown)
    }

    /// What everybody has, free and locked, in base units.
    async fn balances(&self) -> Result<Balances> {
        let mut all = Vec::new();
        for suri in [REQUESTER, PROVIDER, IDLE].into_iter().chain(ARBITRATORS) {
            let holdings = self.market.holdings(&account(suri)?).await?;
            all.push((suri, holdings.available + holdings.locked));
        }
        Ok(all)
    }

    fn paid_job(&mut self) -> Result<u128> {
        self.title("1. A private payload: accepted, run, delivered, decrypted, released");
        let id = self.delivered("--no-panel --review 1h")?;
        self.place.must(REQUESTER, &format!("release {id}"))?;
        self.place.must(REQUESTER, &format!("feedback {id} --stars 5"))?;
        self.place.must(PROVIDER, &format!("feedback {id} --stars 5"))?;
        let shown = self.audit("paid", id, "Completed")?;
        let paid = base_units(&shown, "paid")?;
        ensure!(paid == base_units(&shown, "amount")?, "it is paid in full");
        self.place.must(REQUESTER, &format!("reputation {PROVIDER}"))?;
        self.place.must(REQUESTER, "price wordcount")?;
        Ok(paid)
    }

    fn disputed_job(&mut self) -> Result<u128> {
        self.title("2. A dispute, decided 2 of 3 with a 70/30 split");
        let panel = ARBITRATORS.map(|suri| format!("--arbitrator {suri}")).join(" ");
        let id = self.delivered(&format!("{panel} --required 2 --review 1h --dispute-for 1h"))?;
        let evidence = self.place.state.join("evidence.txt");
        std::fs::write(&evidence, "I count 13 words.\n")?;
        let line = format!("dispute {id} --evidence {}", evidence.display());
        self.place.must(REQUESTER, &line)?;
        let (early, _) = self.place.ask(REQUESTER, &format!("release {id}"))?;
        ensure!(early == 1, "in a dispute no other path pays");
        self.place.must(ARBITRATORS[2], &format!("resolve {id} --refund"))?;
        self.place.must(ARBITRATORS[0], &format!("resolve {id} --split 70/30"))?;
        let last = self.place.must(ARBITRATORS[1], &format!("resolve {id} --split 70/30"))?;
        ensure!(last["decided"] == true, "two equal votes of three decide");
        // A running provider may have drawn the conclusions already.
        self.place.ask(REQUESTER, &format!("finalize {id}"))?;
        let shown = self.audit("disputed", id, "ProviderWon")?;
        let (paid, amount) = (base_units(&shown, "paid")?, base_units(&shown, "amount")?);
        ensure!(paid == amount * 7 / 10, "the provider gets 70 %");
        Ok(paid)
    }

    fn poor_job(&mut self) -> Result<u128> {
        self.title(
            "3. A missed service level: a metric, by report; the response, by the chain, was kept",
        );
        let sla = "--no-panel --max-response 10m --penalty 4 --quality accuracy=9500 --review 1h";
        let id = self.delivered(sla)?;
        self.place.must(REQUESTER, &format!("settle {id} --quality accuracy=9000"))?;
        let shown = self.audit("sla", id, "SlaViolated")?;
        let (paid, amount) = (base_units(&shown, "paid")?, base_units(&shown, "amount")?);
        ensure!(shown["violations"]["response"] == false, "it was started in time: {shown}");
        ensure!(amount - paid == 2_000_000, "half of 4 MMC for the metric");
        Ok(paid)
    }

    fn expired(&mut self) -> Result<u128> {
        self.title("4. A job that is accepted and not done, and a request that nobody takes");
        let text = self.place.state.join("public.txt");
        std::fs::write(&text, "public\n")?;
        let offer = "offer --task-type idling --units 10 --price 1 --bond 0.5 \
                     --least-duration 1s --payload-key";
        let line = format!("{offer} {}", "07".repeat(32));
        let offer = self.place.number(IDLE, &line, "offer")?;
        let line = format!(
            "request --task-type idling --units 10 --max-price 1 --min-bond 0.5 --public {} \
             --max-duration 1s --no-panel",
            text.display()
        );
        let request = self.place.number(REQUESTER, &line, "request")?;
        let accept = format!("accept {request} {offer}");
        let id = self.place.number(IDLE, &accept, "assignment")?;
        self.wait_until(REQUESTER, &format!("expire assignment {id}"))?;
        let shown = self.audit("expired", id, "Failed")?;
        ensure!(base_units(&shown, "paid")? == 0, "nothing is paid");

        let line = format!(
            "request --task-type nobody --units 10 --max-price 1 --public {} --deadline 5s --no-panel",
            text.display()
        );
        let request = self.place.number(REQUESTER, &line, "request")?;
        self.wait_until(REQUESTER, &format!("expire request {request}"))?;
        let shown = self.place.must(REQUESTER, &format!("show request {request}"))?;
        ensure!(shown["auction"] == "Closed" && shown["locked"] == "0", "all went back: {shown}");
        Ok(5_000_000)
    }

    /// Until the chain says that the time has come: exit status 3 means not yet.
    fn wait_until(&self, suri: &str, line: &str) -> Result<()> {
        for _ in 0..60 {
            match self.place.ask(suri, line)? {
                (0, _) => return Ok(()),
                (3, _) => std::thread::sleep(std::time::Duration::from_secs(1)),
                (status, answer) => anyhow::bail!("{line}: exit status {status}: {answer}"),
            }
        }
        anyhow::bail!("{line}: not yet, after a minute")
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Compares what everybody gained with what the jobs should have moved, and the sums.
fn check(before: &Balances, after: &Balances, paid: [u128; 3], bond: u128) -> Result<()> {
    let sum = |balances: &Balances| balances.iter().map(|(_, amount)| amount).sum::<u128>();
    ensure!(sum(before) == sum(after), "the sum was {}, now it is {}", sum(before), sum(after));
    let [earned, lost] = [paid.iter().sum::<u128>(), bond];
    let expected = |suri: &str, had: u128| match suri {
        PROVIDER => had + earned,
        IDLE => had - lost,
        REQUESTER => had + lost - earned,
        _ => had,
    };
    for ((suri, had), (_, has)) in before.iter().zip(after) {
        let want = expected(suri, *had);
        ensure!(*has == want, "{suri} has {}, not {}", plain_mmc(*has), plain_mmc(want));
    }
    Ok(())
}

fn table(before: &Balances, after: &Balances) -> String {
    let mut text = format!("{:<14} {:>16} {:>16} {:>14}\n", "MMC of", "before", "after", "change");
    let (mut had_all, mut has_all) = (0, 0);
    for ((suri, had), (_, has)) in before.iter().zip(after) {
        let (sign, change) = if has >= had { ("+", has - had) } else { ("-", had - has) };
        let change = format!("{sign}{}", plain_mmc(change));
        text +=
            &format!("{suri:<14} {:>16} {:>16} {change:>14}\n", plain_mmc(*had), plain_mmc(*has));
        (had_all, has_all) = (had_all + had, has_all + has);
    }
    text + &format!(
        "{:<14} {:>16} {:>16} {:>14}\n",
        "sum",
        plain_mmc(had_all),
        plain_mmc(has_all),
        "0"
    )
}

async fn walk(options: Options) -> Result<()> {
    std::fs::create_dir_all(&options.state)?;
    let place = Place {
        programs: options.programs,
        bundles: options.bundles,
        state: options.state.canonicalize()?,
        url: options.url,
        shown: !options.json,
    };
    place.deploy()?;
    let file = Deployment::load(&place.network())?;
    let market = Market::connect(&file, Some(&place.url)).await?;
    let mut walk = Walk { place, market, report: serde_json::Map::new() };
    walk.title("A requester, a provider as a process, an idle provider, three arbitrators");
    for (suri, amount) in [(REQUESTER, 1_000), (IDLE, 100)] {
        walk.place.must(MINTER, &format!("mint {suri} {amount}"))?;
    }
    let before = walk.balances().await?;
    let port = free_port();
    let config = walk.place.configure(PROVIDER, TASK, port)?;
    let provider = walk.place.start_provider(&config, port)?;
    let paid = [walk.paid_job()?, walk.disputed_job()?, walk.poor_job()?];
    let bond = walk.expired()?;
    drop(provider);

    walk.title("Everybody's balance, free and locked");
    let after = walk.balances().await?;
    let (chain, at) = (&walk.market.chain, &walk.market.at);
    let held = chain.read(&at.token, &token::balance_of(&at.escrow)).await?;
    let mut locked = 0;
    for (suri, _) in &after {
        locked += walk.market.holdings(&account(suri)?).await?.locked;
    }
    check(&before, &after, paid, bond)?;
    ensure!(held == locked, "the escrow contract holds {held} and owes {locked}");
    if options.json {
        let row = |(suri, had): &(&str, u128), has: &(&str, u128)| {
            let account = account(suri).map(|account| account.to_string()).unwrap_or_default();
            json!({ "who": suri, "account": account, "before": plain_mmc(*had), "after": plain_mmc(has.1) })
        };
        let rows: Vec<Value> = before.iter().zip(&after).map(|(b, a)| row(b, a)).collect();
        walk.report.insert("balances".into(), rows.into());
        walk.report.insert("adds_up".into(), true.into());
        println!("{}", Value::Object(walk.report));
    } else {
        print!("{}", table(&before, &after));
        println!(
            "balances add up to the unit; the escrow contract holds {} MMC, as it owes",
            plain_mmc(held)
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    status("error", walk(Options::parse()).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_missing_is_noticed() {
        let before = vec![(REQUESTER, 1_000), (PROVIDER, 5), (IDLE, 50), ("//Dave", 0)];
        let after = vec![(REQUESTER, 951), (PROVIDER, 64), (IDLE, 40), ("//Dave", 0)];
        check(&before, &after, [20, 30, 9], 10).unwrap();
        for index in 0..after.len() {
            let mut wrong = after.clone();
            wrong[index].1 += 1;
            assert!(check(&before, &wrong, [20, 30, 9], 10).is_err());
        }
        let mut moved = after.clone();
        (moved[0].1, moved[3].1) = (950, 1);
        assert!(check(&before, &moved, [20, 30, 9], 10).is_err(), "the sum alone is not enough");
    }
}

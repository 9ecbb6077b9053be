//! The subcommands on a real chain. It needs a chain and the built contracts: `scripts/test e2e`.

use cicada_chain::BUNDLES;
use cicada_deploy::{committee, exchange, market, SiteArgs};
use cicada_localnet::{repository, OwnChain};
use cicada_network::{ContractName, Deployment, Part};
use clap::Parser;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const NODES: &str = "4";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    site: SiteArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Committee(committee::CommitteeArgs),
    Exchange(exchange::ExchangeArgs),
    Market(market::MarketArgs),
}

struct Bench {
    folder: TempDir,
    url: String,
    _chain: Option<OwnChain>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chain = OwnChain::start(folder.path()).unwrap();
        Self { folder, url: chain.url.to_string(), _chain: Some(chain) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("network.toml")
    }

    fn read(&self) -> Deployment {
        Deployment::load(&self.file()).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    /// How many files were kept under another name.
    fn kept(&self) -> usize {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        let is_kept = |name: &Path| name.to_string_lossy().contains("network.toml.old-");
        names.filter(|entry| is_kept(&entry.as_ref().unwrap().path())).count()
    }

    async fn run(&self, words: &[&str]) -> Result<(), String> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let bundles = repository().join(BUNDLES).display().to_string();
        let mut line = vec!["deploy".to_owned()];
        line.extend(words.iter().map(|word| (*word).to_owned()));
        if words[0] == "committee" {
            line.extend(["--nodes".into(), NODES.into(), "--keys".into(), path("keys")]);
        }
        let network = path("network.toml");
        line.extend(["--url".into(), self.url.clone(), "--network".into(), network]);
        line.extend(["--bundles".into(), bundles, "--addresses".into(), path("addresses.json")]);
        let Line { site, command } = Line::try_parse_from(line).unwrap();
        let done = match command {
            Command::Committee(args) => committee::run(&site, &args).await,
            Command::Exchange(args) => exchange::run(&site, &args).await,
            Command::Market(args) => market::run(&site, &args).await,
        };
        done.map_err(|error| format!("{error:#}"))
    }
}

#[tokio::test]
async fn a_chain_that_does_not_answer_is_named_and_the_file_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench { folder, url: "ws://127.0.0.1:9".into(), _chain: None };
    for words in [&["market"][..], &["market", "--replace"]] {
        let said = bench.run(words).await.unwrap_err();
        assert!(said.contains("cannot ask the chain") && said.contains("127.0.0.1:9"), "{said}");
        assert!(!bench.file().exists(), "nothing is begun");
    }
    std::fs::write(bench.file(), "[chain]\nurl = \"ws://127.0.0.1:9\"\n").unwrap();
    let said = bench.run(&["market", "--replace"]).await.unwrap_err();
    assert!(said.contains("network.toml") && said.contains("genesis"), "{said}");
    assert_eq!(bench.text(), "[chain]\nurl = \"ws://127.0.0.1:9\"\n");
}

#[tokio::test]
#[ignore = "needs a node: scripts/test e2e"]
async fn a_run_that_broke_off_is_continued_and_nothing_is_replaced_unasked() {
    let bench = Bench::new();
    bench.run(&["committee"]).await.unwrap();
    let whole = bench.text();
    bench.run(&["committee"]).await.unwrap();
    assert_eq!((bench.text(), bench.kept()), (whole.clone(), 0), "it is left as it is");

    // As though it had broken off before its end.
    let (begun, _) = whole.split_once("[rules]").unwrap();
    let begun: String = begun.lines().skip_while(|line| !line.starts_with('[')).fold(
        String::new(),
        |text, line| match line.starts_with("leaderboard = \"") {
            true => text,
            false => text + line + "\n",
        },
    );
    std::fs::write(bench.file(), begun).unwrap();
    let said = bench.run(&["exchange"]).await.unwrap_err();
    assert!(said.contains("deploy committee"), "{said}");
    let before = bench.read();
    assert!(!before.has_committee());
    bench.run(&["committee"]).await.unwrap();
    let network = bench.read().network().unwrap();
    assert_eq!(Some(network.token()), before.contracts.get(ContractName::Token));
    assert_eq!(Some(network.validators()), before.contracts.get(ContractName::Validators));
    assert_eq!(bench.kept(), 0);

    // The others extend it.
    bench.run(&["exchange"]).await.unwrap();
    bench.run(&["market"]).await.unwrap();
    let extended = bench.read();
    assert_eq!(extended.network().unwrap().nodes, network.nodes);
    assert!(ContractName::ALL[..8].iter().all(|name| extended.contracts.get(*name).is_some()));
    let mut broken = extended.clone();
    broken.contracts.remove(ContractName::Auction);
    broken.unfinished.insert(Part::Market);
    broken.save().unwrap();
    bench.run(&["market"]).await.unwrap();
    let escrow = |of: &Deployment| of.contracts.get(ContractName::Escrow);
    assert_eq!(escrow(&bench.read()), escrow(&extended), "what was made is used");
    assert!(bench.read().unfinished.is_empty());

    // What differs stays.
    let there = bench.text();
    let said = bench.run(&["market", "--violation-points", "7"]).await.unwrap_err();
    assert!(said.contains("parameters") && said.contains("--replace"), "{said}");
    let said = bench.run(&["committee", "--fault-model", "crash"]).await.unwrap_err();
    assert!(said.contains("byzantine") && said.contains("--replace"), "{said}");
    let mut other = bench.read();
    other.contracts.set(ContractName::Exchange, other.need(ContractName::Escrow).unwrap());
    other.save().unwrap();
    let said = bench.run(&["exchange"]).await.unwrap_err();
    assert!(said.contains("the code of exchange"), "{said}");
    std::fs::write(bench.file(), &there).unwrap();
    assert_eq!(bench.kept(), 0);
    bench.run(&["market", "--violation-points", "7", "--replace"]).await.unwrap();
    assert_ne!(escrow(&bench.read()), escrow(&extended));
    assert_eq!(bench.read().network().unwrap().nodes, network.nodes);
    assert_eq!(bench.kept(), 1, "the file that was there is kept");
}

#[tokio::test]
#[ignore = "needs a node: scripts/test e2e"]
async fn a_chain_that_was_reset_gets_new_contracts_and_another_chain_none() {
    let mut bench = Bench::new();
    bench.run(&["market"]).await.unwrap();
    let first = bench.read();
    let other = Bench::new();
    std::fs::copy(bench.file(), other.file()).unwrap();
    bench.url = other.url.clone();
    let done = bench.run(&["market"]).await;
    match first.connect(Some(&bench.url)).await {
        // The same genesis: a development chain that began anew.
        Ok(_) => assert_eq!((done, bench.kept()), (Ok(()), 1)),
        Err(_) => {
            let said = done.unwrap_err();
            assert!(said.contains("of another chain") && said.contains("--replace"), "{said}");
            bench.run(&["market", "--replace"]).await.unwrap();
        }
    }
    assert_ne!(bench.read().contracts, first.contracts);
}

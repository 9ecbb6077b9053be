//! Contracts on a chain, a committee with stake, and the processes of its validators.

use crate::nodes::{Committee, TwoFaced};
use cicada_amounts::TAO;
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_core::basket::holdings::{self, Entry, Holding};
use cicada_core::certificate::Certificate;
use cicada_core::committee::Domain;
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::{nav_e18_floor, Position};
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::slashing::{Bands, Rates};
use cicada_core::Account;
use cicada_network::NodeKeys;
use cicada_program::now_ms;
use parity_scale_codec::{Decode, Encode};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Seats of the committee.
pub const SEATS: u8 = 5;
/// The seat that signs two NAVs for one slot. It is no process.
pub const TWO_FACED: usize = 4;
/// The seat whose prices are 2 % too high.
pub const LIAR: usize = 3;
/// One index token.
pub const TOKEN: u128 = 1_000_000_000_000_000_000;

const PRICES: [u128; 2] = [TOKEN / 2, TOKEN / 4];
const EPOCH_MS: u64 = 20_000;

/// Everything on the chain.
pub struct Stage {
    /// The owner, who mints too.
    pub alice: Signer,
    /// Keys in seat order.
    pub keys: Arc<Vec<NodeKeys>>,
    chain: Chain,
    url: String,
    bundles: PathBuf,
    folder: tempfile::TempDir,
    at: BTreeMap<&'static str, (Account, Bundle)>,
    subnets: Vec<Account>,
    config_digest: Hash,
    from_block: u64,
}

impl Stage {
    /// Deploys and seats everything.
    pub async fn build() -> Self {
        let url =
            std::env::var("CICADA_TEST_URL").expect("CICADA_TEST_URL is the address of a node");
        let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/target/ink");
        let chain = Chain::connect(&url).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let keys = (0..SEATS).map(|seat| {
            NodeKeys::generate(&folder.path().join(format!("seat-{seat}.toml"))).unwrap()
        });
        let mut stage = Self {
            alice: signer("//Alice").unwrap(),
            keys: Arc::new(keys.collect()),
            at: BTreeMap::new(),
            subnets: Vec::new(),
            config_digest: [0; 32],
            from_block: chain.final_block().await.unwrap(),
            chain,
            url,
            bundles,
            folder,
        };
        stage.contracts().await;
        stage.seat().await;
        stage.set_basket().await;
        stage.mint(10 * TOKEN).await;
        stage
    }

    fn bundle(&self, name: &str) -> Bundle {
        Bundle::load(self.bundles.join(format!("{name}.contract"))).unwrap()
    }

    async fn make(&self, name: &str, args: Vec<u8>) -> Account {
        let salt = now_ms().to_le_bytes();
        let (bundle, alice) = (self.bundle(name), &self.alice);
        let made = self.chain.upload_and_instantiate(&bundle, "new", &args, &salt, alice);
        made.await.unwrap().account
    }

    async fn token(&self, symbol: &str, decimals: u8, supply: u128) -> Account {
        self.make("token", (symbol, symbol, decimals, supply).encode()).await
    }

    async fn contracts(&mut self) {
        let supply = 1_000_000 * TAO;
        let tao = self.token("TAO", 9, supply).await;
        for symbol in ["SN1", "SN2"] {
            let subnet = self.token(symbol, 9, supply).await;
            self.subnets.push(subnet);
        }
        let tao20 = self.token("TAO20", 18, 0).await;
        let validators = self.make("validators", (self.chain.genesis(), SEATS).encode()).await;
        let index = self.make("index", (validators, tao20).encode()).await;
        let terms = (now_ms(), EPOCH_MS, 100 * TAO).encode();
        let rewards = (validators, tao).encode();
        let rewards = self.make("rewards", [rewards, terms].concat()).await;
        let all = [
            ("tao", tao, "token"),
            ("tao20", tao20, "token"),
            ("validators", validators, "validators"),
            ("index", index, "index"),
            ("rewards", rewards, "rewards"),
        ];
        for (name, account, bundle) in all {
            self.at.insert(name, (account, self.bundle(bundle)));
        }
        // Minter and burner.
        for role in [1u8, 2] {
            self.call("tao20", "Roles::grant_role", &(role, index).encode()).await;
        }
        self.call("tao", "PSP22::approve", &(rewards, 10_000 * TAO).encode()).await;
        self.call("rewards", "Rewards::fund", &(10_000 * TAO).encode()).await;
        let no_reputation: Option<Account> = None;
        let staking = (
            (tao, account_of(&self.alice), no_reputation, 1_000 * TAO, 86_400_000u64),
            (Bands::NAV, Bands::RANKING, Rates::DEFAULT),
        );
        self.call("validators", "Staking::set_terms", &staking.encode()).await;
        self.call("validators", "Staking::set_judge", &(index, true).encode()).await;
    }

    async fn seat(&mut self) {
        let validators = self.at["validators"].0;
        let domain = Domain { genesis: self.chain.genesis(), validators };
        for keys in self.keys.iter() {
            let operator = signer_from_seed(keys.operator_seed()).unwrap();
            let funds = Call::transfer(&keys.operator(), 50_000_000_000_000_000);
            self.chain.send(&funds, &self.alice).await.unwrap();
            let stake = 5_000 * TAO;
            let nothing: Vec<u8> = Vec::new();
            self.call("tao", "PSP22::transfer", &(keys.operator(), stake, nothing).encode()).await;
            let approve = (validators, stake).encode();
            self.call_as("tao", "PSP22::approve", &approve, &operator).await;
            self.call_as("validators", "Staking::bond", &stake.encode(), &operator).await;
            let possession = keys.prove_possession(&domain);
            let own = (keys.consensus_key(), keys.attestation_key(), possession).encode();
            self.call_as("validators", "Validators::register", &own, &operator).await;
        }
        let operators: Vec<Account> = self.keys.iter().map(NodeKeys::operator).collect();
        self.call("validators", "Validators::form_committee", &operators.encode()).await;
        self.config_digest = self.read("validators", "Validators::config_digest", &()).await;
    }

    async fn set_basket(&self) {
        let entry = |(netuid, (token, price_e18)): (u16, (&Account, u128))| Entry {
            netuid,
            token: *token,
            weight_bps: 5_000,
            price_e18,
        };
        let entries: Vec<Entry> =
            (1u16..).zip(self.subnets.iter().zip(PRICES)).map(entry).collect();
        let feed = Feed { kind: ReportKind::Basket, contract: self.at["index"].0 };
        let report = holdings::report::<Native>(feed, &FeedState::EMPTY, &entries, now_ms());
        let message = report.attestation_message::<Native>(&self.config_digest);
        let certificate = Certificate {
            scheme: 1,
            epoch: 1,
            signers: 0b1111,
            signatures: self.keys[..4].iter().map(|keys| keys.attest(&message)).collect(),
        };
        self.call("index", "Index::set_basket", &(report, entries, certificate).encode()).await;
    }

    /// Alice mints index tokens.
    pub async fn mint(&self, tokens: u128) {
        let index = self.at["index"].0;
        for subnet in &self.subnets {
            let bundle = self.bundle("token");
            let args = (index, u128::MAX).encode();
            let call = self.chain.call(subnet, &bundle, "PSP22::approve", &args, &self.alice);
            call.await.unwrap();
        }
        let limits = vec![u128::MAX; self.subnets.len()];
        let args = (tokens, 1u128, limits, now_ms() + 600_000).encode();
        self.call("index", "Index::mint", &args).await;
    }

    /// Calls as Alice.
    pub async fn call(&self, name: &str, message: &str, args: &[u8]) {
        self.call_as(name, message, args, &self.alice).await;
    }

    async fn call_as(&self, name: &str, message: &str, args: &[u8], signer: &Signer) {
        let (account, bundle) = &self.at[name];
        let outcome = self.chain.call(account, bundle, message, args, signer).await;
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Reads a view.
    pub async fn read<T: Decode>(&self, name: &str, message: &str, args: &impl Encode) -> T {
        let (account, bundle) = &self.at[name];
        self.chain.read(account, bundle, message, &args.encode()).await.unwrap()
    }

    /// Who certifies.
    pub fn committee(&self) -> Committee {
        Committee { keys: self.keys.clone(), config_digest: self.config_digest }
    }

    /// The NAV at the honest prices.
    pub async fn exact_nav(&self) -> u128 {
        let held: Vec<Holding> = self.read("index", "Index::holdings", &()).await;
        let price = |held: &Holding| PRICES[usize::from(held.netuid) - 1];
        let position = |held: &Holding| Position { holding: held.amount, price_e18: price(held) };
        let positions: Vec<Position> = held.iter().map(position).collect();
        let supply: u128 = self.read("tao20", "PSP22::total_supply", &()).await;
        nav_e18_floor(&positions, supply).unwrap()
    }

    fn prices(&self, seat: usize) -> PathBuf {
        let path = self.folder.path().join(format!("prices-{seat}.jsonl"));
        let mut text = String::new();
        for (netuid, price) in (1..).zip(PRICES) {
            let price = if seat == LIAR { price * 102 / 100 } else { price };
            let time_ms = now_ms();
            text.push_str(&format!(
                "{{\"time_ms\":{time_ms},\"netuid\":{netuid},\"price_e18\":\"{price}\"}}\n"
            ));
        }
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The seat that signs two NAVs for `slot`.
    pub fn two_faced(&self, slot: u64) -> TwoFaced {
        TwoFaced {
            committee: self.committee(),
            seat: u8::try_from(TWO_FACED).unwrap(),
            feed: Feed { kind: ReportKind::Nav, contract: self.at["index"].0 },
            nav_e18: TOKEN,
            slot,
            asked: Default::default(),
        }
    }

    /// Starts real consensus nodes, with the awards of their validators.
    pub fn real_nodes(&self, program: &str) -> Vec<Process> {
        let folder = self.folder.path();
        let hex = |bytes: &[u8; 32]| format!("\"0x{}\"", hex::encode(bytes));
        let at = |name: &str| hex(&self.at[name].0);
        let urls = free_ports(SEATS);
        let mut network = format!(
            "epoch = 1\nfault_model = \"byzantine\"\n[chain]\nurl = \"{}\"\ngenesis = {}\n\
             token = {}\nvalidators = {}\nleaderboard = {}\nindex = {}\nrewards = {}\n",
            self.url,
            hex(&self.chain.genesis()),
            at("tao"),
            at("validators"),
            at("tao20"),
            at("index"),
            at("rewards"),
        );
        for (url, keys) in urls.iter().zip(self.keys.iter()) {
            let (operator, consensus) = (hex(&keys.operator()), hex(&keys.consensus_key()));
            let attestation = hex(&keys.attestation_key());
            network.push_str(&format!(
                "[[nodes]]\nurl = \"http://{url}\"\noperator = {operator}\n\
                 consensus_key = {consensus}\nattestation_key = {attestation}\n"
            ));
        }
        let (file, results) = (folder.join("network.toml"), folder.join("results.jsonl"));
        std::fs::write(&file, network).unwrap();
        std::fs::write(&results, "").unwrap();
        let node = |(seat, url): (usize, &String)| {
            let path = |name: &str| folder.join(name).display().to_string();
            let mut args = vec!["--network".into(), file.display().to_string()];
            args.extend(["--seat".into(), seat.to_string()]);
            args.extend(["--keys".into(), path(&format!("seat-{seat}.toml"))]);
            args.extend(["--data".into(), path(&format!("node-{seat}"))]);
            args.extend(["--results".into(), results.display().to_string()]);
            args.extend(["--awards".into(), path(&format!("awards-{seat}"))]);
            Process::started(format!("http://{url}"), program, args)
        };
        urls.iter().enumerate().map(node).collect()
    }

    /// Starts one process for each seat but the two-faced one's, beside which consensus nodes answer.
    pub fn validators(&self, paxos: &[String], two_faced: &str) -> Vec<Process> {
        let mut ports = free_ports(SEATS - 1);
        ports.push(two_faced.to_owned());
        let validator = |(seat, listen): (usize, &String)| {
            let peers = ports.iter().filter(|port| *port != listen);
            let peers: Vec<String> = peers.map(|port| format!("\"http://{port}\"")).collect();
            let text = format!(
                "url = \"{}\"\nbundles = \"{}\"\nindex = \"{}\"\nrewards = \"{}\"\n\
                 from_block = {}\ndata = \"data-{seat}\"\nawards = \"awards-{seat}\"\n\
                 keys = \"seat-{seat}.toml\"\nprices = \"{}\"\npaxos = \"{}\"\n\
                 peers = [{}]\nlisten = \"{listen}\"\nnav_interval = \"4s\"\n\
                 nav_spacing = \"500ms\"\nturn_delay = \"1s\"\npoll = \"300ms\"\n",
                self.url,
                self.bundles.display(),
                address(&self.at["index"].0),
                address(&self.at["rewards"].0),
                self.from_block,
                self.prices(seat).display(),
                paxos[seat],
                peers.join(", "),
            );
            let config = self.folder.path().join(format!("validator-{seat}.toml"));
            std::fs::write(&config, text).unwrap();
            let args = vec!["run".into(), "--config".into(), config.display().to_string()];
            let program = env!("CARGO_BIN_EXE_nav-validator");
            Process::started(format!("http://{listen}"), program, args)
        };
        ports[..TWO_FACED].iter().enumerate().map(validator).collect()
    }
}

/// Ports of this machine that are free now.
fn free_ports(count: u8) -> Vec<String> {
    let ports: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    ports.iter().map(|port| port.local_addr().unwrap().to_string()).collect()
}

/// A process that ends with the test.
pub struct Process {
    /// Where it answers.
    pub url: String,
    program: String,
    args: Vec<String>,
    child: Option<Child>,
}

impl Process {
    fn started(url: String, program: &str, args: Vec<String>) -> Self {
        let mut process = Self { url, program: program.into(), args, child: None };
        process.start();
        process
    }

    /// Starts it.
    pub fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

//! An exchange on a chain, people who trade, and processes that follow it.

use cicada_amounts::MMC;
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_core::certificate::Certificate;
use cicada_core::committee::Domain;
use cicada_core::exchange::{Limits, Side};
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::{report, Board, Standing};
use cicada_core::quote::{Framework, Quote};
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;
use cicada_dice::Dice;
use cicada_network::NodeKeys;
use cicada_program::now_ms;
use parity_scale_codec::{Decode, Encode};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// The frameworks with a market.
pub const FRAMEWORKS: [&str; 2] = ["claude", "openai"];
const SEATS: u8 = 5;
const QUORUM: usize = 4;
/// Calls of one person that are sent before the outcome of the first is waited for.
const AT_ONCE: usize = 12;

/// Everything on the chain.
pub struct Stage {
    /// The chain.
    pub chain: Chain,
    url: String,
    bundles: PathBuf,
    folder: tempfile::TempDir,
    at: BTreeMap<&'static str, (Account, Bundle)>,
    alice: Signer,
    people: Vec<Signer>,
    keys: Vec<NodeKeys>,
    from_block: u64,
}

fn framework(name: &str) -> Framework {
    Framework::new(name).unwrap()
}

impl Stage {
    /// Deploys everything, with a leaderboard, two markets, and people with money.
    pub async fn build() -> Self {
        let url =
            std::env::var("CICADA_TEST_URL").expect("CICADA_TEST_URL is the address of a node");
        let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/target/ink");
        let chain = Chain::connect(&url).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = |seat| NodeKeys::generate(&folder.path().join(format!("seat-{seat}.toml")));
        let mut stage = Self {
            alice: signer("//Alice").unwrap(),
            people: ["//Bob", "//Charlie", "//Dave", "//Eve"]
                .map(|suri| signer(suri).unwrap())
                .into(),
            keys: (0..SEATS).map(|seat| key(seat).unwrap()).collect(),
            at: BTreeMap::new(),
            from_block: chain.final_block().await.unwrap(),
            chain,
            url,
            bundles,
            folder,
        };
        stage.contracts().await;
        stage.seat().await;
        stage.settle(&[("claude", 50_000), ("openai", 45_000)]).await;
        stage.open().await;
        stage
    }

    fn bundle(&self, name: &str) -> Bundle {
        Bundle::load(self.bundles.join(format!("{name}.contract"))).unwrap()
    }

    async fn make(&mut self, name: &'static str, args: Vec<u8>) -> Account {
        let salt = now_ms().to_le_bytes();
        let bundle = self.bundle(name);
        let made = self.chain.upload_and_instantiate(&bundle, "new", &args, &salt, &self.alice);
        let account = made.await.unwrap().account;
        self.at.insert(name, (account, bundle));
        account
    }

    async fn contracts(&mut self) {
        let supply = 1_000_000_000_000 * MMC;
        let mmc = self.make("token", ("Metameme Coin", "MMC", 6u8, supply).encode()).await;
        let seats = (self.chain.genesis(), SEATS).encode();
        let validators = self.make("validators", seats).await;
        let leaderboard = self.make("leaderboard", validators.encode()).await;
        let code = *self.bundle("token").code_hash();
        let limits = Limits { max_outstanding: 1_000_000_000, max_per_quote: 1_000_000_000 };
        let args = (mmc, leaderboard, code, 604_800_000u64, limits).encode();
        self.make("exchange", args).await;
    }

    async fn seat(&self) {
        let domain = Domain { genesis: self.chain.genesis(), validators: self.at["validators"].0 };
        for keys in &self.keys {
            let operator = signer_from_seed(keys.operator_seed()).unwrap();
            let funds = Call::transfer(&keys.operator(), 50_000_000_000_000_000);
            self.chain.send(&funds, &self.alice).await.unwrap();
            let possession = keys.prove_possession(&domain);
            let own = (keys.consensus_key(), keys.attestation_key(), possession).encode();
            self.call_as("validators", "Validators::register", &own, &operator).await;
        }
        let operators: Vec<Account> = self.keys.iter().map(NodeKeys::operator).collect();
        self.call("validators", "Validators::form_committee", &operators.encode()).await;
    }

    /// The committee's next leaderboard, in order of rank.
    async fn settle(&self, scores: &[(&str, u64)]) {
        let digest: Hash = self.read("validators", "Validators::config_digest", &()).await;
        let state: FeedState = self.read("leaderboard", "Leaderboard::latest", &()).await;
        let standing = |(name, score): &(&str, u64)| Standing {
            framework: framework(name),
            score: *score,
            volume_24h: 0,
        };
        let standings = scores.iter().map(standing).collect();
        let board = Board { standings, shards: [71; 32] };
        let feed = Feed { kind: ReportKind::Leaderboard, contract: self.at["leaderboard"].0 };
        let report = report::<Native>(feed, &state, &board, now_ms());
        let message = report.attestation_message::<Native>(&digest);
        let certificate = Certificate {
            scheme: 1,
            epoch: 1,
            signers: (1 << QUORUM) - 1,
            signatures: self.keys[..QUORUM].iter().map(|keys| keys.attest(&message)).collect(),
        };
        let args = (report, board, certificate).encode();
        self.call("leaderboard", "Leaderboard::submit", &args).await;
    }

    /// Opens the markets, fills their reserves, and gives people money.
    async fn open(&self) {
        let exchange = self.at["exchange"].0;
        let approve = (exchange, u128::MAX).encode();
        self.call("token", "PSP22::approve", &approve).await;
        for person in &self.people {
            let none: Vec<u8> = Vec::new();
            let money = (account_of(person), 1_000_000_000 * MMC, none).encode();
            self.call("token", "PSP22::transfer", &money).await;
            self.call_as("token", "PSP22::approve", &approve, person).await;
        }
        for name in FRAMEWORKS {
            self.call("exchange", "Exchange::list", &framework(name).encode()).await;
            let deposit = (framework(name), 1_000_000_000 * MMC).encode();
            self.call("exchange", "Exchange::deposit", &deposit).await;
            for person in &self.people {
                let (token, bundle) = (self.token(name).await, &self.at["token"].1);
                let call = self.chain.call(&token, bundle, "PSP22::approve", &approve, person);
                call.await.unwrap();
            }
        }
    }

    async fn token(&self, name: &str) -> Account {
        let market: Option<cicada_core::exchange::Market> =
            self.read("exchange", "Exchange::market", &framework(name)).await;
        market.unwrap().token
    }

    async fn call(&self, name: &str, message: &str, args: &[u8]) {
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

    /// Who trades.
    pub fn people(&self) -> Vec<Account> {
        self.people.iter().map(account_of).collect()
    }

    /// What somebody has of a token.
    pub async fn balance(&self, token: &Account, whose: &Account) -> u128 {
        let (bundle, label) = (&self.at["token"].1, "PSP22::balance_of");
        self.chain.read(token, bundle, label, &whose.encode()).await.unwrap()
    }

    /// What somebody has of MMC.
    pub async fn mmc_of(&self, whose: &Account) -> u128 {
        self.balance(&self.at["token"].0, whose).await
    }

    /// The market maker's quote.
    pub async fn quote(&self, framework: &Framework) -> Quote {
        self.read("exchange", "Exchange::quote", framework).await
    }

    /// Trades until there are so many transactions that went well, with a new leaderboard now and
    /// then, orders, cancellations and gifts. `done` counts what traded.
    pub async fn trade(&self, wanted: u64, done: &AtomicU64) {
        let mut numbers = Dice::new(6);
        let mut round = 0u64;
        while done.load(Ordering::Relaxed) < wanted {
            if round % 8 == 7 {
                let claude = 48_000 + numbers.below(4_000);
                self.settle(&[("claude", claude), ("openai", 45_000)]).await;
                for name in FRAMEWORKS {
                    self.call("exchange", "Exchange::fill_orders", &framework(name).encode()).await;
                }
            }
            round += 1;
            for person in &self.people {
                let mut calls = Vec::new();
                for _ in 0..AT_ONCE {
                    calls.extend(self.anything(&mut numbers, person).await);
                }
                let trades = calls.iter().filter(|(trades, _)| *trades).count() as u64;
                let calls: Vec<Call> = calls.into_iter().map(|(_, call)| call).collect();
                // Some fail, because those before them changed what they were made for.
                let receipts = self.chain.send_all(&calls, person).await.unwrap();
                let failed = receipts.iter().filter(|receipt| receipt.is_err()).count() as u64;
                done.fetch_add(trades.saturating_sub(failed), Ordering::Relaxed);
            }
        }
    }

    /// A transaction, and whether it trades; none if it would be refused now.
    async fn anything(&self, numbers: &mut Dice, person: &Signer) -> Option<(bool, Call)> {
        let name = FRAMEWORKS[usize::try_from(numbers.below(2)).unwrap()];
        let framework = framework(name);
        let amount = u128::from(numbers.below(50)) + 1;
        let end = u64::MAX;
        let (account, bundle) = &self.at["exchange"];
        let what = numbers.below(12);
        let (message, args) = match what {
            0..=5 => ("Exchange::buy", (framework, amount, u128::MAX, end).encode()),
            6..=7 => ("Exchange::sell", (framework, amount.min(5), 0u128, end).encode()),
            8 => {
                let price = self.quote(&framework).await.bid + 10 * u128::from(numbers.below(200));
                ("Exchange::place", (framework, Side::Buy, price, amount, end).encode())
            }
            9 => {
                let price = self.quote(&framework).await.ask - 10 * u128::from(numbers.below(200));
                ("Exchange::place", (framework, Side::Sell, price, amount.min(5), end).encode())
            }
            10 => ("Exchange::cancel", (numbers.below(60) + 1).encode()),
            _ => {
                let to = account_of(&self.people[usize::try_from(numbers.below(4)).unwrap()]);
                let (token, bundle) = (self.token(name).await, &self.at["token"].1);
                let gift = (to, 1u128, Vec::<u8>::new()).encode();
                let call =
                    self.chain.prepare(&token, bundle, "PSP22::transfer", &gift, person).await;
                return Some((false, call.ok()?));
            }
        };
        let call = self.chain.prepare(account, bundle, message, &args, person).await.ok()?;
        Some((what < 8, call))
    }

    /// The folder of an indexer's store.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("data-{name}"))
    }

    /// Starts an indexer.
    pub fn indexer(&self, name: &str) -> Process {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!(
            "url = \"{}\"\nbundles = \"{}\"\nexchange = \"{}\"\nfrom_block = {}\n\
             data = \"data-{name}\"\nlisten = \"{port}\"\npoll = \"100ms\"\n",
            self.url,
            self.bundles.display(),
            address(&self.at["exchange"].0),
            self.from_block,
        );
        let config = self.folder.path().join(format!("{name}.toml"));
        std::fs::write(&config, text).unwrap();
        let mut process = Process { url: format!("http://{port}"), config, child: None };
        process.start();
        process
    }
}

/// A process that ends with the test.
pub struct Process {
    /// Where it answers.
    pub url: String,
    config: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts it.
    pub fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cicada71-indexer"));
        command.arg("run").arg("--config").arg(&self.config).stdin(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it had ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

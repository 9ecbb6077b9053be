//! Contracts on a chain: an index of two tokens, a pool, and a committee of four that attests.

use cicada_amounts::TAO;
use cicada_chain::{account_of, address, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_core::basket::holdings::{self, Entry};
use cicada_core::certificate::Certificate;
use cicada_core::committee::Domain;
use cicada_core::hash::{Hash, Native};
use cicada_core::nav::{self, Observation};
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::slashing::{Bands, Rates};
use cicada_core::Account;
use cicada_miner::config::Config;
use cicada_network::NodeKeys;
use cicada_program::now_ms;
use parity_scale_codec::{Decode, Encode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One index token.
pub const TOKEN: u128 = 1_000_000_000_000_000_000;

const PRICES: [u128; 2] = [TOKEN / 2, TOKEN / 4];
/// Seats of the committee, and how many of them are a quorum.
const SEATS: u8 = 4;
const QUORUM: u8 = 3;
const FUNDS: u128 = 10_000_000_000_000_000;
const MANY: u128 = 1_000_000 * TAO;

/// Everything on the chain.
pub struct Stage {
    /// The miner's configuration.
    pub config: PathBuf,
    chain: Chain,
    bundles: PathBuf,
    folder: tempfile::TempDir,
    alice: Signer,
    keys: Vec<NodeKeys>,
    config_digest: Hash,
    at: BTreeMap<&'static str, (Account, Bundle)>,
    subnets: Vec<Account>,
}

impl Stage {
    /// Deploys everything: 1,000 index tokens of NAV 1, all in the pool at a price of 1; the miner,
    /// Bob, has 100 TAO and of both subnet tokens enough for 100 index tokens.
    pub async fn build() -> Self {
        let url =
            std::env::var("CICADA_TEST_URL").expect("CICADA_TEST_URL is the address of a node");
        let folder = tempfile::tempdir().unwrap();
        let key = |seat| {
            let path = folder.path().join(format!("seat-{seat}.toml"));
            NodeKeys::generate(&path).unwrap()
        };
        let mut stage = Self {
            config: folder.path().join("miner.toml"),
            chain: Chain::connect(&url).await.unwrap(),
            bundles: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/target/ink"),
            alice: signer("//Alice").unwrap(),
            keys: (0..SEATS).map(key).collect(),
            folder,
            config_digest: [0; 32],
            at: BTreeMap::new(),
            subnets: Vec::new(),
        };
        stage.contracts().await;
        stage.seat().await;
        stage.set_basket().await;
        stage.fill().await;
        let account = |name| address(&stage.at[name].0);
        let text = format!(
            "url = \"{url}\"\nbundles = \"{}\"\nindex = \"{}\"\npair = \"{}\"\nsuri = \"//Bob\"\n\
             ledger = \"ledger.json\"\nlisten = \"127.0.0.1:0\"\npoll = \"200ms\"\n",
            stage.bundles.display(),
            account("index"),
            account("pair"),
        );
        std::fs::write(&stage.config, text).unwrap();
        stage
    }

    /// The miner's configuration with more lines.
    pub fn config_with(&self, lines: &str) -> Config {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let path = self.folder.path().join("other.toml");
        std::fs::write(&path, format!("{text}\n{lines}\n")).unwrap();
        Config::load(&path).unwrap()
    }

    /// A file with that configuration which serves HTTP at another address.
    pub fn config_at(&self, listen: &str) -> PathBuf {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let path = self.folder.path().join("served.toml");
        std::fs::write(&path, text.replace("127.0.0.1:0", listen)).unwrap();
        path
    }

    fn bundle(&self, name: &str) -> Bundle {
        Bundle::load(self.bundles.join(format!("{name}.contract"))).unwrap()
    }

    async fn make(&self, name: &str, args: Vec<u8>) -> Account {
        let salt = now_ms().to_le_bytes();
        let bundle = self.bundle(name);
        let made = self.chain.upload_and_instantiate(&bundle, "new", &args, &salt, &self.alice);
        made.await.unwrap().account
    }

    async fn token(&self, symbol: &str, decimals: u8, supply: u128) -> Account {
        self.make("token", (symbol, symbol, decimals, supply).encode()).await
    }

    async fn contracts(&mut self) {
        let tao = self.token("TAO", 9, MANY).await;
        for symbol in ["SN1", "SN2"] {
            let subnet = self.token(symbol, 9, MANY).await;
            self.subnets.push(subnet);
        }
        let tao20 = self.token("TAO20", 18, 0).await;
        let validators = self.make("validators", (self.chain.genesis(), SEATS).encode()).await;
        let index = self.make("index", (validators, tao20).encode()).await;
        let pair = self.make("pair", (tao20, tao, 30u16).encode()).await;
        let all = [
            ("tao", tao, "token"),
            ("tao20", tao20, "token"),
            ("validators", validators, "validators"),
            ("index", index, "index"),
            ("pair", pair, "pair"),
        ];
        for (name, account, bundle) in all {
            self.at.insert(name, (account, self.bundle(bundle)));
        }
        // Minter and burner.
        for role in [1u8, 2] {
            self.call("tao20", "Roles::grant_role", &(role, index).encode()).await;
        }
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
        for keys in &self.keys {
            let operator = signer_from_seed(keys.operator_seed()).unwrap();
            let funds = Call::transfer(&keys.operator(), FUNDS);
            self.chain.send(&funds, &self.alice).await.unwrap();
            let stake = 5_000 * TAO;
            self.give("tao", &keys.operator(), stake).await;
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

    fn certificate(&self, report: &Report) -> Certificate {
        let message = report.attestation_message::<Native>(&self.config_digest);
        let signing = &self.keys[..usize::from(QUORUM)];
        let signatures = signing.iter().map(|keys| keys.attest(&message)).collect();
        Certificate { scheme: 1, epoch: 1, signers: (1 << QUORUM) - 1, signatures }
    }

    fn feed(&self, kind: ReportKind) -> Feed {
        Feed { kind, contract: self.at["index"].0 }
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
        let feed = self.feed(ReportKind::Basket);
        let report = holdings::report::<Native>(feed, &FeedState::EMPTY, &entries, now_ms());
        let certificate = self.certificate(&report);
        self.call("index", "Index::set_basket", &(report, entries, certificate).encode()).await;
    }

    /// The committee attests a NAV.
    pub async fn settle_nav(&self, nav_e18: u128) {
        let (_, state): (FeedState, FeedState) = self.read("index", "Index::feeds", &()).await;
        let feed = self.feed(ReportKind::Nav);
        let time_ms = now_ms();
        let observe = |seat: u8| {
            let unsigned = Observation { seat, nav_e18, time_ms, signature: [0; 64] };
            let message = unsigned.message::<Native>(&self.config_digest, &feed, state.slot + 1);
            let signature = self.keys[usize::from(seat)].attest(&message);
            Observation { signature, ..unsigned }
        };
        let own: Vec<Observation> = (0..QUORUM).map(observe).collect();
        let report = nav::report::<Native>(feed, &state, &own, time_ms);
        let certificate = self.certificate(&report);
        self.call("index", "Index::settle_nav", &(report, own, certificate).encode()).await;
    }

    async fn give(&self, token: &str, to: &Account, amount: u128) {
        let nothing: Vec<u8> = Vec::new();
        self.call(token, "PSP22::transfer", &(to, amount, nothing).encode()).await;
    }

    /// Alice mints and fills the pool; Bob gets what he trades with.
    async fn fill(&self) {
        let (index, pair) = (self.at["index"].0, self.at["pair"].0);
        let bob = account_of(&signer("//Bob").unwrap());
        let token = self.bundle("token");
        for (subnet, price) in self.subnets.iter().zip(PRICES) {
            let approve = (index, u128::MAX).encode();
            let call = self.chain.call(subnet, &token, "PSP22::approve", &approve, &self.alice);
            call.await.unwrap();
            // A half of 100 TAO, and a unit for the rounding.
            let amount = 50 * TAO * TOKEN / price + 1;
            let transfer = (bob, amount, Vec::<u8>::new()).encode();
            let call = self.chain.call(subnet, &token, "PSP22::transfer", &transfer, &self.alice);
            call.await.unwrap();
        }
        self.give("tao", &bob, 100 * TAO).await;
        let mint = (1_200 * TOKEN, 1u128, vec![u128::MAX; 2], later()).encode();
        self.call("index", "Index::mint", &mint).await;
        for name in ["tao", "tao20"] {
            self.call(name, "PSP22::approve", &(pair, u128::MAX).encode()).await;
        }
        let deposit = (1_000 * TOKEN, 1_000 * TAO, 1u128, later()).encode();
        self.call("pair", "Pair::add_liquidity", &deposit).await;
    }

    /// Alice pays into the pool.
    pub async fn trade(&self, token: &str, amount: u128) {
        let swap = (self.at[token].0, amount, 1u128, later()).encode();
        self.call("pair", "Pair::swap_exact_in", &swap).await;
    }

    /// Bob gets something of Alice.
    pub async fn give_bob(&self, token: &str, amount: u128) {
        self.give(token, &account_of(&signer("//Bob").unwrap()), amount).await;
    }

    /// What Bob has.
    pub async fn bobs(&self, token: &str) -> u128 {
        let bob = account_of(&signer("//Bob").unwrap());
        self.read(token, "PSP22::balance_of", &bob).await
    }

    async fn call(&self, name: &str, message: &str, args: &[u8]) {
        self.call_as(name, message, args, &self.alice).await;
    }

    async fn call_as(&self, name: &str, message: &str, args: &[u8], signer: &Signer) {
        let (account, bundle) = &self.at[name];
        let outcome = self.chain.call(account, bundle, message, args, signer).await;
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    async fn read<T: Decode>(&self, name: &str, message: &str, args: &impl Encode) -> T {
        let (account, bundle) = &self.at[name];
        self.chain.read(account, bundle, message, &args.encode()).await.unwrap()
    }
}

fn later() -> u64 {
    now_ms() + 600_000
}

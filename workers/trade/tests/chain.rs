//! Trading on a real chain. It needs a development node at `CICADA_TEST_URL` and the built contracts:
//! `scripts/test e2e`.

use cicada_amounts::MMC;
use cicada_chain::{account_of, signer, signer_from_seed, Bundle, Call, Chain, Signer};
use cicada_core::certificate::Certificate;
use cicada_core::committee::Domain;
use cicada_core::exchange::{Limits, Side};
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::{report, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;
use cicada_network::NodeKeys;
use cicada_trade::{Addresses, Board, Error, Exchange, Intent, Limit};
use parity_scale_codec::{Decode, Encode};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The smallest committee that survives a liar.
const SEATS: u8 = 4;

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn claude() -> Framework {
    Framework::new("claude").unwrap()
}

struct Stage {
    chain: Chain,
    bundles: PathBuf,
    owner: Signer,
    keys: Vec<NodeKeys>,
    addresses: Addresses,
    validators: Account,
}

impl Stage {
    async fn build(folder: &Path) -> Self {
        let url =
            std::env::var("CICADA_TEST_URL").expect("CICADA_TEST_URL is the address of a node");
        let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/target/ink");
        let chain = Chain::connect(&url).await.unwrap();
        let keys = (0..SEATS).map(|seat| NodeKeys::generate(&folder.join(format!("{seat}"))));
        let genesis = Some(chain.genesis());
        let mut stage = Self {
            owner: signer("//Alice").unwrap(),
            keys: keys.map(|keys| keys.unwrap()).collect(),
            validators: [0; 32],
            chain,
            bundles,
            addresses: Addresses { url: Some(url), genesis, ..Addresses::default() },
        };
        stage.deploy().await;
        stage.seat().await;
        stage
    }

    fn bundle(&self, name: &str) -> Bundle {
        Bundle::load(self.bundles.join(format!("{name}.contract"))).unwrap()
    }

    async fn make(&self, name: &str, args: Vec<u8>) -> Account {
        let (bundle, salt) = (self.bundle(name), now_ms().encode());
        let made = self.chain.upload_and_instantiate(&bundle, "new", &args, &salt, &self.owner);
        made.await.unwrap().account
    }

    async fn deploy(&mut self) {
        let mmc = self.make("token", ("Metameme Coin", "MMC", 6u8, 1_000_000 * MMC).encode()).await;
        let seats = (self.chain.genesis(), SEATS).encode();
        self.validators = self.make("validators", seats).await;
        let leaderboard = self.make("leaderboard", self.validators.encode()).await;
        let limits = Limits { max_outstanding: 5_000, max_per_quote: 2_000 };
        let code = *self.bundle("token").code_hash();
        let terms = (mmc, leaderboard, code, 3_600_000u64, limits).encode();
        self.addresses.exchange = Some(self.make("exchange", terms).await);
        self.addresses.leaderboard = Some(leaderboard);
        self.addresses.token = Some(mmc);
    }

    async fn call(&self, contract: &Account, name: &str, label: &str, args: &[u8], by: &Signer) {
        let bundle = self.bundle(name);
        self.chain.call(contract, &bundle, label, args, by).await.unwrap();
    }

    async fn read<T: Decode>(&self, contract: &Account, name: &str, label: &str) -> T {
        self.chain.read(contract, &self.bundle(name), label, &[]).await.unwrap()
    }

    async fn seat(&self) {
        let domain = Domain { genesis: self.chain.genesis(), validators: self.validators };
        for keys in &self.keys {
            let funds = Call::transfer(&keys.operator(), 50_000_000_000_000_000);
            self.chain.send(&funds, &self.owner).await.unwrap();
            let proof = keys.prove_possession(&domain);
            let args = (keys.consensus_key(), keys.attestation_key(), proof).encode();
            let operator = signer_from_seed(keys.operator_seed()).unwrap();
            let label = "Validators::register";
            self.call(&self.validators, "validators", label, &args, &operator).await;
        }
        let operators: Vec<Account> = self.keys.iter().map(NodeKeys::operator).collect();
        let label = "Validators::form_committee";
        self.call(&self.validators, "validators", label, &operators.encode(), &self.owner).await;
    }

    /// The next leaderboard.
    async fn settle(&self, score: u64) {
        let contract = self.addresses.leaderboard.unwrap();
        let digest: Hash =
            self.read(&self.validators, "validators", "Validators::config_digest").await;
        let state: FeedState = self.read(&contract, "leaderboard", "Leaderboard::latest").await;
        let standings = vec![Standing { framework: claude(), score, volume_24h: 0 }];
        let board = cicada_core::leaderboard::Board { standings, shards: [71; 32] };
        let feed = Feed { kind: ReportKind::Leaderboard, contract };
        let report = report::<Native>(feed, &state, &board, now_ms());
        let message = report.attestation_message::<Native>(&digest);
        let signatures = self.keys[..3].iter().map(|keys| keys.attest(&message)).collect();
        let certificate = Certificate { scheme: 1, epoch: 1, signers: 0b111, signatures };
        let args = (report, board, certificate).encode();
        self.call(&contract, "leaderboard", "Leaderboard::submit", &args, &self.owner).await;
    }

    async fn exchange(&self) -> Exchange {
        Exchange::connect(&self.addresses, &self.bundles, None).await.unwrap()
    }
}

fn close(a: u128, b: u128) -> bool {
    a.abs_diff(b) <= b / 20
}

/// Approves and trades, and holds what was foreseen against what happens.
async fn trade(exchange: &Exchange, side: Side, amount: u128, signer: &Signer) -> u128 {
    let owner = account_of(signer);
    let intent = Intent { framework: claude(), side, amount, limit: Limit::Bps(0) };
    let now = exchange.now().await.unwrap();
    let plan = now.plan(&owner, intent.clone()).await.unwrap();
    let deadline = now.now_ms + 60_000;
    let before = exchange.fees(&plan, deadline, &owner).await.unwrap();
    assert!(!before.exact && before.trade > 0);
    let approval = exchange.approve(&plan.need, signer).await.unwrap().unwrap();
    assert!(close(approval.fee, before.approval.unwrap()), "{approval:?} {before:?}");
    let now = exchange.now().await.unwrap();
    let plan = now.plan(&owner, intent).await.unwrap();
    assert!(!plan.need.approve, "exactly what was needed is allowed");
    let fees = exchange.fees(&plan, deadline, &owner).await.unwrap();
    let deal = exchange.trade(&plan, deadline, signer).await.unwrap();
    assert_eq!((deal.amount, Some(deal.value)), (amount, fees.value));
    assert_eq!(deal.value, plan.expected.value);
    assert!(close(deal.fee, fees.trade) && close(deal.fee, before.trade), "{deal:?} {fees:?}");
    let after = exchange.now().await.unwrap();
    assert_eq!(after.allowance(&plan.need.token, &owner).await.unwrap(), 0, "nothing is left");
    deal.value
}

async fn refused(exchange: &Exchange, side: Side, amount: u128, by: &Signer) -> Error {
    let intent = Intent { framework: claude(), side, amount, limit: Limit::Bps(100) };
    let now = exchange.now().await.unwrap();
    now.plan(&account_of(by), intent).await.unwrap_err()
}

/// Half of 1,000 tokens into an order, which the next buyer meets before the market maker.
async fn order(stage: &Stage, exchange: &Exchange, bob: &Signer) {
    let alice = &stage.owner;
    let now = exchange.now().await.unwrap();
    let owner = account_of(alice);
    let plan = now.plan_order(&owner, claude(), Side::Sell, 50 * MMC, 500).await.unwrap();
    exchange.approve(&plan.need, alice).await.unwrap();
    let placed = exchange.place(&plan, now.now_ms + 60_000, alice).await.unwrap();
    let order = placed.resting.unwrap();
    assert_eq!((order.amount, placed.deal.amount), (500, 0));
    let money = (account_of(bob), 10_000 * MMC, Vec::<u8>::new()).encode();
    stage.call(&exchange.mmc, "token", "PSP22::transfer", &money, alice).await;
    assert_eq!(trade(exchange, Side::Buy, 150, bob).await, 7_500 * MMC);
    let view = exchange.now().await.unwrap().view(&claude()).await.unwrap();
    assert_eq!(view.asks[0].amount, 350);
    assert_eq!((view.market.volume_24h, view.solvent()), (1_150, Some(true)));
    assert_eq!(exchange.cancel(order.order, alice).await.unwrap().0, 350);
    let gone = exchange.now().await.unwrap().order(order.order).await;
    assert!(matches!(gone, Err(Error::NoOrder(_))));
}

#[tokio::test]
#[ignore = "needs a node: scripts/test e2e"]
async fn the_example_of_the_seed_on_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::build(folder.path()).await;
    let exchange = stage.exchange().await;
    // Nobody else has his key, so nobody gave him money.
    let (alice, bob) = (&stage.owner, &signer_from_seed(stage.keys[0].operator_seed()).unwrap());
    let board = Board::connect(&stage.addresses, &stage.bundles, None).await.unwrap();
    assert!(matches!(board.quote(&claude()).await, Err(Error::NoQuote(_))));
    assert!(matches!(refused(&exchange, Side::Buy, 1, alice).await, Error::NotListed(_)));

    stage.settle(50_000).await;
    assert_eq!(board.quote(&claude()).await.unwrap().ask, 50_500_000);
    exchange.list(&claude(), alice).await.unwrap();
    assert!(matches!(refused(&exchange, Side::Buy, 1, bob).await, Error::TooPoor { .. }));
    assert!(matches!(refused(&exchange, Side::Buy, 2_001, alice).await, Error::Room { .. }));
    assert_eq!(trade(&exchange, Side::Buy, 1_000, alice).await, 50_500 * MMC);
    order(&stage, &exchange, bob).await;

    // A new quote is that of the next trade.
    stage.settle(40_000).await;
    assert_eq!(trade(&exchange, Side::Sell, 850, alice).await, 850 * 39_600_000);
    let holdings = exchange.now().await.unwrap().holdings(&account_of(bob)).await.unwrap();
    assert_eq!((holdings.len(), holdings[0].amount), (1, 150));
    assert_eq!(holdings[0].quote.as_ref().unwrap().bid, 39_600_000);
}

//! For tests of workers: contracts on a real chain, with a committee whose keys the test holds.
//!
//! The chain is an empty one of its own, or that at the address in the environment's `CICADA_TEST_URL`;
//! //Alice has money there, and owns everything. The contracts must be built. Whatever goes wrong
//! panics: this is for tests.

mod index;
mod leaderboard;
mod service;

pub use index::{later, PRICES, SUBNETS, TOKEN};
pub use service::{free_addresses, Service};

use cicada_chain::{signer, signer_from_seed, Bundle, Call, Chain, Signer, BUNDLES};
use cicada_contracts::{token, validators, Constructor, Message};
use cicada_core::certificate::Certificate;
use cicada_core::committee::Domain;
use cicada_core::hash::{Digest, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use cicada_core::Account;
use cicada_localnet::{repository, OwnChain};
use cicada_network::{ChainSection, ContractName, Deployment, NodeKeys};
use cicada_program::now_ms;
use parity_scale_codec::Decode;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// What an operator's account gets for its fees, in base units of the chain's currency.
const FUNDS: u128 = 50_000_000_000_000_000;

/// Contracts on a chain, by the names that a test gives them.
pub struct Stage {
    /// The chain.
    pub chain: Chain,
    /// Its address.
    pub url: String,
    /// The folder of the built contracts.
    pub bundles: PathBuf,
    /// For the test's files; `seat-N.toml` are those of the keys.
    pub folder: TempDir,
    /// The owner of everything.
    pub alice: Signer,
    /// The committee's keys in seat order.
    pub keys: Arc<Vec<NodeKeys>>,
    /// The block before the first contract.
    pub from_block: u64,
    own: Option<OwnChain>,
    placed: BTreeMap<&'static str, Account>,
}

impl Stage {
    /// A chain with nothing on it but `validators`, which has this many seats and nobody in them.
    pub async fn new(seats: u8) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, own) = match std::env::var("CICADA_TEST_URL") {
            Ok(url) => (url, None),
            Err(_) => {
                let own = OwnChain::start(folder.path()).expect("a chain");
                (own.url.to_string(), Some(own))
            }
        };
        let chain = Chain::connect(&url).await.expect("a chain");
        let file = |seat: u8| folder.path().join(format!("seat-{seat}.toml"));
        let keys = (0..seats).map(|seat| NodeKeys::generate(&file(seat)).expect("a file of keys"));
        let mut stage = Self {
            url,
            bundles: repository().join(BUNDLES),
            alice: signer("//Alice").expect("a development account"),
            keys: Arc::new(keys.collect()),
            from_block: chain.final_block().await.expect("a final block"),
            placed: BTreeMap::new(),
            own,
            chain,
            folder,
        };
        let constructor = validators::new(&stage.chain.genesis(), seats);
        stage.place("validators", "validators", &constructor).await;
        stage
    }

    /// Lets so much time pass on the chain, which must be one of its own, in milliseconds.
    pub fn travel(&self, ms: u64) {
        let own = self.own.as_ref().expect("a chain of its own: leave CICADA_TEST_URL unset");
        own.travel(ms).expect("the clock moves");
    }

    /// A built contract.
    pub fn bundle(&self, name: &str) -> Bundle {
        Bundle::find(&self.bundles, name).expect("a built contract")
    }

    /// Where a contract is.
    pub fn at(&self, name: &str) -> Account {
        self.placed[name]
    }

    /// Writes a network file of the contracts that were placed under the names that it knows; where.
    pub fn network_file(&self) -> PathBuf {
        let path = self.folder.path().join("placed.toml");
        let chain = ChainSection { url: self.url.clone(), genesis: self.chain.genesis() };
        let mut file = Deployment::new(&path, chain);
        for name in ContractName::ALL {
            if let Some(account) = self.placed.get(name.as_str()) {
                file.contracts.set(name, *account);
                file.blocks.insert(name, self.from_block);
            }
        }
        file.save().expect("a network file");
        path
    }

    /// Puts a contract on the chain, under a name of the test's.
    pub async fn place<E>(
        &mut self,
        name: &'static str,
        bundle: &str,
        constructor: &Constructor<E>,
    ) -> Account {
        let (bundle, salt) = (self.bundle(bundle), now_ms().to_le_bytes());
        let made = self.chain.upload_and_instantiate(&bundle, constructor, &salt, &self.alice);
        let account = made.await.unwrap_or_else(|error| panic!("{name}: {error}")).account;
        self.placed.insert(name, account);
        account
    }

    /// Puts a token on the chain; its supply is //Alice's.
    pub async fn place_token(&mut self, name: &'static str, decimals: u8, supply: u128) -> Account {
        self.place(name, "token", &token::new(name, name, decimals, supply)).await
    }

    /// Calls as //Alice.
    pub async fn call<T: Decode, E>(&self, name: &str, message: &Message<T, E>) {
        self.call_as(name, message, &self.alice).await;
    }

    /// Calls as //Alice, who may be refused.
    ///
    /// # Errors
    /// What the contract or the chain says.
    pub async fn try_call<T: Decode, E>(
        &self,
        name: &str,
        message: &Message<T, E>,
    ) -> Result<(), cicada_chain::Error> {
        self.chain.call(&self.at(name), message, &self.alice).await.map(drop)
    }

    /// Calls as somebody.
    pub async fn call_as<T: Decode, E>(
        &self,
        name: &str,
        message: &Message<T, E>,
        signer: &Signer,
    ) {
        let done = self.chain.call(&self.at(name), message, signer).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// What a view says.
    pub async fn read<T: Decode, E>(&self, name: &str, message: &Message<T, E>) -> T {
        let said = self.chain.read(&self.at(name), message).await;
        said.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// //Alice gives somebody tokens.
    pub async fn give(&self, token: &str, to: &Account, amount: u128) {
        self.call(token, &token::transfer(to, amount, &[])).await;
    }

    /// Somebody lets a contract take all the tokens that he has.
    pub async fn approve(&self, token: &str, spender: &str, owner: &Signer) {
        self.call_as(token, &token::approve(&self.at(spender), u128::MAX), owner).await;
    }

    /// Seats the committee. With a `stake`, so much of that token is given to each operator and bonded.
    pub async fn seat(&self, stake: Option<(&str, u128)>) {
        let domain = Domain { genesis: self.chain.genesis(), validators: self.at("validators") };
        for keys in self.keys.iter() {
            let operator = signer_from_seed(keys.operator_seed()).expect("a seed");
            let funds = Call::transfer(&keys.operator(), FUNDS);
            self.chain.send(&funds, &self.alice).await.expect("a transfer");
            if let Some((token, amount)) = stake {
                self.give(token, &keys.operator(), amount).await;
                self.approve(token, "validators", &operator).await;
                self.call_as("validators", &validators::bond(amount), &operator).await;
            }
            let possession = keys.prove_possession(&domain);
            let (consensus, attestation) = (keys.consensus_key(), keys.attestation_key());
            let own = validators::register(&consensus, &attestation, &possession);
            self.call_as("validators", &own, &operator).await;
        }
        let operators: Vec<Account> = self.keys.iter().map(NodeKeys::operator).collect();
        self.call("validators", &validators::form_committee(&operators)).await;
    }

    /// What the committee's signatures are bound to.
    pub async fn config_digest(&self) -> Digest {
        self.read("validators", &validators::config_digest()).await
    }

    /// How many sign a certificate.
    pub fn quorum(&self) -> usize {
        let nodes = u8::try_from(self.keys.len()).ok();
        let quorum = nodes.and_then(|nodes| Quorum::of(FaultModel::Byzantine, nodes));
        quorum.expect("1 to 32 seats").size().into()
    }

    /// The certificate of the first seats.
    pub async fn certificate(&self, report: &Report) -> Certificate {
        let message = report.attestation_message::<Native>(&self.config_digest().await);
        let signing = &self.keys[..self.quorum()];
        let signatures = signing.iter().map(|keys| keys.attest(&message)).collect();
        Certificate { scheme: 1, epoch: 1, signers: (1 << signing.len()) - 1, signatures }
    }
}

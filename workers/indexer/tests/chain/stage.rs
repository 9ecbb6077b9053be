//! An exchange on a chain, people who trade, and processes that follow it.

use cicada_amounts::MMC;
use cicada_chain::{account_of, signer, Call, Signer};
use cicada_contracts::{exchange, token, Message};
use cicada_core::exchange::{Limits, Side};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use cicada_dice::Dice;
use cicada_stage::{free_addresses, Service};
use parity_scale_codec::Decode;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// The frameworks with a market.
pub const FRAMEWORKS: [&str; 2] = ["claude", "openai"];
const SEATS: u8 = 5;
/// Calls of one person that are sent before the outcome of the first is waited for.
const AT_ONCE: usize = 12;

/// Everything on the chain.
pub struct Stage {
    stage: cicada_stage::Stage,
    people: Vec<Signer>,
}

impl Deref for Stage {
    type Target = cicada_stage::Stage;

    fn deref(&self) -> &Self::Target {
        &self.stage
    }
}

fn framework(name: &str) -> Framework {
    Framework::new(name).unwrap()
}

impl Stage {
    /// Deploys everything, with a leaderboard, two markets, and people with money.
    pub async fn build() -> Self {
        let mut stage = cicada_stage::Stage::new(SEATS).await;
        let limits = Limits { hourly_bps: 1_000, account_bps: 10_000, ..Limits::DEFAULT };
        stage.place_exchange(1_000_000_000_000, limits).await;
        stage.seat(None).await;
        stage.settle_board(&[("claude", 50_000), ("openai", 45_000)]).await;
        let people = ["//Bob", "//Charlie", "//Dave", "//Eve"].map(|suri| signer(suri).unwrap());
        let stage = Self { stage, people: people.into() };
        stage.open().await;
        stage
    }

    /// Opens the markets, fills their reserves, and gives people money.
    async fn open(&self) {
        self.approve("token", "exchange", &self.alice).await;
        for person in &self.people {
            self.give("token", &account_of(person), 1_000_000_000 * MMC).await;
            self.approve("token", "exchange", person).await;
        }
        let approve = token::approve(&self.at("exchange"), u128::MAX);
        for name in FRAMEWORKS {
            let framework = framework(name);
            self.call("exchange", &exchange::list(&framework)).await;
            self.call("exchange", &exchange::deposit(&framework, 1_000_000_000 * MMC)).await;
            let token = self.token(name).await;
            for person in &self.people {
                self.chain.call(&token, &approve, person).await.unwrap();
            }
        }
    }

    async fn token(&self, name: &str) -> Account {
        let market = self.read("exchange", &exchange::market(&framework(name))).await;
        market.unwrap().token
    }

    /// Who trades.
    pub fn people(&self) -> Vec<Account> {
        self.people.iter().map(account_of).collect()
    }

    /// What somebody has of a token.
    pub async fn balance(&self, token: &Account, whose: &Account) -> u128 {
        self.chain.read(token, &token::balance_of(whose)).await.unwrap()
    }

    /// What somebody has of MMC.
    pub async fn mmc_of(&self, whose: &Account) -> u128 {
        self.balance(&self.at("token"), whose).await
    }

    /// The market maker's quote.
    pub async fn quote(&self, framework: &Framework) -> Quote {
        self.read("exchange", &exchange::quote(framework)).await
    }

    /// Trades until there are so many transactions that went well, with a new leaderboard now and
    /// then, orders, cancellations and gifts. `done` counts what traded.
    pub async fn trade(&self, wanted: u64, done: &AtomicU64) {
        let mut numbers = Dice::new(6);
        let mut round = 0u64;
        while done.load(Ordering::Relaxed) < wanted {
            if round % 8 == 7 {
                let claude = 48_000 + numbers.below(4_000);
                self.settle_board(&[("claude", claude), ("openai", 45_000)]).await;
                self.fill_reached().await;
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

    /// Has the market maker fill the orders that its prices have reached.
    async fn fill_reached(&self) {
        for order in 1..60u64 {
            // Most are gone, or not reached.
            let fill = exchange::fill_order(order);
            if self.chain.prepare(&self.at("exchange"), &fill, &self.alice).await.is_ok() {
                self.call("exchange", &fill).await;
            }
        }
    }

    /// A call of the exchange; none if it would be refused now.
    async fn prepared<T: Decode, E>(
        &self,
        message: &Message<T, E>,
        person: &Signer,
    ) -> Option<Call> {
        self.chain.prepare(&self.at("exchange"), message, person).await.ok()
    }

    /// A transaction, and whether it trades; none if it would be refused now.
    async fn anything(&self, numbers: &mut Dice, person: &Signer) -> Option<(bool, Call)> {
        let name = FRAMEWORKS[usize::try_from(numbers.below(2)).unwrap()];
        let framework = framework(name);
        let amount = u128::from(numbers.below(50)) + 1;
        let end = u64::MAX;
        let what = numbers.below(12);
        let call = match what {
            0..=5 => {
                self.prepared(&exchange::buy(&framework, amount, u128::MAX, end), person).await
            }
            6..=7 => {
                self.prepared(&exchange::sell(&framework, amount.min(5), 0, end), person).await
            }
            8 => {
                let price = self.quote(&framework).await.bid + 10 * u128::from(numbers.below(200));
                let order = exchange::place(&framework, &Side::Buy, price, amount, end);
                self.prepared(&order, person).await
            }
            9 => {
                let price = self.quote(&framework).await.ask - 10 * u128::from(numbers.below(200));
                let order = exchange::place(&framework, &Side::Sell, price, amount.min(5), end);
                self.prepared(&order, person).await
            }
            10 => self.prepared(&exchange::cancel(numbers.below(60) + 1), person).await,
            _ => {
                let to = account_of(&self.people[usize::try_from(numbers.below(4)).unwrap()]);
                let (token, gift) = (self.token(name).await, token::transfer(&to, 1, &[]));
                self.chain.prepare(&token, &gift, person).await.ok()
            }
        };
        Some((what < 8, call?))
    }

    /// The folder of an indexer's store.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("data-{name}"))
    }

    /// Starts an indexer.
    pub fn indexer(&self, name: &str) -> Service {
        let listen = &free_addresses(1)[0];
        let text = format!(
            "network = \"{}\"\n\
             data = \"data-{name}\"\nlisten = \"{listen}\"\npoll = \"100ms\"\n",
            self.network_file().display(),
        );
        let config = self.folder.path().join(format!("{name}.toml"));
        std::fs::write(&config, text).unwrap();
        let args = ["run", "--config", &config.display().to_string()].map(String::from).to_vec();
        let program = env!("CARGO_BIN_EXE_cicada71-indexer");
        self.service(name, format!("http://{listen}"), program, args)
    }
}

//! An index of two subnet tokens.

use crate::Stage;
use cicada_amounts::TAO;
use cicada_chain::account_of;
use cicada_contracts::types::{Role, StakingTerms};
use cicada_contracts::{index, token, validators};
use cicada_core::basket::holdings::{self, Entry};
use cicada_core::hash::Native;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::slashing::{Bands, Rates};
use cicada_program::now_ms;

/// One index token.
pub const TOKEN: u128 = 1_000_000_000_000_000_000;
/// The basket's tokens, as the stage calls them.
pub const SUBNETS: [&str; 2] = ["SN1", "SN2"];
/// Their prices in TAO, times 10¹⁸.
pub const PRICES: [u128; 2] = [TOKEN / 2, TOKEN / 4];

/// The stake of each operator, and what a seat needs.
const STAKE: u128 = 5_000 * TAO;
const MINIMUM: u128 = 1_000 * TAO;
const SUPPLY: u128 = 1_000_000 * TAO;
const DAY_MS: u64 = 86_400_000;

impl Stage {
    /// `TAO`, the subnets' tokens, `TAO20`, and `index`, which judges the committee's stake.
    pub async fn place_index(&mut self) {
        let tao = self.place_token("TAO", 9, SUPPLY).await;
        for subnet in SUBNETS {
            self.place_token(subnet, 9, SUPPLY).await;
        }
        let tao20 = self.place_token("TAO20", 18, 0).await;
        let constructor = index::new(&self.at("validators"), &tao20);
        let index = self.place("index", "index", &constructor).await;
        for role in [Role::Minter, Role::Burner] {
            self.call("TAO20", &token::grant_role(&role, &index)).await;
        }
        let terms = StakingTerms {
            token: tao,
            treasury: account_of(&self.alice),
            reputation: None,
            judges: vec![index],
            minimum: MINIMUM,
            unbonding_ms: DAY_MS,
            nav_bands: Bands::NAV,
            ranking_bands: Bands::RANKING,
            rates: Rates::DEFAULT,
        };
        self.call("validators", &validators::set_terms(&terms)).await;
    }

    /// Seats the committee with stake, and certifies a basket of both tokens in halves at [`PRICES`].
    pub async fn seat_index(&self) {
        self.seat(Some(("TAO", STAKE))).await;
        let entry = |(netuid, (token, price_e18)): (u16, (&str, u128))| Entry {
            netuid,
            token: self.at(token),
            weight_bps: 5_000,
            price_e18,
        };
        let entries: Vec<Entry> =
            (1u16..).zip(SUBNETS.into_iter().zip(PRICES)).map(entry).collect();
        let feed = self.index_feed(ReportKind::Basket);
        let report = holdings::report::<Native>(feed, &FeedState::EMPTY, &entries, now_ms());
        let certificate = self.certificate(&report).await;
        self.call("index", &index::set_basket(&report, &entries, &certificate)).await;
        for subnet in SUBNETS {
            self.approve(subnet, "index", &self.alice).await;
        }
    }

    /// A feed of the index.
    pub fn index_feed(&self, kind: ReportKind) -> Feed {
        Feed { kind, contract: self.at("index") }
    }

    /// //Alice mints index tokens, in their smallest units.
    pub async fn mint(&self, amount: u128) {
        let limits = [u128::MAX; SUBNETS.len()];
        self.call("index", &index::mint(amount, 1, &limits, later())).await;
    }
}

/// A deadline.
pub fn later() -> u64 {
    now_ms() + 600_000
}

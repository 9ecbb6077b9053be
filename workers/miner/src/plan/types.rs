//! The words of a plan: rules, batches, decisions.

use crate::gas::Costs;
use cicada_amounts::Units;
use cicada_core::arbitrage::{Halt, Limits};
use serde::Serialize;

/// What the configuration says about trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Sizes, inventory and losses.
    pub limits: Limits,
    /// The most trades of one look.
    pub max_trades: u32,
    /// How much worse than planned a transaction may turn out, in bps, as long as it is no loss.
    pub slippage_bps: u128,
    /// Volume for its own sake, if it is wanted.
    pub neutral: Option<Neutral>,
}

/// Mints and redemptions of the same amount, which move no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neutral {
    /// The value that is minted, in units of TAO.
    pub size: u128,
    /// The time from one to the next.
    pub every_ms: u64,
    /// The most that it may cost in fees and gas, in units of TAO.
    pub max_cost: u128,
}

/// A trade in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trade {
    /// What is paid in: index tokens of a sale, TAO of a purchase.
    pub pays: Units,
    /// What should come out.
    pub gets: Units,
    /// The least that is accepted.
    pub least: Units,
}

/// What to do now. Index tokens and TAO in smallest units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Batch {
    /// Mint, then sell what the fee leaves.
    MintAndSell {
        /// Index tokens that are paid for.
        tokens: Units,
        /// The sales.
        trades: Vec<Trade>,
    },
    /// Buy, then redeem what was bought.
    BuyAndRedeem {
        /// The purchases.
        trades: Vec<Trade>,
    },
    /// Sell index tokens that are there already.
    SellStock {
        /// The sales.
        trades: Vec<Trade>,
    },
    /// Redeem index tokens that are there already.
    RedeemStock {
        /// How many.
        tokens: Units,
    },
    /// Mint, and redeem what the fee leaves.
    NeutralVolume {
        /// Index tokens that are paid for.
        tokens: Units,
    },
}

impl Batch {
    /// Its kind, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MintAndSell { .. } => "mint_and_sell",
            Self::BuyAndRedeem { .. } => "buy_and_redeem",
            Self::SellStock { .. } => "sell_stock",
            Self::RedeemStock { .. } => "redeem_stock",
            Self::NeutralVolume { .. } => "neutral_volume",
        }
    }
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// There is no settled NAV, or it is too old.
    NoFreshNav,
    /// The pool is empty.
    EmptyPool,
    /// The index has no tokens yet: the first mint is not ours.
    NoSupply,
    /// The losses of the day have reached their limit.
    DailyLoss,
    /// The losses in all have reached their limit; `miner resume` ends that.
    StopLoss,
    /// The price is near enough to NAV.
    SmallSpread,
    /// Too many index tokens to take on more.
    FullInventory,
    /// Minting is paused.
    MintingPaused,
    /// No trade within the limits earns more than it costs.
    NothingPays,
}

impl From<Halt> for Idle {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::DailyLoss => Self::DailyLoss,
            Halt::StopLoss => Self::StopLoss,
        }
    }
}

/// What a look comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The market price, at scale 10¹⁸.
    pub price_e18: Units,
    /// `(price − NAV) / NAV` in bps, rounded towards zero.
    pub spread_bps: i128,
    /// What to do, and what that should earn after fees and gas in units of TAO; negative for
    /// giving up inventory and for neutral volume.
    pub batch: Option<Planned>,
    /// Why nothing is done, if so.
    pub idle: Option<Idle>,
}

/// A batch and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// What to do.
    #[serde(flatten)]
    pub batch: Batch,
    /// In units of TAO, net.
    pub profit: Units<i128>,
}

/// What a plan depends on besides the chain and the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The NAV, at scale 10¹⁸; 0 if there is none that is fresh.
    pub nav_e18: u128,
    /// What transactions cost.
    pub costs: Costs,
    /// Whether losses have reached a limit.
    pub halt: Option<Halt>,
    /// Whether it is time for neutral volume.
    pub neutral_due: bool,
}

//! What is answered over HTTP. Amounts are decimal strings in smallest units, times milliseconds
//! since 1970, accounts addresses in SS58; quotes have their own form.

use cicada_amounts::QuoteJson;
use cicada_amounts::Units;
use cicada_core::exchange::Side;
use cicada_core::hash::Digest;
use cicada_core::quote::Framework;
use cicada_core::Account;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Where the indexer stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// Of this program.
    pub version: String,
    /// Of its tables.
    pub schema: u64,
    /// The hash of the chain's first block.
    #[schema(value_type = String)]
    pub genesis: Digest,
    /// The exchange.
    #[schema(value_type = String)]
    pub exchange: Account,
    /// MMC.
    #[schema(value_type = String)]
    pub currency: Account,
    /// Where the quotes come from.
    #[schema(value_type = String)]
    pub leaderboard: Account,
    /// The newest block that was taken over; none before the first.
    pub block: Option<u64>,
    /// Its hash.
    #[schema(value_type = Option<String>)]
    pub block_hash: Option<Digest>,
    /// Its time.
    pub block_time_ms: Option<u64>,
    /// The newest final block of the node, as far as known.
    pub final_block: Option<u64>,
    /// Final blocks that are not taken over yet.
    pub lag_blocks: Option<u64>,
    /// The age of the newest block that was taken over.
    pub lag_ms: Option<u64>,
    /// Events in the store.
    pub events: u64,
    /// Trades in the store.
    pub trades: u64,
    /// Events whose kind is not known; more than 0 means: use a newer version of this program.
    pub unknown_events: u64,
    /// Why the chain cannot be followed now; none if it can.
    pub problem: Option<String>,
}

/// A part of a list, as of one block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The newest block that was taken over.
    pub block: u64,
    /// The entries.
    pub items: Vec<T>,
    /// What to ask for to go on (`before`, or `after` where the list rises); none at the end.
    pub next: Option<String>,
}

/// The market of a framework.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Market {
    /// Its place in the list of markets.
    pub market: u32,
    /// The framework.
    #[schema(value_type = String)]
    pub framework: Framework,
    /// The contract of its token.
    #[schema(value_type = String)]
    pub token: Account,
    /// The block in which it was listed.
    pub listed_block: u64,
    /// Base units of MMC with which the market maker buys tokens back.
    pub reserve: Units,
    /// Tokens that exist.
    pub outstanding: Units,
    /// Tokens traded with the market maker in the hour of the newest block and the 23 before it.
    pub volume_24h: Units,
    /// The price of the newest trade, in base units of MMC; none before the first.
    pub last_price: Option<Units>,
    /// The quote of the newest leaderboard, prices in MMC and its time in seconds; none if that does not
    /// rank the framework. The exchange refuses a quote that is too old.
    pub quote: Option<QuoteJson>,
    /// The slot of that leaderboard.
    pub quote_slot: Option<u64>,
}

/// A trade.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trade {
    /// Its block.
    pub block: u64,
    /// Its position among the events of the block.
    pub index: u32,
    /// The time of the block.
    pub time_ms: u64,
    /// Which tokens.
    #[schema(value_type = String)]
    pub framework: Framework,
    /// The taker's side; the other party has the other one.
    #[schema(value_type = String)]
    pub side: Side,
    /// Who traded; where the market maker fills a resting order, its owner.
    #[schema(value_type = String)]
    pub taker: Account,
    /// Whose resting order was filled; none is the market maker.
    #[schema(value_type = Option<String>)]
    pub maker: Option<Account>,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens.
    pub amount: Units,
    /// Price times amount.
    pub value: Units,
    /// The resting order that was filled, if one was.
    pub order: Option<u64>,
}

/// The candles of a market.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Candles {
    /// The newest block that was taken over.
    pub block: u64,
    /// The framework.
    #[schema(value_type = String)]
    pub framework: Framework,
    /// The length of a candle.
    pub interval_ms: u64,
    /// In order of time; where nothing was traded there is none.
    pub candles: Vec<Candle>,
}

/// The trades of an interval. Prices in base units of MMC for one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Candle {
    /// When it begins.
    pub start_ms: u64,
    /// The first price.
    pub open: Units,
    /// The highest.
    pub high: Units,
    /// The lowest.
    pub low: Units,
    /// The last.
    pub close: Units,
    /// Tokens.
    pub volume: Units,
    /// Base units of MMC for all of them.
    pub value: Units,
    /// How many trades.
    pub trades: u64,
}

/// What an account has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Holdings {
    /// The newest block that was taken over.
    pub block: u64,
    /// Whose.
    #[schema(value_type = String)]
    pub account: Account,
    /// MMC first, then tokens in the order in which their markets were listed.
    pub holdings: Vec<Holding>,
}

/// What an account has of one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Holding {
    /// The token's contract.
    #[schema(value_type = String)]
    pub token: Account,
    /// The framework; none is MMC.
    #[schema(value_type = Option<String>)]
    pub framework: Option<Framework>,
    /// The balance at the token's contract.
    pub amount: Units,
    /// What the exchange holds for resting orders.
    pub in_orders: Units,
    /// Both.
    pub total: Units,
}

/// Who has tokens of a framework.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Who.
    #[schema(value_type = String)]
    pub account: Account,
    /// The balance at the token's contract.
    pub amount: Units,
    /// What the exchange holds for resting orders.
    pub in_orders: Units,
    /// Both.
    pub total: Units,
}

/// An account's positions at the newest bids. Base units of MMC.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Portfolio {
    /// The newest block that was taken over.
    pub block: u64,
    /// Whose.
    #[schema(value_type = String)]
    pub account: Account,
    /// MMC at hand.
    pub mmc: Units,
    /// MMC in resting orders.
    pub mmc_in_orders: Units,
    /// In the order in which the markets were listed.
    pub positions: Vec<PositionView>,
    /// The sum over all positions; value and unrealised profit over those with a bid.
    pub total: Total,
}

/// A position. Base units of MMC.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PositionView {
    /// Which tokens.
    #[schema(value_type = String)]
    pub framework: Framework,
    /// Their contract.
    #[schema(value_type = String)]
    pub token: Account,
    /// Tokens, those in resting orders included.
    pub amount: Units,
    /// Those of them in resting orders.
    pub in_orders: Units,
    /// What the tokens held have cost.
    pub cost: Units,
    /// What one of them has cost, rounded down; none without tokens.
    pub average_cost: Option<Units>,
    /// What was paid for all that was ever bought.
    pub paid: Units,
    /// What was received for all that was ever sold.
    pub proceeds: Units,
    /// What the tokens had cost that were given away without a trade.
    pub cost_given: Units,
    /// Proceeds less what the sold tokens had cost.
    #[schema(value_type = String, pattern = "^-?[0-9]+$", example = "-500000")]
    pub realised: Units<i128>,
    /// The newest bid for one token; none if the newest leaderboard does not rank it.
    pub bid: Option<Units>,
    /// The time of the leaderboard that the bid is from.
    pub bid_time_ms: Option<u64>,
    /// The tokens at the bid.
    pub value: Option<Units>,
    /// Value less cost.
    #[schema(value_type = Option<String>, pattern = "^-?[0-9]+$", example = "-500000")]
    pub unrealised: Option<Units<i128>>,
}

/// Sums over positions. Base units of MMC.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Total {
    /// What the tokens held have cost.
    pub cost: Units,
    /// The tokens at their bids.
    pub value: Units,
    /// Realised profit.
    #[schema(value_type = String, pattern = "^-?[0-9]+$", example = "-500000")]
    pub realised: Units<i128>,
    /// Unrealised profit.
    #[schema(value_type = String, pattern = "^-?[0-9]+$", example = "-500000")]
    pub unrealised: Units<i128>,
    /// Positions with tokens but without a bid.
    pub without_bid: u64,
}

/// An order that rests or rested.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// Which tokens.
    #[schema(value_type = String)]
    pub framework: Framework,
    /// Whose.
    #[schema(value_type = String)]
    pub owner: Account,
    /// Its side.
    #[schema(value_type = String)]
    pub side: Side,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens that rested first.
    pub placed: Units,
    /// Tokens not traded: still resting, or given back.
    pub remaining: Units,
    /// open, filled or cancelled.
    pub state: String,
    /// The block in which it was placed.
    pub block: u64,
    /// Its time.
    pub time_ms: u64,
    /// The block of its newest change.
    pub changed_block: u64,
    /// Its time.
    pub changed_ms: u64,
}

/// An event of a contract.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its block.
    pub block: u64,
    /// The hash of the block.
    #[schema(value_type = String)]
    pub block_hash: Digest,
    /// The time of the block.
    pub time_ms: u64,
    /// Its position among the events of the block.
    pub index: u32,
    /// The transaction that caused it, by its position in the block.
    pub extrinsic: Option<u32>,
    /// The contract that emitted it.
    #[schema(value_type = String)]
    pub contract: Account,
    /// Its name; none if its kind is not known.
    pub event: Option<String>,
    /// Its fields; none if they are not known.
    #[schema(value_type = Option<Object>)]
    pub fields: Option<serde_json::Value>,
    /// Its fields as they came, SCALE in hexadecimal digits.
    pub data: String,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// In words.
    pub error: String,
}

/// The answer to a wrong question.
#[derive(IntoResponses)]
#[response(status = 400, description = "a wrong parameter")]
pub struct Wrong(pub Problem);

/// The answer where a framework is not listed.
#[derive(IntoResponses)]
#[response(status = 404, description = "the framework has no market")]
pub struct Absent(pub Problem);

/// The answer while there is none.
#[derive(IntoResponses)]
#[response(status = 503, description = "the store cannot be read now")]
pub struct Busy(pub Problem);

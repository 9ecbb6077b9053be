//! What happens, in its order.

use crate::feed::{distort, Feed};
use crate::front::ask;
use crate::miners::Miner;
use crate::outcome::{Check, Slot};
use crate::stage::Stage;
use anyhow::{ensure, Context, Result};
use cicada_contracts::types::StakeView;
use cicada_contracts::validators;
use cicada_core::fixed::mul_div_floor;
use cicada_core::nav::{min_observations, Record};
use cicada_deploy::say;
use cicada_localnet::{Config, Owned};
use cicada_network::Network;
use cicada_node_api::Node;
use cicada_program::now_ms;
use nav_validator::http::BEGIN;
use nav_validator::prices::Prices;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One index token.
pub(crate) const TOKEN: u128 = 1_000_000_000_000_000_000;
/// Units of an index token that are worth one unit of TAO at a NAV of 1, times the scale of NAVs.
pub(crate) const UNIT_SCALE: u128 = 1_000_000_000_000_000_000_000_000_000;
/// How many miners there are.
pub const MINERS: usize = 3;
/// Reports 2 % too much until it has paid for that.
pub const LIAR: u8 = 5;
/// Signs two NAVs for one slot.
pub const DOUBLE: u8 = 9;
/// Shows a wrong ranking of each settled epoch.
pub const MISRANKED: u8 = 3;
/// Attests two reports of the last slot.
pub const TWICE_ATTESTED: u8 = 13;
/// The slot in which the first one lies, that for which the other signs twice, and that before
/// which somebody sells until the price is 2 % below the NAV.
const LIE: u64 = 2;
pub(crate) const TWICE: u64 = 4;
/// See [`LIE`].
pub const SHOCK: u64 = 6;
/// How long a slot may take, and after what time another seat is asked for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
const ASK_AGAIN: Duration = Duration::from_secs(8);
pub(crate) const POLL: Duration = Duration::from_millis(300);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chain, committee, index, and who else runs.
    pub net: Config,
    /// Secret of who deploys.
    pub suri: String,
    /// Draws prices and emissions.
    pub seed: u64,
    /// A file of recorded prices.
    pub recorded: Option<PathBuf>,
}

/// Everything that runs, and what came of it so far.
pub struct Story {
    /// Chain and contracts.
    pub stage: Stage,
    /// The committee.
    pub network: Network,
    /// All processes; they end with this.
    pub net: Owned,
    /// Those who trade.
    pub miners: Vec<Miner>,
    /// What has to hold.
    pub checks: Vec<Check>,
    /// The slots so far.
    pub slots: Vec<Slot>,
    /// The stake of each seat at the beginning.
    pub stake: u128,
    /// When the last slot was over, in milliseconds since 1970.
    pub last_ms: u64,
    pub(crate) feed: Feed,
    /// Where the seat with two faces answers.
    pub(crate) two_faced: String,
    pub(crate) node: Node,
    pub(crate) client: reqwest::Client,
    pub(crate) pair_fee: u128,
    pub(crate) lying: bool,
    /// Whether the liar was in a report.
    pub caught: bool,
    // Held until all processes have ended.
    pub(crate) _folder: File,
}

impl Story {
    /// How many seats the committee has.
    pub fn seats(&self) -> Result<u8> {
        Ok(u8::try_from(self.network.nodes.len())?)
    }

    /// How many observations a report needs.
    fn needed(&self) -> Result<u32> {
        Ok(min_observations(self.seats()?).context("no committee")?.into())
    }

    /// The prices that the validators read; the liar has his own.
    pub(crate) fn prices(&self, liar: bool) -> PathBuf {
        match liar {
            false => self.net.config.validator_prices.clone(),
            true => self.net.config.state.join("prices-liar.jsonl"),
        }
    }

    /// Writes the prices of now, and 2 % more for the one that lies.
    pub(crate) fn publish(&self) -> Result<()> {
        let (honest, other) = (self.prices(false), self.prices(true));
        self.feed.append(&honest, now_ms())?;
        distort(&honest, &other, if self.lying { 10_200 } else { 10_000 })
    }

    /// The stake of a seat.
    pub async fn stake_of(&self, seat: u8) -> Result<StakeView> {
        let operator = self.network.nodes[usize::from(seat)].operator;
        self.stage.of_validators(&validators::stake_of(&operator)).await
    }

    /// The stake of a seat as soon as that `holds`, or what it is after so long.
    pub(crate) async fn stake_once(
        &self,
        seat: u8,
        patience: Duration,
        holds: impl Fn(&StakeView) -> bool,
    ) -> Result<StakeView> {
        let begin = Instant::now();
        loop {
            let stake = self.stake_of(seat).await?;
            if holds(&stake) || begin.elapsed() >= patience {
                return Ok(stake);
            }
            // The chain makes blocks on demand, and its clock says when somebody is judged.
            self.stage.freshen().await?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// An answer of a validator.
    pub async fn ask(&self, seat: u8, route: &str) -> Result<serde_json::Value> {
        self.get(&(self.net.validator_url(seat) + route)).await
    }

    /// The JSON that an address answers.
    pub(crate) async fn get(&self, url: &str) -> Result<serde_json::Value> {
        let (status, body) = ask(self.client.get(url)).await?;
        ensure!(status == 200, "{url}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }

    /// What is there once it is: until then validators, one after the other, are asked to begin it.
    pub(crate) async fn until<T>(
        &self,
        late: &str,
        route: &str,
        mut seats: impl Iterator<Item = u8>,
        found: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<T> {
        let (begin, mut asked) = (Instant::now(), None::<Instant>);
        loop {
            if let Some(found) = found().await? {
                return Ok(found);
            }
            ensure!(begin.elapsed() < PATIENCE, "{late} in {PATIENCE:?}");
            if asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                let seat = seats.next().context("nobody is left to be asked")?;
                let url = self.net.validator_url(seat) + route;
                let begin = self.client.post(url).header(BEGIN, "yes");
                let _ = begin.timeout(ASK_AGAIN).send().await;
                asked = Some(Instant::now());
            }
            self.net.check()?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Has the next NAV attested and settled.
    async fn settle(&self, slot: u64) -> Result<Record> {
        let seats = self.seats()?;
        let first = usize::try_from(slot % u64::from(seats))?;
        let turns = (0..seats).cycle().skip(first).filter(|seat| *seat != DOUBLE);
        let late = format!("slot {slot} is not settled");
        self.until(&late, "/nav", turns, async || self.stage.nav(slot).await).await
    }

    /// One slot: prices move, the NAV is settled, the miners trade.
    pub async fn slot(&mut self) -> Result<()> {
        let slot = self.slots.last().map_or(0, |slot| slot.number) + 1;
        if slot > 1 {
            self.feed.step();
        }
        self.lying = slot >= LIE && !self.caught;
        self.publish()?;
        let mut note = String::new();
        if slot == SHOCK {
            note = self.shock().await?;
        }
        // A block makes the chain's clock right.
        self.stage.freshen().await?;
        let record = self.settle(slot).await?;
        self.check_record(slot, &record).await?;
        // Whoever was too slow to be asked is not in the report, and lies again. Nobody is judged
        // unless as many agree as are needed.
        let needed = self.needed()?;
        let is_seen = record.observers >> LIAR & 1 == 1;
        if self.lying && is_seen && record.observers.count_ones() > needed {
            note = self.after_lie(&record).await?;
            self.caught = true;
        }
        if slot == TWICE {
            note = self.sign_twice(slot).await?;
        }
        let before = self.stage.market().await?.price_e18()?;
        let trades = self.trade(slot).await?;
        self.slots.push(Slot {
            number: slot,
            observers: record.observers.count_ones(),
            signers: record.signers.count_ones(),
            nav_e18: record.nav_e18,
            before_e18: before,
            after_e18: self.stage.market().await?.price_e18()?,
            trades,
            note,
        });
        self.last_ms = self.stage.chain.final_time_ms().await?;
        let last = self.slots.last().context("no slot")?;
        say(format!(
            "slot {slot}: {} observations, NAV {:.6}, price {:.3} % off, after arbitrage {:.3} %",
            last.observers,
            record.nav_e18 as f64 / 1e18,
            last.before(),
            last.after()
        ));
        Ok(())
    }

    /// Keeps a check, and says so if it fails.
    pub fn check(&mut self, what: String, holds: bool) {
        if !holds {
            say(format!("does NOT hold: {what}"));
        }
        self.checks.push(Check { what, holds });
    }

    /// Enough observations, the exact NAV of the scheduled time, and supply times NAV is the value of
    /// the basket then.
    async fn check_record(&mut self, slot: u64, record: &Record) -> Result<()> {
        let block = self.stage.chain.block_of(record.time_ms).await?;
        let backed = self.stage.backed_at(block.context("no block of that time")?).await?;
        let found = Prices::new(&self.prices(false)).at(record.time_ms)?;
        let prices = found.into_iter().map(|(netuid, price)| (netuid, price.price_e18)).collect();
        let needed = self.needed()?;
        let observers = record.observers.count_ones();
        self.check(
            format!("slot {slot}: {observers} observations, {needed} are needed"),
            observers >= needed,
        );
        let exact = backed.nav_e18(&prices)?;
        self.check(
            format!("slot {slot}: the settled NAV is the exact one ({exact})"),
            record.nav_e18 == exact,
        );
        let value = backed.value(&prices)?;
        let claimed = mul_div_floor(backed.supply, record.nav_e18, UNIT_SCALE)
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        // Both are rounded down, the NAV to 10⁻¹⁸ for each of the supply's units of TAO.
        let rounding = backed.supply / UNIT_SCALE + 1;
        self.check(
            format!("slot {slot}: supply x NAV = {claimed}, the basket's value = {value}"),
            claimed <= value && value - claimed <= rounding,
        );
        Ok(())
    }

    /// Somebody sells until the price is 2 % below the NAV.
    async fn shock(&self) -> Result<String> {
        let market = self.stage.market().await?;
        let goal = market.nav_e18(self.feed.prices())? as f64 * 0.98;
        let ratio = (market.price_e18()? as f64 / goal).sqrt() - 1.0;
        let kept = 1.0 - self.pair_fee as f64 / 10_000.0;
        let sold = (market.pool.a as f64 * ratio / kept) as u128;
        let own = self.stage.at.index_token;
        self.stage.swap(&own, sold, 1, &self.stage.owner).await?;
        Ok(format!("somebody sells {} index tokens", sold / TOKEN))
    }
}

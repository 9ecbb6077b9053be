//! What happens, in its order.

use crate::double::{serve, TwoFaced};
use crate::feed::{distort, emissions, Feed};
use crate::front::Honest;
use crate::miners::Miner;
use crate::misranked;
use crate::outcome::{Check, Slot};
use crate::stage::Stage;
use anyhow::{ensure, Context, Result};
use cicada_amounts::TAO;
use cicada_chain::{signer, Chain};
use cicada_contracts::types::StakeView;
use cicada_contracts::{pair, validators};
use cicada_core::basket::agreed::Proposal as Basket;
use cicada_core::fixed::mul_div_floor;
use cicada_core::nav::{min_observations, Record};
use cicada_deploy::{say, IndexFile};
use cicada_localnet::{Config, Owned, Part};
use cicada_network::{Network, NodeKeys};
use cicada_program::{now_ms, termination};
use nav_validator::http::BEGIN;
use nav_validator::peers::Peers;
use nav_validator::prices::Prices;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

/// One index token.
const TOKEN: u128 = 1_000_000_000_000_000_000;
/// A day.
const DAY_MS: u64 = 86_400_000;
/// Units of an index token that are worth one unit of TAO at a NAV of 1, times the scale of NAVs.
const UNIT_SCALE: u128 = 1_000_000_000_000_000_000_000_000_000;
/// What is minted first, and what of it goes into the pool.
const FIRST_MINT: u128 = 5_000 * TOKEN;
const POOL: u128 = 2_000 * TOKEN;
/// What a miner begins with: TAO, and baskets for this many index tokens.
const MINER_TAO: u128 = 200 * TAO;
const MINER_BASKETS: u128 = 200 * TOKEN;
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
const TWICE: u64 = 4;
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
    feed: Feed,
    /// Where the seat with two faces answers.
    pub(crate) two_faced: String,
    pub(crate) peers: Peers,
    pub(crate) client: reqwest::Client,
    pair_fee: u128,
    lying: bool,
    /// Whether the liar was in a report.
    pub caught: bool,
}

/// A new committee and a new index: stakes are whole, and epoch 1 begins now.
fn deployed(config: Config) -> Result<Owned> {
    let net = Owned::new(config);
    let broken_off = net.broken_off();
    tokio::spawn(async move {
        if termination().await.is_ok() {
            broken_off.store(true, Ordering::Relaxed);
        }
    });
    net.down(&[Part::Committee, Part::Validators, Part::Miners])?;
    for old in [net.network_file(), net.index_file()] {
        let _ = std::fs::remove_file(old);
    }
    let _ = std::fs::remove_dir_all(net.config.state.join("validators"));
    block_in_place(|| net.up(&[Part::Chain, Part::Committee, Part::Index]))?;
    Ok(net)
}

impl Story {
    /// Deploys, starts nodes and validators, has the first basket certified, mints, fills the pool at a
    /// price 2 % above the NAV, equips the miners.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn begin(plan: Plan) -> Result<Self> {
        let net = deployed(plan.net)?;
        let (network, at) = (net.network()?, IndexFile::load(&net.index_file())?);
        ensure!(network.nodes.len() > TWICE_ATTESTED.into(), "too few seats for four liars");
        let netuids: Vec<u16> = at.subnets.iter().map(|subnet| subnet.netuid).collect();
        let feed = Feed::new(plan.seed, &netuids, plan.recorded.as_deref())?;
        let chain = Chain::connect(net.config.url.as_str()).await?;
        let pair_fee = chain.read(&at.pair, &pair::fee_bps()).await?;
        let stage = Stage { chain, at, owner: signer(&plan.suri)? };
        let miners =
            (0..MINERS).map(|number| Miner::new(number, &net)).collect::<Result<Vec<_>>>()?;
        let mut story = Self {
            peers: Peers::new(Vec::new(), Some(network.nodes[0].url.clone()))?,
            client: reqwest::Client::builder().no_proxy().build()?,
            stake: 0,
            last_ms: 0,
            stage,
            network,
            net,
            miners,
            checks: Vec::new(),
            slots: Vec::new(),
            two_faced: String::new(),
            feed,
            pair_fee: pair_fee.into(),
            lying: false,
            caught: false,
        };
        story.stake = story.stake_of(0).await?.bonded;
        story.start(plan.seed).await?;
        story.basket().await?;
        story.open_market().await?;
        Ok(story)
    }

    /// How many seats the committee has.
    pub fn seats(&self) -> Result<u8> {
        Ok(u8::try_from(self.network.nodes.len())?)
    }

    fn netuids(&self) -> Vec<u16> {
        self.stage.at.subnets.iter().map(|subnet| subnet.netuid).collect()
    }

    async fn start(&mut self, seed: u64) -> Result<()> {
        for liar in [false, true] {
            let _ = std::fs::remove_file(self.prices(liar));
        }
        self.publish()?;
        let emissions = emissions(seed, &self.netuids(), now_ms() / DAY_MS);
        std::fs::write(&self.net.config.emissions, emissions)?;
        self.two_faced = serve(TwoFaced {
            honest: Honest::at(self.net.validator_url(DOUBLE))?,
            keys: NodeKeys::load(&self.net.key_file(DOUBLE))?,
            feed: self.stage.nav_feed(),
            config_digest: self.network.config_digest(),
            slot: TWICE,
            heard: AtomicBool::new(false),
        })
        .await?;
        let liars_prices = self.prices(true);
        self.net.config_mut().prices_of.insert(LIAR, liars_prices);
        let front = self.two_faced.clone();
        self.net.config_mut().front_of.insert(DOUBLE, front);
        let front = misranked::serve(misranked::Misranked {
            honest: Honest::at(self.net.validator_url(MISRANKED))?,
            keys: NodeKeys::load(&self.net.key_file(MISRANKED))?,
            feed: self.stage.rewards_feed(),
            config_digest: self.network.config_digest(),
        })
        .await?;
        self.net.config_mut().front_of.insert(MISRANKED, front);
        block_in_place(|| self.net.up(&[Part::Validators]))
    }

    /// The prices that the validators read; the liar has his own.
    fn prices(&self, liar: bool) -> PathBuf {
        match liar {
            false => self.net.config.validator_prices.clone(),
            true => self.net.config.state.join("prices-liar.jsonl"),
        }
    }

    /// Writes the prices of now, and 2 % more for the one that lies.
    fn publish(&self) -> Result<()> {
        let (honest, other) = (self.prices(false), self.prices(true));
        self.feed.append(&honest, now_ms())?;
        distort(&honest, &other, if self.lying { 10_200 } else { 10_000 })
    }

    /// The first basket: found by each validator, agreed on by the nodes, brought to the chain by one.
    async fn basket(&self) -> Result<()> {
        let begin = Instant::now();
        self.stage.freshen().await?;
        let url = self.net.validator_url(0) + "/basket";
        let mut asked = None::<Instant>;
        loop {
            let (state, _) = self.stage.feeds().await?;
            if state.slot > 0 {
                break;
            }
            ensure!(begin.elapsed() < PATIENCE, "no basket is settled in {PATIENCE:?}");
            // The others may not have found theirs yet.
            if asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                let begin = self.client.post(&url).header(BEGIN, "yes");
                let _ = begin.timeout(ASK_AGAIN).send().await;
                asked = Some(Instant::now());
            }
            tokio::time::sleep(POLL).await;
        }
        let done = self.peers.certified::<Basket>("basket", 1).await?;
        let agreed = done.context("the basket has no certificate")?;
        let (count, signers) =
            (agreed.value.entries.len(), agreed.certificate.signers.count_ones());
        say(format!("basket of {count} tokens, certified by {signers} nodes, is settled"));
        Ok(())
    }

    /// The first mint, the pool at a price 2 % above the NAV, the miners.
    async fn open_market(&self) -> Result<()> {
        let (stage, owner) = (&self.stage, &self.stage.owner);
        stage.approve(owner).await?;
        stage.mint(FIRST_MINT, &vec![u128::MAX; stage.at.subnets.len()], owner).await?;
        let market = stage.market().await?;
        let nav = market.nav_e18(self.feed.prices())?;
        let tao = mul_div_floor(POOL, nav + nav / 50, UNIT_SCALE)
            .map_err(|error| anyhow::anyhow!("the pool: {error:?}"))?;
        stage.add_liquidity(POOL, tao).await?;
        let price = stage.market().await?.price_e18()?;
        say(format!(
            "minted {} index tokens; pool of {} of them at {:.6} TAO, NAV {:.6}",
            FIRST_MINT / TOKEN,
            POOL / TOKEN,
            price as f64 / 1e18,
            nav as f64 / 1e18
        ));
        for miner in &self.miners {
            miner.equip(stage, &self.net, MINER_TAO, MINER_BASKETS).await?;
        }
        say(format!("{} miners have TAO and subnet tokens", self.miners.len()));
        Ok(())
    }

    /// The stake of a seat.
    pub async fn stake_of(&self, seat: u8) -> Result<StakeView> {
        let operator = self.network.nodes[usize::from(seat)].operator;
        self.stage.of_validators(&validators::stake_of(&operator)).await
    }

    /// An answer of a validator.
    pub async fn ask(&self, seat: u8, route: &str) -> Result<serde_json::Value> {
        self.get(&(self.net.validator_url(seat) + route)).await
    }

    /// The JSON that an address answers.
    pub(crate) async fn get(&self, url: &str) -> Result<serde_json::Value> {
        let answer = self.client.get(url).timeout(Duration::from_secs(20)).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{url}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// Has the next NAV attested and settled.
    async fn settle(&mut self, slot: u64) -> Result<Record> {
        let seats = self.seats()?;
        let begin = Instant::now();
        let (mut asked, mut turn) = (None::<Instant>, u8::try_from(slot % u64::from(seats))?);
        loop {
            if let Some(record) = self.stage.nav(slot).await? {
                return Ok(record);
            }
            ensure!(begin.elapsed() < PATIENCE, "slot {slot} is not settled in {PATIENCE:?}");
            if asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                if turn == DOUBLE {
                    turn = (turn + 1) % seats;
                }
                let url = self.net.validator_url(turn) + "/nav";
                let begin = self.client.post(url).header(BEGIN, "yes");
                let _ = begin.timeout(ASK_AGAIN).send().await;
                (asked, turn) = (Some(Instant::now()), (turn + 1) % seats);
            }
            self.net.check()?;
            tokio::time::sleep(POLL).await;
        }
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
        let seats = u8::try_from(self.network.nodes.len())?;
        let needed = u32::from(min_observations(seats).context("no committee")?);
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
        let seats = u8::try_from(self.network.nodes.len())?;
        let needed = u32::from(min_observations(seats).context("no committee")?);
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

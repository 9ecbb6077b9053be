//! The exchange: its contract, its markets, the market maker's reserve, and money to trade with.

use crate::found::{all_there, keep, stays};
use crate::market::make_minter;
use crate::{say, Addresses, Maker, Steps};
use anyhow::{ensure, Context, Result};
use cicada_amounts::MMC;
use cicada_chain::{account_of, address, signer, Bundle, Chain, Signer};
use cicada_contracts::{exchange, leaderboard, token};
use cicada_core::exchange::{MakerTerms, Market};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use cicada_network::Network;
use std::path::PathBuf;

/// What to deploy, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Address of a node.
    pub url: String,
    /// Folder of the built contracts.
    pub bundles: PathBuf,
    /// The network file of `deploy-paxos`; the exchange is written into it.
    pub network: PathBuf,
    /// Secret of the account that deploys and owns: the market maker.
    pub suri: String,
    /// Whether a new exchange is made although the network file names one.
    pub anew: bool,
    /// What the market maker risks, and which quotes it trades at.
    pub terms: MakerTerms,
    /// What the markets are filled up with; none leaves them as they are.
    pub stock: Option<Stock>,
    /// The file of addresses for frontends, and the network's name in it.
    pub addresses: Option<(PathBuf, String)>,
}

/// Money is base units of MMC.
#[derive(Clone, Debug)]
pub struct Stock {
    /// What each framework's reserve is filled up to.
    pub reserve: u128,
    /// Who gets money to trade with.
    pub trader: Account,
    /// What the trader's balance is filled up to.
    pub funds: u128,
    /// Tokens that the market maker buys for the trader when their market is opened.
    pub holdings: Vec<(Framework, u128)>,
}

/// A framework with its market.
struct Listed {
    framework: Framework,
    market: Market,
    /// Whether it was opened now.
    new: bool,
}

struct Deployer<'a> {
    plan: &'a Plan,
    chain: Chain,
    exchange: Bundle,
    token: Bundle,
    owner: Signer,
}

/// Deploys, unless the exchange of the network file is there already; then opens what markets are
/// missing and fills them up.
///
/// # Errors
/// In words.
pub async fn deploy(plan: &Plan) -> Result<Account> {
    let load = |name: &str| Bundle::find(&plan.bundles, name);
    let deployer = Deployer {
        plan,
        chain: Chain::connect(&plan.url).await?,
        exchange: load("exchange")?,
        token: load("token")?,
        owner: signer(&plan.suri)?,
    };
    let mut network = Network::load(&plan.network)?;
    ensure!(
        network.chain.genesis == deployer.chain.genesis(),
        "{} is of another chain: run deploy-paxos first",
        plan.network.display()
    );
    let (account, block) = match deployer.existing(&network).await? {
        Some(account) => {
            let path = plan.network.display();
            say(format!("already deployed: exchange {} ({path})", address(&account)));
            (account, None)
        }
        None => {
            let (account, block) = deployer.make(&network).await?;
            if network.chain.exchange.is_some() {
                keep(&plan.network)?;
            }
            network.chain.exchange = Some(account);
            network.save(&plan.network)?;
            say(format!("wrote the exchange to {}", plan.network.display()));
            (account, Some(block))
        }
    };
    if let Some((path, name)) = &plan.addresses {
        let mut addresses = Addresses::new(name, &plan.url, &network.chain.genesis);
        addresses.add(&deployer.exchange, &account, block);
        addresses.publish(path)?;
    }
    if let Some(stock) = &plan.stock {
        deployer.fill(&network, &account, stock).await?;
    }
    Ok(account)
}

impl Deployer<'_> {
    /// The exchange of the network file, if it is there and trades this money at these quotes; none if
    /// the file names none, or it is gone with its chain.
    async fn existing(&self, network: &Network) -> Result<Option<Account>> {
        let Some(account) = network.chain.exchange.filter(|_| !self.plan.anew) else {
            return Ok(None);
        };
        let path = &self.plan.network;
        match self.answers(network, &account).await {
            Ok(true) => Ok(Some(account)),
            Ok(false) => {
                say(format!("the exchange of {} is gone: the chain was reset", path.display()));
                Ok(None)
            }
            Err(error) => Err(stays(path, &error.context("its exchange"))),
        }
    }

    async fn answers(&self, network: &Network, account: &Account) -> Result<bool> {
        let (chain, genesis) = (&self.chain, &network.chain.genesis);
        if !all_there(chain, genesis, &[(account, &self.exchange)]).await? {
            return Ok(false);
        }
        let terms = chain.read(account, &exchange::terms()).await?;
        ensure!(terms.currency == network.chain.token, "it trades against another token");
        ensure!(terms.leaderboard == network.chain.leaderboard, "its leaderboard is another");
        ensure!(terms.token_code == *self.token.code_hash(), "the code of token has changed");
        Ok(true)
    }

    async fn make(&self, network: &Network) -> Result<(Account, u64)> {
        let (at, code) = (&network.chain, self.token.code_hash());
        let new = exchange::new(&at.token, &at.leaderboard, code, &self.plan.terms);
        let made = Maker::new(&self.chain, &self.owner)?.make(&self.exchange, &new).await?;
        Ok((made.account, made.block))
    }

    /// Opens the markets of all frameworks that the newest leaderboard ranks, fills up their
    /// reserves and the trader's purse.
    async fn fill(&self, network: &Network, exchange: &Account, stock: &Stock) -> Result<()> {
        let board = &network.chain.leaderboard;
        let quotes = self.chain.read(board, &leaderboard::ranking()).await?;
        if quotes.is_empty() {
            say("no markets yet: there is no leaderboard; run deploy-exchange --fill after the first");
            return Ok(());
        }
        let markets = self.listed(exchange, &quotes).await?;
        self.deposit(&network.chain.token, exchange, stock, &markets).await?;
        self.give(&network.chain.token, exchange, stock, &markets, &quotes).await
    }

    async fn listed(&self, exchange: &Account, quotes: &[Quote]) -> Result<Vec<Listed>> {
        let mut markets = Vec::new();
        for Quote { framework, .. } in quotes {
            let view = exchange::market(framework);
            let look = || self.chain.read(exchange, &view);
            let (market, new) = match look().await? {
                Some(market) => (market, false),
                None => {
                    self.chain.call(exchange, &exchange::list(framework), &self.owner).await?;
                    (look().await?.context("the market is not there after its opening")?, true)
                }
            };
            markets.push(Listed { framework: framework.clone(), market, new });
        }
        let new = markets.iter().filter(|listed| listed.new).count();
        say(format!("{} markets, {new} of them new", markets.len()));
        Ok(markets)
    }

    /// Makes MMC for the owner and deposits it where a reserve is short.
    async fn deposit(
        &self,
        mmc: &Account,
        exchange: &Account,
        stock: &Stock,
        markets: &[Listed],
    ) -> Result<()> {
        let missing = |listed: &Listed| stock.reserve.saturating_sub(listed.market.reserve);
        let total = markets.iter().map(missing).fold(0, u128::saturating_add);
        if total == 0 {
            return Ok(());
        }
        self.mint(mmc, &account_of(&self.owner), total).await?;
        self.allow(mmc, exchange, total).await?;
        let mut steps = Steps::new(&self.chain, &self.owner);
        let mut count = 0;
        for listed in markets.iter().filter(|listed| missing(listed) > 0) {
            steps.add(exchange, exchange::deposit(&listed.framework, missing(listed)));
            count += 1;
        }
        steps.call().await.context("filling up the reserves")?;
        say(format!("reserves: {} MMC more in {count} markets", whole(total)));
        Ok(())
    }

    /// Gives the trader money, and the tokens that the plan wants him to have, of new markets.
    async fn give(
        &self,
        mmc: &Account,
        exchange: &Account,
        stock: &Stock,
        markets: &[Listed],
        quotes: &[Quote],
    ) -> Result<()> {
        for (framework, amount) in &stock.holdings {
            let listed = markets.iter().find(|listed| listed.framework == *framework);
            let quote = quotes.iter().find(|quote| quote.framework == *framework);
            let (Some(listed), Some(quote)) = (listed, quote) else {
                continue;
            };
            if listed.new && *amount > 0 {
                self.buy_for(mmc, exchange, stock, listed, quote, *amount).await?;
            }
        }
        let balance = self.chain.read(mmc, &token::balance_of(&stock.trader)).await?;
        let missing = stock.funds.saturating_sub(balance);
        if missing > 0 {
            self.mint(mmc, &stock.trader, missing).await?;
            say(format!("{} got {} MMC", address(&stock.trader), whole(missing)));
        }
        Ok(())
    }

    async fn buy_for(
        &self,
        mmc: &Account,
        exchange: &Account,
        stock: &Stock,
        listed: &Listed,
        quote: &Quote,
        amount: u128,
    ) -> Result<()> {
        let owner = account_of(&self.owner);
        let cost = quote.ask.checked_mul(amount).context("so many tokens cost too much")?;
        self.mint(mmc, &owner, cost).await?;
        self.allow(mmc, exchange, cost).await?;
        let buy = exchange::buy(&listed.framework, amount, cost, u64::MAX);
        let bought = self.chain.call(exchange, &buy, &self.owner).await;
        bought.with_context(|| format!("buying {amount} {}", listed.framework))?;
        if stock.trader != owner {
            let transfer = token::transfer(&stock.trader, amount, &[]);
            self.chain.call(&listed.market.token, &transfer, &self.owner).await?;
        }
        say(format!("{} got {amount} {} tokens", address(&stock.trader), listed.framework));
        Ok(())
    }

    async fn mint(&self, mmc: &Account, to: &Account, amount: u128) -> Result<()> {
        make_minter(&self.chain, mmc, &self.owner).await?;
        self.chain.call(mmc, &token::mint(to, amount), &self.owner).await?;
        Ok(())
    }

    async fn allow(&self, mmc: &Account, exchange: &Account, amount: u128) -> Result<()> {
        self.chain.call(mmc, &token::approve(exchange, amount), &self.owner).await?;
        Ok(())
    }
}

/// Whole MMC of an amount, for people.
fn whole(amount: u128) -> u128 {
    amount / MMC
}

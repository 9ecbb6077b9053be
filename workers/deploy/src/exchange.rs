//! The exchange: its contract, its markets, the market maker's reserve, and money to trade with.

use crate::market::make_minter;
use crate::{receiver, say, Site, SiteArgs};
use anyhow::{ensure, Context, Result};
use cicada_amounts::MMC;
use cicada_chain::{account_of, Error};
use cicada_contracts::{exchange, leaderboard, token, Message};
use cicada_core::exchange::{Limits, MakerTerms, Market};
use cicada_core::quote::{Framework, Quote};
use cicada_core::Account;
use cicada_network::ContractName;
use clap::Args;
use parity_scale_codec::Decode;

/// MMC of a reserve for each token that may exist by default.
const COVER: u128 = 50;

/// Puts the exchange of performance tokens on a chain, for the token and the leaderboard of the
/// network file, and writes it into that file: restart the nodes then, so that leaderboards have
/// its volumes. With --fill it also opens a market for every framework of the newest leaderboard,
/// fills up the market maker's reserves, and gives the trader money.
///
/// Only what is missing is filled up. The account of --suri becomes the market maker, and must be an admin
/// of the token MMC to make money.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  deploy committee && deploy exchange
  paxos-market && deploy exchange --fill --hold openai=500
  deploy exchange --network /tmp/n/network.toml --addresses /tmp/n/addresses.json")]
pub struct ExchangeArgs {
    /// The age from which on a quote is too old to trade at, in hours: so long can anybody trade at a
    /// price of which he knows better.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=168))]
    max_quote_age_hours: u64,
    /// The most tokens of a framework that may exist [default: one for each 50 MMC of --reserve]. What
    /// an hour sells is a hundredth of the reserve up to a price of reserve / max-outstanding, and more
    /// above it: a market's reserve should be this number times the highest price that is thought
    /// possible, also where it is paid in later.
    #[arg(long)]
    max_outstanding: Option<u128>,
    /// The most that the tokens which the market maker sells within an hour may come to be worth, and
    /// the most that it pays within one: basis points of the reserve.
    #[arg(long, default_value_t = Limits::DEFAULT.hourly_bps,
        value_parser = clap::value_parser!(u16).range(10..=1_000))]
    hourly_bps: u16,
    /// The most of that for one account, in basis points.
    #[arg(long, default_value_t = Limits::DEFAULT.account_bps,
        value_parser = clap::value_parser!(u16).range(1_000..=10_000))]
    account_bps: u16,
    /// Open the markets of the newest leaderboard and fill them up.
    #[arg(long)]
    fill: bool,
    /// What each market's reserve is filled up to, in MMC.
    #[arg(long, default_value_t = 25_000_000)]
    reserve: u64,
    /// Who gets money to trade with: an address, or the secret of a development account [default:
    /// //Alice, if the owner is a development account, too].
    #[arg(long)]
    trader: Option<String>,
    /// What the trader's balance is filled up to, in MMC.
    #[arg(long, default_value_t = 1_000_000)]
    funds: u64,
    /// Tokens that the trader gets when their market is opened: FRAMEWORK=AMOUNT. May be repeated.
    #[arg(long = "hold", value_parser = holding)]
    holdings: Vec<(Framework, u128)>,
}

fn holding(text: &str) -> Result<(Framework, u128), String> {
    let (name, amount) = text.split_once('=').ok_or("write FRAMEWORK=AMOUNT")?;
    let framework = Framework::new(name).map_err(|error| error.to_string())?;
    let amount = amount.parse().map_err(|_| format!("'{amount}' is no number of tokens"))?;
    Ok((framework, amount))
}

impl ExchangeArgs {
    fn terms(&self) -> MakerTerms {
        let covered = u128::from(self.reserve) / COVER;
        MakerTerms {
            max_quote_age_ms: self.max_quote_age_hours.saturating_mul(3_600_000),
            limits: Limits {
                max_outstanding: self.max_outstanding.unwrap_or(covered),
                hourly_bps: self.hourly_bps,
                account_bps: self.account_bps,
            },
        }
    }

    fn stock(&self, suri: &str) -> Result<Option<Stock>> {
        let mmc = |amount: u64| u128::from(amount).saturating_mul(MMC);
        if !self.fill {
            return Ok(None);
        }
        Ok(Some(Stock {
            reserve: mmc(self.reserve),
            trader: receiver("--trader", self.trader.as_deref(), "//Alice", suri)?,
            funds: mmc(self.funds),
            holdings: self.holdings.clone(),
        }))
    }
}

/// What the markets are filled up with. Money is base units of MMC.
#[derive(Clone, Debug)]
struct Stock {
    /// What each framework's reserve is filled up to.
    reserve: u128,
    /// Who gets money to trade with.
    trader: Account,
    /// What the trader's balance is filled up to.
    funds: u128,
    /// Tokens that the market maker buys for the trader when their market is opened.
    holdings: Vec<(Framework, u128)>,
}

/// A framework with its market.
struct Listed {
    framework: Framework,
    market: Market,
    /// Whether it was opened now.
    new: bool,
}

/// `deploy exchange`.
///
/// # Errors
/// If something cannot be had, or what is there is not as it should be.
pub async fn run(common: &SiteArgs, args: &ExchangeArgs) -> Result<()> {
    let (terms, stock) = (args.terms(), args.stock(&common.suri)?);
    let mut site = Site::open(common).await?;
    let network = site.file.network()?;
    site.stand_on(&[ContractName::Token, ContractName::Leaderboard]).await?;
    site.clear(&[ContractName::Exchange], &[]).await?;
    let (mmc, board) = (network.token(), network.leaderboard());
    let account = match site.file.contracts.get(ContractName::Exchange) {
        Some(account) => {
            let answers = answers(&site, &account, &mmc, &board).await;
            site.checked("the exchange", answers)?;
            site.already(format!("exchange {account}"));
            account
        }
        None => {
            let code = *site.bundle("token")?.code_hash();
            let new = exchange::new(&mmc, &board, &code.0, &terms);
            let account = site.make(ContractName::Exchange, &new).await?;
            say(format!("wrote the exchange to {}", site.file.path().display()));
            account
        }
    };
    site.export().await?;
    match &stock {
        Some(stock) => Filling { site: &site, mmc, exchange: account, stock }.fill(&board).await,
        None => Ok(()),
    }
}

/// Whether an exchange trades this money at these quotes.
async fn answers(site: &Site, account: &Account, mmc: &Account, board: &Account) -> Result<()> {
    let terms = site.read(account, &exchange::terms()).await?;
    ensure!(terms.currency == *mmc, "its exchange trades against another token");
    ensure!(terms.leaderboard == *board, "the leaderboard of its exchange is another");
    let code = *site.bundle("token")?.code_hash();
    ensure!(terms.token_code == code.0, "the code of its exchange's tokens has changed");
    Ok(())
}

/// What is filled up, and who pays.
struct Filling<'a> {
    site: &'a Site,
    mmc: Account,
    exchange: Account,
    stock: &'a Stock,
}

impl Filling<'_> {
    /// Opens the markets of all frameworks that the newest leaderboard ranks, fills up their
    /// reserves and the trader's purse.
    async fn fill(&self, board: &Account) -> Result<()> {
        let quotes = self.site.read(board, &leaderboard::ranking()).await?;
        if quotes.is_empty() {
            say("no markets yet: there is no leaderboard; run 'deploy exchange --fill' after the first");
            return Ok(());
        }
        let markets = self.listed(&quotes).await?;
        self.deposit(&markets).await?;
        self.give(&markets, &quotes).await
    }

    /// A call of the owner.
    async fn call<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
    ) -> Result<(), Error> {
        self.site.chain.call(contract, message, &self.site.owner).await.map(|_| ())
    }

    async fn listed(&self, quotes: &[Quote]) -> Result<Vec<Listed>> {
        let mut markets = Vec::new();
        for Quote { framework, .. } in quotes {
            let view = exchange::market(framework);
            let look = || self.site.read(&self.exchange, &view);
            let (market, new) = match look().await? {
                Some(market) => (market, false),
                None => {
                    self.call(&self.exchange, &exchange::list(framework)).await?;
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
    async fn deposit(&self, markets: &[Listed]) -> Result<()> {
        let missing = |listed: &Listed| self.stock.reserve.saturating_sub(listed.market.reserve);
        let total = markets.iter().map(missing).fold(0, u128::saturating_add);
        if total == 0 {
            return Ok(());
        }
        self.mint(&account_of(&self.site.owner), total).await?;
        self.allow(total).await?;
        let mut steps = self.site.steps();
        let mut count = 0;
        for listed in markets.iter().filter(|listed| missing(listed) > 0) {
            steps.add(&self.exchange, exchange::deposit(&listed.framework, missing(listed)));
            count += 1;
        }
        steps.call().await.context("filling up the reserves")?;
        say(format!("reserves: {} MMC more in {count} markets", whole(total)));
        Ok(())
    }

    /// Gives the trader money, and the tokens that the plan wants him to have, of new markets.
    async fn give(&self, markets: &[Listed], quotes: &[Quote]) -> Result<()> {
        let stock = self.stock;
        for (framework, amount) in &stock.holdings {
            let listed = markets.iter().find(|listed| listed.framework == *framework);
            let quote = quotes.iter().find(|quote| quote.framework == *framework);
            let (Some(listed), Some(quote)) = (listed, quote) else {
                continue;
            };
            if listed.new && *amount > 0 {
                self.buy_for(listed, quote, *amount).await?;
            }
        }
        let balance = self.site.read(&self.mmc, &token::balance_of(&stock.trader)).await?;
        let missing = stock.funds.saturating_sub(balance);
        if missing > 0 {
            self.mint(&stock.trader, missing).await?;
            say(format!("{} got {} MMC", stock.trader, whole(missing)));
        }
        Ok(())
    }

    async fn buy_for(&self, listed: &Listed, quote: &Quote, amount: u128) -> Result<()> {
        let (owner, trader) = (account_of(&self.site.owner), self.stock.trader);
        let cost = quote.ask.checked_mul(amount).context("so many tokens cost too much")?;
        self.mint(&owner, cost).await?;
        self.allow(cost).await?;
        let buy = exchange::buy(&listed.framework, amount, cost, u64::MAX);
        let bought = self.call(&self.exchange, &buy).await;
        bought.with_context(|| format!("buying {amount} {}", listed.framework))?;
        if trader != owner {
            self.call(&listed.market.token, &token::transfer(&trader, amount, &[])).await?;
        }
        say(format!("{trader} got {amount} {} tokens", listed.framework));
        Ok(())
    }

    async fn mint(&self, to: &Account, amount: u128) -> Result<()> {
        make_minter(self.site, &self.mmc).await?;
        Ok(self.call(&self.mmc, &token::mint(to, amount)).await?)
    }

    async fn allow(&self, amount: u128) -> Result<()> {
        Ok(self.call(&self.mmc, &token::approve(&self.exchange, amount)).await?)
    }
}

/// Whole MMC of an amount, for people.
fn whole(amount: u128) -> u128 {
    amount / MMC
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ExchangeArgs,
    }

    fn read(more: &[&str]) -> Result<ExchangeArgs, clap::Error> {
        Line::try_parse_from(["x"].iter().chain(more)).map(|line| line.args)
    }

    fn stock(more: &[&str]) -> Stock {
        read(more).unwrap().stock("//Alice").unwrap().unwrap()
    }

    #[test]
    fn the_options_become_terms_and_stock() {
        let bare = read(&[]).unwrap();
        assert!(bare.stock("//Alice").unwrap().is_none());
        assert_eq!(bare.terms().max_quote_age_ms, 3_600_000);
        assert_eq!((bare.terms().limits, bare.terms().check()), (Limits::DEFAULT, Ok(())));
        let stock = stock(&["--fill", "--hold", "openai=500"]);
        assert_eq!((stock.reserve, stock.funds), (25_000_000_000_000, 1_000_000_000_000));
        assert_eq!(stock.holdings, [(Framework::new("openai").unwrap(), 500)]);
        assert_eq!(stock.trader, crate::account("//Alice").unwrap());
        let real = read(&["--fill"]).unwrap().stock("old orchard");
        assert!(real.err().unwrap().to_string().contains("--trader"));
        for bad in [["--hold", "openai"], ["--hold", "Open AI=5"], ["--hold", "openai=-5"]] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
        assert!(read(&["--max-quote-age-hours", "169"]).is_err());
        for bad in [["--hourly-bps", "9"], ["--hourly-bps", "1001"], ["--account-bps", "999"]] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn with_a_smaller_reserve_fewer_tokens_may_exist() {
        let of = |more: &[&str]| {
            let line = [&["--fill"][..], more].concat();
            (stock(&line).reserve, read(&line).unwrap().terms().limits)
        };
        let (reserve, small) = of(&["--reserve", "250000"]);
        assert_eq!(small.max_outstanding, 5_000);
        // What an hour sells comes to 1 % of the reserve at 49.5 MMC, the bid at 50,000 points.
        let an_hour = small.max_outstanding * u128::from(small.hourly_bps) / 10_000;
        assert!(an_hour * 49_500_000 <= reserve / 100, "{an_hour} tokens");
        let chosen = of(&["--reserve", "250000", "--max-outstanding", "7"]).1;
        assert_eq!(chosen.max_outstanding, 7);
    }
}

//! The owner of the exchange, who is its market maker, with a second account for trading.

use super::{bid, equip, quote, trade};
use crate::role::Role;
use crate::stage::{Stage, LIMITS, MMC, OWNER, TERMS};
use cicada_core::exchange::{Limits, MakerTerms, Side};
use cicada_dice::Dice;
use cicada_runtime_tests::{account, Snapshot};

/// The account that nobody knows to be his.
const OTHER: &str = "eve";
/// What it has.
const FUNDS: u128 = 2_000_000 * MMC;
/// What he put into the reserve.
const RESERVE: u128 = 1_000_000 * MMC;
/// Tokens of honest holders, who sell some of them at the end of each day.
const HELD: u128 = 400;
/// The time of a moment.
const MOMENT_MS: u64 = 12 * 3_600_000;
/// The score of each moment's leaderboard, ten days long. The first is the highest. Now and then all
/// results are missing, or all but one: also when the first is more than a week old; in the end it is
/// nearly what it was.
const SCORES: [u64; 21] = [
    50_001, 50_000, 50_000, 50_000, 50_000, 0, 50_000, 50_000, 1, 50_000, 50_000, 50_000, 50_000,
    50_000, 50_000, 50_000, 50_000, 1, 1, 1, 50_000,
];

/// Something that the owner can do.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Announces a withdrawal of so much of the reserve, in bps.
    Announce(u128),
    /// Takes so much of the reserve out, in bps.
    Withdraw(u128),
    /// Puts money in.
    Deposit(u128),
    /// Announces the narrowest or the widest limits.
    Limit {
        /// The widest.
        wide: bool,
        /// Whether tokens may be created.
        open: bool,
    },
    /// Stops or resumes trading.
    Pause(bool),
    /// Trades with his second account, as much of it as is possible.
    Trade(Side, u128),
}

/// The owner, and the exchange that he plays with.
pub struct Owner {
    stage: Stage,
    start: Snapshot,
    score: u64,
    /// Whether holders trade now and then.
    watched: bool,
}

impl Owner {
    /// With the limits that a deployment has by default.
    pub fn new() -> Self {
        Self::among(true)
    }

    /// The same where nobody trades for ten days: the market maker then knows no price but that of the
    /// moment.
    pub fn unwatched() -> Self {
        Self::among(false)
    }

    fn among(watched: bool) -> Self {
        let mut stage = Stage::with_score(SCORES[0]);
        let _ = stage.deposit(OWNER, RESERVE).succeeds();
        equip(&mut stage, OTHER, OWNER, FUNDS);
        let limits = Limits { max_outstanding: RESERVE / (50 * MMC), ..Limits::DEFAULT };
        let _ = stage.buy("bob", HELD).succeeds();
        let _ = stage.set_terms(OWNER, MakerTerms { limits, ..TERMS }).succeeds();
        stage.wait(cicada_core::exchange::terms::NOTICE_MS);
        let start = stage.world.snapshot();
        Self { stage, start, score: SCORES[0], watched }
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self::new()
    }
}

impl Role for Owner {
    type Act = Act;

    fn begin(&mut self) {
        self.stage.world.restore(&self.start);
        self.score = SCORES[0];
    }

    fn moments(&self) -> u32 {
        SCORES.len() as u32
    }

    fn draw(&self, dice: &mut Dice) -> Act {
        let part = dice.pick(&[10_000, 9_990, 9_900, 5_000, 100]);
        match dice.below(9) {
            0..=1 => Act::Announce(part),
            2..=3 => Act::Withdraw(part),
            4 => Act::Deposit(10_u128.pow(dice.between(0, 6) as u32) * MMC),
            5 => Act::Limit { wide: dice.chance(500), open: dice.chance(500) },
            6 => Act::Pause(dice.chance(500)),
            _ => {
                let side = dice.pick(&[Side::Buy, Side::Sell]);
                Act::Trade(side, 10_u128.pow(dice.between(0, 5) as u32))
            }
        }
    }

    fn act(&mut self, act: &Act) {
        let stage = &mut self.stage;
        let reserve = stage.market().reserve;
        match *act {
            Act::Announce(bps) => drop(stage.announce(OWNER, reserve * bps / 10_000)),
            Act::Withdraw(bps) => drop(stage.withdraw(OWNER, reserve * bps / 10_000)),
            Act::Deposit(amount) => drop(stage.deposit(OWNER, amount)),
            Act::Limit { wide, open } => {
                let (hourly_bps, account_bps) = if wide { (1_000, 10_000) } else { (10, 1_000) };
                let max_outstanding = if open { LIMITS.max_outstanding } else { 0 };
                let limits = Limits { max_outstanding, hourly_bps, account_bps };
                drop(stage.set_terms(OWNER, MakerTerms { limits, ..TERMS }));
            }
            Act::Pause(paused) => drop(stage.set_paused(OWNER, paused)),
            Act::Trade(side, amount) => drop(trade(stage, OTHER, side, amount)),
        }
    }

    fn pass(&mut self, moment: u32) {
        let stage = &mut self.stage;
        if self.watched && moment % 4 == 3 && self.score > 1 {
            let _ = stage.sell("bob", 1);
        }
        stage.world.advance(MOMENT_MS);
        if let Some(score) = SCORES.get(moment as usize + 1) {
            self.score = *score;
            quote(stage, *score);
        }
    }

    /// His is also what the reserve has beyond what it takes to buy back all tokens.
    fn wealth(&mut self) -> i128 {
        let bid = bid(self.score);
        let own = [OWNER, OTHER].map(account);
        let market = self.stage.market();
        let free = market.reserve.saturating_sub(market.outstanding * bid);
        super::worth(&mut self.stage, &own, bid) + free as i128
    }

    /// Nothing: the holders' tokens are worth at the end nearly what they were worth at the start.
    fn allowed(&mut self) -> i128 {
        0
    }
}

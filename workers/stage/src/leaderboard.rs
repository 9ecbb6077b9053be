//! Leaderboards, and the exchange that trades at their quotes.

use crate::Stage;
use cicada_amounts::MMC;
use cicada_contracts::{exchange, leaderboard, token};
use cicada_core::exchange::{Limits, MakerTerms};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, ReportKind};
use cicada_program::now_ms;

impl Stage {
    /// `token`, MMC with a supply of so many whole ones, `leaderboard` and `exchange`, which trades at
    /// quotes of up to a week.
    pub async fn place_exchange(&mut self, supply: u128, limits: Limits) {
        let mmc = token::new("Metameme Coin", "MMC", 6, supply * MMC);
        let mmc = self.place("token", "token", &mmc).await;
        let board = leaderboard::new(&self.at("validators"));
        let board = self.place("leaderboard", "leaderboard", &board).await;
        let code = *self.bundle("token").code_hash();
        let terms = MakerTerms { max_quote_age_ms: 604_800_000, limits };
        self.place("exchange", "exchange", &exchange::new(&mmc, &board, &code.0, &terms)).await;
    }

    /// The committee's next leaderboard, in order of rank.
    pub async fn settle_board(&self, scores: &[(&str, u64)]) {
        let standing = |(name, score): &(&str, u64)| Standing {
            framework: Framework::new(*name).expect("a framework"),
            score: *score,
            volume_24h: 0,
        };
        let standings = scores.iter().map(standing).collect();
        let board = Board { standings, shards: Digest([71; 32]) };
        let state = self.read("leaderboard", &leaderboard::latest()).await;
        let feed = Feed { kind: ReportKind::Leaderboard, contract: self.at("leaderboard") };
        let report = report::<Native>(feed, &state, &board, now_ms());
        let certificate = self.certificate(&report).await;
        self.call("leaderboard", &leaderboard::submit(&report, &board, &certificate)).await;
    }
}

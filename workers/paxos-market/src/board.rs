//! The leaderboard as a table for people and as JSON for machines.

use cicada_amounts::{mmc, thousands, QuoteJson};
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::Record;
use cicada_core::quote::Quote;
use cicada_core::Account;
use cicada_files::{write_whole, PLAIN};
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// A leaderboard that is final on the chain.
pub struct Finalized {
    /// The chain's record, as read back.
    pub record: Record,
    /// The contract that holds it.
    pub contract: Account,
    /// The chain's first block.
    pub genesis: Digest,
    /// The block in which it became final, or one after it if others had settled it.
    pub block: u64,
    /// The number of nodes in the committee.
    pub nodes: usize,
}

impl Finalized {
    fn digest(&self) -> Digest {
        self.record.report.digest::<Native>()
    }

    /// How many nodes signed the certificate.
    fn signers(&self) -> u32 {
        self.record.signers.count_ones()
    }

    /// The one line that says it all.
    pub fn line(&self) -> String {
        format!(
            "finalized feed=leaderboard slot={} digest={} signers={}/{} block={} contract={}",
            self.record.report.slot,
            self.digest(),
            self.signers(),
            self.nodes,
            self.block,
            self.contract
        )
    }

    /// The page `LEADERBOARD.md`.
    pub fn markdown(&self) -> String {
        let mut page = String::from("# Leaderboard\n\n");
        page += &table(self.record.quotes());
        let report = &self.record.report;
        let facts = [
            ("Slot", report.slot.to_string()),
            ("Time", format!("{} ms since 1970", report.time_ms)),
            ("Digest", self.digest().to_string()),
            ("Shards", self.record.board.shards.to_string()),
            (
                "Certificate",
                format!("{} of {} nodes, epoch {}", self.signers(), self.nodes, self.record.epoch),
            ),
            ("Block", self.block.to_string()),
            ("Contract", self.contract.to_string()),
            ("Chain", format!("genesis {}", self.genesis)),
        ];
        page += "\nPrices in MMC for one performance token. Read back from the chain:\n\n";
        for (name, fact) in facts {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "- {name}: `{fact}`");
        }
        page
    }

    /// Writes the page, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), cicada_files::Error> {
        write_whole(path, self.markdown().as_bytes(), PLAIN)
    }

    /// The quotes and where they stand, for machines.
    pub fn json(&self) -> serde_json::Result<String> {
        let quotes = self.record.quotes().map(|quote| QuoteJson::from(&quote)).collect();
        serde_json::to_string_pretty(&JsonBoard {
            feed: self.record.report.feed.kind.name(),
            slot: self.record.report.slot,
            digest: self.digest(),
            shards: self.record.board.shards,
            signers: self.signers(),
            nodes: self.nodes,
            block: self.block,
            contract: self.contract.to_string(),
            quotes,
        })
    }
}

/// The table of the ranking, in the columns of requirement 000-22. `frontend-abi` prints the same rows.
fn table(quotes: impl Iterator<Item = Quote>) -> String {
    let head = ["Rank", "Framework", "Score", "Price", "Bid", "Ask", "Volume 24h"];
    let rule = head.map(|name| "-".repeat(name.len() + 2)).join("|");
    let mut text = format!("| {} |\n|{rule}|\n", head.join(" | "));
    for (rank, quote) in (1u32..).zip(quotes) {
        let row = [
            rank.to_string(),
            quote.framework.to_string(),
            thousands(quote.score.into()),
            format!("{} MMC", mmc(quote.price())),
            mmc(quote.bid),
            mmc(quote.ask),
            thousands(quote.volume_24h),
        ];
        text += &format!("| {} |\n", row.join(" | "));
    }
    text
}

#[derive(Serialize)]
struct JsonBoard {
    feed: &'static str,
    slot: u64,
    digest: Digest,
    /// The commitment to the scores of all shards.
    shards: Digest,
    signers: u32,
    nodes: usize,
    block: u64,
    contract: String,
    quotes: Vec<QuoteJson>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::leaderboard::{report, Board, Standing};
    use cicada_core::quote::Framework;
    use cicada_core::report::{Feed, FeedState, ReportKind};

    fn finalized() -> Finalized {
        let standing = |name: &str, score, volume_24h| Standing {
            framework: Framework::new(name).unwrap(),
            score,
            volume_24h,
        };
        let standings = vec![standing("claude", 50_000, 1_000), standing("openai", 45_000, 0)];
        let board = Board { standings, shards: Digest([71; 32]) };
        let feed = Feed { kind: ReportKind::Leaderboard, contract: Account::NOBODY };
        let time_ms = 1_738_425_600_000;
        Finalized {
            record: Record {
                report: report::<Native>(feed, &FeedState::EMPTY, &board, time_ms),
                epoch: 1,
                signers: 0xffff,
                board,
            },
            contract: Account::NOBODY,
            genesis: Digest([7; 32]),
            block: 42,
            nodes: 23,
        }
    }

    #[test]
    fn the_page_has_the_columns_of_the_seed() {
        let page = finalized().markdown();
        let expected = "\
| Rank | Framework | Score | Price | Bid | Ask | Volume 24h |
|------|-----------|-------|-------|-----|-----|------------|
| 1 | claude | 50,000 | 50 MMC | 49.5 | 50.5 | 1,000 |
| 2 | openai | 45,000 | 45 MMC | 44.55 | 45.45 | 0 |
";
        assert!(page.contains(expected), "{page}");
        assert!(page.contains("- Slot: `1`"), "{page}");
        assert!(page.contains(&format!("- Shards: `0x{}`", "47".repeat(32))), "{page}");
    }

    #[test]
    fn the_last_line_is_easy_to_read_for_scripts() {
        let line = finalized().line();
        assert!(line.starts_with("finalized feed=leaderboard slot=1 digest=0x"), "{line}");
        assert!(
            line.ends_with(
                " signers=16/23 block=42 contract=5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"
            ),
            "{line}"
        );
    }

    #[test]
    fn the_json_has_the_names_and_units_of_the_seed() {
        let json = finalized().json().unwrap();
        for part in [
            "\"price_per_point\": 0.001,",
            "\"bid\": 49.50,",
            "\"ask\": 50.50,",
            "\"volume_24h\": 1000,",
            "\"timestamp\": 1738425600",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }

    #[test]
    fn the_page_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LEADERBOARD.md");
        std::fs::write(&path, "old").unwrap();
        finalized().write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), finalized().markdown());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Leaderboards of a network with an exchange.

use super::*;
use cicada_core::Account;
use cicada_volumes::{FindError, Volumes};

const EXCHANGE: [u8; 32] = [7; 32];

fn volumes() -> Volumes {
    let volumes = [("claude", 1_300), ("openai", 500), ("nobody", 9)];
    volumes.map(|(name, volume)| (Framework::new(name).unwrap(), volume)).into()
}

fn with_exchange() -> Bench {
    let mut bench = Bench::of(None, None);
    bench.network.contracts.set(ContractName::Exchange, Account(EXCHANGE));
    bench.restart(false);
    bench
}

impl Bench {
    fn board_with(&self, volumes: &Volumes, time_ms: u64) -> boards::Proposal {
        let mut board = self.board(time_ms).board;
        for row in &mut board.standings {
            row.volume_24h = volumes.get(&row.framework).copied().unwrap_or(0);
        }
        self.board_of(board, time_ms)
    }

    fn board_of(&self, board: boards::Board, time_ms: u64) -> boards::Proposal {
        let (feed, state) =
            (self.network.feed(ReportKind::Leaderboard).unwrap(), self.state("leaderboard"));
        let report = boards::report::<Native>(feed, &state, &board, time_ms);
        boards::Proposal { report, board }
    }
}

#[test]
fn volumes_are_those_of_the_exchange_at_the_block_of_the_time() {
    let bench = with_exchange();
    bench.volumes.keep(NOW, &Ok(volumes()));
    bench.volumes.keep(NOW + 1, &Ok(Volumes::new()));
    let right = bench.board_with(&volumes(), NOW);
    assert_eq!(bench.check(&right, NOW), Ok(()));
    let words = "claude: proposed is a 24-hour volume of 1300, the exchange says 0";
    bench.refuses(&bench.board_with(&volumes(), NOW + 1), NOW, words);
    let words = "claude: proposed is a 24-hour volume of 0, the exchange says 1300";
    bench.refuses(&bench.board(NOW), NOW, words);
    assert_eq!(bench.check(&bench.board(NOW + 1), NOW), Ok(()));
    for row in 0..right.board.standings.len() {
        let mut wrong = right.board.clone();
        wrong.standings[row].volume_24h += 1;
        bench.refuses(&bench.board_of(wrong, NOW), NOW, "the exchange says");
    }
}

#[test]
fn a_time_that_is_not_a_final_blocks_is_refused_with_the_reason() {
    let bench = with_exchange();
    let right = bench.board_with(&volumes(), NOW);
    bench.refuses(&right, NOW, "not read the volumes");
    bench.volumes.keep(NOW, &Err(FindError::Between { before_ms: NOW - 5 }));
    bench.refuses(&right, NOW, "not that of a final block");
    bench.volumes.keep(NOW, &Err(FindError::TooOld));
    bench.refuses(&right, NOW, "the last 256 final blocks");
    bench.volumes.keep(NOW, &Err(FindError::Chain("it does not answer".into())));
    bench.refuses(&right, NOW, "cannot read the volumes from the chain: it does not answer");
    bench.volumes.keep(NOW, &Ok(volumes()));
    assert_eq!(bench.check(&right, NOW), Ok(()));
}

#[test]
fn without_an_exchange_any_time_will_do_and_no_volume() {
    let bench = Bench::of(None, None);
    assert_eq!(bench.check(&bench.board(NOW), NOW), Ok(()));
    bench.volumes.keep(NOW, &Ok(volumes()));
    let words = "claude has a 24-hour volume, but there is no exchange";
    bench.refuses(&bench.board_with(&volumes(), NOW), NOW, words);
}

#[test]
fn the_commitment_is_that_of_the_own_results() {
    let bench = Bench::of(None, None);
    let mut board = bench.board(NOW).board;
    let results = cicada_results::read(&bench.dir.path().join("results.jsonl"), NOW).unwrap();
    let shards = results.tally.shards();
    assert_eq!(board.shards, cicada_core::goedel::commitment::<Native>(shards));
    board.shards.0[0] ^= 1;
    bench.refuses(&bench.board_of(board, NOW), NOW, "the commitment to the shards is not");
}

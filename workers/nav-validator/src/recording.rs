//! Events in a file, one JSON object a line, and generated ones.

use crate::rows::{Block, Change, Cursor, Trade};
use anyhow::{ensure, Context, Result};
use cicada_core::activity::held::Movement;
use cicada_core::activity::Side;
use cicada_core::hash::{Hasher, Native};
use cicada_core::nav::INDEX_UNITS_PER_TAO_UNIT;
use cicada_core::Account;
use cicada_dice::Dice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// The time between generated blocks.
const BLOCK_MS: u64 = 6_000;
/// When generated events begin: 1 February 2025.
pub const START_MS: u64 = 1_738_425_600_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    block: u64,
    index: u32,
    time_ms: u64,
    miner: String,
    side: Way,
    // In units of TAO; a string, because numbers in JSON are not exact.
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Mint,
    Redeem,
}

/// A block of recorded events: only such as have any.
pub type Recorded = (u64, u64, Vec<(u32, Trade)>);

/// At a NAV of 1.
fn trade(time_ms: u64, miner: Account, side: Side, value: u128) -> Trade {
    Trade { time_ms, miner, side, tokens: value.saturating_mul(INDEX_UNITS_PER_TAO_UNIT), value }
}

fn parse(text: &str) -> Result<(u64, u32, Trade)> {
    let line: Line = serde_json::from_str(text)?;
    let mut miner = [0; 32];
    hex::decode_to_slice(line.miner.trim_start_matches("0x"), &mut miner).context("miner")?;
    let side = match line.side {
        Way::Mint => Side::Mint,
        Way::Redeem => Side::Redeem,
    };
    let value = line.value.parse().context("value")?;
    Ok((line.block, line.index, trade(line.time_ms, Account(miner), side, value)))
}

/// Reads a recording: blocks in rising order, events of a block at one time and in rising order.
///
/// # Errors
/// In words, with the line.
pub fn read(input: impl BufRead) -> Result<Vec<Recorded>> {
    let mut blocks: Vec<Recorded> = Vec::new();
    for (number, text) in (1u64..).zip(input.lines()) {
        let place = || format!("line {number}");
        let (block, index, trade) = parse(&text.with_context(place)?).with_context(place)?;
        match blocks.last_mut() {
            Some((last, time_ms, trades)) if *last == block => {
                ensure!(*time_ms == trade.time_ms, "line {number}: another time in one block");
                let newest = trades.last().map(|(index, _)| *index);
                ensure!(newest < Some(index), "line {number}: its index is not above {newest:?}");
                trades.push((index, trade));
            }
            last => {
                let before = last.map_or((0, 0), |(block, time_ms, _)| (*block, *time_ms));
                let rises = before < (block, 0) && before.1 <= trade.time_ms;
                ensure!(rises, "line {number}: block or time goes back");
                blocks.push((block, trade.time_ms, vec![(index, trade)]));
            }
        }
    }
    Ok(blocks)
}

/// Writes a recording.
///
/// # Errors
/// If it cannot be written.
pub fn write(blocks: &[Recorded], mut output: impl Write) -> std::io::Result<()> {
    for (block, time_ms, trades) in blocks {
        for (index, trade) in trades {
            let line = Line {
                block: *block,
                index: *index,
                time_ms: *time_ms,
                miner: format!("0x{}", hex::encode(trade.miner)),
                side: match trade.side {
                    Side::Mint => Way::Mint,
                    Side::Redeem => Way::Redeem,
                },
                value: trade.value.to_string(),
            };
            serde_json::to_writer(&mut output, &line)?;
            output.write_all(b"\n")?;
        }
    }
    output.flush()
}

/// The blocks of a recording without gaps, as a chain has them: what lies between two blocks with
/// events has none, and the time of the one before it.
pub fn contiguous(recorded: Vec<Recorded>) -> impl Iterator<Item = Block> {
    let mut next = recorded.first().map_or(0, |(block, ..)| *block);
    let mut time = recorded.first().map_or(0, |(_, time_ms, _)| *time_ms);
    recorded.into_iter().flat_map(move |(number, time_ms, trades)| {
        let empty = (next..number).map(move |gap| (gap, time, Vec::new()));
        (next, time) = (number.saturating_add(1), time_ms);
        empty.chain(std::iter::once((number, time_ms, trades))).map(block)
    })
}

fn block((number, time_ms, trades): Recorded) -> Block {
    let hash = Native::sha256(&number.to_le_bytes());
    // A trade, and the transfer that is part of it.
    let changes = trades.into_iter().flat_map(|(index, trade)| {
        let (from, to) = match trade.side {
            Side::Mint => (None, Some(trade.miner)),
            Side::Redeem => (Some(trade.miner), None),
        };
        let moved = Movement { time_ms, from, to, tokens: trade.tokens };
        [(index, Change::Traded(trade)), (index, Change::Moved(moved))]
    });
    Block { at: Cursor { block: number, hash, time_ms }, changes: changes.collect() }
}

/// The account of a generated miner.
fn miner(number: u64) -> Account {
    Account(Native::sha256(&[&b"miner"[..], &number.to_le_bytes()].concat()).0)
}

/// Generates events: 0 to 20 in a block every 6 s, some too small and some too frequent to count.
/// The same seed gives the same.
pub fn generate(seed: u64, events: u64, miners: u64) -> Vec<Recorded> {
    let mut dice = Dice::new(seed);
    let (mut blocks, mut balances) = (Vec::new(), BTreeMap::new());
    let (mut left, mut number) = (events, 1u64);
    while left > 0 {
        let count = dice.below(21).min(left);
        let time_ms = START_MS.saturating_add(number.saturating_mul(BLOCK_MS));
        let mut index = 0u32;
        let mut trades = Vec::new();
        for _ in 0..count {
            index = index.saturating_add(1 + u32::from(dice.below(3) == 0));
            let side = if dice.below(5) < 3 { Side::Mint } else { Side::Redeem };
            // From a thousandth of a TAO to a hundred; a few miners do the most.
            let digits = 10 + dice.below(28);
            let value = 1_000_000 + u128::from(dice.below(1 << digits));
            let spread = 1 + dice.below(miners);
            let miner = miner(dice.below(spread));
            let held = balances.entry(miner).or_insert(0u128);
            // Nobody redeems what he has not.
            let side = if *held < value { Side::Mint } else { side };
            *held = match side {
                Side::Mint => held.saturating_add(value),
                Side::Redeem => held.saturating_sub(value),
            };
            trades.push((index, trade(time_ms, miner, side, value)));
        }
        if count > 0 {
            blocks.push((number, time_ms, trades));
        }
        left = left.saturating_sub(count);
        number = number.saturating_add(1);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let blocks = generate(7, 500, 20);
        let mut text = Vec::new();
        write(&blocks, &mut text).unwrap();
        assert_eq!(read(&text[..]).unwrap(), blocks);
        assert_eq!(generate(7, 500, 20), blocks, "a seed determines all");
        assert_ne!(generate(8, 500, 20), blocks);
        assert_eq!(blocks.iter().map(|(.., trades)| trades.len()).sum::<usize>(), 500);
    }

    #[test]
    fn gaps_are_filled_with_empty_blocks() {
        let mut blocks = generate(7, 200, 20);
        blocks.remove(1);
        let events: usize = blocks.iter().map(|(.., trades)| trades.len()).sum();
        let filled: Vec<Block> = contiguous(blocks.clone()).collect();
        let numbers: Vec<u64> = filled.iter().map(|block| block.at.block).collect();
        let (first, last) = (blocks[0].0, blocks[blocks.len() - 1].0);
        assert_eq!(numbers, (first..=last).collect::<Vec<_>>());
        assert!(filled.windows(2).all(|pair| pair[0].at.time_ms <= pair[1].at.time_ms));
        assert_eq!(filled.iter().map(|block| block.changes.len()).sum::<usize>(), 2 * events);
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = r#"{"block":2,"index":1,"time_ms":9,"miner":"0x0101010101010101010101010101010101010101010101010101010101010101","side":"mint","value":"5"}"#;
        let error = |second: String| {
            let text = format!("{good}\n{second}\n");
            format!("{:#}", read(text.as_bytes()).unwrap_err())
        };
        assert!(error(good.into()).contains("line 2"), "the same index");
        assert!(error(good.replace("\"block\":2", "\"block\":1")).contains("goes back"));
        assert!(error(good.replace("\"time_ms\":9", "\"time_ms\":8")).contains("another time"));
        assert!(error(good.replace("\"5\"", "\"-5\"")).contains("value"));
        assert!(error(good.replace("mint", "burn")).contains("line 2"));
    }
}

//! For tests: a program that takes a recording over into a store is killed at random moments, and must
//! end with what an undisturbed run ends with.
//!
//! The program prints the number of each block that is on disk on standard error, and at its end what
//! is in the store as JSON on standard output.

use cicada_dice::Dice;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A kill comes at most so long after the block that it waits for: in the middle of what follows.
const AFTER_US: u64 = 2_000;

/// Replays into an empty store and kills the program `times` times on the way, at moments that depend
/// on `seed` and on the machine, spread over the replay. `replay` makes the command for a store's
/// folder. A machine on which the program reaches the end before a kill begins with a new store: the
/// kills are always so many. Returns what an undisturbed run prints.
///
/// # Panics
/// If a store that was killed ends otherwise than the undisturbed one, or if a block that was said to
/// be on disk is taken over again.
pub fn survives(times: u64, seed: u64, replay: impl Fn(&Path) -> Command) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let (blocks, undisturbed) = to_the_end(replay(&folder.path().join("undisturbed")));
    let data = folder.path().join("killed");
    let mut dice = Dice::new(seed);
    let (mut done, mut newest, mut hit, mut moved) = (0, None, 0, 0);
    while hit < times {
        let share = blocks.len().saturating_sub(done) as u64 / (times - hit);
        let (lines, more) = (dice.below(share), Duration::from_micros(dice.below(AFTER_US)));
        let said = killed(replay(&data), lines, more);
        let Some(said) = said.filter(|said| said.last() < blocks.last()) else {
            assert_eq!(to_the_end(replay(&data)).1, undisturbed, "after {hit} kills");
            fs::remove_dir_all(&data).expect("the store can be removed");
            (done, newest) = (0, None);
            continue;
        };
        hit += 1;
        moved += u64::from(!said.is_empty());
        assert!(
            said.first().is_none_or(|first| newest < Some(*first)),
            "{said:?} after {newest:?}"
        );
        newest = said.last().copied().or(newest);
        done += said.len();
    }
    assert!(moved > times / 2, "most kills hit a program that had taken something over: {moved}");
    assert_eq!(to_the_end(replay(&data)).1, undisturbed);
    assert_eq!(to_the_end(replay(&data)).1, undisturbed, "once more changes nothing");
    undisturbed
}

/// Runs a program to its end, which must be a good one: the blocks and the JSON that it prints.
///
/// # Panics
/// If it fails.
pub fn to_the_end(mut replay: Command) -> (Vec<u64>, Value) {
    let output = replay.output().expect("the program can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let blocks = said.lines().filter_map(|line| line.parse().ok()).collect();
    (blocks, serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// Runs a program until it has printed `lines` lines and a little longer, and kills it: the blocks that
/// it printed, or nothing if it had reached its end.
fn killed(mut replay: Command, lines: u64, more: Duration) -> Option<Vec<u64>> {
    let mut child = replay.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process");
    let mut said =
        BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut all: Vec<String> = (0..lines).map_while(|_| said.next()).collect();
    std::thread::sleep(more);
    let ended = child.try_wait().expect("a process of ours");
    child.kill().expect("a process of ours");
    child.wait().expect("a process of ours");
    all.extend(said);
    if let Some(status) = ended {
        assert!(status.success(), "{status}: {}", all.join("\n"));
        return None;
    }
    Some(all.iter().filter_map(|line| line.parse().ok()).collect())
}

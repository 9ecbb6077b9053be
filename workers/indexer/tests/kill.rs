//! An indexer that is killed at any moment loses nothing and counts nothing twice.

use cicada_indexer::block::write;
use cicada_indexer::simulation::{identity, Numbers, Simulation};
use cicada_indexer::store::{cursor, reader, Store};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter};
use std::path::Path;
use std::process::{Command, Stdio};

const TRADES: u64 = 1_000;
const KILLS: u64 = 20;

fn replay(file: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cicada71-indexer"));
    command.args(["replay", "--progress"]).arg(file).arg("--data").arg(data);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn to_the_end(file: &Path, data: &Path) -> serde_json::Value {
    let output = replay(file, data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs until `blocks` more are in the store and a little more, and kills. Whether it was still
/// alive.
fn killed(file: &Path, data: &Path, blocks: u64, more_us: u64) -> bool {
    let mut child = replay(file, data).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    for _ in 0..blocks {
        if said.next().is_none() {
            break;
        }
    }
    // Into the middle of whatever comes next.
    std::thread::sleep(std::time::Duration::from_micros(more_us));
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive
}

/// The newest block in a store.
fn stands_at(data: &Path) -> Option<u64> {
    let database = reader(data).ok()?;
    cursor(&database).unwrap().map(|(cursor, _)| cursor.block)
}

#[test]
fn twenty_kills_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blocks.jsonl");
    let blocks = Simulation::new(4).blocks(TRADES);
    write(&blocks, BufWriter::new(File::create(&file).unwrap())).unwrap();
    let undisturbed = to_the_end(&file, &folder.path().join("undisturbed"));
    assert!(undisturbed["trades"]["rows"].as_u64().unwrap() >= TRADES);

    let data = folder.path().join("killed");
    let mut numbers = Numbers::new(20);
    // On average so many that the last kill comes before the end.
    let most = 3 * u64::try_from(blocks.len()).unwrap() / (2 * KILLS);
    let (mut before, mut moved) = (None, 0);
    for kill in 0..KILLS {
        let alive = killed(&file, &data, numbers.below(most), numbers.below(5_000));
        assert!(alive, "the process had ended before kill {kill}");
        let at = stands_at(&data);
        assert!(at >= before, "kill {kill} threw the store back from {before:?} to {at:?}");
        moved += u64::from(at > before);
        before = at;
    }
    assert!(moved > KILLS / 2, "most kills hit a process that had taken something over");
    assert!(before < blocks.last().map(|block| block.number), "the last one too");
    assert_eq!(to_the_end(&file, &data), undisturbed);
    assert_eq!(to_the_end(&file, &data), undisturbed, "once more changes nothing");
}

#[test]
fn two_processes_on_one_store_do_not_spoil_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blocks.jsonl");
    let blocks = Simulation::new(5).blocks(100);
    write(&blocks, BufWriter::new(File::create(&file).unwrap())).unwrap();
    let undisturbed = to_the_end(&file, &folder.path().join("undisturbed"));
    let data = folder.path().join("shared");
    drop(Store::open(&data, &identity()).unwrap());
    let both = [0, 1].map(|_| replay(&file, &data).spawn().unwrap());
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(to_the_end(&file, &data), undisturbed);
}

//! A validator that is killed at any moment loses nothing and counts nothing twice.

use nav_validator::recording::{generate, write, Numbers};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter};
use std::path::Path;
use std::process::{Command, Stdio};

const EVENTS: u64 = 100_000;
const KILLS: u64 = 20;

fn replay(file: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nav-validator"));
    // Few blocks in a transaction: more moments at which a kill could hurt.
    command.args(["replay", "--batch", "8", "--progress"]).arg(file).arg("--data").arg(data);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn to_the_end(file: &Path, data: &Path) -> serde_json::Value {
    let output = replay(file, data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs until `blocks` more transactions and a little more, and kills. Whether it was still alive.
fn killed(file: &Path, data: &Path, transactions: u64, more_us: u64) -> bool {
    let mut child = replay(file, data).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    for _ in 0..transactions {
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

#[test]
fn twenty_kills_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let recorded = generate(4, EVENTS, 300);
    let blocks = recorded.last().unwrap().0;
    write(&recorded, BufWriter::new(File::create(&file).unwrap())).unwrap();
    let undisturbed = to_the_end(&file, &folder.path().join("undisturbed"));
    assert_eq!(undisturbed["events"], EVENTS);
    assert!(undisturbed["epochs"].as_array().unwrap().len() >= 3, "kills cross ends of epochs");

    let data = folder.path().join("killed");
    let mut numbers = Numbers::new(20);
    // On average so many transactions that the last kill comes before the end.
    let most = 3 * blocks / 8 / (2 * KILLS);
    for kill in 0..KILLS {
        let alive = killed(&file, &data, numbers.below(most), numbers.below(5_000));
        assert!(alive, "the process had ended before kill {kill}");
    }
    assert_eq!(to_the_end(&file, &data), undisturbed);
    assert_eq!(to_the_end(&file, &data), undisturbed, "once more changes nothing");
}

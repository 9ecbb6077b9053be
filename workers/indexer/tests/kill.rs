//! An indexer that is killed at any moment loses nothing and counts nothing twice.

use cicada_indexer::block::write;
use cicada_indexer::simulation::{identity, Simulation};
use cicada_indexer::store::Store;
use cicada_kills::{survives, to_the_end};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TRADES: u64 = 1_000;
const KILLS: u64 = 20;

fn replay(file: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cicada71-indexer"));
    command.args(["replay", "--progress"]).arg(file).arg("--data").arg(data);
    command
}

fn recorded(folder: &Path, seed: u64, trades: u64) -> PathBuf {
    let file = folder.join("blocks.jsonl");
    let output = BufWriter::new(File::create(&file).unwrap());
    write(&Simulation::new(seed).blocks(trades), output).unwrap();
    file
}

#[test]
fn twenty_kills_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = recorded(folder.path(), 4, TRADES);
    let ended = survives(KILLS, 20, |data| replay(&file, data));
    assert!(ended["trades"]["rows"].as_u64().unwrap() >= TRADES);
}

#[test]
fn two_processes_on_one_store_do_not_spoil_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = recorded(folder.path(), 5, 100);
    let (_, undisturbed) = to_the_end(replay(&file, &folder.path().join("undisturbed")));
    let data = folder.path().join("shared");
    drop(Store::open(&data, &identity()).unwrap());
    let both = [0, 1].map(|_| {
        let mut command = replay(&file, &data);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(to_the_end(replay(&file, &data)).1, undisturbed);
}

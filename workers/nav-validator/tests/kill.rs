//! A validator that is killed at any moment loses nothing and counts nothing twice.

use cicada_kills::survives;
use nav_validator::recording::{generate, write};
use std::fs::File;
use std::io::BufWriter;
use std::process::Command;

const EVENTS: u64 = 100_000;
const KILLS: u64 = 20;

#[test]
fn twenty_kills_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    write(&generate(4, EVENTS, 300), BufWriter::new(File::create(&file).unwrap())).unwrap();
    let ended = survives(KILLS, 20, |data| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nav-validator"));
        // Few blocks in a transaction: more moments at which a kill could hurt.
        command.args(["replay", "--batch", "8", "--progress"]).arg(&file).arg("--data").arg(data);
        command
    });
    assert_eq!(ended["events"], EVENTS);
    assert!(ended["epochs"].as_array().unwrap().len() >= 3, "kills cross ends of epochs");
}

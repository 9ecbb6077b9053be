//! Committed measurements: `snapshots/{sizes,gas}.json`. A value that moves by more than 2 % fails
//! until the file is updated on purpose:
//!
//! ```text
//! CICADA_UPDATE_SNAPSHOTS=1 cargo test
//! ```
//!
//! One row per contract (sizes) or per `contract.message: scenario` (gas). The gas is that of the
//! sandbox's pallet, good for telling changes, not for absolute claims.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use crate::{bundle, Bundle, Receipt};

/// How far a value may move, in percent of the committed one.
const TOLERANCE_PERCENT: i128 = 2;
/// Set to 1 to rewrite instead of compare.
const UPDATE: &str = "CICADA_UPDATE_SNAPSHOTS";

type Row = BTreeMap<String, i64>;
type Table = BTreeMap<String, Row>;

/// Compares the size of a contract's code with `snapshots/sizes.json`.
#[track_caller]
pub fn check_size(contract: &str) {
    let size = i64::try_from(Bundle::load(contract).wasm.len()).expect("sizes are small");
    check("sizes", contract, Row::from([("wasm_bytes".to_owned(), size)]));
}

/// Compares what a call cost with its row in `snapshots/gas.json`, named like
/// `"token.transfer: first payment to an account"`.
#[track_caller]
pub fn check_gas<T>(scenario: &str, receipt: &Receipt<T>) {
    let small = |value: u64| i64::try_from(value).expect("gas fits in 63 bits");
    let row = Row::from([
        ("ref_time".to_owned(), small(receipt.gas.ref_time)),
        ("proof_size".to_owned(), small(receipt.gas.proof_size)),
        ("deposit".to_owned(), i64::try_from(receipt.deposit).expect("deposits are small")),
    ]);
    check("gas", scenario, row);
}

#[track_caller]
fn check(table: &str, name: &str, measured: Row) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{table}.json"));
    let result = match std::env::var(UPDATE).is_ok_and(|value| value == "1") {
        true => update(&path, name, measured),
        false => compare(&path, name, &measured),
    };
    if let Err(problem) = result {
        panic!("{problem}\n(bundles: {})", bundle::folder().display());
    }
}

fn compare(path: &Path, name: &str, measured: &Row) -> Result<(), String> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let hint = format!("if this is meant, run the test once with {UPDATE}=1 and commit {file}");
    let text = fs::read_to_string(path).unwrap_or_default();
    let table = parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let committed = table.get(name).ok_or_else(|| format!("{file} has no row '{name}'; {hint}"))?;
    let moved = moved(committed, measured);
    match moved.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "'{name}' moved by more than {TOLERANCE_PERCENT} %: {}; {hint}",
            moved.join(", ")
        )),
    }
}

/// The columns that differ by more than the tolerance, each as a readable text.
fn moved(committed: &Row, measured: &Row) -> Vec<String> {
    let mut columns: Vec<_> = committed.keys().chain(measured.keys()).collect();
    columns.sort();
    columns.dedup();
    let text = |value: Option<&i64>| value.map_or("nothing".to_owned(), i64::to_string);
    columns
        .into_iter()
        .filter(|column| !matches!((committed.get(*column), measured.get(*column)), (Some(a), Some(b)) if close(*a, *b)))
        .map(|column| format!("{column} from {} to {}", text(committed.get(column)), text(measured.get(column))))
        .collect()
}

fn close(committed: i64, measured: i64) -> bool {
    let (committed, measured) = (i128::from(committed), i128::from(measured));
    (measured - committed).abs() * 100 <= committed.abs() * TOLERANCE_PERCENT
}

/// Writes one row; other tests may be doing the same at the same time.
fn update(path: &Path, name: &str, measured: Row) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().expect("snapshots have a folder")).map_err(problem)?;
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(problem)?;
    file.lock().map_err(problem)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(problem)?;
    let mut table = parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    // Rows that are still right keep their exact numbers, so that a diff shows what moved.
    if table.get(name).is_some_and(|committed| moved(committed, &measured).is_empty()) {
        return Ok(());
    }
    table.insert(name.to_owned(), measured);
    file.set_len(0).map_err(problem)?;
    file.rewind().map_err(problem)?;
    file.write_all(format(&table).as_bytes()).map_err(problem)
}

fn parse(text: &str) -> Result<Table, serde_json::Error> {
    match text.trim().is_empty() {
        true => Ok(Table::new()),
        false => serde_json::from_str(text),
    }
}

/// One line per row, sorted: small diffs, few merge conflicts.
fn format(table: &Table) -> String {
    let row = |(name, row): (&String, &Row)| {
        let columns: Vec<_> =
            row.iter().map(|(column, value)| format!("\"{column}\": {value}")).collect();
        format!("  {}: {{ {} }}", serde_json::Value::from(name.as_str()), columns.join(", "))
    };
    format!("{{\n{}\n}}\n", table.iter().map(row).collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bytes: i64) -> Row {
        Row::from([("wasm_bytes".to_owned(), bytes)])
    }

    #[test]
    fn two_percent_pass_and_more_fail() {
        assert!(close(1_000, 1_020) && close(1_000, 980) && close(0, 0) && close(-100, -102));
        assert!(!close(1_000, 1_021) && !close(1_000, 979) && !close(0, 1) && !close(-100, 100));
    }

    #[test]
    fn a_missing_column_has_moved() {
        assert_eq!(moved(&row(5), &Row::new()), ["wasm_bytes from 5 to nothing"]);
        assert_eq!(moved(&row(100), &row(103)), ["wasm_bytes from 100 to 103"]);
    }

    #[test]
    fn updating_and_comparing_agree() {
        let path =
            std::env::temp_dir().join(format!("cicada-snapshots-{}.json", std::process::id()));
        update(&path, "token", row(15_000)).unwrap();
        update(&path, "escrow \"x\"", row(40_000)).unwrap();
        update(&path, "token", row(15_001)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\n  \"escrow \\\"x\\\"\": { \"wasm_bytes\": 40000 },\n  \"token\": { \"wasm_bytes\": 15000 }\n}\n"
        );
        compare(&path, "token", &row(15_300)).unwrap();
        assert!(compare(&path, "token", &row(15_301)).unwrap_err().contains("from 15000 to 15301"));
        assert!(compare(&path, "index", &row(1)).unwrap_err().contains("has no row 'index'"));
        fs::remove_file(path).unwrap();
    }
}

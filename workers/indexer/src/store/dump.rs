//! Everything in a store, as rows and digests: equal stores have equal dumps.

use cicada_core::hash::{Hasher, Native};
use rusqlite::types::ValueRef;
use rusqlite::Connection;
use serde_json::{json, Value};

/// Each table with the number of its rows and the SHA-256 of all of them in order of their keys.
///
/// # Errors
/// Those of the database.
pub fn dump(database: &Connection) -> rusqlite::Result<Value> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = database.prepare(tables)?;
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut all = serde_json::Map::new();
    for name in names {
        let (rows, digest) = table(database, &name)?;
        all.insert(name, json!({ "rows": rows, "sha256": hex::encode(digest) }));
    }
    Ok(Value::Object(all))
}

/// `name` is one of the schema's own.
fn table(database: &Connection, name: &str) -> rusqlite::Result<(u64, [u8; 32])> {
    let mut keys =
        database.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let keys: Vec<String> =
        keys.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut select =
        database.prepare(&format!("SELECT * FROM {name} ORDER BY {}", keys.join(", ")))?;
    let columns = select.column_count();
    let mut rows = select.query([])?;
    let (mut count, mut text) = (0u64, Vec::new());
    let mut digest = [0; 32];
    while let Some(row) = rows.next()? {
        text.clear();
        text.extend_from_slice(&digest);
        for column in 0..columns {
            let (kind, bytes): (u8, Vec<u8>) = match row.get_ref(column)? {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
                ValueRef::Real(number) => (2, number.to_be_bytes().to_vec()),
                ValueRef::Text(bytes) => (3, bytes.to_vec()),
                ValueRef::Blob(bytes) => (4, bytes.to_vec()),
            };
            text.push(kind);
            text.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
            text.extend_from_slice(&bytes);
        }
        digest = Native::sha256(&text).0;
        count = count.saturating_add(1);
    }
    Ok((count, digest))
}

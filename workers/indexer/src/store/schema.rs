//! The tables, and how those of an older version become those of this one.

use rusqlite::{Connection, TransactionBehavior};

/// Tells a file of this program from any other SQLite file: "cica".
const APPLICATION: i32 = 0x6369_6361;
/// The step to version n + 1 is at place n. Steps that were ever released are never changed.
const STEPS: [&str; 2] = [include_str!("../migrations/1.sql"), include_str!("../migrations/2.sql")];
/// The version that this program reads and writes.
pub const VERSION: usize = STEPS.len();

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Another program's file.
    #[error("it is a file of another program")]
    NotOurs,
    /// Written by a newer version of this program.
    #[error("its version is {0}, and this program knows versions up to {VERSION}: use a newer program, or another data folder")]
    Newer(i64),
    /// Written by an older version, and opened for reading only.
    #[error("its version is {0}, not {VERSION}")]
    Older(i64),
    /// The database says no.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

fn number(database: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    database.pragma_query_value(None, pragma, |row| row.get(0))
}

/// The version of the tables, at most `known`; 0 for an empty file.
fn version(database: &Connection, known: usize) -> Result<usize, SchemaError> {
    let found = number(database, "user_version")?;
    let application = number(database, "application_id")?;
    let tables: i64 =
        database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != i64::from(APPLICATION) && (application != 0 || tables != 0) {
        return Err(SchemaError::NotOurs);
    }
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(SchemaError::Newer(found)),
    }
}

/// Brings the tables to this version, each step in a transaction of its own.
///
/// # Errors
/// [`SchemaError`].
pub fn migrate(database: &mut Connection) -> Result<(), SchemaError> {
    migrate_by(database, &STEPS)
}

fn migrate_by(database: &mut Connection, steps: &[&str]) -> Result<(), SchemaError> {
    for (step, number) in steps.iter().zip(1i64..).skip(version(database, steps.len())?) {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Checks that the tables are of this version.
///
/// # Errors
/// [`SchemaError`].
pub fn check(database: &Connection) -> Result<(), SchemaError> {
    match version(database, VERSION)? {
        VERSION => Ok(()),
        older => Err(SchemaError::Older(i64::try_from(older).unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let mut database = empty();
        migrate_by(&mut database, &["CREATE TABLE a (x)"]).unwrap();
        database.execute("INSERT INTO a VALUES (1)", []).unwrap();
        // The next version of the program knows one step more.
        migrate_by(&mut database, &["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 2"])
            .unwrap();
        let row: (i64, i64) =
            database.query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, (1, 2));
    }

    #[test]
    fn all_steps_lead_to_this_version_and_a_second_time_changes_nothing() {
        let mut database = empty();
        assert!(matches!(check(&database), Err(SchemaError::Older(0))));
        migrate(&mut database).unwrap();
        check(&database).unwrap();
        migrate(&mut database).unwrap();
        check(&database).unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let mut database = empty();
        let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
        assert!(migrate_by(&mut database, &steps).is_err());
        assert_eq!(number(&database, "user_version").unwrap(), 1);
        assert!(database.prepare("SELECT * FROM b").is_err(), "the step's first half is undone");
    }

    #[test]
    fn what_is_newer_or_foreign_is_refused() {
        let mut database = empty();
        migrate(&mut database).unwrap();
        database.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut database).unwrap_err().to_string();
        assert!(error.contains("99") && error.contains("newer program"), "{error}");
        let mut other = empty();
        other.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(migrate(&mut other), Err(SchemaError::NotOurs)));
    }
}

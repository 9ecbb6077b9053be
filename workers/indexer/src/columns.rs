//! Values with a form of their own in SQL.

use cicada_amounts::Units;
use cicada_core::exchange::Side;
use cicada_core::hash::Digest;
use cicada_core::quote::Framework;
use cicada_core::Account;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql};
use rusqlite::Row;
use std::str::FromStr;

/// A value of a column.
pub(crate) trait Column: Sized {
    /// Its form in SQL.
    type Sql: ToSql + FromSql;

    /// In SQL.
    fn sql(&self) -> Self::Sql;

    /// Reads what [`Column::sql`] wrote.
    ///
    /// # Errors
    /// If it is no such value.
    fn from_sql(sql: Self::Sql) -> FromSqlResult<Self>;
}

fn word<T: FromStr>(text: String) -> FromSqlResult<T> {
    text.parse().map_err(|_| FromSqlError::InvalidType)
}

macro_rules! columns {
    ($($type:ident as $sql:ty: $write:expr, $read:expr;)*) => {$(
        impl Column for $type {
            type Sql = $sql;

            fn sql(&self) -> $sql {
                let write: fn(&Self) -> $sql = $write;
                write(self)
            }

            fn from_sql(sql: $sql) -> FromSqlResult<Self> {
                let read: fn($sql) -> FromSqlResult<Self> = $read;
                read(sql)
            }
        }
    )*};
}
columns! {
    Account as [u8; 32]: |account| account.0, |bytes| Ok(Account(bytes));
    Digest as [u8; 32]: |digest| digest.0, |bytes| Ok(Digest(bytes));
    // The highest byte first, so that they sort.
    u128 as [u8; 16]: |amount| amount.to_be_bytes(), |bytes| Ok(u128::from_be_bytes(bytes));
    Units as [u8; 16]: |units| units.0.sql(), |bytes| u128::from_sql(bytes).map(Units);
    Framework as String: Framework::to_string, word;
    Side as String: Side::to_string, word;
}

impl<T: Column> Column for Option<T> {
    type Sql = Option<T::Sql>;

    fn sql(&self) -> Self::Sql {
        self.as_ref().map(T::sql)
    }

    fn from_sql(sql: Self::Sql) -> FromSqlResult<Self> {
        sql.map(T::from_sql).transpose()
    }
}

/// Rows with such columns.
pub(crate) trait Columns {
    /// The value in a column.
    ///
    /// # Errors
    /// If there is none, or another.
    fn read<T: Column>(&self, column: usize) -> rusqlite::Result<T>;
}

impl Columns for Row<'_> {
    fn read<T: Column>(&self, column: usize) -> rusqlite::Result<T> {
        let value = self.get_ref(column)?;
        T::Sql::column_result(value).and_then(T::from_sql).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn what_is_written_is_read_and_sorts() {
        let database = Connection::open_in_memory().unwrap();
        let same = |value: &dyn ToSql, check: &dyn Fn(&rusqlite::Row<'_>) -> bool| {
            database.query_row("SELECT ?1", [value], |row| Ok(check(row))).unwrap()
        };
        for amount in [0, 1, 255, 256, u64::MAX.into(), u128::MAX] {
            assert!(same(&amount.sql(), &|row| row.read::<u128>(0).unwrap() == amount));
        }
        let less = "SELECT ?1 < ?2";
        let sorted = database.query_row(less, [255u128.sql(), 256u128.sql()], |row| row.get(0));
        assert!(sorted.unwrap_or(false), "bytes sort as numbers");
        let name = Framework::new("claude").unwrap();
        assert!(same(&name.sql(), &|row| row.read::<Framework>(0).unwrap() == name));
        for side in [Side::Buy, Side::Sell] {
            assert!(same(&side.sql(), &|row| row.read::<Side>(0).unwrap() == side));
        }
        assert!(same(&"Not A Framework", &|row| row.read::<Framework>(0).is_err()));
        assert!(same(&"up", &|row| row.read::<Side>(0).is_err()));
        assert!(same(&vec![1u8; 31], &|row| row.read::<Account>(0).is_err()));
    }
}

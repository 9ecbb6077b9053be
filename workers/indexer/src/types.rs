//! Accounts, amounts and names, each with one form in SCALE, in SQL and in JSON.

use cicada_chain::{address, parse_account};
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// An account: 32 bytes, in JSON its address in SS58.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, ToSchema)]
#[schema(value_type = String, example = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")]
pub struct Id(pub Account);

/// An amount: in SQL 16 bytes, the highest first, so that they sort; in JSON a decimal string.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, ToSchema,
)]
#[schema(value_type = String, pattern = "^[0-9]+$", example = "49500000")]
pub struct Units(pub u128);

/// A profit or loss: in JSON a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, pattern = "^-?[0-9]+$", example = "-500000")]
pub struct Signed(pub i128);

/// A hash: in JSON `0x` and 64 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-f]{64}$")]
pub struct Digest(pub [u8; 32]);

/// The name of a framework: text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, ToSchema)]
#[schema(value_type = String, example = "claude")]
pub struct Name(pub Framework);

/// The side of an order, or the taker's side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, ToSchema)]
#[schema(value_type = String, example = "buy")]
pub struct Way(pub Side);

impl Way {
    /// The side of the other party.
    pub fn other(self) -> Self {
        match self.0 {
            Side::Buy => Self(Side::Sell),
            Side::Sell => Self(Side::Buy),
        }
    }

    fn text(self) -> &'static str {
        match self.0 {
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }
}

fn bytes<const N: usize>(value: ValueRef<'_>) -> FromSqlResult<[u8; N]> {
    value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        bytes(value).map(Self)
    }
}

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        bytes(value).map(Self)
    }
}

impl ToSql for Units {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_be_bytes().to_vec()))
    }
}

impl FromSql for Units {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        bytes(value).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

impl ToSql for Name {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_str()))
    }
}

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Framework::new(value.as_str()?).map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}

impl ToSql for Way {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.text()))
    }
}

impl FromSql for Way {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "buy" => Ok(Self(Side::Buy)),
            "sell" => Ok(Self(Side::Sell)),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&address(&self.0))
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Signed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(self.0)))
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_account(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
            .map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Framework::new(text).map(Self).map_err(serde::de::Error::custom)
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
            assert!(same(&Units(amount), &|row| row.get::<_, Units>(0).unwrap().0 == amount));
        }
        let less = "SELECT ?1 < ?2";
        let sorted = database.query_row(less, [Units(255), Units(256)], |row| row.get(0));
        assert!(sorted.unwrap_or(false), "bytes sort as numbers");
        let name = Name(Framework::new("claude").unwrap());
        assert!(same(&name, &|row| row.get::<_, Name>(0).unwrap() == name));
        for way in [Way(Side::Buy), Way(Side::Sell)] {
            assert!(same(&way, &|row| row.get::<_, Way>(0).unwrap() == way));
        }
        assert!(same(&"Not A Framework", &|row| row.get::<_, Name>(0).is_err()));
        assert!(same(&"up", &|row| row.get::<_, Way>(0).is_err()));
        assert!(same(&vec![1u8; 31], &|row| row.get::<_, Id>(0).is_err()));
    }

    #[test]
    fn in_json_amounts_are_strings_and_accounts_addresses() {
        let json = |value: &dyn erased::Json| value.json();
        assert_eq!(json(&Units(u128::MAX)), format!("\"{}\"", u128::MAX));
        assert_eq!(json(&Signed(-5)), "\"-5\"");
        assert_eq!(json(&Way(Side::Sell)), "\"sell\"");
        let id = Id([7; 32]);
        assert_eq!(serde_json::from_str::<Id>(&json(&id)).unwrap(), id);
        let digest = Digest([9; 32]);
        assert_eq!(serde_json::from_str::<Digest>(&json(&digest)).unwrap(), digest);
        assert!(serde_json::from_str::<Name>("\"No Name\"").is_err());
    }

    mod erased {
        pub trait Json {
            fn json(&self) -> String;
        }
        impl<T: serde::Serialize> Json for T {
            fn json(&self) -> String {
                serde_json::to_string(self).unwrap()
            }
        }
    }
}

//! Amounts in files of settings and in JSON: exact, never a float.

use crate::{parse_mmc, parse_tao, plain_mmc, plain_tao};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt::Display;
use std::str::FromStr;

/// A number as a decimal string, because readers of JSON lose digits of large ones: smallest units,
/// prices at their scale, profits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9]+$", example = "49500000"))]
pub struct Units<T = u128>(pub T);

impl<T: Display> Serialize for Units<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Units<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let number = text.parse().map_err(|_| D::Error::custom(format!("'{text}' is no number")));
        number.map(Self)
    }
}

/// An amount that is written as a decimal string of its currency.
macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident, $write:ident, $read:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u128);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&$write(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $read(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
            }
        }
    };
}

decimal! {
    /// Smallest units of TAO, written in TAO: `"0.5"`.
    Tao, plain_tao, parse_tao
}
decimal! {
    /// Base units of MMC, written in MMC: `"0.5"`.
    Mmc, plain_mmc, parse_mmc
}

/// Base units of MMC, as a JSON number of MMC with two digits after the point or more: `49.50`. For
/// JSON text only: a `serde_json::Value` would make a float of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmcNumber(pub u128);

impl Serialize for MmcNumber {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let plain = plain_mmc(self.0);
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let number = RawValue::from_string(format!("{whole}.{fraction:0<2}"));
        number.map_err(S::Error::custom)?.serialize(to)
    }
}

impl<'de> Deserialize<'de> for MmcNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = Box::<RawValue>::deserialize(from)?;
        parse_mmc(number.get()).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MMC, TAO};

    fn same<T: Serialize + for<'de> Deserialize<'de> + PartialEq>(value: T, text: &str) -> bool {
        let read = serde_json::from_str::<T>(text).unwrap();
        serde_json::to_string(&value).unwrap() == text && read == value
    }

    #[test]
    fn each_kind_of_amount_has_one_form() {
        assert!(same(Units(u128::MAX), &format!("\"{}\"", u128::MAX)));
        assert!(same(Units(-5i128), "\"-5\""));
        assert!(same(Tao(TAO / 2), "\"0.5\"") && same(Mmc(1_000 * MMC + 1), "\"1000.000001\""));
        assert!(same(MmcNumber(49_500_000), "49.50") && same(MmcNumber(990), "0.00099"));
        assert!(same(MmcNumber(1_000), "0.001") && same(MmcNumber(50_000_000), "50.00"));
        assert!(same(MmcNumber(u128::MAX), "340282366920938463463374607431768.211455"));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for bad in ["5", "\"-5\"", "\"five\"", "\"\""] {
            assert!(serde_json::from_str::<Units>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Tao>("\"1.0000000001\"").is_err());
        assert!(serde_json::from_str::<Mmc>("0.5").is_err(), "a number may be a float");
        for bad in ["\"49.50\"", "1e3", "-1", "0.0000001", "null"] {
            assert!(serde_json::from_str::<MmcNumber>(bad).is_err(), "{bad}");
        }
    }
}

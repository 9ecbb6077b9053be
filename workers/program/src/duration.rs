//! Durations as people write them, in milliseconds.

use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// Reads a duration such as `500ms`, `90s`, `15m`, `2h` or `1d`.
///
/// # Errors
/// In words.
pub fn parse_ms(text: &str) -> Result<u64, String> {
    let bad = || format!("'{text}' is no duration: write for example 500ms, 90s, 15m, 2h or 1d");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)
}

/// Milliseconds, in a file of settings as [`parse_ms`] reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parse_ms(&String::deserialize(from)?).map(Self).map_err(serde::de::Error::custom)
    }
}

/// So many milliseconds, as a default in a file of settings.
pub fn ms<const MS: u64>() -> Millis {
    Millis(MS)
}

impl From<Millis> for Duration {
    fn from(Millis(ms): Millis) -> Self {
        Self::from_millis(ms)
    }
}

/// A duration in its greatest unit that leaves two digits or so: `850 ms`, `42 s`, `17 min`, `3 h`,
/// `9 d`. Rounded down.
pub fn duration_text(ms: u64) -> String {
    let units = [
        (172_800_000, 86_400_000, "d"),
        (7_200_000, 3_600_000, "h"),
        (120_000, 60_000, "min"),
        (1_000, 1_000, "s"),
    ];
    let found = units.iter().find(|(from, _, _)| ms >= *from);
    found.map_or(format!("{ms} ms"), |(_, unit, name)| format!("{} {name}", ms / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let texts = [850, 42_999, 1_020_000, 10_800_000, 800_000_000].map(duration_text);
        assert_eq!(texts, ["850 ms", "42 s", "17 min", "3 h", "9 d"]);
    }

    #[test]
    fn durations_have_a_unit() {
        let read = ["0ms", "90s", "15m", "2h", "1d"].map(|text| parse_ms(text).unwrap());
        assert_eq!(read, [0, 90_000, 900_000, 7_200_000, 86_400_000]);
        assert_eq!(serde_json::from_value::<Millis>("90s".into()).unwrap(), Millis(90_000));
        for bad in
            ["", "5", "s", "-1s", "1.5h", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(parse_ms(bad).is_err(), "{bad}");
            assert!(serde_json::from_value::<Millis>(bad.into()).is_err(), "{bad}");
        }
    }
}

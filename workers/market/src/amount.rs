//! Amounts of MMC as people write and read them, exact.

use cicada_core::quote::MMC_DECIMALS;

/// Base units of one MMC.
const ONE: u128 = 10u128.pow(MMC_DECIMALS as u32);

/// Reads an amount such as `2`, `0.5` or `1_000.25`.
///
/// # Errors
/// In words.
pub fn parse_mmc(text: &str) -> Result<u128, String> {
    let bad = || {
        format!("'{text}' is no amount of MMC: write for example 2 or 0.5, with at most {MMC_DECIMALS} digits after the point")
    };
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > usize::from(MMC_DECIMALS) {
        return Err(bad());
    }
    let padded = format!("{fraction:0<width$}", width = usize::from(MMC_DECIMALS));
    let (whole, fraction): (u128, u128) =
        (whole.parse().map_err(|_| bad())?, padded.parse().map_err(|_| bad())?);
    whole.checked_mul(ONE).and_then(|whole| whole.checked_add(fraction)).ok_or_else(bad)
}

/// Writes an amount, without zeros at the end: `0.5`.
pub fn mmc(units: u128) -> String {
    let fraction = format!("{:0width$}", units % ONE, width = usize::from(MMC_DECIMALS));
    match fraction.trim_end_matches('0') {
        "" => (units / ONE).to_string(),
        fraction => format!("{}.{fraction}", units / ONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_both_directions() {
        for (text, units) in [("0", 0), ("2", 2_000_000), ("0.5", 500_000), ("1.000001", 1_000_001)]
        {
            assert_eq!(parse_mmc(text), Ok(units));
            assert_eq!(mmc(units), text);
        }
        assert_eq!(parse_mmc("1_000.25"), Ok(1_000_250_000));
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "0.0000001", "1,5", &"9".repeat(40)] {
            assert!(parse_mmc(bad).is_err(), "{bad}");
        }
    }
}

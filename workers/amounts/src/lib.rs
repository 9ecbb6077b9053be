//! Amounts as people write and read them, exact, from integers alone. Those for people have their
//! digits in groups, those for programs (`plain…`) have not, and are read back as they are written.

mod json;
mod quote;

pub use json::{Mmc, MmcNumber, Tao, Units};
pub use quote::QuoteJson;

use cicada_core::quote::MMC_DECIMALS;

/// Base units of one MMC.
pub const MMC: u128 = 10u128.pow(MMC_DECIMALS as u32);
/// Digits of a TAO after the point.
pub const TAO_DECIMALS: u8 = 9;
/// Smallest units of one TAO.
pub const TAO: u128 = 10u128.pow(TAO_DECIMALS as u32);

/// Digits in groups of three: `1,234,567`.
pub fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Smallest units of a token of `decimals` decimals (at most 38): `1,234.5`. Zeros at the end are cut.
pub fn units(amount: u128, decimals: u8) -> String {
    let Some(one) = 10u128.checked_pow(decimals.into()) else {
        return format!("{} · 10^-{decimals}", thousands(amount));
    };
    let fraction = format!("{:0width$}", amount % one, width = usize::from(decimals));
    match fraction.trim_end_matches('0') {
        "" => thousands(amount / one),
        digits => format!("{}.{digits}", thousands(amount / one)),
    }
}

/// The same for programs, without groups: `1234.5`.
pub fn plain_units(amount: u128, decimals: u8) -> String {
    units(amount, decimals).replace(',', "")
}

/// The digits of a whole number, without what separates groups of three: `1000`, `1_000`, `1,000`. A
/// comma that may be meant as a decimal point is no such separator.
pub fn whole(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(['_', ',']).collect();
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let lengths = match groups.as_slice() {
        [one] => !one.is_empty(),
        [first, rest @ ..] => {
            (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3)
        }
        [] => false,
    };
    (lengths && groups.iter().all(digits)).then(|| groups.concat())
}

/// Reads an amount such as `2`, `0.5` or `1_000.25` of a token of `decimals` decimals, in its smallest
/// units.
///
/// # Errors
/// In words, with the token's `name`.
pub fn parse_units(text: &str, decimals: u8, name: &str) -> Result<u128, String> {
    let bad = || {
        format!("'{text}' is no amount of {name}: write for example 2 or 0.5, with at most {decimals} digits after the point")
    };
    let (before, fraction) = match text.split_once('.') {
        Some((before, fraction)) => (before, Some(fraction)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let width = usize::from(decimals);
    // Where a comma stands for the decimal point, `1,000` is one.
    let before = Some(before).filter(|before| !before.contains(',')).and_then(whole);
    let before = before.ok_or_else(bad)?;
    if fraction.is_some_and(|part| !digits(part) || part.len() > width) {
        return Err(bad());
    }
    let fraction = fraction.unwrap_or_default();
    format!("{before}{fraction:0<width$}").parse().map_err(|_| bad())
}

/// An amount of MMC: `1,234.5`.
pub fn mmc(amount: u128) -> String {
    units(amount, MMC_DECIMALS)
}

/// A profit or loss in MMC: `+1,234.5`, `-0.2`, `0`.
pub fn signed_mmc(amount: i128) -> String {
    let sign = match amount.signum() {
        1 => "+",
        -1 => "-",
        _ => "",
    };
    format!("{sign}{}", mmc(amount.unsigned_abs()))
}

/// An amount of MMC for programs: `1234.5`.
pub fn plain_mmc(amount: u128) -> String {
    plain_units(amount, MMC_DECIMALS)
}

/// Reads an amount of MMC, in base units.
///
/// # Errors
/// As [`parse_units`].
pub fn parse_mmc(text: &str) -> Result<u128, String> {
    parse_units(text, MMC_DECIMALS, "MMC")
}

/// An amount of TAO for programs: `1234.5`.
pub fn plain_tao(amount: u128) -> String {
    plain_units(amount, TAO_DECIMALS)
}

/// Reads an amount of TAO, in smallest units.
///
/// # Errors
/// As [`parse_units`].
pub fn parse_tao(text: &str) -> Result<u128, String> {
    parse_units(text, TAO_DECIMALS, "TAO")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_grouped() {
        let grouped = [0, 999, 1_000, 45_000, 1_234_567, 12_345_678].map(thousands);
        assert_eq!(grouped, ["0", "999", "1,000", "45,000", "1,234,567", "12,345,678"]);
        let amounts = [0, 1, 990, 500_000, 44_550_000, 50_500_000_000].map(mmc);
        assert_eq!(amounts, ["0", "0.000001", "0.00099", "0.5", "44.55", "50,500"]);
        assert_eq!([50_000_000, 49_500_000].map(mmc), ["50", "49.5"]);
        assert_eq!(mmc(1_234_567_000_001), "1,234,567.000001");
        // Far beyond what a double holds exactly.
        assert_eq!(mmc(u128::from(u64::MAX) * 1_010), "18,631,211,514,446,647.13115");
        assert!(mmc(u128::MAX).ends_with(".211455"));
        assert_eq!((units(7, 0), units(1_500_000_000_000, 12)), ("7".into(), "1.5".into()));
        assert!(units(1, 40).contains("10^-40"));
        let signed = [-200_000, 0, 1_234_500_000, i128::MIN].map(signed_mmc);
        assert_eq!(signed[..3], ["-0.2", "0", "+1,234.5"]);
        assert!(signed[3].starts_with("-170"));
    }

    #[test]
    fn what_is_written_for_programs_is_read_back() {
        for (text, amount) in
            [("0", 0), ("10", 10 * TAO), ("0.1", TAO / 10), ("1000.000000001", 1_000 * TAO + 1)]
        {
            assert_eq!(parse_tao(text), Ok(amount));
            assert_eq!(plain_tao(amount), text);
        }
        assert_eq!(
            (parse_tao("1.000000001"), plain_tao(TAO + 1)),
            (Ok(TAO + 1), "1.000000001".into())
        );
        assert_eq!((parse_mmc("2"), plain_mmc(2 * MMC)), (Ok(2 * MMC), "2".into()));
        assert_eq!((parse_mmc("0.5"), parse_mmc("1.000001")), (Ok(MMC / 2), Ok(MMC + 1)));
        for amount in [0, 1, 500_000, 1_000_001, u128::MAX] {
            assert_eq!(parse_mmc(&plain_mmc(amount)), Ok(amount));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_in_words() {
        assert_eq!(parse_mmc("1_000.25"), Ok(1_000 * MMC + MMC / 4));
        assert_eq!(parse_units("7", 0, "x"), Ok(7));
        for bad in
            ["", ".", "1.", ".5", "-1", "1e3", "0.0000001", "1,5", "1,000", "1_5", &"9".repeat(40)]
        {
            let said = parse_mmc(bad).unwrap_err();
            assert!(said.contains("no amount of MMC") && said.contains("at most 6"), "{said}");
        }
        assert!(parse_units("0.5", 0, "x").is_err());
        assert_eq!(parse_tao("1_000.25"), Ok(1_000 * TAO + TAO / 4));
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "0.0000000001", "1,5", &"9".repeat(40)] {
            assert!(parse_tao(bad).is_err(), "{bad}");
        }
    }
}

//! Numbers as people read them, from integers alone.

use cicada_core::quote::MMC_DECIMALS;

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

/// Base units of a token of `decimals` decimals: its whole part and the digits after the
/// point, without the zeros at the end.
fn decimal(units: u128, decimals: u8) -> (u128, String) {
    let one = 10u128.pow(u32::from(decimals));
    let fraction = format!("{:0width$}", units % one, width = usize::from(decimals));
    (units / one, fraction.trim_end_matches('0').into())
}

/// An amount of MMC for people, exact: `1,234.5`; trailing zeros are cut.
pub fn mmc(units: u128) -> String {
    let (whole, fraction) = decimal(units, MMC_DECIMALS);
    if fraction.is_empty() {
        thousands(whole)
    } else {
        format!("{}.{fraction}", thousands(whole))
    }
}

/// An amount of MMC as a JSON number, exact, with at least `places` digits after the point.
pub fn mmc_json(units: u128, places: usize) -> String {
    let (whole, fraction) = decimal(units, MMC_DECIMALS);
    format!("{whole}.{fraction:0<places$}")
}

/// Seats as ranges: `0-6, 9, 11-12`.
pub fn seats(seats: &[u8]) -> String {
    let mut seats = seats.to_vec();
    seats.sort_unstable();
    seats.dedup();
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for seat in seats {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(seat) => *end = seat,
            _ => ranges.push((seat, seat)),
        }
    }
    let range = |(from, to): &(u8, u8)| match to - from {
        0 => from.to_string(),
        _ => format!("{from}-{to}"),
    };
    match &ranges[..] {
        [] => "none".into(),
        _ => ranges.iter().map(range).collect::<Vec<_>>().join(", "),
    }
}

/// A digest in hex.
pub fn digest(bytes: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(45_000), "45,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn amounts_are_exact_and_without_trailing_zeros() {
        assert_eq!(mmc(50_000_000), "50");
        assert_eq!(mmc(49_500_000), "49.5");
        assert_eq!(mmc(44_550_000), "44.55");
        assert_eq!(mmc(990), "0.00099");
        assert_eq!(mmc(0), "0");
        assert_eq!(mmc(1_234_567_000_001), "1,234,567.000001");
        // Far beyond what a double holds exactly.
        assert_eq!(mmc(u128::from(u64::MAX) * 1_010), "18,631,211,514,446,647.13115");
    }

    #[test]
    fn json_numbers_have_the_seeds_two_places_and_lose_nothing() {
        assert_eq!(mmc_json(49_500_000, 2), "49.50");
        assert_eq!(mmc_json(50_000_000, 2), "50.00");
        assert_eq!(mmc_json(990, 2), "0.00099");
        assert_eq!(mmc_json(1_000, 2), "0.001");
    }

    #[test]
    fn seats_are_written_as_ranges() {
        assert_eq!(seats(&[]), "none");
        assert_eq!(seats(&[3]), "3");
        assert_eq!(seats(&[2, 0, 1, 5, 7, 8]), "0-2, 5, 7-8");
        assert_eq!(seats(&(0..23).collect::<Vec<_>>()), "0-22");
        assert_eq!(seats(&[254, 255]), "254-255");
    }
}

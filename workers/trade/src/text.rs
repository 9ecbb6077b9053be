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

/// Base units of a currency of `decimals` decimals (at most 38), exact: `1,234.5`. Zeros at the end
/// are cut.
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

/// A duration in its greatest unit that leaves two digits or so: `850 ms`, `42 s`, `17 min`, `3 h`,
/// `9 d`. Rounded down.
pub fn duration(ms: u64) -> String {
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
    fn numbers_are_exact_and_grouped() {
        let grouped = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
        let amounts = [0, 1, 500_000, 50_500_000_000, u128::MAX].map(mmc);
        assert_eq!(amounts[..4], ["0", "0.000001", "0.5", "50,500"]);
        assert!(amounts[4].ends_with(".211455"));
        assert_eq!((units(7, 0), units(1_500_000_000_000, 12)), ("7".into(), "1.5".into()));
        assert!(units(1, 40).contains("10^-40"));
        let signed = [-200_000, 0, 1_234_500_000, i128::MIN].map(signed_mmc);
        assert_eq!(signed[..3], ["-0.2", "0", "+1,234.5"]);
        assert!(signed[3].starts_with("-170"));
    }

    #[test]
    fn durations_are_short() {
        let texts = [850, 42_999, 1_020_000, 10_800_000, 800_000_000].map(duration);
        assert_eq!(texts, ["850 ms", "42 s", "17 min", "3 h", "9 d"]);
    }
}

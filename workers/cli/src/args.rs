//! Arguments as people write them.

use cicada_amounts::{parse_mmc, parse_units, whole};
use cicada_chain::{account_of, signer};
use cicada_core::escrow::Fallback;
use cicada_core::exchange::Side;
use cicada_core::name::Name;
use cicada_core::sla::Metric;
use cicada_core::Account;
use cicada_node_api::Scale;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Whole percent, and the same in basis points.
const PERCENT: u16 = 100;

/// A task type, capability or metric.
pub fn name(text: &str) -> Result<Name, String> {
    let bad = "1 to 32 of a-z, 0-9, '-', '_', '.', starting with a letter or digit";
    Name::new(text).map_err(|_| bad.into())
}

/// A side: `buy` or `sell`.
pub fn side() -> impl TypedValueParser<Value = Side> {
    PossibleValuesParser::new(["buy", "sell"]).try_map(|side| side.parse::<Side>())
}

/// Whole performance tokens, at least one: `1000`, `1_000` or `1,000`.
pub fn tokens(text: &str) -> Result<u128, String> {
    let parsed = whole(text).and_then(|digits| digits.parse().ok()).filter(|amount| *amount > 0);
    parsed.ok_or_else(|| "performance tokens are whole: write for example 1000 or 1,000".into())
}

/// A price in MMC, above 0.
pub fn price(text: &str) -> Result<u128, String> {
    match parse_mmc(text)? {
        0 => Err("a price is above 0: write for example 0.5".into()),
        price => Ok(price),
    }
}

/// An address, or a development account such as `//Bob`.
pub fn account(text: &str) -> Result<Account, String> {
    if text.starts_with("//") {
        return signer(text).map(|signer| account_of(&signer)).map_err(|e| e.to_string());
    }
    text.parse().map_err(|error| format!("{error}; write one such as 5Grw…, or //Bob"))
}

/// The address of something that answers HTTP.
pub fn http_url(text: &str) -> Result<String, String> {
    match text.starts_with("http://") || text.starts_with("https://") {
        true => Ok(text.into()),
        false => {
            Err("write an address such as http://127.0.0.1:7100; a file is named with --network"
                .into())
        }
    }
}

/// Basis points, 0 to 10,000.
pub fn bps(text: &str) -> Result<u16, String> {
    let parsed = text.parse().ok().filter(|bps| *bps <= 10_000);
    parsed.ok_or_else(|| "basis points are 0 to 10000: 9990 is 99.9 %".into())
}

/// What was measured, in basis points, or in percent with its sign: who means 99 % does not write 99.
pub fn measured(text: &str) -> Result<u16, String> {
    if let Some(percent) = text.strip_suffix('%') {
        let parsed = parse_units(percent.trim_end(), 2, "%").ok();
        let parsed = parsed.and_then(|bps| u16::try_from(bps).ok()).filter(|bps| *bps <= 10_000);
        return parsed.ok_or_else(|| "percent are 0% to 100%, such as 99.9%".into());
    }
    match bps(text)? {
        low @ 1..=PERCENT => Err(format!("is that {low} % or {low} basis points? Write {low}%, or for less than 1 % such as 0.5%")),
        bps => Ok(bps),
    }
}

/// A metric and its value: `accuracy=9500`.
pub fn metric(text: &str) -> Result<Metric, String> {
    let (key, value) = text.split_once('=').ok_or("write NAME=BPS, such as accuracy=9500")?;
    Ok(Metric { name: name(key)?, bps: measured(value)? })
}

/// Two whole percentages that make 100: `70/30`, the provider's first. Gives the provider's, in
/// basis points.
pub fn split(text: &str) -> Result<u16, String> {
    let bad = || "write PROVIDER/REQUESTER in percent, such as 70/30".to_owned();
    let (provider, requester) = text.split_once('/').ok_or_else(bad)?;
    let [provider, requester] = [provider, requester].map(|part| part.parse::<u16>().ok());
    match (provider, requester) {
        (Some(p), Some(r)) if p.checked_add(r) == Some(PERCENT) => Ok(p * PERCENT),
        _ => Err(bad()),
    }
}

/// What happens to the money when a dispute is not decided.
pub fn fallback(text: &str) -> Result<Fallback, String> {
    match text {
        "refund" => Ok(Fallback::Refund),
        "release" => Ok(Fallback::Release),
        _ => split(text)
            .map(|provider_bps| Fallback::Split { provider_bps })
            .map_err(|_| "write refund, release, or a split such as 70/30".into()),
    }
}

/// A SHA-256 in hex.
pub fn hash(text: &str) -> Result<[u8; 32], String> {
    text.parse().map(|Scale(bytes)| bytes).map_err(|_| "write 64 hex digits".into())
}

/// What a provider gets of `amount` by his basis points, rounded down.
pub fn share_floor(amount: u128, provider_bps: u16) -> u128 {
    // In two parts, so that nothing overflows.
    let (bps, whole) = (u128::from(provider_bps), 10_000);
    (amount / whole) * bps + (amount % whole) * bps / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::quote::Framework;

    #[test]
    fn shares_are_rounded_down_and_never_overflow() {
        assert_eq!(share_floor(10, 7_000), 7);
        assert_eq!(share_floor(9, 7_000), 6);
        assert_eq!(share_floor(u128::MAX, 10_000), u128::MAX);
        assert_eq!(share_floor(u128::MAX, 0), 0);
    }

    #[test]
    fn arguments_are_read() {
        assert_eq!(split("70/30"), Ok(7_000));
        assert!(split("70/31").is_err() && split("70").is_err() && split("-1/101").is_err());
        assert_eq!(fallback("25/75"), Ok(Fallback::Split { provider_bps: 2_500 }));
        assert!(fallback("half").is_err());
        assert_eq!(metric("accuracy=9500").unwrap().bps, 9_500);
        assert_eq!(
            (measured("99%"), measured("99.9%"), measured("9990")),
            (Ok(9_900), Ok(9_990), Ok(9_990))
        );
        assert_eq!(
            (measured("0"), measured("0.5%"), measured("100%")),
            (Ok(0), Ok(50), Ok(10_000))
        );
        assert!(["99", "1", "100", "101%", "1e1%", "-1%", "10001"]
            .iter()
            .all(|t| measured(t).is_err()));
        assert!(metric("accuracy").is_err() && metric("accuracy=10001").is_err());
        let bob = account("//Bob").unwrap();
        assert_eq!(account(&bob.to_string()), Ok(bob));
        assert_eq!((tokens("1000"), tokens("1,000_000")), (Ok(1_000), Ok(1_000_000)));
        assert_eq!(price("0.5"), Ok(500_000));
        assert!(["0", "0.0", "0,5", "-1", "1e3"].iter().all(|bad| price(bad).is_err()));
        assert!([
            "0",
            "",
            "1.5",
            "1,5",
            "1,50",
            "1,0000",
            ",100",
            "1_5",
            "-1",
            "+1",
            &"9".repeat(40)
        ]
        .iter()
        .all(|bad| tokens(bad).is_err()));
        assert!("claude".parse::<Framework>().is_ok() && "Claude".parse::<Framework>().is_err());
        assert!(account("bob").is_err() && name("Upper").is_err());
        assert_eq!(hash(&"ab".repeat(32)), Ok([0xab; 32]));
    }
}

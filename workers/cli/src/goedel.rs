//! Gödel numbers of the state of the 71 shards.

use crate::reply::{Failure, Outcome, Reply};
use cicada_core::goedel::{decode, encode, Exponents, GoedelError, MAX_BITS, SHARDS};
use cicada_core::hash::Native;
use clap::{Args, Subcommand};
use num_bigint::BigUint;
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;

/// No vector's number has more digits: log₁₀ 2 is below 0.302.
const MAX_DIGITS: u64 = MAX_BITS * 302 / 1_000;

/// What can be done with Gödel numbers.
#[derive(Debug, Subcommand)]
pub enum GoedelCommand {
    Encode(EncodeArgs),
    Decode(DecodeArgs),
}

/// The number of a vector of scores: 2^a₀ · 3^a₁ · … · 353^a₇₀.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 goedel encode 3 0 2          # 2^3 · 5^2 = 200
  seq 71 | cicada71 goedel encode --json")]
pub struct EncodeArgs {
    /// The scores of the shards from the first on, at most 71 of at most 10,000; those left out are
    /// 0. Without any, they are read from --file or standard input.
    scores: Vec<String>,
    /// A file with the scores, separated by spaces, commas or lines.
    #[arg(long, conflicts_with = "scores")]
    file: Option<PathBuf>,
}

/// The vector of scores of a number.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cicada71 goedel decode 200            # 3 0 2
  cicada71 goedel encode 5 7 | cicada71 goedel decode

The time grows with the square of the number's length: half a minute for 10,000 in every shard.")]
pub struct DecodeArgs {
    /// The number in decimal digits; without it, it is read from --file or standard input.
    number: Option<String>,
    /// A file with the number.
    #[arg(long, conflicts_with = "number")]
    file: Option<PathBuf>,
}

/// `cicada71 goedel`.
pub fn goedel(command: GoedelCommand) -> Outcome {
    match command {
        GoedelCommand::Encode(args) => {
            let text = match args.scores.is_empty() {
                true => input(args.file)?,
                false => args.scores.join(" "),
            };
            encoded(&text)
        }
        GoedelCommand::Decode(args) => match args.number {
            Some(number) => decoded(&number),
            None => decoded(&input(args.file)?),
        },
    }
}

/// A file, or standard input; of either no more than any number needs.
fn input(file: Option<PathBuf>) -> Result<String, Failure> {
    let name = file.as_ref().map_or("standard input".into(), |path| path.display().to_string());
    let read = |source: &mut dyn Read| {
        let mut text = String::new();
        source.take(2 * MAX_DIGITS).read_to_string(&mut text).map(|_| text)
    };
    let text = match file {
        Some(path) => std::fs::File::open(path).and_then(|mut file| read(&mut file)),
        None => read(&mut std::io::stdin().lock()),
    };
    text.map_err(|error| Failure::Usage(format!("{name}: {error}")))
}

fn refused(error: GoedelError) -> Failure {
    Failure::Usage(error.to_string())
}

fn encoded(text: &str) -> Outcome {
    let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty());
    let mut scores = [0; SHARDS];
    let mut count = 0;
    for part in parts {
        let place = scores.get_mut(count).ok_or_else(|| {
            Failure::Usage(format!("there are {SHARDS} shards, and these are more scores"))
        })?;
        *place = part.parse().map_err(|_| {
            Failure::Usage(format!("'{part}' is no score: write whole numbers such as 3 0 2"))
        })?;
        count += 1;
    }
    if count == 0 {
        return Err(Failure::Usage("no scores: write for example 3 0 2".into()));
    }
    let exponents = Exponents::new(scores).map_err(refused)?;
    let number = encode(&exponents);
    Ok(reply(number.to_string(), &exponents, &number, |number, _| number.into()))
}

fn decoded(text: &str) -> Outcome {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    if u64::try_from(digits.len()).unwrap_or(u64::MAX) > MAX_DIGITS {
        return Err(refused(GoedelError::TooLarge));
    }
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| BigUint::parse_bytes(digits.as_bytes(), 10)).flatten();
    let number = number.ok_or_else(|| {
        Failure::Usage("this is no number: write decimal digits only, such as 200".into())
    })?;
    let exponents = decode(&number).map_err(refused)?;
    Ok(reply(digits, &exponents, &number, |_, exponents| {
        let scores = exponents.as_array();
        let last = scores.iter().rposition(|score| *score > 0).map_or(1, |last| last + 1);
        let shown: Vec<String> = scores.iter().take(last).map(u32::to_string).collect();
        shown.join(" ")
    }))
}

fn reply(
    digits: String,
    exponents: &Exponents,
    number: &BigUint,
    text: impl Fn(&str, &Exponents) -> String,
) -> Reply {
    let commitment = exponents.commitment::<Native>();
    let json = json!({
        "number": digits, "bits": number.bits(), "exponents": &exponents.as_array()[..],
        "commitment": format!("0x{}", hex::encode(commitment)),
    });
    Reply::new(text(&digits, exponents), json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(outcome: Outcome) -> String {
        match outcome {
            Err(Failure::Usage(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_go_there_and_back() {
        let reply = encoded("3 0,2\n").unwrap();
        assert_eq!(reply.text, "200");
        assert_eq!(reply.value()["exponents"].as_array().unwrap().len(), 71);
        let back = decoded(" 200\n").unwrap();
        assert_eq!(
            (back.text.as_str(), &back.value()["commitment"]),
            ("3 0 2", &reply.value()["commitment"])
        );
        assert_eq!(decoded("1").unwrap().text, "0");
        let all = (1..=71).map(|score: u32| score.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(decoded(&encoded(&all).unwrap().text).unwrap().text, all);
    }

    #[test]
    fn what_is_no_vector_is_said() {
        assert!(usage(encoded("")).contains("no scores"));
        assert!(usage(encoded("1 -2")).contains("'-2'"));
        assert!(usage(encoded(&"1 ".repeat(72))).contains("71 shards"));
        assert!(usage(encoded("0 10001")).contains("shard 1 is above 10000"));
        assert!(usage(decoded("0")).contains("smallest is 1"));
        assert!(usage(decoded("0x10")).contains("decimal"));
        assert!(usage(decoded("359")).contains("none of the first 71 primes"));
        assert!(usage(decoded(&"9".repeat(1_500_000))).contains("greater than"));
    }
}

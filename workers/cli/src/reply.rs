//! What a command answers: lines for people or JSON for programs, and an exit status.

use cicada_chain::{CallOutcome, Underway};
use cicada_program::{complain, is_hidden, say, unsaid, visible, write_out};
use serde::Serialize;
use serde_json::json;
#[cfg(test)]
use serde_json::Value;
use std::future::Future;
use std::io::{stdout, IsTerminal};
use std::process::ExitCode;

/// A command's answer.
#[derive(Debug)]
pub struct Reply {
    /// For people.
    pub text: String,
    /// For programs: JSON.
    pub json: String,
    /// What is written in place of the text if no terminal shows it: byte for byte, no line end.
    pub raw: Option<zeroize::Zeroizing<Vec<u8>>>,
    /// Whether what was asked about holds: false leads to exit status 1.
    pub holds: bool,
}

impl Reply {
    /// An answer in both forms.
    pub fn new(text: impl Into<String>, json: impl Serialize) -> Self {
        let json = serde_json::to_string(&json).expect("its keys are texts");
        Self { text: text.into(), json, raw: None, holds: true }
    }

    #[cfg(test)]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap()
    }

    /// Prints it. Whoever reads it may have seen enough; what strangers wrote moves no cursor.
    pub fn print(&self, as_json: bool) {
        match &self.raw {
            _ if as_json => say!("{}", shown(&self.json)),
            Some(bytes) if !stdout().is_terminal() => write_out(bytes),
            _ => say!("{}", visible(self.text.trim_end())),
        }
    }
}

/// JSON in which nothing moves a cursor: what strangers wrote is escaped where a text would be.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// What a command answers that is done, by what is read afterwards. If that cannot be read it is done all
/// the same, and must not be repeated.
pub async fn after<T>(
    done: &CallOutcome<T>,
    what: &str,
    read: impl Future<Output = Outcome>,
) -> Outcome {
    Ok(match read.await {
        Ok(reply) => reply,
        Err(failure) => {
            let (block, why) = (done.block, failure.text());
            let text =
                format!("{what}: done in block {block}, but how it stands is not known: {why}");
            let json = json!({
                "done": what, "block": block, "transaction": done.transaction, "not_known": why,
            });
            Reply::new(text, json)
        }
    })
}

/// The exit status of a command that did what it should, if all of its answer could be written.
pub fn written(otherwise: ExitCode) -> ExitCode {
    match unsaid() {
        None => otherwise,
        Some(error) => {
            complain!("cicada71: the answer cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command did not do what it should.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Refused, or failed: exit status 1.
    Refused(String),
    /// Wrong usage: exit status 2.
    Usage(String),
    /// Not there, or not yet: exit status 3.
    NotFound(String),
    /// Sent, and perhaps done: exit status 4.
    Unknown(String, Underway),
    /// Done, but what it did is not known: exit status 4 too.
    Done(String),
}

/// The result of a command.
pub type Outcome = Result<Reply, Failure>;

impl Failure {
    /// What went wrong.
    pub fn text(&self) -> &str {
        match self {
            Self::Refused(text)
            | Self::Usage(text)
            | Self::NotFound(text)
            | Self::Done(text)
            | Self::Unknown(text, _) => text,
        }
    }

    /// The same, of a command that has done this much before.
    pub fn having(mut self, done: &str) -> Self {
        let (Self::Refused(text)
        | Self::Usage(text)
        | Self::NotFound(text)
        | Self::Done(text)
        | Self::Unknown(text, _)) = &mut self;
        *text = format!("{done}, and then: {text}");
        self
    }

    /// Prints it.
    pub fn print(&self, as_json: bool) {
        let (kind, text) = match self {
            Self::Refused(text) => ("refused", text),
            Self::Usage(text) => ("usage", text),
            Self::NotFound(text) => ("not found", text),
            Self::Unknown(text, _) => ("unknown", text),
            Self::Done(text) => ("done", text),
        };
        if as_json {
            let mut json = json!({ "error": text, "kind": kind });
            if let Self::Unknown(_, underway) = self {
                json["transaction"] = json!(underway.transaction);
                json["nonce"] = underway.nonce.into();
                json["valid_until_block"] = underway.valid_until.into();
            }
            say!("{}", shown(&json.to_string()));
        }
        complain!("cicada71: {text}");
    }

    /// Its exit status.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Unknown(..) | Self::Done(_) => 4,
        })
    }
}

impl From<cicada_market::Error> for Failure {
    fn from(error: cicada_market::Error) -> Self {
        let error = match error {
            cicada_market::Error::Network(error) => return error.into(),
            error => error,
        };
        let text = error.to_string();
        if let Some(underway) = error.underway() {
            return Self::Unknown(text, *underway);
        }
        if let cicada_market::Error::Chain(cicada_chain::Error::Unread { .. }) = &error {
            return Self::Done(text);
        }
        match error.is_absent() || error.is_early() {
            true => Self::NotFound(text),
            false => Self::Refused(text),
        }
    }
}

impl From<cicada_chain::Error> for Failure {
    fn from(error: cicada_chain::Error) -> Self {
        cicada_market::Error::from(error).into()
    }
}

impl From<cicada_network::Error> for Failure {
    fn from(error: cicada_network::Error) -> Self {
        match error {
            cicada_network::Error::Chain(error) => error.into(),
            cicada_network::Error::NotDeployed { .. } => Self::Usage(error.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<cicada_trade::Error> for Failure {
    fn from(error: cicada_trade::Error) -> Self {
        use cicada_trade::Error;
        if let Some(underway) = error.underway() {
            return Self::Unknown(error.to_string(), *underway);
        }
        match error {
            Error::NotListed(_) | Error::NoQuote(_) | Error::NoOrder(_) => {
                Self::NotFound(error.to_string())
            }
            Error::ZeroAmount | Error::BadPrice { .. } => Self::Usage(error.to_string()),
            Error::Chain { error } if matches!(error, cicada_chain::Error::Unread { .. }) => {
                Self::Done(error.to_string())
            }
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<cicada_files::Error> for Failure {
    fn from(error: cicada_files::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<cicada_payload::Error> for Failure {
    fn from(error: cicada_payload::Error) -> Self {
        match error {
            cicada_payload::Error::NotFound { .. } => Self::NotFound(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_contracts::types::AuctionError;
    use cicada_core::escrow::EscrowError;
    use cicada_core::hash::Digest;
    use parity_scale_codec::Encode;
    use std::fmt::Debug;

    fn refusal(why: &(impl Encode + Debug + 'static)) -> Failure {
        cicada_chain::Error::refusal_of("x", why, "It is so.").into()
    }

    #[test]
    fn json_moves_no_cursor_and_means_the_same() {
        let json = json!({ "text": "a\u{9b}31m\u{202e}b\u{e0001}ü" });
        let text = shown(&json.to_string());
        assert!(text.contains("\\u009b31m\\u202eb") && text.contains('ü'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json);
    }

    #[tokio::test]
    async fn what_is_done_and_cannot_be_read_is_done() {
        let done = CallOutcome {
            block: 7,
            block_hash: Digest::ZERO,
            transaction: Digest([9; 32]),
            gas_consumed: Default::default(),
            weight: Default::default(),
            fee: 0,
            returned: (),
            events: vec![],
        };
        let dead = async { Err(Failure::Refused("no node answers".into())) };
        let reply = after(&done, "the deposit", dead).await.expect("it is done");
        assert!(reply.holds && reply.text.contains("done in block 7"), "{}", reply.text);
        assert_eq!(
            (&reply.value()["block"], &reply.value()["not_known"]),
            (&7.into(), &"no node answers".into())
        );
    }

    #[test]
    fn what_fails_after_something_was_done_says_both_and_fails() {
        let failed = refusal(&AuctionError::NotEnded).having("expired escrow 3");
        let Failure::NotFound(text) = failed else { panic!("not yet") };
        assert!(text.starts_with("expired escrow 3, and then: x refuses: NotEnded"), "{text}");
    }

    #[test]
    fn not_yet_is_told_apart_from_refused() {
        assert!(matches!(refusal(&EscrowError::NotDue), Failure::NotFound(_)));
        assert!(matches!(
            refusal(&AuctionError::Escrow(EscrowError::NotFound)),
            Failure::NotFound(_)
        ));
        let Failure::Refused(text) = refusal(&AuctionError::TooLate) else { panic!("refused") };
        assert!(text.contains("TooLate") && text.contains("It is so."), "{text}");
        let absent = cicada_market::Error::NotFound { what: "offer", id: 3 };
        assert_eq!(Failure::from(absent), Failure::NotFound("there is no offer 3".into()));
    }
}

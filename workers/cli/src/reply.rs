//! What a command answers: lines for people or JSON for programs, and an exit status.

use cicada_chain::Underway;
use cicada_program::{complain, say, unsaid, visible, write_out};
use serde_json::{json, Value};
use std::io::{stdout, IsTerminal};
use std::process::ExitCode;

/// A command's answer.
#[derive(Debug)]
pub struct Reply {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// What is written in place of the text if no terminal shows it: byte for byte, no line end.
    pub raw: Option<zeroize::Zeroizing<Vec<u8>>>,
    /// Whether what was asked about holds: false leads to exit status 1.
    pub holds: bool,
}

impl Reply {
    /// An answer in both forms.
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, raw: None, holds: true }
    }

    /// Prints it. Whoever reads it may have seen enough; what strangers wrote moves no cursor.
    pub fn print(&self, as_json: bool) {
        match &self.raw {
            _ if as_json => say!("{}", self.json),
            Some(bytes) if !stdout().is_terminal() => write_out(bytes),
            _ => say!("{}", visible(self.text.trim_end())),
        }
    }
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
}

/// The result of a command.
pub type Outcome = Result<Reply, Failure>;

/// What contracts say when something is not there, or its time has not come.
const NOT_THERE: [&str; 5] = ["NotFound", "NotDue", "StillOpen", "LineOpen", "NotEnded"];

impl Failure {
    /// Prints it.
    pub fn print(&self, as_json: bool) {
        let (kind, text) = match self {
            Self::Refused(text) => ("refused", text),
            Self::Usage(text) => ("usage", text),
            Self::NotFound(text) => ("not found", text),
            Self::Unknown(text, _) => ("unknown", text),
        };
        if as_json {
            let mut json = json!({ "error": text, "kind": kind });
            if let Self::Unknown(_, underway) = self {
                json["transaction"] = format!("0x{}", hex::encode(underway.transaction)).into();
                json["nonce"] = underway.nonce.into();
                json["valid_until_block"] = underway.valid_until.into();
            }
            say!("{json}");
        }
        complain!("cicada71: {text}");
    }

    /// Its exit status.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Unknown(..) => 4,
        })
    }
}

impl From<cicada_market::Error> for Failure {
    fn from(error: cicada_market::Error) -> Self {
        let text = error.to_string();
        if let Some(underway) = error.underway() {
            return Self::Unknown(text, *underway);
        }
        let absent = matches!(error, cicada_market::Error::NotFound { .. });
        let refusal = error.refusal().unwrap_or_default();
        if absent || NOT_THERE.iter().any(|word| refusal.contains(word)) {
            Self::NotFound(text)
        } else {
            Self::Refused(text)
        }
    }
}

impl From<cicada_chain::Error> for Failure {
    fn from(error: cicada_chain::Error) -> Self {
        cicada_market::Error::from(error).into()
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
            Error::NoAddress { .. } | Error::ZeroAmount | Error::BadPrice { .. } => {
                Self::Usage(error.to_string())
            }
            other => Self::Refused(other.to_string()),
        }
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

    fn refusal(error: &str) -> Failure {
        let error = cicada_chain::Error::Contract {
            label: "x".into(),
            error: error.into(),
            explanation: "It is so.".into(),
        };
        error.into()
    }

    #[test]
    fn not_yet_is_told_apart_from_refused() {
        assert!(matches!(refusal("NotDue"), Failure::NotFound(_)));
        assert!(matches!(refusal("Escrow(NotFound)"), Failure::NotFound(_)));
        let Failure::Refused(text) = refusal("TooLate") else { panic!("refused") };
        assert!(text.contains("TooLate") && text.contains("It is so."), "{text}");
        let absent = cicada_market::Error::NotFound { what: "offer", id: 3 };
        assert_eq!(Failure::from(absent), Failure::NotFound("there is no offer 3".into()));
    }
}

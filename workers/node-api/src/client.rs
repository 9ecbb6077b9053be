//! Who asks: in one place, how long an answer may take and how long it may be.

use crate::{Failed, Node};
use cicada_program::{cause, read_answer};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The most of somebody's words that is kept, in characters, if they are no JSON.
const WORDS: usize = 300;

/// How long answers may take, and how long they may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a question may take.
    pub ask: Duration,
    /// How long a node shall try to get a proposal decided and certified.
    pub decide: Duration,
    /// How long its answer may take.
    pub propose: Duration,
    /// The longest answer about one thing, in bytes.
    pub one: usize,
    /// The longest list, in bytes.
    pub list: usize,
}

impl Default for Limits {
    /// Some views may pass before an honest node leads. 256 decided slots with their certificates are
    /// below 8 MiB; 23 observations and signatures below 8 KiB, and a basket with them below 64 KiB.
    fn default() -> Self {
        Self {
            ask: Duration::from_secs(5),
            decide: Duration::from_secs(15),
            propose: Duration::from_secs(20),
            one: 256 * 1024,
            list: 8 * 1024 * 1024,
        }
    }
}

/// Why there is no answer, or another than hoped for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody is there.
    #[error("{0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("{0}")]
    Silent(String),
    /// The answer breaks off, or is too long.
    #[error("{0}")]
    Broken(String),
    /// Another status than 200.
    #[error("answers {status}: {}", failed.why())]
    Refused {
        /// The status.
        status: u16,
        /// What is said.
        failed: Box<Failed>,
    },
    /// It is not of the form that it should have.
    #[error("answers in another form: {0}")]
    Form(String),
}

impl Error {
    /// The refusal with this status, if it is one.
    pub fn refused_with(&self, status: u16) -> Option<&Failed> {
        match self {
            Self::Refused { status: other, failed } if *other == status => Some(failed),
            _ => None,
        }
    }

    /// What the other side says, or why it says nothing.
    pub fn words(&self) -> String {
        match self {
            Self::Refused { failed, .. } => failed.why(),
            _ => self.to_string(),
        }
    }

    /// For a table: one or two words.
    pub fn short(&self) -> String {
        match self {
            Self::Unreachable(_) => "unreachable".into(),
            Self::Silent(_) => "silent".into(),
            Self::Refused { status, .. } => match StatusCode::from_u16(*status) {
                Ok(status) => status.to_string(),
                Err(_) => status.to_string(),
            },
            Self::Broken(reason) => reason.clone(),
            Self::Form(_) => "answers, but is no such node".into(),
        }
    }
}

/// Asks nodes, and whoever else answers like them.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    limits: Limits,
}

impl Client {
    /// One with the usual limits.
    ///
    /// # Errors
    /// If the system has no room for one.
    pub fn new() -> reqwest::Result<Self> {
        Self::with(Limits::default())
    }

    /// One with limits of its own.
    ///
    /// # Errors
    /// If the system has no room for one.
    pub fn with(limits: Limits) -> reqwest::Result<Self> {
        Ok(Self { http: cicada_program::client(limits.ask, limits.ask)?, limits })
    }

    /// The node at an address.
    pub fn node(&self, url: impl Into<String>) -> Node {
        Node::new(self.clone(), url.into())
    }

    /// Asks anybody about one thing.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, Error> {
        answer(self.http.get(url), self.limits.one).await
    }

    pub(crate) async fn list<T: DeserializeOwned>(&self, url: &str) -> Result<T, Error> {
        answer(self.http.get(url), self.limits.list).await
    }

    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.http.post(url).timeout(self.limits.propose)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Sends a question and reads its answer, which has at most so many bytes.
pub(crate) async fn answer<T: DeserializeOwned>(
    question: RequestBuilder,
    most: usize,
) -> Result<T, Error> {
    let answer = question.send().await.map_err(|error| {
        let reason = cause(&error);
        match (error.is_connect(), error.is_timeout()) {
            (true, _) => Error::Unreachable(reason),
            (_, true) => Error::Silent(reason),
            _ => Error::Broken(reason),
        }
    })?;
    let (status, body) = read_answer(answer, most).await.map_err(Error::Broken)?;
    if status != 200 {
        return Err(Error::Refused { status, failed: Box::new(failed(&body)) });
    }
    serde_json::from_slice(&body).map_err(|error| Error::Form(error.to_string()))
}

fn failed(body: &[u8]) -> Failed {
    serde_json::from_slice(body).unwrap_or_else(|_| Failed {
        error: String::from_utf8_lossy(body).trim().chars().take(WORDS).collect(),
        ..Failed::default()
    })
}

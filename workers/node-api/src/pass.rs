//! What lets a proposal into a node.

use cicada_network::{Proposer, TOKEN_HEADER};

/// What lets a proposal into a node.
#[derive(Clone)]
pub enum Pass {
    /// The signature of a seat.
    Seat(Proposer),
    /// The token of a node of this machine.
    Token(String),
}

impl Pass {
    /// The headers of a request with this body to the node of a seat.
    pub fn headers(&self, seat: u8, body: &[u8]) -> Vec<(&'static str, String)> {
        match self {
            Self::Seat(proposer) => proposer.headers(seat, body).into(),
            Self::Token(token) => vec![(TOKEN_HEADER, token.clone())],
        }
    }
}

//! What lets a proposal into a node.

use anyhow::{Context, Result};
use cicada_network::{read_token, Network, NodeKeys, Proposer, TOKEN_HEADER};
use std::path::Path;
use std::sync::Arc;

/// What lets a proposal into a node.
pub enum Pass {
    /// The signature of a seat.
    Seat(Proposer),
    /// The token of a node of this machine.
    Token(String),
}

impl Pass {
    /// By the keys of a seat.
    pub fn of_keys(network: &Network, path: &Path) -> Result<Self> {
        let keys = NodeKeys::load(path)
            .context("a proposal is signed by a seat: name its key file with --keys, or --token")?;
        let proposer = Proposer::of(network, Arc::new(keys));
        let proposer = proposer.with_context(|| {
            format!("{} holds the keys of no seat of this network", path.display())
        })?;
        Ok(Self::Seat(proposer))
    }

    /// By the token of a node.
    pub fn of_token(path: &Path) -> Result<Self> {
        Ok(Self::Token(read_token(path)?))
    }

    /// The headers of a request with this body to the node of a seat.
    pub fn headers(&self, seat: usize, body: &[u8]) -> Vec<(&'static str, String)> {
        match self {
            // No network has more seats.
            Self::Seat(proposer) => {
                proposer.headers(u8::try_from(seat).unwrap_or(u8::MAX), body).into()
            }
            Self::Token(token) => vec![(TOKEN_HEADER, token.clone())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::certified;

    #[test]
    fn a_proposal_needs_the_keys_of_a_seat_or_a_token() {
        let (mut network, ..) = certified();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let error = |network: &Network| Pass::of_keys(network, &path).err().unwrap().to_string();
        assert!(error(&network).contains("--keys"));
        let keys = NodeKeys::generate(&path).unwrap();
        assert!(error(&network).contains("of no seat"));
        network.nodes[4].consensus_key = keys.consensus_key();
        let headers = Pass::of_keys(&network, &path).unwrap().headers(3, b"value");
        assert_eq!(headers[0], ("x-cicada-seat", "4".into()));
        let token = cicada_network::make_token(&dir.path().join("t")).unwrap();
        let headers = Pass::of_token(&dir.path().join("t")).unwrap().headers(3, b"value");
        assert_eq!(headers, [(TOKEN_HEADER, token)]);
    }
}

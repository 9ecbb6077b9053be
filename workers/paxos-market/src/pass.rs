//! What lets a proposal into a node.

use anyhow::{Context, Result};
use cicada_network::{read_token, Network, NodeKeys, Proposer};
use cicada_node_api::Pass;
use std::path::Path;
use std::sync::Arc;

/// The keys of a seat.
pub fn of_keys(network: &Network, path: &Path) -> Result<Pass> {
    let keys = NodeKeys::load(path)
        .context("a proposal is signed by a seat: name its key file with --keys, or --token")?;
    let proposer = Proposer::of(network, Arc::new(keys));
    let proposer = proposer
        .with_context(|| format!("{} holds the keys of no seat of this network", path.display()))?;
    Ok(Pass::Seat(proposer))
}

/// The token of a node.
pub fn of_token(path: &Path) -> Result<Pass> {
    Ok(Pass::Token(read_token(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::network;
    use cicada_network::TOKEN_HEADER;

    #[test]
    fn a_proposal_needs_the_keys_of_a_seat_or_a_token() {
        let mut network = network();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let error = |network: &Network| of_keys(network, &path).err().unwrap().to_string();
        assert!(error(&network).contains("--keys"));
        let keys = NodeKeys::generate(&path).unwrap();
        assert!(error(&network).contains("of no seat"));
        network.nodes[4].consensus_key = keys.consensus_key();
        let headers = of_keys(&network, &path).unwrap().headers(3, b"value");
        assert_eq!(headers[0], ("x-cicada-seat", "4".into()));
        let token = cicada_network::make_token(&dir.path().join("t")).unwrap();
        let headers = of_token(&dir.path().join("t")).unwrap().headers(3, b"value");
        assert_eq!(headers, [(TOKEN_HEADER, token)]);
    }
}

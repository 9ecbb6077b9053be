//! Nothing: the manifest names the peer.

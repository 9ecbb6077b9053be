//! Models of the consensus, checked by Stateright against the real code.
//!
//! Nothing of the protocol is written down a second time here: every transition of a model is
//! a call of `cicada_consensus`. A model only says who may bring which message to whom.
//!
//! | module | what it drives |
//! |---|---|
//! | [`byzantine`] | `byzantine::Acceptor`, `Justification::judge` and `QuorumCertificate`, among liars |
//! | [`crash`] | the whole `Node` in crash mode, with lost and repeated messages and restarts |
//! | [`suite`] | which models are run, with which bounds, and what must come out |

pub mod byzantine;
pub mod crash;
pub mod run;
pub mod suite;

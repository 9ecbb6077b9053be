//! Who proposed a value, and from when on he may: so that nobody is always the first who chooses
//! whose observations stand in a NAV.
//!
//! A value of the NAV, the basket or the rewards ends with its proposer: his seat, and its
//! signature. A leader can change neither, so one that lies waits for its turn
//! like anybody. What is attested is the report alone.

use super::line::Limit;
use cicada_consensus::{Now, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::Hash;
use cicada_core::report::{Report, ReportKind};
use cicada_core::rewards::Award;
use cicada_core::{basket as baskets, nav as navs, rewards as awards};
use cicada_network::{proposer_message, Network, PublicKeys, Rules};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::sync::Arc;

/// Who proposed a value, in SCALE behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposer {
    /// The seat.
    pub seat: Seat,
    /// Its signature of the value before it, under the rules of the network.
    pub signature: Signature,
}

/// Whether the values of a feed end with their proposer. In a leaderboard nothing is his choice but
/// the time.
fn is_proposed(kind: ReportKind) -> bool {
    matches!(kind, ReportKind::Nav | ReportKind::Basket | ReportKind::Rewards)
}

/// A value as it goes into the log, from what its proposer signed.
pub fn seal(report: &Report, content: &[u8], proposer: &Proposer) -> Vec<u8> {
    match is_proposed(report.feed.kind) {
        true => [content, &proposer.encode()].concat(),
        false => content.to_vec(),
    }
}

/// What was proposed, without its proposer, and him, if the value names one. Without one it may
/// stand in a log, from before there were turns; nobody votes for it any more.
pub fn open(value: &[u8]) -> (&[u8], Option<Proposer>) {
    let whole = (value, None);
    let Some(report) = super::begin(value).filter(|report| is_proposed(report.feed.kind)) else {
        return whole;
    };
    let mut rest = value;
    let read = match report.feed.kind {
        ReportKind::Nav => navs::Proposal::decode(&mut rest).is_ok(),
        ReportKind::Basket => baskets::agreed::Proposal::decode(&mut rest).is_ok(),
        _ => awards::Proposal::decode(&mut rest).is_ok(),
    };
    let content = value.len().checked_sub(rest.len()).and_then(|length| value.get(..length));
    match (content, Proposer::decode_all(&mut &rest[..])) {
        (Some(content), Ok(proposer)) if read => (content, Some(proposer)),
        // What follows is no proposer: who reads the content says so.
        _ => whole,
    }
}

/// From when on a slot is to be proposed: a NAV and a basket from their time on, an award from the
/// end of its epoch. That they are the right ones, the node compares with its own validator.
fn due_ms(report: &Report, content: &[u8]) -> Option<u64> {
    match report.feed.kind {
        ReportKind::Rewards => {
            <(Report, Award)>::decode(&mut &content[..]).ok().map(|(_, award)| award.end_ms)
        }
        _ => Some(report.time_ms),
    }
}

/// What a node needs to judge whose turn it is.
pub(super) struct Turns {
    rules: Rules,
    rules_digest: Hash,
    members: Arc<PublicKeys>,
    seats: u8,
}

impl Turns {
    /// Those of a feed whose values end with their proposer.
    pub(super) fn of(
        kind: ReportKind,
        network: &Network,
        members: &Arc<PublicKeys>,
    ) -> Option<Self> {
        let rules = network.rules;
        (is_proposed(kind) && rules.turn_delay_ms > 0).then(|| Self {
            rules,
            rules_digest: network.rules_digest(),
            members: members.clone(),
            seats: u8::try_from(network.nodes.len()).unwrap_or(u8::MAX),
        })
    }

    /// Whether who proposed a fresh value may do so by now.
    ///
    /// # Errors
    /// In words.
    pub(super) fn allow(
        &self,
        report: &Report,
        content: &[u8],
        proposer: Option<Proposer>,
        (now, limit): (Now, Limit),
    ) -> Result<(), String> {
        let Proposer { seat, signature } = proposer.ok_or("it does not say who proposed it")?;
        let due_ms = due_ms(report, content).ok_or("not an award")?;
        let (slot, seats) = (report.slot, self.seats);
        let from_ms = match limit {
            Limit::Vote => self.rules.turn_ms(due_ms, slot, seat, seats),
            Limit::Lead => self.rules.lead_ms(due_ms, slot, seat, seats),
        };
        let wait_ms = from_ms.saturating_sub(now.wall_ms);
        if wait_ms > 0 {
            return Err(format!("slot {slot} is seat {seat}'s to propose {wait_ms} ms from now"));
        }
        let message = proposer_message(&self.rules_digest, content);
        match self.members.verify_consensus(seat, &message, &signature) {
            true => Ok(()),
            false => Err(format!("the signature of seat {seat}, who proposed it, is forged")),
        }
    }
}

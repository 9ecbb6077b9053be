//! What the nodes have decided already.

use crate::{verify, Asked, Committee, Error, Verified};
use cicada_core::feed::FeedValue;
use cicada_core::report::Feed;
use cicada_node_api::{Decided, Node, Nodes, Scale};
use std::collections::{BTreeMap, BTreeSet};

/// What a node has decided and certified for a slot, if it has.
///
/// # Errors
/// If it does not answer, has no certificate of it yet, or says what is not true.
pub async fn certified<V: FeedValue>(
    node: &Node,
    committee: &Committee,
    asked: &Asked,
) -> Result<Option<Verified<V>>, Error> {
    let decided = node.decided::<V>(V::KIND, asked.slot).await?;
    decided.map(|decided| take(committee, asked, decided)).transpose()
}

/// What a node says that it has decided and certified for a slot.
///
/// # Errors
/// If it has no certificate of it yet, or it is not true.
pub fn take<V: FeedValue>(
    committee: &Committee,
    asked: &Asked,
    Decided { proposal: Scale(value), certificate, .. }: Decided<V>,
) -> Result<Verified<V>, Error> {
    let uncertified = Error::Uncertified { slot: asked.slot };
    let Scale(certificate) = certificate.ok_or(uncertified)?;
    asked.check(value.report())?;
    Ok(verify(committee, &asked.feed, value, certificate)?)
}

/// What is decided for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken<V> {
    /// And certified.
    Certified(Verified<V>),
    /// So many nodes say so that one of them is honest; a certificate is still to be had.
    Decided(V),
}

/// The slots of a feed after `slot` that are decided: those for which a node shows a genuine certificate,
/// and those that `enough` nodes name alike, so that one of them is honest. And the seats that did not
/// answer.
pub async fn decided_after<V: FeedValue + Clone + PartialEq>(
    nodes: &Nodes,
    committee: &Committee,
    feed: &Feed,
    (slot, enough): (u64, u8),
) -> (BTreeMap<u64, Taken<V>>, Vec<u8>) {
    let mut heard = Heard::new(committee, *feed, slot);
    let mut silent = Vec::new();
    for (seat, answer) in (0u8..).zip(nodes.decided_after(V::KIND, slot).await) {
        match answer {
            Ok(list) => heard.add(list),
            Err(_) => silent.push(seat),
        }
    }
    (heard.decided(enough), silent)
}

/// A value that nodes call decided.
struct Claim<V> {
    value: V,
    verified: Option<Verified<V>>,
    /// How many call it so.
    count: usize,
}

/// What nodes say is decided, by slot.
struct Heard<'a, V> {
    committee: &'a Committee,
    feed: Feed,
    after: u64,
    claims: BTreeMap<u64, Vec<Claim<V>>>,
}

impl<'a, V: FeedValue + Clone + PartialEq> Heard<'a, V> {
    /// Nobody has said anything of a feed after a slot.
    fn new(committee: &'a Committee, feed: Feed, after: u64) -> Self {
        Self { committee, feed, after, claims: BTreeMap::new() }
    }

    /// Adds what one node says.
    fn add(&mut self, list: Vec<Decided<V>>) {
        let mut named = BTreeSet::new();
        for Decided { slot, proposal: Scale(value), certificate, .. } in list {
            let report = value.report();
            if slot <= self.after || slot != report.slot || report.feed != self.feed {
                continue;
            }
            let claims = self.claims.entry(slot).or_default();
            let at = claims.iter().position(|claim| claim.value == value).unwrap_or_else(|| {
                claims.push(Claim { value, verified: None, count: 0 });
                claims.len().saturating_sub(1)
            });
            let Some(claim) = claims.get_mut(at) else { continue };
            // However often it says so.
            if named.insert((slot, at)) {
                claim.count = claim.count.saturating_add(1);
            }
            // One genuine certificate is enough.
            if let (None, Some(Scale(certificate))) = (&claim.verified, certificate) {
                let value = claim.value.clone();
                claim.verified = verify(self.committee, &self.feed, value, certificate).ok();
            }
        }
    }

    /// What is sure if `enough` nodes cannot all lie.
    fn decided(self, enough: u8) -> BTreeMap<u64, Taken<V>> {
        let sure = |claim: Claim<V>| match claim.verified {
            Some(verified) => Some(Taken::Certified(verified)),
            None => (claim.count >= usize::from(enough)).then_some(Taken::Decided(claim.value)),
        };
        let slot = |(slot, mut claims): (u64, Vec<Claim<V>>)| {
            claims.sort_by_key(|claim| claim.verified.is_none());
            Some((slot, claims.into_iter().find_map(sure)?))
        };
        self.claims.into_iter().filter_map(slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stage;
    use crate::Invalid;
    use cicada_core::certificate::Certificate;
    use cicada_core::hash::Digest;
    use cicada_core::leaderboard::Proposal;
    use cicada_core::Account;

    fn said(stage: &Stage, certificate: Option<Certificate>) -> Vec<Decided<Proposal>> {
        let certificate = certificate.map(Scale);
        let (digest, proposal) = (Scale(Digest::ZERO), Scale(stage.value()));
        vec![Decided { slot: 1, digest, proposal, proposer: None, certificate }]
    }

    #[test]
    fn a_genuine_certificate_of_any_node_is_taken() {
        let stage = Stage::new();
        let certificate = stage.certificate();
        let mut forged = certificate.clone();
        forged.signatures[0][5] ^= 1;
        let mut heard = Heard::new(&stage.committee, stage.feed(), 0);
        for shown in [None, Some(forged.clone()), Some(certificate), None, Some(forged)] {
            heard.add(said(&stage, shown));
        }
        assert_eq!(heard.decided(8)[&1], Taken::Certified(stage.verified()));
    }

    #[test]
    fn what_is_taken_is_certified_and_of_the_slot_that_was_asked_for() {
        let stage = Stage::new();
        let asked = Asked::of(&stage.value().report);
        let take = |asked: Asked, certificate| {
            let decided = said(&stage, certificate).remove(0);
            take(&stage.committee, &asked, decided)
        };
        let certificate = || Some(stage.certificate());
        assert_eq!(take(asked, certificate()).unwrap(), stage.verified());
        assert!(matches!(take(asked, None), Err(Error::Uncertified { slot: 1 })));
        for other in [Asked { slot: 2, ..asked }, Asked { previous: Digest([7; 32]), ..asked }] {
            let wrong = take(other, certificate());
            assert!(matches!(wrong, Err(Error::Invalid(Invalid::AnotherSlot { .. }))));
        }
    }

    #[test]
    fn what_was_not_asked_for_is_passed_over() {
        let stage = Stage::new();
        let other = Feed { contract: Account([9; 32]), ..stage.feed() };
        for (feed, after) in [(stage.feed(), 1), (other, 0)] {
            let mut heard = Heard::new(&stage.committee, feed, after);
            heard.add(said(&stage, Some(stage.certificate())));
            assert!(heard.decided(1).is_empty());
        }
        let mut heard = Heard::new(&stage.committee, stage.feed(), 0);
        let mut of_two = said(&stage, Some(stage.certificate()));
        of_two[0].slot = 2;
        heard.add(of_two);
        assert!(heard.decided(1).is_empty(), "the slot of its report is another");
    }

    #[test]
    fn a_node_that_says_it_eight_times_has_said_it_once() {
        let stage = Stage::new();
        let eight: Vec<_> = (0..8).flat_map(|_| said(&stage, None)).collect();
        let mut heard = Heard::new(&stage.committee, stage.feed(), 0);
        heard.add(eight);
        assert!(heard.decided(2).is_empty());
    }

    #[test]
    fn without_a_certificate_more_nodes_must_say_so_than_can_lie() {
        let stage = Stage::new();
        let said_by = |count: usize| {
            let mut heard = Heard::new(&stage.committee, stage.feed(), 0);
            (0..count).for_each(|_| heard.add(said(&stage, None)));
            heard.decided(8)
        };
        assert!(said_by(7).is_empty());
        assert_eq!(said_by(8)[&1], Taken::Decided(stage.value()));
    }
}

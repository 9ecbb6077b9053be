//! Two decisions at one position convict at least 9 of 23, and nobody who is honest.

mod common;

use cicada_audit::{Charge, Pool, Verifier};
use cicada_consensus::byzantine::{Mandate, QuorumCertificate};
use cicada_consensus::{Claim, Justification, Keys, Seat, View};
use common::{config, stamps, World};
use proptest::prelude::*;
use std::collections::BTreeSet;

const N: u8 = 23;
const POSITION: u64 = 5;
const ONE: &[u8] = b"one";
const OTHER: &[u8] = b"other";

/// Who lies, and the two quorums that share nobody but liars.
struct Plot {
    liars: Vec<Seat>,
    first: Vec<Seat>,
    second: Vec<Seat>,
}

impl Plot {
    // Of the seats in this order, the first lie; the rest are told one thing or the other.
    fn of(order: &[Seat], liars: usize) -> Self {
        let (liars, honest) = order.split_at(liars);
        let half = honest.len() / 2;
        let quorum = |honest: &[Seat]| -> Vec<Seat> {
            let mut seats: Vec<Seat> = honest.iter().chain(liars).take(16).copied().collect();
            seats.sort_unstable();
            seats
        };
        let (first, second) = (quorum(&honest[..half]), quorum(&honest[half..]));
        Self { liars: liars.to_vec(), first, second }
    }

    fn world(&self) -> World<common::Stamp> {
        let configs = (0..N).map(|seat| config(N, seat)).collect();
        World::new(configs, stamps(N), self.liars.iter().copied().collect())
    }
}

fn nine() -> Plot {
    Plot::of(&(0..N).collect::<Vec<_>>(), 9)
}

fn guilty<V: Verifier>(pool: &Pool<'_, V>) -> BTreeSet<Seat> {
    pool.verdicts().into_keys().collect()
}

/// Both decided in the first view.
fn in_one_view<K: Keys>(world: &mut World<K>, plot: &Plot) -> [QuorumCertificate; 2] {
    let mandate = Mandate::first();
    let prepared = world.prepare(&plot.first, &mandate, POSITION, ONE);
    let first = world.commit(&plot.first, &prepared, ONE);
    let prepared = world.prepare(&plot.second, &mandate, POSITION, OTHER);
    [first, world.commit(&plot.second, &prepared, OTHER)]
}

/// Decided in the first view; the liars hide it, and something else is decided in `view`.
fn across_views<K: Keys>(
    world: &mut World<K>,
    plot: &Plot,
    view: View,
) -> ([QuorumCertificate; 2], Justification) {
    let prepared = world.prepare(&plot.first, &Mandate::first(), POSITION, ONE);
    let first = world.commit(&plot.first, &prepared, ONE);
    let pledges = world.pledge(&plot.second, view, &[]);
    let justification = Justification { pledges, tip: None, locks: vec![] };
    let mandate = world.judge(&justification);
    let prepared = world.prepare(&plot.second, &mandate, POSITION, OTHER);
    ([first, world.commit(&plot.second, &prepared, OTHER)], justification)
}

#[test]
fn two_decisions_in_one_view_convict_nine() {
    let plot = nine();
    let mut world = plot.world();
    let certificates = in_one_view(&mut world, &plot);
    let mut pool = world.pool();
    for certificate in &certificates {
        pool.add_certificate(certificate).unwrap();
    }
    assert_eq!(guilty(&pool), world.liars);
    assert_eq!(pool.conflicts().collect::<Vec<_>>(), [POSITION]);
    for charges in pool.verdicts().values() {
        assert!(matches!(&charges[..], [Charge::Equivocation { .. }]), "{charges:?}");
    }
}

#[test]
fn two_decisions_in_different_views_convict_nine_by_their_pledges() {
    let plot = nine();
    let mut world = plot.world();
    let (certificates, justification) = across_views(&mut world, &plot, 4);
    let mut pool = world.pool();
    for certificate in &certificates {
        pool.add_certificate(certificate).unwrap();
    }
    assert_eq!(guilty(&pool), BTreeSet::new(), "one value per view is no lie by itself");
    assert_eq!(pool.conflicts().collect::<Vec<_>>(), [POSITION]);
    pool.add_justification(&justification).unwrap();
    assert_eq!(guilty(&pool), world.liars);
    for charges in pool.verdicts().values() {
        assert!(matches!(&charges[..], [Charge::HiddenLock { .. }]), "{charges:?}");
    }
}

#[test]
fn a_lock_on_another_value_of_the_same_view_hides_nothing() {
    let plot = nine();
    let mut world = plot.world();
    let mandate = Mandate::first();
    // Both values are prepared in the first view, but only one of them is decided there.
    let prepared = world.prepare(&plot.first, &mandate, POSITION, ONE);
    let first = world.commit(&plot.first, &prepared, ONE);
    let rival = world.prepare(&plot.second, &mandate, POSITION, OTHER);
    world.commit(&plot.second, &rival, OTHER);
    let lie = Claim { position: POSITION, view: 1, digest: rival.statement.digest };
    let pledges = world.pledge(&plot.second, 2, &[lie]);
    let justification = Justification { pledges, tip: None, locks: vec![rival] };
    let mandate = world.judge(&justification);
    let prepared = world.prepare(&plot.second, &mandate, POSITION, OTHER);
    let second = world.commit(&plot.second, &prepared, OTHER);
    let mut pool = world.pool();
    pool.add_certificate(&first).unwrap();
    pool.add_certificate(&second).unwrap();
    pool.add_justification(&justification).unwrap();
    assert_eq!(guilty(&pool), world.liars);
}

#[test]
fn honest_locks_that_a_later_view_keeps_convict_nobody() {
    let plot = nine();
    let mut world = plot.world();
    let prepared = world.prepare(&plot.first, &Mandate::first(), POSITION, ONE);
    let first = world.commit(&plot.first, &prepared, ONE);
    let truth = Claim { position: POSITION, view: 1, digest: first.statement.digest };
    let pledges = world.pledge(&plot.second, 2, &[truth]);
    let justification = Justification { pledges, tip: None, locks: vec![prepared] };
    let mandate = world.judge(&justification);
    let prepared = world.prepare(&plot.second, &mandate, POSITION, ONE);
    let second = world.commit(&plot.second, &prepared, ONE);
    let mut pool = world.pool();
    pool.add_certificate(&first).unwrap();
    pool.add_certificate(&second).unwrap();
    pool.add_justification(&justification).unwrap();
    assert_eq!(guilty(&pool), BTreeSet::new());
    assert_eq!(pool.conflicts().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_they_are_at_least_nine_are_convicted_and_nobody_honest(
        order in Just((0..N).collect::<Vec<_>>()).prop_shuffle(),
        liars in 9usize..=15,
        view in 1u64..9,
    ) {
        let plot = Plot::of(&order, liars);
        let mut world = plot.world();
        let (certificates, justification) = match view {
            1 => (in_one_view(&mut world, &plot), None),
            view => {
                let (certificates, justification) = across_views(&mut world, &plot, view);
                (certificates, Some(justification))
            }
        };
        let mut pool = world.pool();
        for certificate in &certificates {
            prop_assert_eq!(pool.add_certificate(certificate), Ok(()));
        }
        if let Some(justification) = justification {
            prop_assert_eq!(pool.add_justification(&justification), Ok(()));
        }
        let guilty = guilty(&pool);
        prop_assert!(guilty.len() >= 9);
        prop_assert!(guilty.is_subset(&world.liars), "{:?} of {:?}", guilty, world.liars);
    }
}

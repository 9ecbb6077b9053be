//! What can be seen of a validator, as JSON. Amounts are strings: numbers in JSON are not exact.

use crate::epochs::{running, standings, Running, Standings};
use crate::rows::{Epoch, Penalty, SettledNav};
use crate::service::App;
use cicada_core::nav::deviation_bps_ceil;
use cicada_core::rewards::{rank, Tier};
use cicada_core::slashing::{Bands, Rates};
use serde_json::{json, Value};
use std::collections::BTreeSet;

/// NAVs in one answer.
const NAVS: usize = 60;
/// Penalties in one answer.
const PENALTIES: usize = 1_000;

/// The name of a variant, as `nav_deviation`.
fn lower(value: impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{value:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The tier of a place, from 1.
fn tier(place: usize) -> Option<String> {
    let mut end = 0;
    Tier::ALL.into_iter().find_map(|tier| {
        end += tier.places();
        (place <= end).then(|| lower(tier))
    })
}

/// A settled NAV.
pub fn settled((slot, nav): &(u64, SettledNav)) -> Value {
    json!({
        "slot": slot,
        "nav_e18": nav.nav_e18.to_string(),
        "time_ms": nav.time_ms,
        "committee": nav.epoch,
        "signers": nav.signers.count_ones(),
        "observers": nav.observers.count_ones(),
        "digest": nav.digest,
    })
}

/// The ranking of the epoch that runs.
///
/// # Errors
/// If the store cannot be read, or the epoch cannot be computed.
pub fn rankings(app: &App) -> anyhow::Result<Option<Value>> {
    let Some(schedule) = &app.schedule else {
        return Ok(None);
    };
    let now = running(&app.store, schedule)?;
    let block = app.store.cursor()?.map_or(0, |cursor| cursor.block);
    let standings = standings(&app.store, &now, block.saturating_add(1))?;
    Ok(Some(ranking(&now, block, &standings)))
}

fn ranking(now: &Running, block: u64, standings: &Standings) -> Value {
    let spikes: BTreeSet<_> = standings.spikes.iter().collect();
    let row = |(place, score): (usize, cicada_core::scores::Score)| {
        let activities = &standings.tally.activities;
        let activity = activities.binary_search_by_key(&score.miner, |activity| activity.miner);
        let activity = activity.ok().and_then(|at| activities.get(at));
        json!({
            "rank": score.registered.then_some(place),
            "miner": score.miner.to_string(),
            "tier": score.registered.then(|| tier(place)).flatten(),
            "score_e9": score.final_e9.to_string(),
            "volume_e9": score.volume_e9.to_string(),
            "frequency_e9": score.frequency_e9.to_string(),
            "consistency_e9": score.consistency_e9.to_string(),
            "minted": activity.map(|activity| activity.minted.to_string()),
            "redeemed": activity.map(|activity| activity.redeemed.to_string()),
            "transactions": activity.map(|activity| activity.transactions),
            "last_ms": score.last_ms,
            "flags": if spikes.contains(&score.miner) { vec!["volume_spike"] } else { vec![] },
        })
    };
    let mut ignored = std::collections::BTreeMap::<String, u64>::new();
    for (_, reason) in &standings.tally.ignored {
        *ignored.entry(lower(reason)).or_default() += 1;
    }
    json!({
        "epoch": now.state.epoch.saturating_add(1),
        "start_ms": now.state.end_ms,
        "end_ms": now.end_ms,
        "block": block,
        "ignored": ignored,
        "rankings": (1..).zip(rank(&standings.scores)).map(row).collect::<Vec<_>>(),
    })
}

/// An epoch that is over, with its first `miners`.
pub fn epoch(epoch: &Epoch, settled: u64, miners: usize) -> Value {
    let award = &epoch.award;
    let row = |place: &cicada_core::rewards::Placement| {
        json!({
            "rank": place.rank,
            "miner": place.miner.to_string(),
            "tier": place.tier.map(lower),
            "base": place.base.to_string(),
            "bonus": place.bonus.to_string(),
        })
    };
    let paid = |paid: &cicada_core::rewards::Payout| json!({ "validator": paid.account.to_string(), "amount": paid.amount.to_string() });
    json!({
        "epoch": award.epoch,
        "start_ms": award.start_ms,
        "end_ms": award.end_ms,
        "closed_by_block": epoch.closed_by,
        "on_chain": award.epoch <= settled,
        "pool": award.pool.to_string(),
        "carried_in": award.carried_in.to_string(),
        "awarded": award.awarded.to_string(),
        "carried_out": award.carried_out.to_string(),
        "claims": award.claims,
        "claims_root": award.claims_root,
        "ranking": award.ranking,
        "total": award.total.to_string(),
        "miners_in_all": epoch.placements.len(),
        "miners": epoch.placements.iter().take(miners).map(row).collect::<Vec<_>>(),
        "validators": epoch.validators.iter().map(paid).collect::<Vec<_>>(),
        "volume_spikes": epoch.spikes.iter().take(miners).collect::<Vec<_>>(),
        "ignored": {
            "outside": epoch.ignored.outside,
            "too_small": epoch.ignored.too_small,
            "too_frequent": epoch.ignored.too_frequent,
            "not_held": epoch.ignored.not_held,
        },
        "fairness": {
            "gini_bps": epoch.gini_bps.to_string(),
            "top_ten_bps": epoch.top_ten_bps.to_string(),
        },
    })
}

fn penalty(((block, index), penalty): &((u64, u32), Penalty)) -> Value {
    json!({
        "block": block,
        "index": index,
        "operator": penalty.operator.to_string(),
        "offence": lower(penalty.offence),
        "severity": lower(penalty.severity),
        "committee": penalty.epoch,
        "feed": lower(penalty.feed.kind),
        "slot": penalty.slot,
        "amount": penalty.amount.to_string(),
    })
}

/// Penalties on the chain, and how far our own observations were off.
///
/// # Errors
/// As the store.
pub fn slashing(app: &App) -> Result<Value, crate::store::StoreError> {
    let mut penalties = app.store.newest_penalties(PENALTIES)?;
    penalties.reverse();
    let mut own = Vec::new();
    for (slot, nav) in app.store.newest_settled(NAVS)? {
        for observation in app.store.observations_of(slot)? {
            let bps = deviation_bps_ceil(observation.nav_e18, nav.nav_e18);
            own.push(json!({
                "slot": slot,
                "own_nav_e18": observation.nav_e18.to_string(),
                "nav_e18": nav.nav_e18.to_string(),
                "deviation_bps": bps.to_string(),
                "severity": lower(Bands::NAV.severity(u32::try_from(bps).unwrap_or(u32::MAX))),
            }));
        }
    }
    let (bands, ranking, rates) = (Bands::NAV, Bands::RANKING, Rates::DEFAULT);
    Ok(json!({
        "penalties": penalties.iter().map(penalty).collect::<Vec<_>>(),
        "own_deviations": own,
        "specified": {
            "nav_bands_bps": [bands.none_bps, bands.minor_bps, bands.moderate_bps],
            "ranking_bands_bps": [ranking.none_bps, ranking.minor_bps, ranking.moderate_bps],
            "rates_bps": [rates.minor_bps, rates.moderate_bps, rates.severe_bps, rates.critical_bps],
        },
    }))
}

/// The newest settled NAVs.
///
/// # Errors
/// As the store.
pub fn navs(app: &App) -> Result<Vec<Value>, crate::store::StoreError> {
    Ok(app.store.newest_settled(NAVS)?.iter().map(settled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::hash::Digest;
    use cicada_core::Account;

    #[test]
    fn of_an_epoch_the_first_miners_are_shown_and_all_are_counted() {
        let placement = |miner: u16| cicada_core::rewards::Placement {
            miner: Account([miner.to_le_bytes()[0]; 32]),
            rank: Some(u32::from(miner) + 1),
            tier: None,
            base: 1,
            bonus: 0,
        };
        let award = cicada_core::rewards::Award {
            epoch: 7,
            start_ms: 0,
            end_ms: 1,
            pool: 1,
            carried_in: 0,
            awarded: 1,
            carried_out: 0,
            claims_root: Digest::ZERO,
            ranking: Digest::ZERO,
            claims: 1,
            total: 1,
        };
        let over = Epoch {
            award,
            closed_by: 1,
            scores: Vec::new(),
            placements: (0..1_000).map(placement).collect(),
            validators: Vec::new(),
            spikes: vec![Account([1; 32]); 1_000],
            ignored: crate::rows::IgnoredCounts::default(),
            gini_bps: 0,
            top_ten_bps: 0,
        };
        let shown = epoch(&over, 7, 100);
        let length = |name: &str| shown[name].as_array().unwrap().len();
        assert_eq!((length("miners"), length("volume_spikes")), (100, 100));
        assert_eq!((&shown["miners_in_all"], &shown["on_chain"]), (&json!(1_000), &json!(true)));
        assert_eq!(shown["miners"][99]["rank"], json!(100));
        assert_eq!(epoch(&over, 6, usize::MAX)["miners"].as_array().unwrap().len(), 1_000);
    }

    #[test]
    fn names_are_in_small_letters() {
        let offence = cicada_core::slashing::OffenceKind::NavDeviation;
        assert_eq!(lower(offence), "nav_deviation");
        assert_eq!(lower(Tier::Gold), "gold");
    }

    #[test]
    fn places_have_their_tiers() {
        let tiers: Vec<Option<String>> = (1..=21).map(tier).collect();
        let named = |place: usize| tiers[place - 1].as_deref();
        assert_eq!([named(1), named(2)], [Some("diamond"), Some("platinum")]);
        assert_eq!([named(3), named(5), named(6)], [Some("gold"), Some("gold"), Some("silver")]);
        assert_eq!([named(10), named(11)], [Some("silver"), Some("bronze")]);
        assert_eq!([named(20), named(21)], [Some("bronze"), None]);
    }
}

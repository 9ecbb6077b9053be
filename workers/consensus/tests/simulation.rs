//! Crash mode under faults: thousands of runs, each from one seed.

mod sim;

use sim::{Sabotage, World};

/// One run: faults first, then none, and the committee must recover by itself.
fn run(seed: u64, n: u8, sabotage: Sabotage) -> Result<World, String> {
    let mut world = World::new(seed, n, sabotage);
    world.run(15_000, |_| false);
    let before = world.oracle.finished;
    world.heal();
    let end = world.time + 120_000;
    world.run(end, |world| world.oracle.finished >= before + 3);
    let report = |world: &World, rule: &str| {
        Err(format!("seed {seed}, {n} nodes: {rule} ({} ms){}", world.time, world.describe()))
    };
    if let Some(rule) = &world.oracle.violation {
        return report(&world, rule);
    }
    if world.oracle.finished < before + 3 {
        return report(&world, "nothing is certified after the faults");
    }
    world.clients = false;
    let end = world.time + 120_000;
    world.run(end, World::converged);
    if let Some(rule) = &world.oracle.violation {
        return report(&world, rule);
    }
    if !world.converged() {
        return report(&world, "the nodes do not converge after the faults");
    }
    let lost = |position: &&u64| !world.oracle.decided.contains_key(position);
    if world.oracle.acknowledged.iter().any(|position| lost(&position)) {
        return report(&world, "an acknowledged value is lost");
    }
    Ok(world)
}

fn all(seeds: std::ops::Range<u64>, n: u8) {
    let (mut certified, mut refused) = (0, 0);
    for seed in seeds.clone() {
        match run(seed, n, Sabotage::None) {
            Ok(world) => {
                certified += world.oracle.finished;
                refused += world.oracle.failed_with_refusals;
            }
            Err(rule) => panic!("{rule}"),
        }
    }
    println!(
        "{n} nodes, {} seeds: {certified} certified, {refused} refused",
        seeds.end - seeds.start
    );
    assert!(certified > 0);
}

#[test]
fn three_nodes_withstand_600_seeds() {
    all(0..600, 3);
}

#[test]
fn five_nodes_withstand_400_seeds() {
    all(0..400, 5);
}

#[test]
fn twenty_three_nodes_withstand_100_seeds() {
    all(0..100, 23);
}

/// CICADA_SEEDS=20000 cargo test --release -p cicada-consensus --test simulation -- --ignored
#[test]
#[ignore = "as long as one likes"]
fn many_more_seeds() {
    let seeds = std::env::var("CICADA_SEEDS").map_or(2_000, |text| text.parse().unwrap());
    all(1_000_000..1_000_000 + seeds, 3);
    all(2_000_000..2_000_000 + seeds / 2, 5);
    all(3_000_000..3_000_000 + seeds / 10, 23);
}

/// The number of seeds until the oracle notices.
fn seeds_to_catch(sabotage: Sabotage) -> u64 {
    for seed in 0..300 {
        if let Err(found) = run(seed, 3, sabotage) {
            println!("{sabotage:?} caught by seed {seed}: {found}");
            return seed;
        }
    }
    panic!("{sabotage:?} was not caught in 300 seeds");
}

#[test]
fn a_node_that_forgets_its_votes_is_caught() {
    seeds_to_catch(Sabotage::ForgetVotes);
}

#[test]
fn a_node_that_forgets_its_promises_is_caught() {
    seeds_to_catch(Sabotage::ForgetPromises);
}

#[test]
fn a_node_that_answers_before_its_disk_is_caught() {
    seeds_to_catch(Sabotage::SendBeforeFlush);
}

#[test]
fn a_quorum_without_overlap_is_caught() {
    seeds_to_catch(Sabotage::SmallQuorum);
}

#[test]
fn a_leader_that_adopts_nothing_is_caught() {
    seeds_to_catch(Sabotage::IgnoreVotes);
}

//! The same people without the mechanism: no auction, no price that others can see, no
//! reputation. Whoever wants work asks one provider of that kind at random; if his capacity is not
//! used up and the work is worth more than it costs, they settle anywhere between the two.

use crate::metrics::{End, Job, Record};
use crate::population::{Population, Size};
use rand::seq::IteratorRandom;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Runs it.
pub fn run(size: &Size, people: &Population, random: &mut ChaCha8Rng) -> Record {
    let mut record = Record { rounds: size.rounds, ..Record::default() };
    for (round, wishes) in (0..).zip(&people.wishes) {
        let mut left: Vec<u64> = people.providers.iter().map(|p| p.capacity).collect();
        record.units_offered += left.iter().sum::<u64>();
        for wish in wishes {
            record.requests += 1;
            record.units_wanted += wish.units;
            let of_kind = people.providers.iter().zip(&mut left).enumerate();
            let of_kind = of_kind.filter(|(_, (provider, _))| provider.task == wish.task);
            let Some((index, (provider, left))) = of_kind.choose(random) else {
                continue;
            };
            let units = wish.units.min(*left);
            if units == 0 || wish.value < provider.cost {
                continue;
            }
            *left -= units;
            record.matched += 1;
            record.units_assigned += units;
            record.jobs.push(Job {
                round,
                task: wish.task,
                provider: index,
                points: 0,
                price: random.gen_range(provider.cost..=wish.value),
                units,
                service_level: wish.service_level,
                end: end(provider.reliability, provider.care, random),
            });
        }
    }
    record
}

/// Draws how a job of such a provider ends.
pub fn end(reliability: u32, care: u32, random: &mut ChaCha8Rng) -> End {
    match (random.gen_ratio(reliability, 10_000), random.gen_ratio(care, 10_000)) {
        (false, _) => End::Failed,
        (true, false) => End::Violated,
        (true, true) => End::Kept,
    }
}

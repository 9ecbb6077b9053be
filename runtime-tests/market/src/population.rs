//! Who takes part, and what they want: drawn from the seed before anything happens, so that the
//! market and the baseline see the same people and the same demand.

use rand::seq::SliceRandom;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Base units of one MMC.
pub const MMC: u128 = 1_000_000;

/// The size of an economy.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rounds of one hour.
    pub rounds: u32,
    /// Requesters.
    pub requesters: usize,
    /// Providers, each of one task type.
    pub providers: usize,
    /// Task types.
    pub tasks: usize,
}

/// A provider, as he is. Nobody else knows it.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// What he does.
    pub task: usize,
    /// What a unit costs him, in base units.
    pub cost: u128,
    /// Units that he can do in a round.
    pub capacity: u64,
    /// Of 10,000 jobs, how many he does at all.
    pub reliability: u32,
    /// Of 10,000 jobs that he does, how many keep the service level.
    pub care: u32,
    /// What he wants for a unit in the first round, in base units.
    pub first_price: u128,
}

/// One wish for work.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Whose.
    pub requester: usize,
    /// What.
    pub task: usize,
    /// How much.
    pub units: u64,
    /// What a unit is worth to him, in base units.
    pub value: u128,
    /// Whether he insists on a reputation above the middle, pays more for it, and asks for a
    /// service level.
    pub careful: bool,
    /// Whether he asks for a service level.
    pub service_level: bool,
}

/// Everybody, and the wishes of each round.
#[derive(Clone, Debug)]
pub struct Population {
    /// The providers.
    pub providers: Vec<Provider>,
    /// The wishes, by round.
    pub wishes: Vec<Vec<Wish>>,
}

impl Population {
    /// Draws one.
    pub fn draw(size: &Size, random: &mut ChaCha8Rng) -> Self {
        let providers = (0..size.providers).map(|index| provider(index % size.tasks, random));
        let providers = providers.collect();
        let values: Vec<u128> =
            (0..size.requesters).map(|_| random.gen_range(90..160) * MMC).collect();
        let wishes = (0..size.rounds).map(|_| wishes(size, &values, random)).collect();
        Self { providers, wishes }
    }
}

fn provider(task: usize, random: &mut ChaCha8Rng) -> Provider {
    let cost = random.gen_range(30..60) * MMC;
    Provider {
        task,
        cost,
        capacity: random.gen_range(3..=5) * 100,
        reliability: random.gen_range(9_600..=10_000),
        care: random.gen_range(8_800..=9_980),
        first_price: cost * random.gen_range(110..160) / 100,
    }
}

// In a round three of four requesters want something.
fn wishes(size: &Size, values: &[u128], random: &mut ChaCha8Rng) -> Vec<Wish> {
    let mut requesters: Vec<usize> = (0..size.requesters).collect();
    requesters.shuffle(random);
    requesters.retain(|_| random.gen_ratio(3, 4));
    let wish = |requester: usize| {
        let careful = random.gen_ratio(1, 2);
        Wish {
            requester,
            task: random.gen_range(0..size.tasks),
            units: random.gen_range(50..350),
            value: values.get(requester).copied().unwrap_or(MMC),
            careful,
            service_level: careful || random.gen_ratio(1, 4),
        }
    };
    requesters.into_iter().map(wish).collect()
}

//! What a run is made of.

use cicada_consensus::Mutant;
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_dice::Dice;

/// What to break outside the core, to see that the oracle would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing.
    None,
    /// Votes are gone after a restart.
    ForgetVotes,
    /// Promises are gone after a restart.
    ForgetPromises,
    /// Answers leave before what they rest on is on disk.
    SendBeforeFlush,
    /// Crash mode with a quorum that has no overlap.
    SmallQuorum,
    /// Crash mode: promises come without votes.
    IgnoreVotes,
}

/// What the caller chooses.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The seed of everything else.
    pub seed: u64,
    /// How many nodes.
    pub nodes: u8,
    /// How many of them lie.
    pub liars: u8,
    /// Crash mode or the Byzantine form.
    pub model: FaultModel,
    /// A bug in the core.
    pub mutant: Option<Mutant>,
    /// A bug around it.
    pub sabotage: Sabotage,
    /// How many committees, 1 or 2: the second follows in mid-run.
    pub epochs: u8,
}

impl Setup {
    /// An ordinary run in the Byzantine form; in every eighth seed the committee changes.
    pub fn byzantine(seed: u64, nodes: u8, liars: u8) -> Self {
        let model = FaultModel::Byzantine;
        let setup =
            Self { seed, nodes, liars, model, mutant: None, sabotage: Sabotage::None, epochs: 1 };
        let withstood = liars <= setup.quorum().max_liars() && setup.quorum().max_liars() > 0;
        let epochs = if withstood && seed % 8 == 3 { 2 } else { 1 };
        Self { epochs, ..setup }
    }

    /// An ordinary run in crash mode.
    pub fn crash(seed: u64, nodes: u8) -> Self {
        Self { model: FaultModel::Crash, epochs: 1, ..Self::byzantine(seed, nodes, 0) }
    }

    /// The quorum that decides.
    pub fn quorum(&self) -> Quorum {
        Quorum::of(self.model, self.nodes).expect("1 to 32 nodes")
    }
}

/// What the seed chooses.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many positions may be undecided at once.
    pub window: u64,
    /// Messages lost, of a thousand.
    pub loss: u64,
    /// Messages doubled, of a thousand.
    pub doubling: u64,
    /// The usual delay of a message is below this, in milliseconds.
    pub delay: u64,
    /// Whether some values are valid for some nodes only.
    pub dissent: bool,
    /// Whether signatures are real ones.
    pub real_keys: bool,
    /// Whether the liars go on lying after the faults; else they fall silent.
    pub lie_on: bool,
    /// Whether the liars do nothing but try to get two values decided.
    pub attack: bool,
    /// How many honest nodes have the real database on a medium that tears what is not flushed
    /// when the power fails; the others have a list of records.
    pub databases: u8,
    /// Whether one of the liars is instead an honest node with a disk that rots, or that
    /// forgets what it said it had flushed.
    pub bad_disk: bool,
    /// How long the faults last, in milliseconds.
    pub faulty_ms: u64,
    /// How often something fails: the longest pause between two faults, in milliseconds.
    pub fault_pause_ms: u64,
}

impl Plan {
    /// Bends a plan for a run in which the committee changes: rather with a window, so that
    /// something is decided beyond the end.
    pub fn suit_change(&mut self, rng: &mut Dice) {
        (self.real_keys, self.bad_disk) = (false, false);
        if rng.chance(500) {
            self.window = 4;
        }
    }

    /// Draws a plan.
    pub fn draw(setup: &Setup, rng: &mut Dice) -> Self {
        let byzantine = setup.model == FaultModel::Byzantine;
        let calm = byzantine && rng.chance(400);
        Self {
            window: if rng.chance(300) { 4 } else { 1 },
            loss: if calm { rng.below(20) } else { rng.below(300) },
            doubling: rng.below(200),
            delay: 1 + rng.below(120),
            dissent: rng.chance(300),
            real_keys: setup.nodes <= 7 && rng.chance(20),
            lie_on: rng.chance(700),
            attack: rng.chance(250),
            databases: if rng.chance(150) { 1 + rng.below(3) as u8 } else { 0 },
            bad_disk: setup.liars > 0 && rng.chance(100),
            faulty_ms: 15_000,
            fault_pause_ms: if calm { 10_000 } else { 600 },
        }
    }
}

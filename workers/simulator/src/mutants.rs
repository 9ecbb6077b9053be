//! Bugs seeded on purpose: how many seeds until the oracle notices?

use crate::plan::{Sabotage, Setup};
use crate::run::run;
use cicada_consensus::Mutant;

/// A bug, in the core or around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// In the core, in the Byzantine form.
    Core(Mutant),
    /// In the core, in crash mode.
    Crash(Mutant),
    /// In the core, where the committee changes.
    Change(Mutant),
    /// Around the core, in the Byzantine form.
    Around(Sabotage),
    /// Around the core, in crash mode.
    AroundCrash(Sabotage),
}

/// All of them.
pub const BUGS: &[Bug] = &[
    Bug::Core(Mutant::SkipShareCheck),
    Bug::Core(Mutant::SkipCertificateCheck),
    Bug::Core(Mutant::CountSignerTwice),
    Bug::Core(Mutant::MixKinds),
    Bug::Core(Mutant::MajorityQuorum),
    Bug::Core(Mutant::PrepareTwice),
    Bug::Core(Mutant::VoteBelowPledge),
    Bug::Core(Mutant::HideLocks),
    Bug::Core(Mutant::LowestLock),
    Bug::Core(Mutant::BelieveLocks),
    Bug::Core(Mutant::IgnoreMandate),
    Bug::Core(Mutant::FewPledges),
    Bug::Core(Mutant::RepeatedPledge),
    Bug::Core(Mutant::StalePledges),
    Bug::Core(Mutant::CommitEarly),
    Bug::Core(Mutant::BelieveDecisions),
    Bug::Core(Mutant::BelieveEntries),
    Bug::Core(Mutant::BelieveTimeouts),
    Bug::Core(Mutant::SkipValidity),
    Bug::Core(Mutant::ForgetPrepared),
    Bug::Core(Mutant::ForgetLocks),
    Bug::Core(Mutant::ForgetPledges),
    Bug::Core(Mutant::ForgetDecisions),
    Bug::Core(Mutant::DropLocksAtViewChange),
    Bug::Core(Mutant::BelieveAttestations),
    Bug::Core(Mutant::FollowAnyTimeout),
    Bug::Core(Mutant::NeverTimeOut),
    Bug::Core(Mutant::NeverRepeat),
    Bug::Change(Mutant::CountOldVotes),
    Bug::Change(Mutant::BelieveClosed),
    Bug::Change(Mutant::VoteBeyondEnd),
    Bug::Change(Mutant::ApplyBeyondEnd),
    Bug::Change(Mutant::CarryVotes),
    Bug::Crash(Mutant::CrashAdoptsNothing),
    Bug::Crash(Mutant::CrashVotesBelowPromise),
    Bug::Crash(Mutant::CrashSmallQuorum),
    Bug::Around(Sabotage::ForgetVotes),
    Bug::Around(Sabotage::ForgetPromises),
    Bug::Around(Sabotage::SendBeforeFlush),
    Bug::AroundCrash(Sabotage::ForgetVotes),
    Bug::AroundCrash(Sabotage::ForgetPromises),
    Bug::AroundCrash(Sabotage::SendBeforeFlush),
    Bug::AroundCrash(Sabotage::SmallQuorum),
    Bug::AroundCrash(Sabotage::IgnoreVotes),
];

impl Bug {
    /// A run with this bug.
    pub fn setup(self, seed: u64) -> Setup {
        // Small committees meet odd cases sooner; every third run has 23 nodes.
        let byzantine = match seed % 3 {
            0 => Setup::byzantine(seed, 5, 1),
            1 => Setup::byzantine(seed, 7, 2),
            _ => Setup::byzantine(seed, 23, 7),
        };
        let crash = Setup::crash(seed, if seed % 3 == 2 { 5 } else { 3 });
        match self {
            Self::Core(mutant) => Setup { mutant: Some(mutant), ..byzantine },
            Self::Change(mutant) => Setup { mutant: Some(mutant), epochs: 2, ..byzantine },
            Self::Crash(mutant) => Setup { mutant: Some(mutant), ..crash },
            Self::Around(sabotage) => Setup { sabotage, ..byzantine },
            Self::AroundCrash(sabotage) => Setup { sabotage, ..crash },
        }
    }

    /// How many seeds it takes until a rule is broken, and which; `None` if none of them does.
    pub fn hunt(self, seeds: u64) -> Option<(u64, String)> {
        (0..seeds).find_map(|seed| {
            let found = run(self.setup(seed)).err()?;
            Some((seed.saturating_add(1), found.rule))
        })
    }
}

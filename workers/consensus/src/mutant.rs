//! Bugs seeded on purpose, behind the feature `mutants`, to show that the tests notice.

/// A bug. Without the feature none of them exists and every test for one is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "mutants"), allow(dead_code))]
pub enum Mutant {
    /// Shares are counted without a look at their signature.
    SkipShareCheck,
    /// Certificates are believed without a look at their signatures.
    SkipCertificateCheck,
    /// One signer may stand for several in a certificate.
    CountSignerTwice,
    /// A certificate of one kind passes for another.
    MixKinds,
    /// A majority is taken for a quorum.
    MajorityQuorum,
    /// A second value may be prepared in the same view.
    PrepareTwice,
    /// Votes are cast below the view of the last pledge.
    VoteBelowPledge,
    /// Pledges name no locks.
    HideLocks,
    /// The lowest lock binds a new leader, not the highest.
    LowestLock,
    /// Locks in pledges are believed without their certificate.
    BelieveLocks,
    /// A new leader may propose anything.
    IgnoreMandate,
    /// A mandate may rest on fewer pledges than a quorum.
    FewPledges,
    /// The same pledge may count twice in a mandate.
    RepeatedPledge,
    /// Pledges for other views count in a mandate.
    StalePledges,
    /// A value is committed once it is prepared by the node itself, without a certificate.
    CommitEarly,
    /// A decision is believed without its certificate.
    BelieveDecisions,
    /// Fetched entries are believed without their certificate.
    BelieveEntries,
    /// Views are entered on anybody's word.
    BelieveTimeouts,
    /// A value is prepared without the node's own check.
    SkipValidity,
    /// Prepared votes are not written to disk.
    ForgetPrepared,
    /// Locks are not written to disk.
    ForgetLocks,
    /// Pledges are not written to disk.
    ForgetPledges,
    /// Decided values are not written to disk.
    ForgetDecisions,
    /// Locks are dropped when a view ends.
    DropLocksAtViewChange,
    /// Votes of an earlier epoch count in this one.
    CountOldVotes,
    /// Decisions of earlier epochs are believed without their certificate.
    BelieveClosed,
    /// A node signs beyond the end of the epoch.
    VoteBeyondEnd,
    /// What was decided beyond the end of the epoch is applied.
    ApplyBeyondEnd,
    /// The votes of an epoch are taken over into the next.
    CarryVotes,
    /// Certificates of attestations are kept without a look at them.
    BelieveAttestations,
    /// A timeout of a single node makes all others follow.
    FollowAnyTimeout,
    /// Nobody ever times out.
    NeverTimeOut,
    /// Timeouts are not repeated.
    NeverRepeat,
    /// The crash mode's leader adopts nothing.
    CrashAdoptsNothing,
    /// The crash mode's acceptor votes below its promise.
    CrashVotesBelowPromise,
    /// The crash mode decides with one vote less.
    CrashSmallQuorum,
}

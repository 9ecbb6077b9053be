//! Which models are run, with which bounds, and what must come out.

use crate::byzantine::{self, Byzantine, Pace};
use crate::crash::{self, Crash, Forget};
use crate::run::{check, Limit, Outcome, Search};
use cicada_consensus::Mutant;
use cicada_core::quorum::Quorum;
use std::time::Duration;

/// What a run drives.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// The Byzantine form.
    Byzantine(byzantine::Params),
    /// Crash mode.
    Crash(crash::Params),
}

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Everything holds, and nothing is left to explore.
    Holds,
    /// Everything holds as far as the limit lets the run go.
    HoldsSoFar,
    /// Agreement, or what rests on it, is broken: a control.
    Breaks,
    /// Everything holds in spite of the bug: the bounds are too narrow to show it, or it does
    /// not bear on agreement.
    Hides,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it shows, in a few words.
    pub name: &'static str,
    /// What it drives.
    pub subject: Subject,
    /// What must come out.
    pub expected: Expected,
    /// Whether it is over in a few seconds.
    pub quick: bool,
    /// How long it may take.
    pub time: Duration,
}

/// The most states of one run: some 5 GB.
const STATES: usize = 60_000_000;

impl Run {
    /// Runs it.
    pub fn go(&self) -> Outcome {
        let search = match self.expected {
            Expected::Holds | Expected::HoldsSoFar => Search::Deep,
            Expected::Breaks | Expected::Hides => Search::Near,
        };
        let limit = Limit::new(self.time, STATES);
        match self.subject {
            Subject::Byzantine(params) => check(Byzantine::new(params, limit), search),
            Subject::Crash(params) => check(Crash::new(params, limit), search),
        }
    }

    /// The bounds, in words.
    pub fn bounds(&self) -> String {
        match self.subject {
            Subject::Byzantine(p) => {
                let pace = match p.pace {
                    Pace::Any => "any order",
                    Pace::Ascending => "views ascending",
                    Pace::Phases => "whole phases",
                };
                let learning = if p.learning { ", learning" } else { "" };
                let (n, quorum, liars) = (p.quorum.n(), p.quorum.size(), p.liars);
                let (views, positions) = (p.views, p.positions);
                format!("n {n}, q {quorum}, {liars} lie, {views} views, {positions} pos., {pace}{learning}")
            }
            Subject::Crash(p) => {
                let patient = if p.patient { ", patient" } else { "" };
                let consent = if p.consent { ", consent" } else { "" };
                let repeats = p.repeats.map_or("any".to_owned(), |most| most.to_string());
                format!(
                    "n {}, {} proposals, {} pos., {} rounds, {} restarts, {} timeouts, {} repeats{}{}",
                    p.n, p.proposals, p.positions, p.rounds, p.restarts, p.timeouts, repeats, patient, consent
                )
            }
        }
    }
}

/// Whether the outcome is the one expected; if not, why not.
///
/// # Errors
/// In words.
pub fn judge(run: &Run, outcome: &Outcome) -> Result<(), String> {
    let broken = outcome.broken.as_ref().map(|(property, _)| *property);
    match (run.expected, broken) {
        (Expected::Breaks, Some(_)) => Ok(()),
        (Expected::Breaks, None) => Err("the seeded bug was not found".to_owned()),
        (_, Some(property)) => Err(format!("broken: {property}")),
        (Expected::Holds, None) if !outcome.missed.is_empty() => {
            Err(format!("never reached: {}", outcome.missed.join(", ")))
        }
        (Expected::Holds | Expected::Hides, None) if !outcome.complete => {
            Err("the limit was too low".to_owned())
        }
        _ => Ok(()),
    }
}

fn quorum(n: u8) -> Quorum {
    let u = if n == 5 { 1 } else { n.saturating_sub(1) / 3 };
    match Quorum::new(n, u, u) {
        Some(quorum) => quorum,
        None => unreachable!("n is at least 3u + 1"),
    }
}

/// The Byzantine form without bugs: one position, every order, everything remembered.
pub fn byzantine(n: u8, views: u64) -> byzantine::Params {
    byzantine::Params {
        quorum: quorum(n),
        liars: quorum(n).max_liars(),
        views,
        positions: 1,
        learning: false,
        mutant: None,
        judge: None,
        pace: Pace::Any,
        remember: true,
    }
}

/// Crash mode without bugs: two proposers, two values, one position, every message as often as
/// the network likes.
pub fn crash(n: u8, rounds: u64) -> crash::Params {
    crash::Params {
        n,
        proposers: 2,
        proposals: 2,
        repeats: None,
        positions: 1,
        rounds,
        restarts: 0,
        timeouts: 0,
        patient: false,
        consent: false,
        mutant: None,
        forget: None,
    }
}

fn run(name: &'static str, subject: Subject, expected: Expected, quick: bool, seconds: u64) -> Run {
    Run { name, subject, expected, quick, time: Duration::from_secs(seconds) }
}

fn byzantine_runs() -> Vec<Run> {
    let plain = |name, params, quick, seconds| {
        run(name, Subject::Byzantine(params), Expected::Holds, quick, seconds)
    };
    let paced = |n, views, pace| byzantine::Params { pace, ..byzantine(n, views) };
    vec![
        plain("agreement", byzantine(4, 2), true, 60),
        plain("agreement", byzantine(5, 2), true, 60),
        plain("agreement", byzantine(4, 3), true, 120),
        plain("agreement", byzantine(5, 3), false, 600),
        plain("views in order", paced(4, 3, Pace::Ascending), false, 120),
        plain("f + 1 liars", byzantine::Params { liars: 2, ..byzantine(5, 3) }, false, 120),
        plain("tips", byzantine::Params { learning: true, ..byzantine(4, 2) }, true, 60),
        plain("whole phases", paced(5, 3, Pace::Phases), true, 60),
        plain("whole phases", paced(5, 4, Pace::Phases), false, 300),
        plain("tips", byzantine::Params { learning: true, ..byzantine(5, 2) }, false, 120),
        plain(
            "whole phases",
            byzantine::Params { positions: 2, ..paced(4, 2, Pace::Phases) },
            false,
            120,
        ),
        plain("whole phases, f = 2", paced(7, 3, Pace::Phases), false, 300),
    ]
}

fn byzantine_controls() -> Vec<Run> {
    use Mutant::{
        BelieveLocks, CommitEarly, CountSignerTwice, DropLocksAtViewChange, FewPledges,
        ForgetLocks, ForgetPledges, ForgetPrepared, HideLocks, IgnoreMandate, LowestLock,
        MajorityQuorum, MixKinds, PrepareTwice, RepeatedPledge, SkipCertificateCheck, StalePledges,
        VoteBelowPledge,
    };
    let control = |name, params| run(name, Subject::Byzantine(params), Expected::Breaks, true, 120);
    let seeded =
        |n, views, mutant| byzantine::Params { mutant: Some(mutant), ..byzantine(n, views) };
    let unproved = byzantine::Params { judge: Some(BelieveLocks), ..seeded(5, 2, CommitEarly) };
    let hidden = |name, params| Run { expected: Expected::Hides, ..control(name, params) };
    vec![
        control("majority for a quorum", seeded(5, 2, MajorityQuorum)),
        control("f + 2 liars", byzantine::Params { liars: 3, ..byzantine(5, 2) }),
        control("no 2av phase", unproved),
        control("locks believed", seeded(4, 2, BelieveLocks)),
        control("mandate ignored", seeded(4, 2, IgnoreMandate)),
        control("locks hidden", seeded(4, 2, HideLocks)),
        control("locks dropped", seeded(4, 2, DropLocksAtViewChange)),
        control("forgets 2av", seeded(4, 2, ForgetPrepared)),
        control("forgets locks", seeded(4, 2, ForgetLocks)),
        control("forgets pledges", seeded(4, 2, ForgetPledges)),
        control("a signer counts twice", seeded(4, 2, CountSignerTwice)),
        control("no look at signatures", seeded(4, 2, SkipCertificateCheck)),
        control("2av passes for 2b", seeded(4, 2, MixKinds)),
        control("a pledge counts twice", seeded(4, 2, RepeatedPledge)),
        control("too few pledges", seeded(4, 2, FewPledges)),
        control("two values in a view", seeded(4, 2, PrepareTwice)),
        control("votes below a pledge", seeded(4, 2, VoteBelowPledge)),
        hidden("commits early, locks proved", seeded(4, 2, CommitEarly)),
        hidden("stale pledges, 2 views", seeded(4, 2, StalePledges)),
        control("stale pledges, 3 views", seeded(4, 3, StalePledges)),
        hidden("lowest lock, 2 views", seeded(4, 2, LowestLock)),
        control("lowest lock, 3 views", seeded(4, 3, LowestLock)),
    ]
}

fn crash_runs() -> Vec<Run> {
    let plain = |name, params, quick, seconds| {
        run(name, Subject::Crash(params), Expected::Holds, quick, seconds)
    };
    let bounded = |name, params, quick, seconds| Run {
        expected: Expected::HoldsSoFar,
        ..plain(name, params, quick, seconds)
    };
    let faults =
        |restarts, timeouts, rounds| crash::Params { restarts, timeouts, ..crash(3, rounds) };
    vec![
        plain("agreement", crash(3, 2), true, 300),
        plain("agreement", crash(3, 3), true, 300),
        plain("a restart", faults(1, 0, 2), true, 300),
        bounded("a timeout", faults(0, 1, 2), false, 120),
        plain("patience", crash::Params { patient: true, ..faults(0, 0, 3) }, false, 300),
        bounded("restart and timeout", faults(1, 1, 3), false, 60),
        bounded("two positions", crash::Params { positions: 2, ..crash(3, 2) }, false, 40),
        bounded("five nodes", crash(5, 2), false, 40),
    ]
}

fn crash_controls() -> Vec<Run> {
    // Without repeats and pre-votes the shortest way is found sooner.
    let bounds = crash::Params { repeats: Some(0), consent: true, ..crash(3, 2) };
    let control = |name, mutant: Option<Mutant>, forget: Option<Forget>| {
        let restarts = u8::from(forget.is_some());
        // A ballot used again does harm once another node takes over.
        let again = forget == Some(Forget::OwnBallots);
        let (proposers, timeouts) = if again { (1, 1) } else { (2, 0) };
        let faults = crash::Params { restarts, timeouts, proposers, ..bounds };
        let params = crash::Params { mutant, forget, ..faults };
        run(name, Subject::Crash(params), Expected::Breaks, true, 300)
    };
    vec![
        control("a vote less decides", Some(Mutant::CrashSmallQuorum), None),
        control("nothing is adopted", Some(Mutant::CrashAdoptsNothing), None),
        control("votes below a promise", Some(Mutant::CrashVotesBelowPromise), None),
        control("forgets promises", None, Some(Forget::Promises)),
        control("uses a ballot again", None, Some(Forget::OwnBallots)),
        control("forgets votes", None, Some(Forget::Votes)),
        control("forgets decisions", None, Some(Forget::Decisions)),
    ]
}

/// All runs, or only the quick ones.
pub fn runs(quick: bool) -> Vec<Run> {
    let all = [byzantine_runs(), byzantine_controls(), crash_runs(), crash_controls()];
    all.into_iter().flatten().filter(|run| run.quick || !quick).collect()
}

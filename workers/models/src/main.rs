//! scratch
use cicada_models::byzantine::*;
use cicada_models::run::*;
use cicada_consensus::Mutant;
use cicada_core::quorum::Quorum;
use std::time::Duration;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "crash" {
        use cicada_models::crash;
        let p: Vec<u64> = a[2..10].iter().map(|x| x.parse().unwrap()).collect();
        let mutant = match a[10].as_str() { "small" => Some(Mutant::CrashSmallQuorum), "adopt" => Some(Mutant::CrashAdoptsNothing), "below" => Some(Mutant::CrashVotesBelowPromise), _ => None };
        let forget = match a[10].as_str() { "fprom" => Some(crash::Forget::Promises), "fown" => Some(crash::Forget::OwnBallots), "fvotes" => Some(crash::Forget::Votes), "fdec" => Some(crash::Forget::Decisions), _ => None };
        let m = crash::Crash::new(crash::Params { n: p[0] as u8, proposers: p[1] as u8, positions: p[2], proposals: p[3] as u8, rounds: p[4], restarts: p[5] as u8, timeouts: p[6] as u8, patient: p[7] == 1, mutant, forget, repeats: std::env::var("REPEATS").ok().map(|r| r.parse().unwrap()) }, Limit::new(Duration::from_secs(a[12].parse().unwrap()), 60_000_000));
        let o = check(m, if a[11] == "dfs" { Search::Deep } else { Search::Near });
        println!("{:?} steps {} states {} depth {} {:?} complete {} missed {:?}", a, o.steps, o.states, o.depth, o.time, o.complete, o.missed);
        if let Some((p, s)) = o.broken { println!("  BROKEN {p} {}", s.len()); if a.len() > 13 { for x in s { println!("   {x}"); } } }
        return;
    }
    let n: u8 = a[1].parse().unwrap();
    let liars: u8 = a[2].parse().unwrap();
    let views = a[3].parse().unwrap();
    let positions = a[4].parse().unwrap();
    let pace = match a[5].as_str() { "any" => Pace::Any, "asc" => Pace::Ascending, _ => Pace::Phases };
    let search = if a[6] == "dfs" { Search::Deep } else { Search::Near };
    let mutant = match a[7].as_str() { "none" => None, "maj" => Some(Mutant::MajorityQuorum), "early" => Some(Mutant::CommitEarly), "believe" => Some(Mutant::BelieveLocks), "ignore" => Some(Mutant::IgnoreMandate),
      "fprep" => Some(Mutant::ForgetPrepared), "flocks" => Some(Mutant::ForgetLocks), "fpledge" => Some(Mutant::ForgetPledges), "twice" => Some(Mutant::CountSignerTwice), "stale" => Some(Mutant::StalePledges), "rep" => Some(Mutant::RepeatedPledge),
      "few" => Some(Mutant::FewPledges), "lowest" => Some(Mutant::LowestLock), "hide" => Some(Mutant::HideLocks), "below" => Some(Mutant::VoteBelowPledge), "ptwice" => Some(Mutant::PrepareTwice), "skipc" => Some(Mutant::SkipCertificateCheck), "skips" => Some(Mutant::SkipShareCheck), "mix" => Some(Mutant::MixKinds), "drop" => Some(Mutant::DropLocksAtViewChange), _ => panic!() };
    let secs: u64 = a[8].parse().unwrap();
    let remember = a[9] == "1";
    let learning = a.get(10).is_some_and(|x| x == "learn");
    let quorum = Quorum::new(n, if n == 4 || n == 5 { 1 } else { (n - 1) / 3 }, if n==4||n==5 {1} else {(n-1)/3}).unwrap();
    let m = Byzantine::new(Params { quorum, liars, views, positions, learning, mutant, judge: if mutant == Some(Mutant::CommitEarly) { Some(Mutant::BelieveLocks) } else { None }, pace, remember }, Limit::new(Duration::from_secs(secs), 300_000_000));
    println!("{:?} {:?}", a, check(m, search));
}

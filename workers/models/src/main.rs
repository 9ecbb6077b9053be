//! scratch
use cicada_models::byzantine::*;
use cicada_models::run::*;
use cicada_consensus::Mutant;
use cicada_core::quorum::Quorum;
use std::time::Duration;
fn main() {
    let a: Vec<String> = std::env::args().collect();
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

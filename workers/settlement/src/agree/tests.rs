use super::*;
use crate::testing::Stage;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::Proposal;
use cicada_core::report::FeedState;
use cicada_node_api::Refusal;
use std::collections::VecDeque;
use std::sync::Mutex;

type Answer = Result<Certified<Proposal>, Error>;

/// Nodes that give these answers, one after the other.
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(usize, Proposal)>>,
    hopeless: bool,
}

impl Leaders<Proposal> for Script {
    async fn propose(&self, seat: usize, value: &Proposal) -> Answer {
        self.asked.lock().unwrap().push((seat, value.clone()));
        self.answers.lock().unwrap().pop_front().expect("no more is asked")
    }

    async fn must_be_so(&self, _failed: &Failed, _slot: u64) -> bool {
        self.hopeless
    }
}

fn script(answers: impl IntoIterator<Item = Answer>) -> Script {
    let answers = Mutex::new(answers.into_iter().collect());
    Script { answers, asked: Mutex::default(), hopeless: false }
}

fn refused(status: u16, error: &str) -> Answer {
    let failed = Failed { error: error.into(), ..Failed::default() };
    Err(Error::Refused { status, failed: Box::new(failed) })
}

fn certified(stage: &Stage, value: &Proposal) -> Certified<Proposal> {
    Certified {
        position: 1,
        slot: value.report.slot,
        digest: Digest::ZERO,
        proposal: Scale(value.clone()),
        proposer: None,
        certificate: Scale(match *value == stage.value() {
            true => stage.certificate(),
            false => stage.certificate_of(value),
        }),
        promised: vec![1],
        accepted: Vec::new(),
        attested: Vec::new(),
    }
}

impl Script {
    fn round<'a>(&'a self, stage: &'a Stage) -> Round<'a, Self> {
        Round { leaders: self, committee: &stage.committee, seats: vec![3, 4, 5, 0], tries: 2 }
    }

    fn times(&self) -> Vec<u64> {
        self.asked.lock().unwrap().iter().map(|(_, value)| value.report.time_ms).collect()
    }

    fn seats(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|(seat, _)| *seat).collect()
    }
}

#[tokio::test]
async fn who_is_silent_or_lies_is_passed_over() {
    let stage = Stage::new();
    let value = stage.value();
    let mut forged = certified(&stage, &value);
    forged.certificate.0.signatures[0][0] ^= 1;
    let later = stage.next(&FeedState::after(&value.report, value.report.digest::<Native>()));
    let genuine = certified(&stage, &value);
    let nodes = script([
        Err(Error::Silent("too slow".into())),
        Ok(forged),
        Ok(certified(&stage, &later)),
        Ok(genuine.clone()),
    ]);
    let agreed = nodes.round(&stage).agree(&value).await.unwrap();
    assert_eq!((agreed.verified, agreed.promised), (stage.verified(), vec![1]));
    assert_eq!(nodes.seats(), [3, 4, 5, 0], "an answer for another slot is none");
    let others =
        Proposal { report: cicada_core::report::Report { time_ms: 7, ..value.report }, ..value };
    let agreed = script([Ok(genuine)]).round(&stage).agree(&others).await.unwrap();
    assert_eq!(agreed.verified, stage.verified(), "another's value for our slot is an answer");
}

#[tokio::test]
async fn so_many_have_to_refuse_or_to_fail() {
    let stage = Stage::new();
    let value = stage.value();
    let agree = async |nodes: &Script| nodes.round(&stage).agree(&value).await.unwrap_err();
    let nodes = script([refused(409, "a"), refused(503, "b"), refused(409, "c")]);
    let why = agree(&nodes).await;
    assert!(matches!(&why, Unagreed::Refused(failed) if failed.error == "c"), "{why:?}");
    let nodes = script([refused(503, "a"), refused(409, "b"), refused(503, "c")]);
    let why = agree(&nodes).await;
    assert!(matches!(&why, Unagreed::NoQuorum(failed) if failed.error == "c"), "{why:?}");
    let nodes = Script { hopeless: true, ..script([refused(503, "a")]) };
    assert!(matches!(agree(&nodes).await, Unagreed::NoQuorum(_)), "no other can do better");
    let down = || Err(Error::Unreachable("nobody there".into()));
    let nodes = script([down(), refused(409, "a"), refused(401, "no pass"), down()]);
    let reason = "nobody there".into();
    assert_eq!(agree(&nodes).await, Unagreed::NoLeader { silent: vec![3, 5, 0], reason });
}

#[tokio::test]
async fn it_is_proposed_again_as_long_as_refusals_bring_somebody_new() {
    let stage = Stage::new();
    let brings = |said: [u64; 9]| {
        let signed = cicada_node_api::Opaque(parity_scale_codec::Encode::encode(&said));
        let words = format!("it is left out: {}", Scale(signed));
        let refusals = vec![Refusal::new(4, words), Refusal::new(5, "stale".into())];
        let failed = Failed { error: "not decided".into(), refusals, ..Failed::default() };
        Err(Error::Refused { status: NO_QUORUM, failed: Box::new(failed) })
    };
    // What is said counts as the time of the proposal.
    let value = |said: Vec<[u64; 9]>| {
        let mut value = stage.value();
        value.report.time_ms = said.len() as u64;
        value
    };
    let select = |mut said: Vec<[u64; 9]>| {
        said.sort_unstable();
        said.dedup();
        said
    };
    let first = || vec![[1; 9]];
    let nodes = script([brings([2; 9]), brings([3; 9]), Ok(certified(&stage, &stage.value()))]);
    let round = Round { seats: vec![0], tries: 1, ..nodes.round(&stage) };
    round.agree_with(first(), value, select).await.unwrap();
    assert_eq!(nodes.times(), [1, 2, 3]);
    let nodes = script([brings([2; 9]), brings([1; 9])]);
    let round = Round { seats: vec![0], tries: 1, ..nodes.round(&stage) };
    let why = round.agree_with(first(), value, select).await.unwrap_err();
    assert_eq!(why.to_string(), "not decided (seat 4: it is left out)", "nobody new");
}

use super::*;
use crate::testing::Stage;
use cicada_chain::{ContractEvent, Weight};
use cicada_core::certificate::Signature;
use std::sync::atomic::{AtomicUsize, Ordering};

const UNDERWAY: Underway = Underway {
    transaction: Digest([5; 32]),
    account: Account([6; 32]),
    nonce: 7,
    valid_until: 300,
};

fn none() -> Underways {
    Underways::new(Duration::from_secs(60))
}

/// How a transaction ends.
#[derive(Clone, Copy)]
enum End {
    /// It settles the report, and that is seen.
    Seen,
    /// Somebody else's came first, and it changes nothing.
    Second,
    /// It is lost sight of, and settles the report after so many looks.
    LostFor(usize),
    /// It is lost sight of, and never gets in.
    LostForGood,
    /// It is lost sight of, and stays open.
    Open,
    /// It does not get in: another report is in the slot.
    TakenByAnother,
    /// It does not get in: somebody else has brought it.
    TakenByIt,
    /// It does not get in, and nobody knows why.
    Refused,
}

/// A chain on which transactions end as written.
struct Mock {
    digest: Digest,
    held: Mutex<Standing>,
    ends: Mutex<Vec<End>>,
    looks: Mutex<Option<(usize, Fate)>>,
    sent: AtomicUsize,
}

fn mock(ends: &[End]) -> Mock {
    Mock {
        digest: Stage::new().value().report.digest::<Native>(),
        held: Mutex::new(Standing::Open),
        ends: Mutex::new(ends.iter().rev().copied().collect()),
        looks: Mutex::new(None),
        sent: AtomicUsize::new(0),
    }
}

fn outcome(events: usize) -> CallOutcome<Settlement> {
    let event = ContractEvent {
        block: 9,
        block_hash: Digest([1; 32]),
        index: 0,
        contract: Account([3; 32]),
        topics: Vec::new(),
        data: Vec::new(),
    };
    CallOutcome {
        block: 9,
        block_hash: Digest([1; 32]),
        transaction: Digest([2; 32]),
        gas_consumed: Weight::default(),
        weight: Weight::default(),
        fee: 1,
        returned: Settlement::Recorded,
        events: vec![event; events],
    }
}

fn lost() -> ChainError {
    let (underway, reason) = (Box::new(UNDERWAY), "the connection ended".into());
    ChainError::Unknown { what: "submit".into(), underway, reason }
}

fn refusal() -> ChainError {
    ChainError::Submit { what: "submit".into(), reason: "no".into() }
}

impl Ledger for Mock {
    async fn dry_run(&self) -> Result<Settlement, ChainError> {
        match *self.held.lock().unwrap() {
            Standing::Open => Ok(Settlement::Recorded),
            Standing::Holds(held) if held == self.digest => Ok(Settlement::AlreadyDone),
            _ => Err(refusal()),
        }
    }

    async fn call(&self) -> Result<CallOutcome<Settlement>, ChainError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let end = self.ends.lock().unwrap().pop().expect("no other is sent");
        let mut held = self.held.lock().unwrap();
        let (after, result) = match end {
            End::Seen => (Standing::Holds(self.digest), Ok(outcome(1))),
            End::Second => (Standing::Holds(self.digest), Ok(outcome(0))),
            End::TakenByIt => (Standing::Holds(self.digest), Err(refusal())),
            End::TakenByAnother => (Standing::Holds(Digest([9; 32])), Err(refusal())),
            End::Refused => (Standing::Open, Err(refusal())),
            End::LostFor(_) | End::LostForGood | End::Open => (Standing::Open, Err(lost())),
        };
        *held = after;
        *self.looks.lock().unwrap() = match end {
            End::LostFor(looks) => Some((looks, Fate::Used)),
            End::LostForGood => Some((2, Fate::Expired)),
            _ => None,
        };
        result
    }

    async fn standing(&self) -> Result<Standing, ChainError> {
        Ok(*self.held.lock().unwrap())
    }

    async fn fate(&self, of: &Underway) -> Result<Fate, ChainError> {
        assert_eq!(*of, UNDERWAY);
        match &mut *self.looks.lock().unwrap() {
            None => Ok(Fate::Open),
            Some((0, fate)) => {
                if *fate == Fate::Used {
                    *self.held.lock().unwrap() = Standing::Holds(self.digest);
                }
                Ok(*fate)
            }
            Some((looks, _)) => {
                *looks -= 1;
                // Nor does a look that fails say anything.
                if *looks == 0 {
                    Err(refusal())
                } else {
                    Ok(Fate::Open)
                }
            }
        }
    }
}

impl Mock {
    async fn settle(&self, underways: &Underways) -> Result<Settled, Error> {
        settle(self, &Stage::new().value().report, underways).await
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_is_settled_by_us_once() {
    let (chain, underways) = (mock(&[End::Seen]), none());
    let settled = chain.settle(&underways).await.unwrap();
    assert_eq!(settled.block(), Some(9));
    let again = chain.settle(&underways).await.unwrap();
    assert!(matches!(again, Settled::Already));
    assert_eq!(chain.sent(), 1, "the second one cost nothing");
}

#[tokio::test(start_paused = true)]
async fn what_another_settled_in_between_is_told_apart() {
    for end in [End::Second, End::TakenByIt] {
        let chain = mock(&[end]);
        assert!(matches!(chain.settle(&none()).await, Ok(Settled::Already)));
    }
    let chain = mock(&[End::TakenByAnother]);
    assert!(matches!(chain.settle(&none()).await, Ok(Settled::Another)));
    let again = chain.settle(&none()).await;
    assert!(matches!(again, Ok(Settled::Another)) && chain.sent() == 1, "a dry run says so, too");
    let chain = mock(&[End::Refused]);
    let error = chain.settle(&none()).await.unwrap_err();
    assert!(matches!(error, Error::Chain(ChainError::Submit { .. })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_sight_of_and_got_in_is_not_sent_again() {
    let (chain, underways) = (mock(&[End::LostFor(20)]), none());
    assert!(matches!(chain.settle(&underways).await, Ok(Settled::Already)));
    assert_eq!((chain.sent(), underways.known().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_can_no_longer_get_in_is_sent_again() {
    let (chain, underways) = (mock(&[End::LostForGood, End::Seen]), none());
    assert_eq!(chain.settle(&underways).await.unwrap().block(), Some(9));
    assert_eq!((chain.sent(), underways.known().len()), (2, 0));
    let chain = mock(&[End::LostForGood; TRIES]);
    let error = chain.settle(&none()).await.unwrap_err();
    assert!(matches!(error, Error::Chain(ChainError::Unknown { .. })) && chain.sent() == TRIES);
}

#[tokio::test(start_paused = true)]
async fn as_long_as_it_may_still_be_done_no_other_is_sent() {
    let (chain, underways) = (mock(&[End::Open]), none());
    for _ in 0..3 {
        let error = chain.settle(&underways).await.unwrap_err();
        let Error::Chain(error) = error else { panic!("{error}") };
        assert_eq!(error.underway(), Some(&UNDERWAY));
    }
    assert_eq!(chain.sent(), 1);
    // Then it is done after all.
    *chain.looks.lock().unwrap() = Some((0, Fate::Used));
    assert!(matches!(chain.settle(&underways).await, Ok(Settled::Already)));
    assert_eq!(chain.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_others_settled_is_not_remembered() {
    let (chain, underways) = (mock(&[End::Open, End::Seen]), none());
    chain.settle(&underways).await.unwrap_err();
    assert_eq!(underways.known().len(), 1);
    let first = Stage::new().value().report;
    let elsewhere = Feed { contract: Account([9; 32]), ..first.feed };
    underways.known().insert((elsewhere, 1, chain.digest), UNDERWAY);
    // Somebody else brings the first slot, and we the second.
    let second = Report { slot: 2, previous: chain.digest, ..first };
    *chain.looks.lock().unwrap() = None;
    let chain = Mock { digest: second.digest::<Native>(), ..chain };
    assert_eq!(settle(&chain, &second, &underways).await.unwrap().block(), Some(9));
    let kept: Vec<Feed> = underways.known().keys().map(|(feed, ..)| *feed).collect();
    assert_eq!(kept, [elsewhere], "what is under way elsewhere");
}

#[test]
fn of_the_newest_report_a_slot_is_open_or_held_or_passed() {
    let newest = FeedState { slot: 4, digest: Digest([4; 32]), time_ms: 0 };
    assert_eq!(Standing::of(&newest, 5), Standing::Open);
    assert_eq!(Standing::of(&newest, 4), Standing::Holds(Digest([4; 32])));
    assert_eq!(Standing::of(&newest, 3), Standing::Passed);
}

struct Others(Stage);

impl Witnesses for Others {
    async fn attestations(&self, _: &Committee, _: &Report) -> Vec<(u8, Signature)> {
        (16..23).map(|seat| self.0.attested(seat)).collect()
    }
}

struct Nobody;

impl Witnesses for Nobody {
    async fn attestations(&self, _: &Committee, _: &Report) -> Vec<(u8, Signature)> {
        panic!("nobody has to sign again")
    }
}

#[tokio::test]
async fn only_a_barred_seat_among_the_signers_makes_others_sign() {
    let stage = Stage::new();
    let (old, committee) = (stage.verified(), &stage.committee);
    let same = with_voice(old.clone(), committee, 1 << 20, &Nobody).await.unwrap();
    assert_eq!(same, old);
    let new = with_voice(old.clone(), committee, 0b1, &Others(Stage::new())).await.unwrap();
    assert_eq!(new.certificate().signers, 0x1_fffe);
    // Who certified it may have left office meanwhile.
    let before = Some(Box::new(committee.clone()));
    let after = Committee { epoch: 2, config_digest: Digest([9; 32]), before, ..committee.clone() };
    let of_before = with_voice(old.clone(), &after, 0b1, &Others(Stage::new())).await.unwrap();
    assert_eq!(of_before.certificate().signers, 0x1_fffe);
    let too_many = with_voice(old, committee, 0xff, &Others(Stage::new())).await;
    assert_eq!(too_many, Err(Unheard { slot: 1 }));
}

use super::*;
use cicada_core::hash::Digest;
use cicada_core::quote::Framework;
use cicada_core::report::{FeedState, Report, ReportKind};
use cicada_core::Account;
use parity_scale_codec::Encode;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: u64 = 1_738_425_600_000;
const FEED: Feed = Feed { kind: ReportKind::Leaderboard, contract: Account([4; 32]) };

type Answer = dyn Fn(u64, usize) -> Looked + Send;

/// A chain that answers by time and by the number of the look, after some time.
struct Scripted {
    answer: Box<Answer>,
    takes: Duration,
    looks: Arc<AtomicUsize>,
}

impl Lookup for Scripted {
    async fn look(&mut self, time_ms: u64) -> Looked {
        let look = self.looks.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        (self.answer)(time_ms, look)
    }
}

struct Bench {
    reader: Reader,
    looks: Arc<AtomicUsize>,
}

impl Bench {
    fn of(takes: Duration, answer: impl Fn(u64, usize) -> Looked + Send + 'static) -> Self {
        let looks = Arc::new(AtomicUsize::new(0));
        let lookup = Scripted { answer: Box::new(answer), takes, looks: looks.clone() };
        Self { reader: Reader::start(FEED, Seen::default(), lookup), looks }
    }

    async fn observe(&self, time_ms: u64) -> bool {
        self.reader.observe(&value(FEED, time_ms), NOW).await
    }

    fn at(&self, time_ms: u64) -> Result<Arc<Volumes>, String> {
        self.reader.seen.at(time_ms)
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

fn value(feed: Feed, time_ms: u64) -> Vec<u8> {
    let report: Report = FeedState::EMPTY.next_report(feed, time_ms, Digest::ZERO);
    report.encode()
}

fn some(volume: u128) -> Volumes {
    Volumes::from([(Framework::new("claude").unwrap(), volume)])
}

#[tokio::test(start_paused = true)]
async fn a_time_is_looked_up_once_whoever_asks() {
    let bench = Bench::of(Duration::from_millis(50), |_, _| Ok(some(7)));
    assert!(bench.at(NOW).unwrap_err().contains("not read"));
    let (first, second) = tokio::join!(bench.observe(NOW), bench.observe(NOW));
    assert!(first && second && bench.observe(NOW).await);
    assert_eq!(*bench.at(NOW).unwrap(), some(7));
    assert_eq!(bench.looks(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_volumes_or_is_too_far_from_the_clock_is_not_looked_up() {
    let bench = Bench::of(Duration::ZERO, |_, _| Ok(some(7)));
    let nav = Feed { kind: ReportKind::Nav, ..FEED };
    assert!(bench.reader.observe(&value(nav, NOW), NOW).await);
    assert!(bench.reader.observe(b"noise", NOW).await);
    assert!(bench.observe(NOW + MAX_SKEW_MS + 1).await);
    assert!(bench.observe(NOW - MAX_SKEW_MS - 1).await);
    assert_eq!(bench.looks(), 0);
    assert!(bench.observe(NOW - MAX_SKEW_MS).await);
    assert_eq!(bench.looks(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_not_final_here_yet_is_waited_for() {
    let later = |time: u64| Err(FindError::Later { newest_ms: time - 1 });
    let bench = Bench::of(Duration::ZERO, move |time, look| match look {
        0..3 => later(time),
        _ => Ok(some(7)),
    });
    assert!(bench.observe(NOW).await);
    assert_eq!(*bench.at(NOW).unwrap(), some(7));
    // One that never comes is given up, with the reason.
    let bench = Bench::of(Duration::ZERO, move |time, _| later(time));
    assert!(bench.observe(NOW).await);
    assert!(bench.at(NOW).unwrap_err().contains("later than that of the newest final block"));
    assert!(bench.looks() <= 14, "{}", bench.looks());
}

#[tokio::test(start_paused = true)]
async fn a_time_without_a_block_and_a_chain_without_an_answer_have_their_reasons() {
    let bench = Bench::of(Duration::ZERO, |time, _| match time {
        NOW => Err(FindError::Between { before_ms: NOW - 3 }),
        _ => Err(FindError::Chain("connection refused".into())),
    });
    assert!(bench.observe(NOW).await && bench.observe(NOW + 1).await);
    assert!(bench.at(NOW).unwrap_err().contains("not that of a final block"));
    assert!(bench.at(NOW + 1).unwrap_err().contains("connection refused"));
    // It may answer the next time.
    assert!(bench.observe(NOW + 1).await);
    assert_eq!(bench.looks(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_is_too_slow_is_not_waited_for() {
    let bench = Bench::of(PATIENCE * 2, |_, _| Ok(some(7)));
    assert!(!bench.observe(NOW).await, "nothing is known: the one who asks comes again");
    tokio::time::sleep(PATIENCE).await;
    assert!(bench.at(NOW).unwrap_err().contains("takes too long"));
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let seen = Seen::default();
    for time in 0..600 {
        seen.keep(time, &Ok(some(1)));
        seen.keep(time + 1_000, &Err(FindError::TooOld));
    }
    let inner = seen.inner();
    assert_eq!((inner.read.len(), inner.reasons.len()), (KEPT, KEPT));
    assert!(inner.read.contains_key(&599) && !inner.read.contains_key(&0));
}

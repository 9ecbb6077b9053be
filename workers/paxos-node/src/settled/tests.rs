use super::*;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

const FEED: Feed = Feed { kind: ReportKind::Leaderboard, contract: Account([4; 32]) };

/// One slot more at each look; at the third it cannot be read.
struct Counting(u64);

impl Source for Counting {
    async fn read(&mut self) -> (Vec<(Feed, u64)>, Option<String>) {
        self.0 += 1;
        match self.0 {
            3 => (Vec::new(), Some("gone".into())),
            slot => (vec![(FEED, slot)], None),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_chain_is_read_when_a_report_needs_more_and_each_second() {
    let settled = Settled::default();
    let reader = Reader::start(settled.clone(), Counting(0));
    reader.observe(&FEED, 1).await;
    assert_eq!(settled.slot(&FEED), 0, "nothing comes before the first");
    reader.observe(&FEED, 2).await;
    assert_eq!(settled.slot(&FEED), 1);
    reader.observe(&FEED, 2).await;
    assert_eq!(settled.slot(&FEED), 1, "that was known");
    reader.observe(&FEED, 9).await;
    reader.observe(&FEED, 9).await;
    assert_eq!(settled.slot(&FEED), 2, "who cannot read keeps what was read");
    tokio::time::sleep(EVERY * 3 / 2).await;
    assert_eq!(settled.slot(&FEED), 4);
}

#[test]
fn what_is_settled_stays_settled() {
    let settled = Settled::default();
    settled.keep(&[(FEED, 5)]);
    settled.clone().keep(&[(FEED, 3)]);
    assert_eq!(settled.slot(&FEED), 5);
}

/// A chain that takes its time.
struct Slow(Duration);

impl Source for Slow {
    async fn read(&mut self) -> (Vec<(Feed, u64)>, Option<String>) {
        tokio::time::sleep(self.0).await;
        (vec![(FEED, 7)], None)
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_read_to_its_end_and_holds_nobody_up() {
    let settled = Settled::default();
    let reader = Reader::start(settled.clone(), Slow(PATIENCE * 4));
    let begin = Instant::now();
    reader.observe(&FEED, 8).await;
    assert!(begin.elapsed() <= PATIENCE, "{:?}", begin.elapsed());
    assert_eq!(settled.slot(&FEED), 0);
    tokio::time::sleep(PATIENCE * 4).await;
    assert_eq!(settled.slot(&FEED), 7);
}

/// A chain with two contracts: the first answers on the lines from `good` on and is silent on
/// those before, the second is broken.
struct Failing {
    lines: Arc<AtomicU64>,
    good: u64,
    fault: fn() -> Fault,
}

impl Remote for Failing {
    type Line = u64;

    async fn connect(&self) -> Result<u64, String> {
        Ok(self.lines.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn questions(&self, line: &u64) -> Vec<Question> {
        let (line, good, fault) = (*line, self.good, self.fault);
        let first = async move {
            if line < good {
                std::future::pending::<()>().await;
            }
            Ok(vec![(FEED, line)])
        };
        vec![Box::pin(first), Box::pin(async move { Err(fault()) })]
    }
}

fn failing(good: u64, fault: fn() -> Fault) -> (Kept<Failing>, Arc<AtomicU64>) {
    let lines = Arc::<AtomicU64>::default();
    (Kept::new(Failing { lines: lines.clone(), good, fault }), lines)
}

#[tokio::test(start_paused = true)]
async fn a_silent_line_is_given_up_and_made_anew() {
    let (source, lines) = failing(2, || Fault::Contract("broken".into()));
    let settled = Settled::default();
    let _reader = Reader::start(settled.clone(), source);
    tokio::time::sleep(ANSWER).await;
    assert_eq!(settled.slot(&FEED), 0);
    tokio::time::sleep(EVERY * 3).await;
    assert_eq!((settled.slot(&FEED), lines.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_error_of_one_contract_costs_the_others_neither_answer_nor_line() {
    let (mut source, lines) = failing(1, || Fault::Contract("broken".into()));
    for _ in 0..3 {
        assert_eq!(source.read().await, (vec![(FEED, 1)], Some("broken".into())));
    }
    assert_eq!(lines.load(Ordering::SeqCst), 1);
    let (mut source, lines) = failing(1, || Fault::Line("closed".into()));
    for line in 1..=3 {
        assert_eq!(source.read().await, (vec![(FEED, line)], Some("closed".into())));
    }
    assert_eq!(lines.load(Ordering::SeqCst), 3);
}

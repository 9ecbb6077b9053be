//! The thread that owns the node and its disk.
//!
//! It takes all inputs that wait, steps the node for each, writes all their records in one
//! transaction, and only then lets messages and answers out: group commit, and nothing leaves
//! before what it rests on is on disk.

use crate::evidence::Evidence;
use crate::feeds::{Feeds, Line};
use crate::keyring::Keyring;
use crate::metrics::{count, level, Metrics};
use crate::peers::{Peers, Reach};
use crate::store::Store;
use cicada_consensus::{Answer, Input, Node, Now, Outcome, Output, Position, Record, Status};
use cicada_core::report::{FeedState, ReportKind};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

/// Between two ticks of the node.
const TICK: Duration = Duration::from_millis(50);
/// How many inputs may wait.
const QUEUE: usize = 1_024;
/// How many inputs share one write.
const BATCH: usize = 256;
/// How many slots without a certificate are listed of a feed.
const LISTED: usize = 64;

/// The node of this service.
pub type FeedsNode = Node<Feeds, Keyring>;

/// What the engine runs: the node, or something around one. A lying build puts its lies here.
pub trait Machine: Send {
    /// The node itself, for questions.
    fn node(&self) -> &FeedsNode;

    /// Takes an input. A request whose answer is left out stays unanswered.
    fn step(&mut self, now: Now, input: Input) -> Vec<Output>;
}

impl Machine for FeedsNode {
    fn node(&self) -> &FeedsNode {
        self
    }

    fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        Node::step(self, now, input)
    }
}

/// What the engine works with.
pub struct Parts {
    /// What it runs.
    pub machine: Box<dyn Machine>,
    /// Its disk.
    pub store: Store,
    /// What it keeps about liars.
    pub evidence: Evidence,
    /// The way to the others.
    pub peers: Arc<Peers>,
    /// Its figures.
    pub metrics: Arc<Metrics>,
}

/// Something for the engine to do.
pub enum Command {
    /// An input that nobody waits for.
    Input(Input),
    /// A request of another node; the answer comes once it is durable.
    Request(Input, oneshot::Sender<Answer>),
    /// A value to get decided until a deadline.
    Propose(Vec<u8>, Duration, oneshot::Sender<Outcome>),
    /// A look at the node.
    Look(Box<dyn FnOnce(&FeedsNode) + Send>),
    /// The end.
    Stop,
}

/// What the node looked like after its last step.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its own figures.
    pub status: Status,
    /// Its feeds, in their order.
    pub feeds: Vec<FeedView>,
}

impl Snapshot {
    /// What the feed of a kind looked like, if there is one.
    pub fn feed(&self, kind: ReportKind) -> Option<&FeedView> {
        self.feeds.iter().find(|feed| feed.kind == kind)
    }
}

/// What a feed looked like.
#[derive(Clone, Debug)]
pub struct FeedView {
    /// What it is about.
    pub kind: ReportKind,
    /// The newest decided report.
    pub newest: FeedState,
    /// The highest slot up to which all are certified.
    pub certified_slot: u64,
    /// The newest slot that the chain was seen to have.
    pub settled_slot: u64,
    /// Slots that are decided and not certified, the lowest first; at most 64.
    pub uncertified_slots: Vec<u64>,
}

/// A handle on the engine's thread.
#[derive(Clone)]
pub struct Engine {
    commands: SyncSender<Command>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    runtime: Handle,
    started: Instant,
    // When the thread was last done with what it had, in ms after the start.
    beat: Arc<AtomicU64>,
}

impl Engine {
    /// Starts the thread. It ends after [`Command::Stop`]; if the disk fails or the protocol is
    /// broken it ends the process.
    pub fn start(parts: Parts) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (commands, inbox) = sync_channel(QUEUE);
        let (publish, snapshot) = watch::channel(Arc::new(look(parts.machine.node())));
        let (started, beat) = (Instant::now(), Arc::default());
        let engine = Self { commands, snapshot, runtime: Handle::current(), started, beat };
        let mut worker = Worker {
            parts,
            publish,
            engine: engine.clone(),
            started,
            waiting: BTreeMap::new(),
            unanswered: VecDeque::new(),
            tickets: 0,
        };
        let builder = std::thread::Builder::new().name("engine".into());
        let thread = builder.spawn(move || worker.run(&inbox))?;
        Ok((engine, thread))
    }

    /// Hands over a command, unless the queue is full.
    pub fn offer(&self, command: Command) -> bool {
        match self.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                tracing::warn!("the queue of inputs is full");
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// Hands over a command, waiting while the queue is full.
    pub(crate) fn command(&self, command: Command) {
        // The engine may have ended by itself.
        let _ = self.commands.send(command);
    }

    /// Asks the node something. `None` if the engine is too busy or has ended.
    pub async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&FeedsNode) -> T + Send + 'static,
    ) -> Option<T> {
        let (send, receive) = oneshot::channel();
        let look = move |node: &FeedsNode| drop(send.send(question(node)));
        if !self.offer(Command::Look(Box::new(look))) {
            return None;
        }
        receive.await.ok()
    }

    /// The node as it was after its last step.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// How long the thread has been busy with what it took last, in ms; 0 if it goes round as it
    /// should.
    pub fn lag_ms(&self) -> u64 {
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        let since = self.started.elapsed().saturating_sub(beat).saturating_sub(TICK);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// To wait for the next change.
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

fn look(node: &FeedsNode) -> Snapshot {
    let status = node.status();
    let application = node.application();
    let view = |line: &Line| FeedView {
        kind: line.feed().kind,
        newest: line.state(),
        certified_slot: line.state().slot,
        settled_slot: line.settled(),
        uncertified_slots: Vec::new(),
    };
    let mut feeds: Vec<FeedView> = application.lines().map(view).collect();
    for (at, slot) in status.uncertified.iter().filter_map(|position| application.place(*position))
    {
        let Some(feed) = feeds.get_mut(at) else {
            continue;
        };
        if feed.uncertified_slots.is_empty() {
            feed.certified_slot = slot.saturating_sub(1);
        }
        if feed.uncertified_slots.len() < LISTED {
            feed.uncertified_slots.push(slot);
        }
    }
    Snapshot { feeds, status }
}

struct Worker {
    parts: Parts,
    publish: watch::Sender<Arc<Snapshot>>,
    engine: Engine,
    started: Instant,
    waiting: BTreeMap<u64, oneshot::Sender<Outcome>>,
    // Requests that the machine leaves without an answer; dropping one would answer it.
    unanswered: VecDeque<oneshot::Sender<Answer>>,
    tickets: u64,
}

// What one batch of inputs comes to.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    applied: Position,
    after: Vec<Output>,
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Command>) {
        let mut next_tick = Instant::now();
        loop {
            let mut batch = Batch::default();
            let wait = next_tick.saturating_duration_since(Instant::now());
            let mut running = match inbox.recv_timeout(wait) {
                Ok(command) => self.take(command, &mut batch),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            for _ in 1..BATCH {
                match inbox.try_recv() {
                    Ok(command) if running => running = self.take(command, &mut batch),
                    _ => break,
                }
            }
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                self.step(Input::Tick, None, &mut batch);
            }
            self.finish(batch);
            self.engine.beat.store(self.now().timer_ms, Ordering::Relaxed);
            if !running {
                return;
            }
        }
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Now { timer_ms: millis(self.started.elapsed()), wall_ms: millis(wall) }
    }

    // Whether to go on.
    fn take(&mut self, command: Command, batch: &mut Batch) -> bool {
        match command {
            Command::Input(input) => self.step(input, None, batch),
            Command::Request(input, reply) => self.step(input, Some(reply), batch),
            Command::Propose(value, patience, reply) => {
                self.tickets = self.tickets.wrapping_add(1);
                self.waiting.insert(self.tickets, reply);
                let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                let input = Input::Propose {
                    ticket: self.tickets,
                    value,
                    deadline_ms: self.now().timer_ms.saturating_add(patience),
                };
                self.step(input, None, batch);
            }
            Command::Look(question) => question(self.parts.machine.node()),
            Command::Stop => return false,
        }
        true
    }

    fn step(&mut self, input: Input, reply: Option<oneshot::Sender<Answer>>, batch: &mut Batch) {
        let mut reply = reply;
        for output in self.parts.machine.step(self.now(), input) {
            match output {
                Output::Persist(records) => batch.records.extend(records),
                Output::Answer(answer) => {
                    count(&self.parts.metrics.answers, answer.name());
                    if let Some(reply) = reply.take() {
                        batch.answers.push((reply, answer));
                    }
                }
                Output::Applied { position } => {
                    tracing::info!(position, "decided");
                    batch.applied = batch.applied.max(position);
                }
                other => batch.after.push(other),
            }
        }
        if let Some(unanswered) = reply {
            self.unanswered.push_back(unanswered);
            if self.unanswered.len() > QUEUE {
                self.unanswered.pop_front();
            }
        }
    }

    fn finish(&mut self, batch: Batch) {
        if !batch.records.is_empty() {
            let begin = Instant::now();
            if let Err(error) = self.parts.store.write(&batch.records, batch.applied) {
                // What is on disk now is unknown; only a fresh start can find out.
                tracing::error!(%error, "cannot write: the process ends");
                std::process::exit(70);
            }
            self.parts.metrics.flush_seconds.observe(begin.elapsed().as_secs_f64());
            self.parts.metrics.flush_records.observe(batch.records.len() as f64);
        }
        self.publish();
        for (reply, answer) in batch.answers {
            // The one who asked may have gone.
            let _ = reply.send(answer);
        }
        for output in batch.after {
            self.let_out(output);
        }
    }

    fn let_out(&mut self, output: Output) {
        match output {
            Output::Send { to, request } => self.parts.peers.send(to, &request, &self.engine),
            Output::Finished { ticket, outcome } => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    let _ = reply.send(outcome);
                }
            }
            Output::Certified { position } => tracing::info!(position, "certified"),
            Output::Contradiction(found) => {
                let seat = found.seat;
                tracing::warn!(seat, "signed two proposals for one position of a view");
                count(&self.parts.metrics.contradictions, "proposal");
                if let Err(error) = self.parts.evidence.keep(&found) {
                    // Nothing rests on it: the node goes on.
                    tracing::error!(%error, "cannot keep the evidence");
                }
            }
            Output::Halt { reason } => {
                tracing::error!(reason, "the protocol is broken: the process ends");
                std::process::exit(71);
            }
            Output::Persist(_) | Output::Answer(_) | Output::Applied { .. } => {}
        }
    }

    fn publish(&self) {
        let snapshot = look(self.parts.machine.node());
        let metrics = &self.parts.metrics;
        metrics.promised_round.set(snapshot.status.promised.round);
        metrics.decided.set(snapshot.status.decided);
        for feed in &snapshot.feeds {
            level(&metrics.feed_slots, feed.kind.name(), feed.newest.slot);
        }
        let board = snapshot.feed(ReportKind::Leaderboard);
        metrics.slot.set(board.map_or(0, |board| board.newest.slot));
        metrics.uncertified.set(snapshot.status.uncertified.len() as u64);
        metrics.leading.set(u64::from(snapshot.status.leading.is_some()));
        let reach = self.parts.peers.reach();
        let reachable = reach.iter().filter(|(_, reach)| *reach == Reach::Reachable);
        metrics.peers.set(reachable.count() as u64);
        self.publish.send_replace(Arc::new(snapshot));
    }
}

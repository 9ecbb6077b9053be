//! Our nodes in one loop, in either fault model.

use crate::keys::{Keyring, Scheme};
use crate::measure::{count, measure, Sample, Tally};
use crate::work::Work;
use anyhow::{bail, ensure, Context, Result};
use cicada_consensus::{
    Application, AttestationRequest, Config, Input, Node, Now, Output, Position, Refusal, Seat,
};
use cicada_core::quorum::{FaultModel, Quorum};
use std::collections::VecDeque;
use std::rc::Rc;

/// Takes everything and attests nothing.
struct Anything;

impl Application for Anything {
    fn check(&self, _: &[u8], _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: Position, _: &[u8]) -> Option<AttestationRequest> {
        None
    }
}

struct Cluster {
    nodes: Vec<Node<Anything, Keyring>>,
    inboxes: Vec<VecDeque<Input>>,
    leader: Seat,
    // Values applied at each node.
    applied: Vec<u64>,
    // Values that the leader was given and has not applied.
    outstanding: u64,
    proposed: u64,
    tally: Rc<Tally>,
}

impl Cluster {
    fn new(n: u8, model: FaultModel, scheme: Scheme, work: &Work) -> Result<Self> {
        let tally = Rc::new(Tally::default());
        let quorum = Quorum::of(model, n).context("a committee has 4 to 32 nodes")?;
        let attestation =
            Quorum::of(FaultModel::Byzantine, n).context("a committee has 4 to 32 nodes")?;
        let mut nodes = Vec::new();
        for (seat, keys) in (0..n).zip(Keyring::committee(n, scheme, &tally)) {
            let mut config = Config::new(seat, quorum, attestation, 1, [7; 32]);
            config.window = work.outstanding;
            config.max_value_len = config.max_value_len.max(work.value_len);
            nodes.push(Node::recover(config, Anything, keys, [])?);
        }
        // In the Byzantine form the first view has its leader; in crash mode who proposes leads.
        let leader = Config::new(0, quorum, attestation, 1, [7; 32]).leader(1);
        let count = usize::from(n);
        let mut cluster = Self {
            nodes,
            inboxes: vec![VecDeque::new(); count],
            leader,
            applied: vec![0; count],
            outstanding: 0,
            proposed: 0,
            tally,
        };
        for inbox in &mut cluster.inboxes {
            inbox.push_back(Input::Tick);
        }
        cluster.drain(&Work { values: 0, ..*work })?;
        Ok(cluster)
    }

    // Every node in turn works off its inbox, until all are empty.
    fn drain(&mut self, work: &Work) -> Result<()> {
        let mut busy = true;
        while std::mem::take(&mut busy) {
            for seat in 0..self.nodes.len() {
                while let Some(input) = self.inboxes[seat].pop_front() {
                    busy = true;
                    self.step(seat, input)?;
                    if seat == usize::from(self.leader) {
                        self.propose(work);
                    }
                }
            }
        }
        Ok(())
    }

    fn propose(&mut self, work: &Work) {
        while self.outstanding < work.outstanding && self.proposed < work.values {
            let value = work.value(self.proposed);
            self.outstanding += 1;
            self.proposed += 1;
            let propose = Input::Propose { ticket: self.proposed, value, deadline_ms: u64::MAX };
            self.inboxes[usize::from(self.leader)].push_back(propose);
        }
    }

    fn step(&mut self, seat: usize, input: Input) -> Result<()> {
        let asker = match &input {
            Input::Request { from, .. } => Some(*from),
            _ => None,
        };
        let from = Seat::try_from(seat)?;
        let now = Now { timer_ms: 1, wall_ms: 1 };
        for output in self.nodes[seat].step(now, input) {
            match output {
                Output::Send { to, request } => {
                    for to in to {
                        count(&self.tally.messages);
                        let request = request.clone();
                        self.inboxes[usize::from(to)].push_back(Input::Request { from, request });
                    }
                }
                Output::Answer(answer) => {
                    count(&self.tally.messages);
                    let to = asker.context("an answer without a request")?;
                    self.inboxes[usize::from(to)].push_back(Input::Answer { from, answer });
                }
                Output::Applied { .. } => {
                    self.applied[seat] += 1;
                    if from == self.leader {
                        self.outstanding = self.outstanding.saturating_sub(1);
                    }
                }
                Output::Halt { reason } => bail!("node {seat} halts: {reason}"),
                Output::Contradiction(found) => bail!("node {seat} finds a liar: {found:?}"),
                Output::Persist(_) | Output::Finished { .. } | Output::Certified { .. } => {}
            }
        }
        Ok(())
    }

    fn run(&mut self, work: &Work) -> Result<()> {
        self.propose(work);
        self.drain(work)?;
        let all = self.applied.iter().all(|applied| *applied == work.values + 1);
        ensure!(all, "not all nodes applied {} values: {:?}", work.values, self.applied);
        Ok(())
    }
}

/// Decides the work with our nodes.
///
/// # Errors
/// If a node does not apply every value.
pub fn run(n: u8, model: FaultModel, scheme: Scheme, work: &Work) -> Result<Sample> {
    let mut cluster = Cluster::new(n, model, scheme, work)?;
    // One value beforehand, so that the leader is there when the clock starts.
    let first = Work { values: 1, ..*work };
    cluster.propose(&first);
    cluster.drain(&first)?;
    cluster.proposed = 0;
    let tally = Rc::clone(&cluster.tally);
    measure(&tally, work.values, || cluster.run(work))
}

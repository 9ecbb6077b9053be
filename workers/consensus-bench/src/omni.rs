//! The peer of crash mode: `omnipaxos` with its own memory storage.

use crate::measure::{count, measure, Sample, Tally};
use crate::work::Work;
use anyhow::{anyhow, ensure, Result};
use cicada_consensus::digest;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::messages::Message;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use omnipaxos_storage::memory_storage::MemoryStorage;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

/// A value. The peer may share it within a node; on the way to another it is copied.
#[derive(Clone, Debug)]
struct Update(Arc<[u8]>);

impl Entry for Update {
    type Snapshot = NoSnapshot;
}

/// When messages are handed to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// After each input: every value has messages of its own.
    Each,
    /// When a node has worked off its inbox: the peer puts the values since then into one.
    Inbox,
}

/// What nodes do with what is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing: as little as can be.
    None,
    /// Each node takes each value from the log and hashes it, as each of ours does.
    Digest,
}

struct Cluster {
    nodes: Vec<OmniPaxos<Update, MemoryStorage<Update>>>,
    inboxes: Vec<VecDeque<Message<Update>>>,
    outgoing: Vec<Message<Update>>,
    leader: usize,
    proposed: u64,
    flush: Flush,
    reading: Reading,
    // How far each node has read.
    read: Vec<usize>,
    digests: Vec<[u8; 32]>,
    tally: Rc<Tally>,
}

// What a network would do: the receiver has bytes of its own.
fn copy_values(message: &mut Message<Update>) {
    if let Message::SequencePaxos(paxos) = message {
        if let PaxosMsg::AcceptDecide(accept) = &mut paxos.msg {
            for entry in &mut accept.entries {
                entry.0 = Arc::from(&entry.0[..]);
            }
        }
    }
}

impl Cluster {
    fn new(n: u8, flush: Flush, reading: Reading) -> Result<Self> {
        let pids: Vec<u64> = (1..=u64::from(n)).collect();
        let cluster =
            ClusterConfig { configuration_id: 1, nodes: pids.clone(), flexible_quorum: None };
        let nodes: Result<Vec<_>, _> = pids
            .iter()
            .map(|pid| {
                let server = ServerConfig { pid: *pid, ..ServerConfig::default() };
                cluster.clone().build_for_server(server, MemoryStorage::default())
            })
            .collect();
        let count = usize::from(n);
        let mut cluster = Self {
            nodes: nodes.map_err(|e| anyhow!("omnipaxos does not take its configuration: {e}"))?,
            inboxes: (0..count).map(|_| VecDeque::new()).collect(),
            outgoing: Vec::new(),
            leader: 0,
            proposed: 0,
            flush,
            reading,
            read: vec![0; count],
            digests: vec![[0; 32]; count],
            tally: Rc::new(Tally::default()),
        };
        cluster.elect()?;
        Ok(cluster)
    }

    fn elect(&mut self) -> Result<()> {
        for _ in 0..1_000 {
            for node in 0..self.nodes.len() {
                self.nodes[node].tick();
                self.collect(node);
            }
            self.drain(0, &Work { values: 0, value_len: 0, outstanding: 0 })?;
            let leaders: Vec<_> = self.nodes.iter().map(OmniPaxos::get_current_leader).collect();
            if let Some(Some((pid, true))) = leaders.first() {
                if leaders.iter().all(|leader| *leader == Some((*pid, true))) {
                    self.leader = usize::try_from(pid - 1)?;
                    return Ok(());
                }
            }
        }
        Err(anyhow!("omnipaxos elected no leader in 1,000 ticks"))
    }

    fn collect(&mut self, node: usize) {
        self.nodes[node].take_outgoing_messages(&mut self.outgoing);
        for mut message in self.outgoing.drain(..) {
            count(&self.tally.messages);
            copy_values(&mut message);
            if let Some(inbox) = self.inboxes.get_mut(message.get_receiver() as usize - 1) {
                inbox.push_back(message);
            }
        }
    }

    fn read(&mut self, node: usize) {
        if self.reading == Reading::None {
            return;
        }
        let entries = self.nodes[node].read_decided_suffix(self.read[node]).unwrap_or_default();
        for entry in entries {
            if let LogEntry::Decided(update) = entry {
                self.digests[node] = digest(&update.0);
                self.read[node] += 1;
            }
        }
    }

    // As the loop of our own cluster.
    fn drain(&mut self, base: usize, work: &Work) -> Result<()> {
        let mut busy = true;
        while std::mem::take(&mut busy) {
            for node in 0..self.nodes.len() {
                let mut moved = false;
                while let Some(message) = self.inboxes[node].pop_front() {
                    moved = true;
                    self.nodes[node].handle_incoming(message);
                    if node == self.leader {
                        self.propose(base, work)?;
                    }
                    if self.flush == Flush::Each {
                        self.collect(node);
                    }
                }
                if moved {
                    busy = true;
                    self.read(node);
                    self.collect(node);
                }
            }
        }
        Ok(())
    }

    fn propose(&mut self, base: usize, work: &Work) -> Result<()> {
        let decided = self.nodes[self.leader].get_decided_idx().saturating_sub(base) as u64;
        while self.proposed - decided.min(self.proposed) < work.outstanding
            && self.proposed < work.values
        {
            let update = Update(Arc::from(work.value(self.proposed)));
            let appended = self.nodes[self.leader].append(update);
            appended.map_err(|_| anyhow!("omnipaxos does not take a value at its leader"))?;
            self.proposed += 1;
            if self.flush == Flush::Each {
                self.collect(self.leader);
            }
        }
        Ok(())
    }

    fn run(&mut self, work: &Work) -> Result<()> {
        let base = self.nodes[self.leader].get_decided_idx();
        self.proposed = 0;
        self.propose(base, work)?;
        self.collect(self.leader);
        self.drain(base, work)?;
        let wanted = base + usize::try_from(work.values)?;
        let decided: Vec<usize> = self.nodes.iter().map(OmniPaxos::get_decided_idx).collect();
        let all = decided.iter().all(|index| *index == wanted);
        ensure!(all, "omnipaxos: not all nodes decided {wanted} values: {decided:?}");
        let alike = self.digests.windows(2).all(|pair| pair[0] == pair[1]);
        ensure!(alike, "omnipaxos: nodes read different last values");
        let read = self.reading == Reading::None || self.read.iter().all(|read| *read == wanted);
        ensure!(read, "omnipaxos: not all nodes read {wanted} values: {:?}", self.read);
        Ok(())
    }
}

/// Decides the work with `omnipaxos`.
///
/// # Errors
/// If it elects no leader or a node does not decide every value.
pub fn run(n: u8, flush: Flush, reading: Reading, work: &Work) -> Result<Sample> {
    let mut cluster = Cluster::new(n, flush, reading)?;
    cluster.run(&Work { values: 1, ..*work })?;
    let tally = Rc::clone(&cluster.tally);
    measure(&tally, work.values, || cluster.run(work))
}

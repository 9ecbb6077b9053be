//! Whole nodes on a bad network: the honest are never charged, whoever else is.

mod common;

use cicada_audit::Pool;
use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{
    digest, Answer, Application, AttestationRequest, Config, Input, Mutant, Node, Now, Output,
    Position, Record, Refusal, Request, Seat, View,
};
use cicada_core::hash::{Digest, Native};
use cicada_core::report::Report;
use cicada_dice::Dice;
use common::{config, report, Stamp, CONFIG_DIGEST};
use parity_scale_codec::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// Takes any report of the next slot.
struct Slots(u64);

impl Application for Slots {
    fn check(&self, value: &[u8], _: Now) -> Result<(), Refusal> {
        let report = Report::decode(&mut &value[..]).map_err(|e| Refusal(e.to_string()))?;
        match report.slot == self.0 + 1 {
            true => Ok(()),
            false => Err(Refusal("not the next slot".into())),
        }
    }

    fn apply(&mut self, _: Position, value: &[u8]) -> Option<AttestationRequest> {
        let report = Report::decode(&mut &value[..]).ok()?;
        let next = report.slot == self.0 + 1;
        self.0 += u64::from(next);
        let message = report.attestation_message::<Native>(&CONFIG_DIGEST);
        next.then_some(AttestationRequest { message, report })
    }
}

enum Message {
    Request { from: Seat, to: Seat, request: Request },
    Answer { from: Seat, to: Seat, answer: Answer },
}

struct Cluster<'a> {
    configs: Vec<Config>,
    nodes: Vec<Node<Slots, Stamp>>,
    disks: Vec<Vec<Record>>,
    wire: Vec<Message>,
    dice: Dice,
    now_ms: u64,
    loss: u64,
    pool: Pool<'a, Stamp>,
    proposed: BTreeMap<(View, Position), BTreeSet<Digest>>,
}

impl<'a> Cluster<'a> {
    fn new(auditor: &'a Config, seed: u64, liars: &[(Seat, Mutant)]) -> Self {
        let n = auditor.quorum.n();
        let mut dice = Dice::new(seed);
        let mut configs: Vec<Config> = (0..n).map(|seat| config(n, seat)).collect();
        let window = 1 + dice.below(3);
        configs.iter_mut().for_each(|config| config.window = window);
        for (seat, mutant) in liars {
            configs[usize::from(*seat)].mutant = Some(*mutant);
        }
        let nodes = configs.iter().map(|config| start(config, vec![])).collect();
        let (disks, pool) = (vec![vec![]; usize::from(n)], Pool::new(auditor, &Stamp(0)));
        let loss = dice.below(30);
        let (wire, proposed) = (vec![], BTreeMap::new());
        Self { configs, nodes, disks, wire, dice, now_ms: 1_000, loss, pool, proposed }
    }

    fn step(&mut self, seat: Seat, input: Input) {
        let asker = match &input {
            Input::Request { from, .. } => Some(*from),
            _ => None,
        };
        let now = Now { timer_ms: self.now_ms, wall_ms: self.now_ms };
        let place = usize::from(seat);
        let outputs = self.nodes[place].step(now, input);
        if self.dice.below(300) == 0 {
            // The process ends with nothing on disk and nothing sent, and starts again.
            let disk = self.disks[place].clone();
            self.nodes[place] = start(&self.configs[place], disk);
            return;
        }
        for output in outputs {
            match output {
                Output::Persist(records) => self.disks[place].extend(records),
                Output::Send { to, request } => {
                    self.witness_request(seat, &request);
                    for to in to {
                        let request = request.clone();
                        self.wire.push(Message::Request { from: seat, to, request });
                    }
                }
                Output::Answer(answer) => {
                    let to = asker.expect("an answer has a request");
                    self.witness_answer(seat, &answer);
                    self.wire.push(Message::Answer { from: seat, to, answer });
                }
                Output::Halt { reason } => panic!("seat {seat}: {reason}"),
                _ => {}
            }
        }
    }

    fn witness_request(&mut self, from: Seat, request: &Request) {
        match request {
            Request::Propose { proposal, justification } => {
                let (view, position) = (proposal.view, proposal.position);
                let digest = digest(&proposal.value);
                let statement = Statement { kind: Kind::Proposal, position, view, digest };
                self.proposed.entry((view, position)).or_default().insert(digest);
                self.pool.add_statement(from, statement, proposal.signature).unwrap();
                if let Some(justification) = justification {
                    self.pool.add_justification(justification).unwrap();
                }
            }
            Request::Commit { certificate, .. }
            | Request::Decided { proof: Some(certificate), .. } => {
                self.pool.add_certificate(certificate).unwrap();
            }
            _ => {}
        }
    }

    fn witness_answer(&mut self, from: Seat, answer: &Answer) {
        let (kind, view, position, signature) = match answer {
            Answer::Pledged { pledge, .. } => return self.pool.add_pledge(pledge).unwrap(),
            Answer::Prepared { view, position, signature } => {
                (Kind::Prepared, *view, *position, *signature)
            }
            Answer::Committed { view, position, signature } => {
                (Kind::Committed, *view, *position, *signature)
            }
            _ => return,
        };
        // The answer does not say which value; its signature does.
        for digest in self.proposed.get(&(view, position)).into_iter().flatten() {
            let statement = Statement { kind, position, view, digest: *digest };
            let _ = self.pool.add_statement(from, statement, signature);
        }
    }

    fn deliver(&mut self) {
        let Some(last) = self.wire.len().checked_sub(1) else {
            return;
        };
        // Any message may come next, some twice, some never.
        let place = self.dice.below(self.wire.len() as u64) as usize;
        self.wire.swap(place, last);
        let message = self.wire.pop().expect("it is not empty");
        if self.dice.below(100) < self.loss {
            return;
        }
        match message {
            Message::Request { from, to, request } => {
                if self.dice.below(20) == 0 {
                    let request = request.clone();
                    self.wire.push(Message::Request { from, to, request });
                }
                self.step(to, Input::Request { from, request });
            }
            Message::Answer { from, to, answer } => self.step(to, Input::Answer { from, answer }),
        }
    }

    fn run(&mut self, rounds: u64) {
        let seats = self.nodes.len() as u64;
        for round in 0..rounds {
            self.now_ms += 50;
            for seat in 0..self.nodes.len() {
                self.step(seat as Seat, Input::Tick);
            }
            if self.dice.below(4) == 0 {
                let seat = self.dice.below(seats) as usize;
                let slot = self.nodes[seat].application().0 + 1;
                let value = Report { slot, ..report(round as u8) }.encode();
                let deadline_ms = self.now_ms + 10_000;
                let proposal = Input::Propose { ticket: round, value, deadline_ms };
                self.step(seat as Seat, proposal);
            }
            let many = self.dice.below(self.wire.len() as u64 + 1);
            (0..many).for_each(|_| self.deliver());
        }
        self.witness_logs();
    }

    fn witness_logs(&mut self) {
        for node in &self.nodes {
            for entry in node.entries(1, 256) {
                if let Some(proof) = &entry.proof {
                    self.pool.add_certificate(proof).unwrap();
                }
                if let Some(certificate) = entry.certificate {
                    let report = Report::decode(&mut &entry.value[..]).unwrap();
                    self.pool.add_report(report, &certificate).unwrap();
                }
            }
        }
    }

    fn decided(&self) -> u64 {
        self.nodes.iter().map(|node| node.status().decided).max().unwrap_or(0)
    }
}

fn start(config: &Config, disk: Vec<Record>) -> Node<Slots, Stamp> {
    Node::recover(config.clone(), Slots(0), Stamp(config.seat), disk).unwrap()
}

/// Runs a cluster; who is charged, how much was decided, the highest view.
fn run(n: u8, seed: u64, rounds: u64, liars: &[(Seat, Mutant)]) -> (BTreeSet<Seat>, u64, View) {
    let auditor = config(n, 0);
    let mut cluster = Cluster::new(&auditor, seed, liars);
    cluster.run(rounds);
    let views = cluster.proposed.keys().map(|(view, _)| *view);
    let view = views.max().unwrap_or(0);
    (cluster.pool.verdicts().into_keys().collect(), cluster.decided(), view)
}

fn run_many(seeds: u64) {
    let (mut decided, mut views) = (0, 0);
    for seed in 0..seeds {
        let (guilty, count, view) = run(4 + (seed % 4) as u8, seed, 600, &[]);
        assert_eq!(guilty, BTreeSet::new(), "seed {seed}");
        decided += count;
        views += view;
    }
    println!("{decided} positions decided, {views} views");
    let enough = decided > seeds && views > seeds;
    assert!(enough, "too little happened: {decided} positions, {views} views");
}

#[test]
fn honest_nodes_on_a_bad_network_are_not_charged() {
    run_many(60);
}

#[test]
#[ignore = "takes as long as CICADA_SEEDS says"]
fn honest_nodes_in_many_more_runs_are_not_charged() {
    let seeds = std::env::var("CICADA_SEEDS").map_or(1_000, |seeds| seeds.parse().unwrap());
    run_many(seeds);
}

#[test]
fn twenty_three_honest_nodes_are_not_charged() {
    let (guilty, decided, _) = run(23, 7, 300, &[]);
    assert_eq!(guilty, BTreeSet::new());
    assert!(decided > 0);
}

#[test]
fn a_node_with_a_bug_is_charged_and_nobody_else() {
    for mutant in [Mutant::HideLocks, Mutant::ForgetLocks, Mutant::DropLocksAtViewChange] {
        let liar = 2;
        let mut caught = 0;
        for seed in 0..40 {
            let (guilty, _, _) = run(4, seed, 600, &[(liar, mutant)]);
            assert!(guilty.is_empty() || guilty == BTreeSet::from([liar]), "seed {seed}");
            caught += guilty.len();
        }
        println!("{mutant:?}: in {caught} of 40 runs");
        assert!(caught > 0, "{mutant:?} goes unpunished");
    }
}

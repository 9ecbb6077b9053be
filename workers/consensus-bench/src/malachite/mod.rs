//! The peer of the Byzantine form: malachite's consensus core, one value per height.

mod context;

use crate::keys::{Keyring, Scheme};
use crate::measure::{count, measure, Sample, Tally};
use crate::work::Work;
use anyhow::{anyhow, ensure, Result};
use arc_malachitebft_core_consensus as core;
use arc_malachitebft_core_types as types;
use context::{Address, Height, Peer, Proposal, Seal, Validators, Value, Vote};
use core::{
    process, ConsensusMsg, Effect, Input, LocallyProposedValue, Params, Resumable, Resume,
    SignedConsensusMsg, State, ValuePayload,
};
use std::collections::VecDeque;
use std::rc::Rc;
use types::{
    CertificateError, CommitCertificate, NilOrVal, SignedMessage, ThresholdParams,
    VoteExtensionPolicy, VoteType,
};

/// Whether a node verifies the certificate that it put together from votes it has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnCertificates {
    /// Signature by signature: the core asks its host for that.
    Verified,
    /// No: the cheapest host that is safe.
    Trusted,
}

// What one node's core asks for.
struct Host {
    keys: Keyring,
    policy: OwnCertificates,
    validators: Validators,
    work: Work,
    decided: u64,
    // Inputs for itself.
    own: VecDeque<Input<Peer>>,
    // Messages to all others.
    outgoing: Vec<SignedConsensusMsg<Peer>>,
}

impl Host {
    fn verify(&self, seat: u8, message: &ConsensusMsg<Peer>, signature: &Seal) -> bool {
        let message = match message {
            ConsensusMsg::Vote(vote) => vote.message(),
            ConsensusMsg::Proposal(proposal) => proposal.message(),
        };
        self.keys.verify(seat, &message, &signature.0)
    }

    fn verify_own(
        &self,
        certificate: &CommitCertificate<Peer>,
    ) -> Result<(), CertificateError<Peer>> {
        if self.policy == OwnCertificates::Trusted {
            return Ok(());
        }
        for commit in &certificate.commit_signatures {
            let vote = Vote {
                height: certificate.height,
                round: certificate.round,
                value: NilOrVal::Val(certificate.value_id),
                kind: VoteType::Precommit,
                address: commit.address,
            };
            if !self.keys.verify(commit.address.0, &vote.message(), &commit.signature.0) {
                return Err(CertificateError::InvalidCommitSignature(commit.clone()));
            }
        }
        Ok(())
    }

    fn start(&self, height: Height) -> Input<Peer> {
        let validators = self.validators.clone();
        Input::StartHeight(height, validators, false, None, VoteExtensionPolicy::Disabled)
    }

    fn sign_proposal(&self, proposal: Proposal) -> SignedMessage<Peer, Proposal> {
        let signature = Seal(self.keys.sign(&proposal.message()));
        SignedMessage::new(proposal, signature)
    }

    fn sign_vote(&self, vote: Vote) -> SignedMessage<Peer, Vote> {
        let signature = Seal(self.keys.sign(&vote.message()));
        SignedMessage::new(vote, signature)
    }

    // Timers are never due here, and there is no log: nothing is lost, nobody fails.
    fn handle(&mut self, effect: Effect<Peer>) -> Result<Resume<Peer>> {
        Ok(match effect {
            Effect::CancelAllTimeouts(r)
            | Effect::CancelTimeout(_, r)
            | Effect::ScheduleTimeout(_, r)
            | Effect::StartRound(_, _, _, _, r)
            | Effect::WalAppend(_, _, r)
            | Effect::Decide(_, _, r) => r.resume_with(()),
            Effect::PublishConsensusMsg(message, r) => {
                self.outgoing.push(message);
                r.resume_with(())
            }
            Effect::GetValue(height, round, _, r) => {
                let value = Value::received(&self.work.value(height.0));
                let proposed = LocallyProposedValue::new(height, round, value);
                self.own.push_back(Input::Propose(proposed));
                r.resume_with(())
            }
            Effect::SignVote(vote, r) => r.resume_with(self.sign_vote(vote)),
            Effect::SignProposal(proposal, r) => r.resume_with(self.sign_proposal(proposal)),
            Effect::VerifySignature(signed, key, r) => {
                r.resume_with(self.verify(key, &signed.message, &signed.signature))
            }
            Effect::VerifyCommitCertificate(certificate, _, _, r) => {
                r.resume_with(self.verify_own(&certificate))
            }
            Effect::Finalize(certificate, _, _, r) => {
                self.decided += 1;
                if self.decided < self.work.values {
                    let next = Height(certificate.height.0 + 1);
                    self.own.push_back(self.start(next));
                }
                r.resume_with(())
            }
            other => return Err(anyhow!("not expected among correct nodes: {other:?}")),
        })
    }
}

struct Cluster {
    nodes: Vec<(State<Peer>, Host)>,
    inboxes: Vec<VecDeque<SignedConsensusMsg<Peer>>>,
    tally: Rc<Tally>,
}

// As it comes from the network: with bytes of its own, and the identity computed from them.
fn received(message: &SignedConsensusMsg<Peer>) -> Input<Peer> {
    match message.clone() {
        SignedConsensusMsg::Vote(vote) => Input::Vote(vote),
        SignedConsensusMsg::Proposal(mut signed) => {
            signed.message.value = Value::received(signed.message.value.bytes());
            Input::Proposal(signed)
        }
    }
}

impl Cluster {
    fn new(n: u8, scheme: Scheme, policy: OwnCertificates, work: &Work) -> Self {
        let tally = Rc::new(Tally::default());
        let validators = Validators::of(n);
        let node = |(seat, keys)| {
            let params = Params {
                address: Address(seat),
                threshold_params: ThresholdParams::default(),
                value_payload: ValuePayload::ProposalOnly,
                enabled: true,
            };
            let state = State::new(Peer, Height(1), validators.clone(), params, 64, 1_024);
            let host = Host {
                keys,
                policy,
                validators: validators.clone(),
                work: *work,
                decided: 0,
                own: VecDeque::new(),
                outgoing: Vec::new(),
            };
            (state, host)
        };
        let keys = Keyring::committee(n, scheme, &tally);
        let nodes = (0..n).zip(keys).map(node).collect();
        Self { nodes, inboxes: (0..n).map(|_| VecDeque::new()).collect(), tally }
    }

    fn step(&mut self, seat: usize, input: Input<Peer>) -> Result<()> {
        let (state, host) = &mut self.nodes[seat];
        let done: Result<(), core::Error<Peer>> = process!(
            input: input,
            state: state,
            metrics: &(),
            with: effect => host.handle(effect)
        );
        done.map_err(|e| anyhow!("malachite at node {seat}: {e}"))?;
        for message in host.outgoing.drain(..) {
            for (to, inbox) in self.inboxes.iter_mut().enumerate() {
                if to != seat {
                    count(&self.tally.messages);
                    inbox.push_back(message.clone());
                }
            }
        }
        Ok(())
    }

    // As the loop of our own cluster; what a node has to tell itself comes first.
    fn drain(&mut self) -> Result<()> {
        let mut busy = true;
        while std::mem::take(&mut busy) {
            for seat in 0..self.nodes.len() {
                loop {
                    let own = self.nodes[seat].1.own.pop_front();
                    let next =
                        own.or_else(|| self.inboxes[seat].pop_front().as_ref().map(received));
                    let Some(input) = next else {
                        break;
                    };
                    busy = true;
                    self.step(seat, input)?;
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, work: &Work) -> Result<()> {
        for seat in 0..self.nodes.len() {
            let start = self.nodes[seat].1.start(Height(1));
            self.nodes[seat].1.own.push_back(start);
        }
        self.drain()?;
        let decided: Vec<u64> = self.nodes.iter().map(|(_, host)| host.decided).collect();
        let all = decided.iter().all(|decided| *decided == work.values);
        ensure!(all, "malachite: not all nodes decided {} heights: {decided:?}", work.values);
        Ok(())
    }
}

/// Decides the work with malachite's core.
///
/// # Errors
/// If a node does not decide every height.
pub fn run(n: u8, scheme: Scheme, policy: OwnCertificates, work: &Work) -> Result<Sample> {
    let mut cluster = Cluster::new(n, scheme, policy, work);
    let tally = Rc::clone(&cluster.tally);
    measure(&tally, work.values, || cluster.run(work))
}

//! A committee with real keys, for tests.

use crate::{verify, Committee, Verified};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal, Standing};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::Account;

/// Twenty-three seats, and a proposal for the first slot.
pub struct Stage {
    pub committee: Committee,
    // No two signatures are alike.
    certificate: Option<Certificate>,
}

fn pair(seat: u8) -> schnorrkel::Keypair {
    schnorrkel::MiniSecretKey::from_bytes(&[seat + 1; 32])
        .unwrap()
        .expand_to_keypair(schnorrkel::ExpansionMode::Ed25519)
}

impl Stage {
    pub fn new() -> Self {
        let keys = (0..23).map(|seat| pair(seat).public.to_bytes()).collect();
        let committee = Committee::new(1, Digest([8; 32]), keys).unwrap();
        let mut stage = Self { committee, certificate: None };
        stage.certificate = Some(stage.certificate_of(&stage.value()));
        stage
    }

    pub fn feed(&self) -> Feed {
        Feed { kind: ReportKind::Leaderboard, contract: Account([3; 32]) }
    }

    /// What is proposed.
    pub fn value(&self) -> Proposal {
        self.next(&FeedState::EMPTY)
    }

    /// The same after a report.
    pub fn next(&self, state: &FeedState) -> Proposal {
        let framework = Framework::new("claude").unwrap();
        let standings = vec![Standing { framework, score: 50_000, volume_24h: 0 }];
        let board = Board { standings, shards: Digest([71; 32]) };
        Proposal { report: report::<Native>(self.feed(), state, &board, 1_000), board }
    }

    fn signed(&self, proposal: &Proposal, seat: u8) -> (u8, Signature) {
        let message = self.committee.message(&proposal.report);
        let context = schnorrkel::signing_context(b"substrate");
        (seat, pair(seat).sign(context.bytes(&message.0)).to_bytes())
    }

    /// What a seat signs under it.
    pub fn attested(&self, seat: u8) -> (u8, Signature) {
        self.signed(&self.value(), seat)
    }

    /// The certificate of another proposal.
    pub fn certificate_of(&self, proposal: &Proposal) -> Certificate {
        let signed = (0..23).map(|seat| self.signed(proposal, seat));
        Certificate::assemble(1, &self.committee.quorum, signed).unwrap()
    }

    pub fn certificate(&self) -> Certificate {
        self.certificate.clone().unwrap()
    }

    pub fn verified(&self) -> Verified<Proposal> {
        verify(&self.committee, &self.feed(), self.value(), self.certificate()).unwrap()
    }
}

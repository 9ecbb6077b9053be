//! What liars and a network in their hands can bring about: certificates and mandates.

use super::domain::{Domain, Signed, CONFIG_DIGEST};
use super::keys::{mock_signature, MockKeys};
use cicada_consensus::byzantine::{Kind, Mandate, QuorumCertificate, Statement};
use cicada_consensus::{Config, Justification, Mutant, Pledge, Position, Seat, View};
use cicada_core::hash::Digest;
use cicada_core::quorum::Quorum;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// All that is signed at one moment. The liars have the first seats, the honest the others.
pub struct World<'a> {
    /// The statements of the model.
    pub domain: &'a Domain,
    /// The quorum.
    pub quorum: Quorum,
    /// The bug, if one is seeded.
    pub mutant: Option<Mutant>,
    /// The bug in reading justifications.
    pub judge: Option<Mutant>,
    /// What each honest seat has signed.
    pub signed: &'a [Signed],
}

impl World<'_> {
    /// The configuration of a seat.
    pub fn config(&self, seat: Seat) -> Config {
        let mut config = Config::new(seat, self.quorum, self.quorum, 1, CONFIG_DIGEST);
        config.mutant = self.mutant;
        config
    }

    /// How many seats lie.
    pub fn liars(&self) -> Seat {
        self.quorum.n().saturating_sub(Seat::try_from(self.signed.len()).unwrap_or(Seat::MAX))
    }

    /// The keys of a seat.
    pub fn keys(&self, seat: Seat) -> MockKeys<'_> {
        let (liars, signed, domain) = (self.liars(), self.signed, self.domain);
        MockKeys { seat, liars, signed, domain, log: RefCell::default() }
    }

    // What a seat has signed; a liar everything.
    fn signed_by(&self, seat: Seat) -> Signed {
        let honest = seat.checked_sub(self.liars()).map(usize::from);
        honest.and_then(|index| self.signed.get(index)).copied().unwrap_or(Signed::MAX)
    }

    // Who has signed a statement, or does so on request.
    fn signers(&self, statement: &Statement) -> BTreeSet<Seat> {
        let number = self.domain.number(statement);
        let signed = |seat: &Seat| {
            *seat < self.liars() || number.is_some_and(|bit| self.signed_by(*seat) >> bit & 1 == 1)
        };
        (0..self.quorum.n()).filter(signed).collect()
    }

    /// The best certificate that can be had. If there are too few signers it repeats them,
    /// and it is up to the code under test to see that.
    pub fn certificate(&self, statement: Statement) -> QuorumCertificate {
        let config = self.config(0);
        let message = statement.message(&CONFIG_DIGEST);
        let signers = self.signers(&statement);
        let shares: BTreeMap<Seat, _> =
            signers.iter().map(|seat| (*seat, mock_signature(*seat, &message))).collect();
        QuorumCertificate::assemble(&config, statement, &shares).unwrap_or_else(|| {
            let size = usize::from(config.quorum_size());
            let bits = signers.iter().fold(0, |bits, seat| bits | 1 << seat);
            let signatures = shares.values().cycle().take(size).copied().collect();
            QuorumCertificate { statement, signers: bits, signatures }
        })
    }

    /// Whether a certificate of a statement can be had that the real code takes for genuine:
    /// under its own name or under that of the other kind.
    pub fn genuine(&self, statement: Statement) -> bool {
        [Kind::Prepared, Kind::Committed].into_iter().any(|kind| {
            let certificate = self.certificate(Statement { kind, ..statement });
            certificate.genuine(statement.kind, &self.config(0), &self.keys(0))
        })
    }

    /// The statements of a kind for which a genuine certificate can be had.
    pub fn certified(&self, kind: Kind) -> Signed {
        let all = self.domain.of_kind(kind);
        all.filter(|(_, s)| self.genuine(**s)).fold(0, |bits, (number, _)| bits | 1 << number)
    }

    /// Every mandate that some justification gives. The justifications tried: for exactly a
    /// quorum of seats any of their pledges, of whatever views, liars with all pledges that
    /// there are; a single pledge; and one pledge as often as the quorum is large. Each with
    /// all proofs that can be had.
    pub fn mandates(&self) -> Vec<Mandate> {
        let options: Vec<Vec<Pledge>> = (0..self.quorum.n()).map(|s| self.pledges(s)).collect();
        let mut found = BTreeMap::from([(key(&Mandate::first()), Mandate::first())]);
        let prepared = self.proofs(Kind::Prepared);
        let committed = self.proofs(Kind::Committed);
        let mut judge = |pledges: &[Pledge]| {
            for mandate in self.judge(pledges, &prepared, &committed) {
                found.entry(key(&mandate)).or_insert(mandate);
            }
        };
        let size = usize::from(self.config(0).quorum_size());
        let mut seen = BTreeSet::new();
        for pledge in options.iter().flatten() {
            // Which honest seat it comes from makes no difference; nor which liar.
            let kind = (pledge.seat < self.liars(), pledge.view, pledge.claims.clone(), pledge.tip);
            if seen.insert(kind) {
                judge(std::slice::from_ref(pledge));
                judge(&vec![pledge.clone(); size]);
            }
        }
        combine(&options, size, &mut Vec::new(), &mut judge);
        found.into_values().collect()
    }

    // What a seat has pledged, or does pledge on request.
    fn pledges(&self, seat: Seat) -> Vec<Pledge> {
        let signed = self.signed_by(seat);
        let made = self.domain.pledges.iter().filter(|(number, _)| signed >> number & 1 == 1);
        made.map(|(_, pledge)| {
            let message = pledge.statement().message(&CONFIG_DIGEST);
            Pledge { seat, signature: mock_signature(seat, &message), ..pledge.clone() }
        })
        .collect()
    }

    fn proofs(&self, kind: Kind) -> Vec<QuorumCertificate> {
        let all = self.domain.of_kind(kind).filter(|(_, s)| self.genuine(**s));
        all.map(|(_, s)| self.certificate(*s)).collect()
    }

    // The mandates that these pledges give with any choice of proofs.
    fn judge(
        &self,
        pledges: &[Pledge],
        prepared: &[QuorumCertificate],
        committed: &[QuorumCertificate],
    ) -> Vec<Mandate> {
        let mut config = self.config(0);
        config.mutant = self.judge.or(self.mutant);
        let keys = self.keys(0);
        let base = pledges.iter().map(|pledge| pledge.tip).max().unwrap_or(0);
        let tips = committed.iter().filter(|tip| tip.statement.position == base);
        let mut choices: Vec<Vec<QuorumCertificate>> = vec![Vec::new()];
        for position in base + 1..=self.domain.positions {
            let claims = pledges.iter().flat_map(|pledge| &pledge.claims);
            let views: BTreeSet<View> =
                claims.filter(|c| c.position == position).map(|c| c.view).collect();
            let proofs = prepared.iter().filter(|proof| {
                proof.statement.position == position && views.contains(&proof.statement.view)
            });
            let mut more = choices.clone();
            for proof in proofs {
                more.extend(
                    choices.iter().map(|list| [&list[..], std::slice::from_ref(proof)].concat()),
                );
            }
            choices = more;
        }
        let mut mandates = Vec::new();
        for tip in tips.take(1).map(|tip| Some(tip.clone())).chain((base == 0).then_some(None)) {
            for locks in &choices {
                let (pledges, locks, tip) = (pledges.to_vec(), locks.clone(), tip.clone());
                let justification = Justification { pledges, tip, locks };
                mandates.extend(justification.judge(&config, &keys));
            }
        }
        mandates
    }
}

/// What tells mandates apart: view, base, bound values.
pub type MandateKey = (View, Position, Vec<(Position, Digest)>);

/// What tells a mandate from others.
pub fn key(mandate: &Mandate) -> MandateKey {
    let bound = mandate.bound().iter().map(|(position, digest)| (*position, *digest)).collect();
    (mandate.view(), mandate.base(), bound)
}

// All lists of `missing` pledges of different seats.
fn combine(
    options: &[Vec<Pledge>],
    missing: usize,
    chosen: &mut Vec<Pledge>,
    judge: &mut impl FnMut(&[Pledge]),
) {
    if missing == 0 {
        return judge(chosen);
    }
    let Some((first, rest)) = options.split_first().filter(|_| options.len() >= missing) else {
        return;
    };
    combine(rest, missing, chosen, judge);
    for pledge in first {
        chosen.push(pledge.clone());
        combine(rest, missing - 1, chosen, judge);
        chosen.pop();
    }
}

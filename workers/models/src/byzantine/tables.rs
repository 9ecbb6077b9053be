//! What is known already about the real code's answers, so that each question is put once.
//!
//! The answer of an acceptor depends on its own contents and on what it is shown; which of the
//! interchangeable seats it has, and which quorum signed a certificate, does not matter.
//! [`super::Params::remember`] switches the memory off, to test just that.

use super::domain::{Domain, Signed};
use super::local::{Local, Move};
use super::world::{key, MandateKey, World};
use cicada_consensus::byzantine::{Kind, Mandate};
use std::collections::HashMap;
use std::sync::Arc;

/// The number of a [`Local`].
pub type Id = u32;

/// A mandate or a certificate is asked for by what it depends on.
type Offer = (Vec<Signed>, Signed, Signed);

/// Everything seen so far, by number.
pub struct Tables {
    locals: Vec<Local>,
    ids: HashMap<Local, Id>,
    swapped: Vec<Id>,
    mandates: Vec<Mandate>,
    mandate_ids: HashMap<MandateKey, u16>,
    offers: HashMap<Offer, Arc<[u16]>>,
    moves: HashMap<(Id, Move, bool), Option<Id>>,
    genuine: HashMap<(usize, u32, u32), bool>,
    remember: bool,
}

impl Tables {
    /// Empty ones.
    pub fn new(remember: bool) -> Self {
        Self {
            locals: Vec::new(),
            ids: HashMap::new(),
            swapped: Vec::new(),
            mandates: Vec::new(),
            mandate_ids: HashMap::new(),
            offers: HashMap::new(),
            moves: HashMap::new(),
            genuine: HashMap::new(),
            remember,
        }
    }

    /// The node with a number.
    pub fn local(&self, id: Id) -> &Local {
        &self.locals[id as usize]
    }

    /// The number of the same node with the values exchanged.
    pub fn swapped(&self, id: Id) -> Id {
        self.swapped[id as usize]
    }

    /// The mandate with a number.
    pub fn mandate(&self, number: u16) -> &Mandate {
        &self.mandates[usize::from(number)]
    }

    /// How many different honest nodes were seen.
    pub fn seen(&self) -> usize {
        self.locals.len()
    }

    /// The number of a node; its mirror image gets one too.
    pub fn id(&mut self, local: Local, domain: &Domain) -> Id {
        if let Some(id) = self.ids.get(&local) {
            return *id;
        }
        let mirrored = local.swap(domain);
        let id = self.add(local.clone());
        let other = if mirrored == local { id } else { self.add(mirrored) };
        self.swapped[id as usize] = other;
        self.swapped[other as usize] = id;
        id
    }

    fn add(&mut self, local: Local) -> Id {
        let id = Id::try_from(self.locals.len()).unwrap_or(Id::MAX);
        self.locals.push(local.clone());
        self.swapped.push(id);
        self.ids.insert(local, id);
        id
    }

    /// The statements of a kind for which a genuine certificate can be had.
    pub fn certified(&mut self, kind: Kind, world: &World) -> Signed {
        if !self.remember {
            return world.certified(kind);
        }
        let mut certified = 0;
        let signers = |number: usize| {
            let seats = world.signed.iter().enumerate();
            seats.fold(0u32, |all, (i, signed)| all | u32::from(signed >> number & 1 == 1) << i)
        };
        for (number, statement) in world.domain.of_kind(kind) {
            let namesake = world.domain.namesake(number);
            let known = self.genuine.entry((number, signers(number), signers(namesake)));
            if *known.or_insert_with(|| world.genuine(*statement)) {
                certified |= 1 << number;
            }
        }
        certified
    }

    /// The mandates that can be had, by number.
    pub fn mandates(&mut self, prepared: Signed, committed: Signed, world: &World) -> Arc<[u16]> {
        let mask = world.domain.pledge_mask();
        let mut pledges: Vec<Signed> = world.signed.iter().map(|signed| signed & mask).collect();
        pledges.sort_unstable();
        let offer = (pledges, prepared, committed);
        if let Some(known) = self.offers.get(&offer).filter(|_| self.remember) {
            return known.clone();
        }
        let found = world.mandates().into_iter().map(|mandate| self.mandate_id(mandate)).collect();
        self.offers.insert(offer, Arc::clone(&found));
        found
    }

    fn mandate_id(&mut self, mandate: Mandate) -> u16 {
        let key = key(&mandate);
        if let Some(id) = self.mandate_ids.get(&key) {
            return *id;
        }
        let id = u16::try_from(self.mandates.len()).unwrap_or(u16::MAX);
        self.mandates.push(mandate);
        self.mandate_ids.insert(key, id);
        id
    }

    /// What becomes of a node, if it does not object. `proved` says whether the certificate
    /// that it is shown is genuine.
    pub fn after(
        &mut self,
        index: usize,
        id: Id,
        action: Move,
        proved: bool,
        world: &World,
    ) -> Option<Id> {
        let question = (id, action, proved);
        if let Some(known) = self.moves.get(&question).filter(|_| self.remember) {
            return *known;
        }
        let mandate = match action {
            Move::Propose(number, ..) => self.mandate(number).clone(),
            _ => Mandate::first(),
        };
        let seat = world.liars() + index as u8;
        let after = self.local(id).after(seat, action, &mandate, world);
        let after = after.map(|local| self.id(local, world.domain));
        self.moves.insert(question, after);
        after
    }
}

//! One honest node: what it has in memory, what is on its disk, what it has signed.

use super::domain::{Domain, Signed};
use super::keys::MockKeys;
use super::world::World;
use cicada_consensus::byzantine::{Acceptor, Kind, Mandate, Statement};
use cicada_consensus::{digest, Position, Record, View};
use cicada_core::hash::Digest;

/// The contents of an acceptor, free of the accident which quorum signed a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contents {
    view: View,
    prepared: Vec<(Position, View, Digest)>,
    locks: Vec<Statement>,
    values: Vec<(Position, usize)>,
}

impl Contents {
    /// What an acceptor holds.
    pub fn of(acceptor: &Acceptor, domain: &Domain) -> Self {
        let places =
            (1..=domain.positions).flat_map(|p| (0..domain.values.len()).map(move |v| (p, v)));
        let held =
            |(p, v): &(Position, usize)| acceptor.value(*p, &digest(&domain.values[*v])).is_some();
        Self {
            view: acceptor.view(),
            prepared: acceptor.prepared().collect(),
            locks: acceptor.locks().map(|lock| lock.statement).collect(),
            values: places.filter(held).collect(),
        }
    }

    /// The acceptor, put together from records as after a restart; its locks carry the
    /// signatures of those who signed in `world`.
    pub fn acceptor(&self, world: &World) -> Acceptor {
        let mut acceptor = Acceptor::default();
        acceptor.restore(Record::Entered(self.view));
        for (position, value) in &self.values {
            let value = world.domain.values[*value].clone();
            acceptor.restore(Record::Held { position: *position, value });
        }
        for (position, view, digest) in &self.prepared {
            let (position, view, digest) = (*position, *view, *digest);
            acceptor.restore(Record::Prepared { position, view, digest });
        }
        for lock in &self.locks {
            let prepared = Statement { kind: Kind::Prepared, ..*lock };
            acceptor.restore(Record::Locked(world.certificate(prepared)));
        }
        acceptor
    }

    fn swap(&self, domain: &Domain) -> Self {
        let other = |(p, view, hash): &(Position, View, Digest)| (*p, *view, domain.other(*hash));
        let lock = |s: &Statement| Statement { digest: domain.other(s.digest), ..*s };
        let mut values: Vec<_> = self.values.iter().map(|(p, v)| (*p, 1 - v)).collect();
        values.sort_unstable();
        Self {
            view: self.view,
            prepared: self.prepared.iter().map(other).collect(),
            locks: self.locks.iter().map(lock).collect(),
            values,
        }
    }
}

/// An honest node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Local {
    /// Everything it has ever signed.
    pub signed: Signed,
    /// What it works with.
    pub memory: Contents,
    /// What it would find after a restart.
    pub disk: Contents,
    /// The last position that it knows to be decided.
    pub tip: Position,
}

/// Something that is done to an honest node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Move {
    /// 1a for a view.
    Pledge(View),
    /// 1c: a value at a position under a mandate, both by number.
    Propose(u16, Position, u8),
    /// A certificate that this statement was prepared.
    Commit(u8),
    /// The proof that the statement was decided.
    Learn(u8),
    /// It starts again from its disk.
    Restart,
}

impl Local {
    /// A node that starts for the first time.
    pub fn first(domain: &Domain) -> Self {
        let fresh = Contents::of(&Acceptor::default(), domain);
        Self { signed: 0, memory: fresh.clone(), disk: fresh, tip: 0 }
    }

    /// The same with the values exchanged.
    pub fn swap(&self, domain: &Domain) -> Self {
        Self {
            signed: domain.swap(self.signed),
            memory: self.memory.swap(domain),
            disk: self.disk.swap(domain),
            tip: self.tip,
        }
    }

    /// The locks of its memory.
    pub fn locks(&self) -> &[Statement] {
        &self.memory.locks
    }

    /// Whether a restart would bring back exactly what it has.
    pub fn durable(&self) -> bool {
        self.memory == self.disk
    }

    /// What becomes of the node in `seat`; `None` if it objects.
    ///
    /// # Panics
    /// If it signs anything that the model does not know: then the model is wrong.
    pub fn after(&self, seat: u8, action: Move, mandate: &Mandate, world: &World) -> Option<Self> {
        if action == Move::Restart {
            return Some(Self { memory: self.disk.clone(), ..self.clone() });
        }
        let keys = world.keys(seat);
        let mut acceptor = self.memory.acceptor(world);
        let mut disk = self.disk.acceptor(world);
        let mut tip = self.tip;
        let mut records = Vec::new();
        self.call(&mut acceptor, &mut tip, action, mandate, world, &keys, &mut records)?;
        records.into_iter().for_each(|record| disk.restore(record));
        if tip > self.tip {
            acceptor.forget_up_to(tip);
            disk.forget_up_to(tip);
        }
        let bit = |message: &Digest| match world.domain.by_message(message) {
            Some(bit) => 1 << bit,
            None => unreachable!("{action:?} made a node sign what is not in the model"),
        };
        let signed = keys.log.borrow().iter().fold(self.signed, |all, m| all | bit(m));
        // The certificate just kept may be signed by this very node.
        Some(Self {
            signed,
            memory: Contents::of(&acceptor, world.domain),
            disk: Contents::of(&disk, world.domain),
            tip,
        })
    }

    // Lets the real acceptor act.
    #[allow(clippy::too_many_arguments)]
    fn call(
        &self,
        acceptor: &mut Acceptor,
        tip: &mut Position,
        action: Move,
        mandate: &Mandate,
        world: &World,
        keys: &MockKeys,
        records: &mut Vec<Record>,
    ) -> Option<()> {
        let config = world.config(keys.seat);
        match action {
            Move::Pledge(view) => {
                acceptor.pledge(&config, keys, view, *tip, records).ok()?;
            }
            Move::Propose(_, position, value) => {
                let value = &world.domain.values[usize::from(value)];
                acceptor.prepare(&config, keys, mandate, position, value, records).ok()?;
            }
            Move::Commit(number) => {
                let statement = world.domain.statements[usize::from(number)];
                let value = world.domain.values.iter().find(|v| digest(v) == statement.digest);
                let certificate = world.certificate(statement);
                acceptor.commit(&config, keys, &certificate, value, records).ok()?;
            }
            Move::Learn(number) => *tip = world.domain.statements[usize::from(number)].position,
            Move::Restart => {}
        }
        Some(())
    }
}

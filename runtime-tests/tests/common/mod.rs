//! A committee with real keys, seated in a `validators` contract.

use cicada_core::certificate::{Certificate, Signature};
use cicada_core::committee::{Domain, Member};
use cicada_core::hash::{Digest, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use cicada_core::Account;
use cicada_runtime_tests::{account, key, on, AccountId, Key, World};
use cicada_traits::validators::Validators;
use validators::validators::ValidatorsContractRef;

/// The seats of the specification.
pub const SEATS: u8 = 23;
/// Stands in for the genesis hash, which a contract cannot read.
pub const GENESIS: Digest = Digest([0x71; 32]);

/// The quorum of the specification: 16 of 23.
pub fn quorum() -> Quorum {
    Quorum::of(FaultModel::Byzantine, SEATS).expect("23 seats are a committee")
}

/// The keys of 23 nodes, in seat order.
pub struct Committee {
    pub epoch: u32,
    names: Vec<String>,
}

impl Committee {
    /// The committee whose operators are called `<group>-0` to `<group>-22`.
    pub fn named(group: &str, epoch: u32) -> Self {
        let names = (0..SEATS).map(|seat| format!("{group}-{seat}")).collect();
        Self { epoch, names }
    }

    /// The operators, in seat order.
    pub fn operators(&self) -> Vec<AccountId> {
        self.names.iter().map(|name| account(name)).collect()
    }

    /// The members, in seat order.
    pub fn members(&self) -> Vec<Member> {
        self.names.iter().map(|name| member(name)).collect()
    }

    fn attestation_key(&self, seat: u8) -> Key {
        attestation_key(&self.names[usize::from(seat)])
    }

    /// What every signature of this committee binds.
    pub fn config_digest(&self, validators: &ValidatorsContractRef) -> Digest {
        domain(validators).config_digest::<Native>(self.epoch, &quorum(), &self.members())
    }

    /// A certificate of the first sixteen of these seats.
    pub fn certify_by(
        &self,
        validators: &ValidatorsContractRef,
        report: &Report,
        seats: impl IntoIterator<Item = u8>,
    ) -> Certificate {
        let digest = self.config_digest(validators);
        let message = report.attestation_message::<Native>(&digest);
        let shares = seats.into_iter().map(|s| (s, self.attestation_key(s).sign(&message.0)));
        Certificate::assemble(self.epoch, &quorum(), shares).expect("a quorum signs")
    }

    /// A certificate of seats 0 to 15.
    pub fn certify(&self, validators: &ValidatorsContractRef, report: &Report) -> Certificate {
        self.certify_by(validators, report, 0..16)
    }

    /// Registers all 23 operators.
    pub fn register(&self, world: &mut World, validators: &ValidatorsContractRef) {
        for name in &self.names {
            register(world, validators, name);
        }
    }
}

/// The sr25519 key with which a node attests.
pub fn attestation_key(name: &str) -> Key {
    key(&format!("{name}/attestation"))
}

/// The seat of a name.
pub fn member(name: &str) -> Member {
    Member {
        operator: Account(key(name).public()),
        consensus_key: key(&format!("{name}/consensus")).public(),
        attestation_key: attestation_key(name).public(),
    }
}

/// Where registrations and signatures for this contract count.
pub fn domain(validators: &ValidatorsContractRef) -> Domain {
    let account = cicada_runtime_tests::address(validators);
    Domain { genesis: GENESIS, validators: Account::of(&account) }
}

/// The proof that a name holds its attestation key.
pub fn possession(validators: &ValidatorsContractRef, name: &str) -> Signature {
    let statement = domain(validators).possession_statement::<Native>(&member(name));
    attestation_key(name).sign(&statement.0)
}

/// Registers the keys of a name, who pays for it himself.
pub fn register(world: &mut World, validators: &ValidatorsContractRef, name: &str) {
    let operator = account(name);
    world.fund(operator, cicada_runtime_tests::world::FUNDS);
    let (keys, proof) = (member(name), possession(validators, name));
    let message = on(validators).register(keys.consensus_key, keys.attestation_key, proof);
    let _ = world.as_(operator).call(message).succeeds();
}

/// A `validators` contract of alice's with a seated committee.
pub fn seated(world: &mut World) -> (ValidatorsContractRef, Committee) {
    let validators = world
        .as_(account("alice"))
        .deploy("validators", ValidatorsContractRef::new(GENESIS, SEATS))
        .expect("23 seats are a committee");
    let committee = Committee::named("node", 1);
    committee.register(world, &validators);
    let message = on(&validators).form_committee(committee.operators());
    let _ = world.as_(account("alice")).call(message).succeeds();
    (validators, committee)
}

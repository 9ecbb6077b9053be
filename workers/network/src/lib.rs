//! The file that describes a deployment, and the key files of its nodes.
//!
//! Every program reads the same `network.toml`, the [`Deployment`]: where the chain and the contracts
//! are. [`Network`] is one with a committee: who the 23 nodes are. A node's secrets lie in a key file
//! of its own.

mod bytes32;
mod contracts;
mod deployment;
mod keys;
mod moved;
mod proposer;
mod public;
mod rules;

pub use contracts::{ContractName, Contracts};
pub use deployment::{
    ChainSection, Deployment, IndexContracts, Part, Subnet, Tokens, NETWORK_FILE,
};
pub use keys::{verify_attestation, verify_consensus, NodeKeys};
pub use moved::refuse_moved;
pub use proposer::{
    make_token, proposal_message, proposer_message, read_token, Proposer, PROPOSER_HEADER,
    SEAT_HEADER, SIGNATURE_HEADER, TOKEN_FILE, TOKEN_HEADER,
};
pub use public::PublicKeys;
pub use rules::{turn, Distances, Rules};

use cicada_core::committee::{check_members, CommitteeError, Domain, Member};
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, ReportKind};
use cicada_core::Account;

use serde::{Deserialize, Serialize};

use std::path::{Path, PathBuf};

/// Why what a network says of itself is there.
const CHECKED: &str = "the network was checked on loading";
const RULES_TAG: &[u8] = b"cicada71/paxos-rules/v1";

/// What can be wrong with a network or key file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there.
    #[error("{path}: is not there: 'deploy' writes it; name another with --network")]
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// A contract is not deployed.
    #[error("{path}: `{what}` is not deployed: 'deploy {made_by}' makes it")]
    NotDeployed {
        /// The file.
        path: PathBuf,
        /// The contract's name.
        what: &'static str,
        /// The subcommand that makes it.
        made_by: &'static str,
    },
    /// The chain is another one than the file's.
    #[error("the chain at {url} is not the one of {path}: deploy there, or name another file with --network")]
    OtherChain {
        /// Address of the node.
        url: String,
        /// The file.
        path: PathBuf,
    },
    /// No node of the chain answers as it should.
    #[error(transparent)]
    Chain(#[from] cicada_chain::Error),
    /// The file cannot be read or written, or is not what it should be.
    #[error("{path}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl From<cicada_files::Error> for Error {
    fn from(cicada_files::Error { path, reason }: cicada_files::Error) -> Self {
        Self::Invalid { path, reason }
    }
}

impl Error {
    fn invalid(path: &Path, reason: impl ToString) -> Self {
        Self::Invalid { path: path.into(), reason: reason.to_string() }
    }
}

/// The fault model of the consensus, by the name it has in files and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultModelName {
    /// [`FaultModel::Crash`].
    Crash,
    /// [`FaultModel::Byzantine`].
    Byzantine,
}

impl From<FaultModelName> for FaultModel {
    fn from(name: FaultModelName) -> Self {
        match name {
            FaultModelName::Crash => Self::Crash,
            FaultModelName::Byzantine => Self::Byzantine,
        }
    }
}

impl std::str::FromStr for FaultModelName {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "crash" => Ok(Self::Crash),
            "byzantine" => Ok(Self::Byzantine),
            _ => Err("write crash or byzantine"),
        }
    }
}

impl std::fmt::Display for FaultModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::Byzantine => "byzantine",
        })
    }
}

/// One node. Its seat is its position in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// HTTP address of the node, without a path.
    pub url: String,
    /// The account that registered its keys.
    pub operator: Account,
    /// Its ed25519 key.
    #[serde(with = "bytes32")]
    pub consensus_key: [u8; 32],
    /// Its sr25519 key.
    #[serde(with = "bytes32")]
    pub attestation_key: [u8; 32],
}

impl NodeEntry {
    /// The node with these keys at this address.
    pub fn new(url: String, keys: &NodeKeys) -> Self {
        let Member { operator, consensus_key, attestation_key } = keys.member();
        Self { url, operator, consensus_key, attestation_key }
    }

    fn member(&self) -> Member {
        let Self { operator, consensus_key, attestation_key, .. } = *self;
        Member { operator, consensus_key, attestation_key }
    }
}

/// A deployment with a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The committee in office.
    pub epoch: u32,
    /// The fault model of the consensus.
    pub fault_model: FaultModelName,
    /// The chain.
    pub chain: ChainSection,
    /// Where the contracts are: at least token, validators and leaderboard.
    pub contracts: Contracts,
    /// What the nodes keep to.
    pub rules: Rules,
    /// The nodes in seat order.
    pub nodes: Vec<NodeEntry>,
}

impl Network {
    /// Reads and checks a network file.
    ///
    /// # Errors
    /// As [`Deployment::load`], or if there is no committee.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Deployment::load(path)?.network()
    }

    /// Writes a file with nothing else in it, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let mut file = Deployment::new(path, self.chain.clone());
        file.seat(self);
        file.save()
    }

    fn check(&self) -> Result<(), String> {
        for name in [ContractName::Token, ContractName::Validators, ContractName::Leaderboard] {
            if self.contracts.get(name).is_none() {
                return Err(format!("a committee has a contract `{name}`"));
            }
        }
        let wrong_size = "a network has 1 to 32 nodes";
        let quorum = self.quorum_of(self.fault_model.into()).ok_or(wrong_size)?;
        check_members(&quorum, &self.members()).map_err(|error| match error {
            CommitteeError::WrongSize => wrong_size,
            CommitteeError::RepeatedMember => "two nodes share an operator or a key",
        })?;
        self.rules.check(self.nodes.len()).map_err(str::to_owned)
    }

    fn quorum_of(&self, model: FaultModel) -> Option<Quorum> {
        Quorum::of(model, u8::try_from(self.nodes.len()).ok()?)
    }

    /// The quorum that decides.
    pub fn quorum(&self) -> Quorum {
        self.quorum_of(self.fault_model.into()).expect(CHECKED)
    }

    /// The quorum that certifies, in either fault model: 16 of 23.
    pub fn attestation_quorum(&self) -> Quorum {
        self.quorum_of(FaultModel::Byzantine).expect(CHECKED)
    }

    /// The members of the committee, in seat order.
    pub fn members(&self) -> Vec<Member> {
        self.nodes.iter().map(NodeEntry::member).collect()
    }

    fn contract(&self, name: ContractName) -> Account {
        self.contracts.get(name).expect(CHECKED)
    }

    /// The token MMC.
    pub fn token(&self) -> Account {
        self.contract(ContractName::Token)
    }

    /// The contract of the committee.
    pub fn validators(&self) -> Account {
        self.contract(ContractName::Validators)
    }

    /// The contract of the leaderboard.
    pub fn leaderboard(&self) -> Account {
        self.contract(ContractName::Leaderboard)
    }

    /// Where the committee serves.
    pub fn domain(&self) -> Domain {
        Domain { genesis: self.chain.genesis, validators: self.validators() }
    }

    /// The digest that every signature of this epoch binds.
    pub fn config_digest(&self) -> Digest {
        let quorum = self.attestation_quorum();
        self.domain().config_digest::<Native>(self.epoch, &quorum, &self.members())
    }

    /// The digest that the messages between nodes bind: committee, fault model and rules. Nodes
    /// with others do not hear each other. What contracts verify binds [`Self::config_digest`].
    pub fn rules_digest(&self) -> Digest {
        let model = self.fault_model.to_string();
        let parts = [RULES_TAG, &self.config_digest().0, &self.rules.bytes(), model.as_bytes()];
        Native::sha256(&parts.concat())
    }

    /// The feed of a kind, if the network has the contract that settles it.
    pub fn feed(&self, kind: ReportKind) -> Option<Feed> {
        let contract = self.contracts.get(kind.contract().parse().ok()?)?;
        Some(Feed { kind, contract })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn network(nodes: u8) -> Network {
        let entry = |i: u8| NodeEntry {
            url: format!("http://127.0.0.1:{}", 7100 + u16::from(i)),
            operator: Account([i; 32]),
            consensus_key: [i + 50; 32],
            attestation_key: [i + 100; 32],
        };
        Network {
            epoch: 1,
            fault_model: FaultModelName::Crash,
            chain: ChainSection::unasked(),
            contracts: Contracts::unasked(),
            rules: Rules::default(),
            nodes: (0..nodes).map(entry).collect(),
        }
    }

    #[test]
    fn a_network_survives_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.toml");
        let written = network(23);
        written.save(&path).unwrap();
        let read = Network::load(&path).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.config_digest(), written.config_digest());
        assert_eq!((read.quorum().size(), read.attestation_quorum().size()), (12, 16));
    }

    #[test]
    fn feeds_without_an_address_are_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.toml");
        let old = network(4);
        old.save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let optional = ["index", "rewards", "exchange"];
        let addressed = |key: &str| text.contains(&format!("{key} = \""));
        assert!(!optional.iter().any(|key| addressed(key)), "{text}");
        let none = Network::load(&path).unwrap();
        let feeds = |network: &Network| -> Vec<Feed> {
            ReportKind::ALL.iter().filter_map(|kind| network.feed(*kind)).collect()
        };
        let feed = |(kind, contract)| Feed { kind, contract: Account([contract; 32]) };
        let always = [(ReportKind::Leaderboard, 4), (ReportKind::Committee, 3)].map(feed);
        assert_eq!(feeds(&none), always);
        let mut all = old.clone();
        all.contracts.set(ContractName::Index, Account([5; 32]));
        all.contracts.set(ContractName::Rewards, Account([6; 32]));
        all.contracts.set(ContractName::Exchange, Account([7; 32]));
        all.contracts.set(ContractName::Capabilities, Account([8; 32]));
        all.save(&path).unwrap();
        let read = Network::load(&path).unwrap();
        assert_eq!(read, all);
        use ReportKind::{Basket, Capability, Nav, Rewards};
        let further = [(Nav, 5), (Capability, 8), (Basket, 5), (Rewards, 6)].map(feed);
        let mut expected: Vec<Feed> = always.into_iter().chain(further).collect();
        expected.sort_unstable();
        assert_eq!(feeds(&read), expected);
        assert_eq!(read.config_digest(), old.config_digest(), "the same committee");
    }

    #[test]
    fn messages_between_nodes_bind_rules_and_fault_model() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.toml");
        let network = network(4);
        network.save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rules) = text.split_once("[rules]").unwrap();
        let (_, nodes) = rules.split_once("[[nodes]]").unwrap();
        std::fs::write(&path, format!("{before}[[nodes]]{nodes}")).unwrap();
        let old = Network::load(&path).unwrap();
        assert_eq!(old, network, "a file without rules has those of the specification");
        let digest = network.rules_digest();
        let rules = Rules { same_ms: 0, ..network.rules };
        let faster = Network { rules, ..network.clone() };
        assert_eq!(faster.config_digest(), network.config_digest(), "contracts know no rules");
        assert_ne!(faster.rules_digest(), digest);
        let lying = Network { fault_model: FaultModelName::Byzantine, ..network.clone() };
        assert_ne!(lying.rules_digest(), digest);
        let wrong = |from: &str, to: &str| {
            std::fs::write(&path, text.replace(from, to)).unwrap();
            Network::load(&path).unwrap_err().to_string()
        };
        assert!(wrong("leader_backlog = 4", "leader_backlog = 9").contains("leader_backlog"));
        assert!(wrong("delay_ms = 5000", "delay_ms = 100000").contains("turn_delay_ms"));
    }

    #[test]
    fn a_bad_file_says_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.toml");
        let error = |network: &Network| {
            network.save(&path).unwrap();
            Network::load(&path).unwrap_err().to_string()
        };
        assert!(error(&network(0)).contains("1 to 32 nodes"));
        assert!(error(&network(33)).contains("1 to 32 nodes"));
        let mut twice = network(4);
        twice.nodes[3].operator = twice.nodes[0].operator;
        assert!(error(&twice).contains("share an operator or a key"));
        std::fs::write(&path, "epoch = 1\nfoo = 2").unwrap();
        assert!(Network::load(&path).is_err());
        let missing = Network::load(Path::new("/no/such")).unwrap_err();
        assert!(missing.to_string().contains("/no/such"));
    }
}

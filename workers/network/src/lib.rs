//! The file that describes a deployment, and the key files of its nodes.
//!
//! Every process of a network reads the same `network.toml`: where the chain and the contracts
//! are, and who the 23 nodes are. A node's secrets lie in a key file of its own.

mod bytes32;
mod keys;
mod proposer;
mod public;
mod rules;

pub use keys::{verify_attestation, verify_consensus, NodeKeys};
pub use proposer::{
    make_token, proposal_message, proposer_message, read_token, Proposer, PROPOSER_HEADER,
    SEAT_HEADER, SIGNATURE_HEADER, TOKEN_FILE, TOKEN_HEADER,
};
pub use public::PublicKeys;
pub use rules::{turn, Distances, Rules};

use cicada_core::committee::{check_members, CommitteeError, Domain, Member};
use cicada_core::hash::{Hash, Hasher, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, ReportKind};
use cicada_core::Account;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const RULES_TAG: &[u8] = b"cicada71/paxos-rules/v1";

/// What can be wrong with a network or key file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.into(), source }
    }

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

/// The chain and the contracts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSection {
    /// WebSocket address of a node of the chain.
    pub url: String,
    /// The chain's genesis hash.
    #[serde(with = "bytes32")]
    pub genesis: Hash,
    /// The MMC token.
    #[serde(with = "bytes32")]
    pub token: Account,
    /// The `validators` contract.
    #[serde(with = "bytes32")]
    pub validators: Account,
    /// The `leaderboard` contract.
    #[serde(with = "bytes32")]
    pub leaderboard: Account,
    /// The `index` contract, if there is one: the nodes then agree on its NAV and its basket.
    #[serde(default, with = "bytes32::optional", skip_serializing_if = "Option::is_none")]
    pub index: Option<Account>,
    /// The `rewards` contract, if there is one: the nodes then agree on the awards of its epochs.
    #[serde(default, with = "bytes32::optional", skip_serializing_if = "Option::is_none")]
    pub rewards: Option<Account>,
    /// The `exchange` contract, if there is one: leaderboards then have its 24-hour volumes.
    #[serde(default, with = "bytes32::optional", skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Account>,
}

impl ChainSection {
    /// A chain that nobody asks: its addresses only bind what is signed. For tests and benchmarks.
    pub fn unasked() -> Self {
        Self {
            url: "ws://127.0.0.1:9944".into(),
            genesis: [1; 32],
            token: [2; 32],
            validators: [3; 32],
            leaderboard: [4; 32],
            index: None,
            rewards: None,
            exchange: None,
        }
    }
}

/// One node. Its seat is its position in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// HTTP address of the node, without a path.
    pub url: String,
    /// The account that registered its keys.
    #[serde(with = "bytes32")]
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
        Self {
            url,
            operator: keys.operator(),
            consensus_key: keys.consensus_key(),
            attestation_key: keys.attestation_key(),
        }
    }
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The committee in office.
    pub epoch: u32,
    /// The fault model of the consensus.
    pub fault_model: FaultModelName,
    /// The chain and the contracts.
    pub chain: ChainSection,
    /// What the nodes keep to.
    #[serde(default)]
    pub rules: Rules,
    /// The nodes in seat order.
    pub nodes: Vec<NodeEntry>,
}

impl Network {
    /// Reads and checks a network file.
    ///
    /// # Errors
    /// If it cannot be read, is not valid TOML, has an unknown key, or its nodes are no
    /// committee.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let network: Self = toml::from_str(&text).map_err(|e| Error::invalid(path, e))?;
        network.check().map_err(|reason| Error::invalid(path, reason))?;
        Ok(network)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = toml::to_string_pretty(self).map_err(|e| Error::invalid(path, e))?;
        keys::write_whole(path, text.as_bytes(), 0o644)
    }

    fn check(&self) -> Result<(), &'static str> {
        let quorum = u8::try_from(self.nodes.len())
            .ok()
            .and_then(|n| Quorum::of(self.fault_model.into(), n))
            .ok_or("a network has 1 to 32 nodes")?;
        check_members(&quorum, &self.members()).map_err(|error| match error {
            CommitteeError::WrongSize => "a network has 1 to 32 nodes",
            CommitteeError::RepeatedMember => "two nodes share an operator or a key",
        })?;
        self.rules.check(self.nodes.len())
    }

    fn quorum_of(&self, model: FaultModel) -> Quorum {
        let n = u8::try_from(self.nodes.len()).unwrap_or(u8::MAX);
        Quorum::of(model, n).expect("the number of nodes was checked on loading")
    }

    /// The quorum that decides.
    pub fn quorum(&self) -> Quorum {
        self.quorum_of(self.fault_model.into())
    }

    /// The quorum that certifies, in either fault model: 16 of 23.
    pub fn attestation_quorum(&self) -> Quorum {
        self.quorum_of(FaultModel::Byzantine)
    }

    /// The members of the committee, in seat order.
    pub fn members(&self) -> Vec<Member> {
        let member = |node: &NodeEntry| Member {
            operator: node.operator,
            consensus_key: node.consensus_key,
            attestation_key: node.attestation_key,
        };
        self.nodes.iter().map(member).collect()
    }

    /// Where the committee serves.
    pub fn domain(&self) -> Domain {
        Domain { genesis: self.chain.genesis, validators: self.chain.validators }
    }

    /// The digest that every signature of this epoch binds.
    pub fn config_digest(&self) -> Hash {
        let quorum = self.attestation_quorum();
        self.domain().config_digest::<Native>(self.epoch, &quorum, &self.members())
    }

    /// The digest that the messages between nodes bind: committee, fault model and rules. Nodes
    /// with others do not hear each other. What contracts verify binds [`Self::config_digest`].
    pub fn rules_digest(&self) -> Hash {
        let model = self.fault_model.to_string();
        let parts = [RULES_TAG, &self.config_digest(), &self.rules.bytes(), model.as_bytes()];
        Native::sha256(&parts.concat())
    }

    /// The feed of the leaderboard.
    pub fn leaderboard_feed(&self) -> Feed {
        Feed { kind: ReportKind::Leaderboard, contract: self.chain.leaderboard }
    }

    /// The feed of the index's NAV, if there is an index.
    pub fn nav_feed(&self) -> Option<Feed> {
        self.chain.index.map(|contract| Feed { kind: ReportKind::Nav, contract })
    }

    /// The feed of the index's basket, if there is an index.
    pub fn basket_feed(&self) -> Option<Feed> {
        self.chain.index.map(|contract| Feed { kind: ReportKind::Basket, contract })
    }

    /// The feed of the rewards' epochs, if there are rewards.
    pub fn rewards_feed(&self) -> Option<Feed> {
        self.chain.rewards.map(|contract| Feed { kind: ReportKind::Rewards, contract })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(nodes: u8) -> Network {
        let entry = |i: u8| NodeEntry {
            url: format!("http://127.0.0.1:{}", 7100 + u16::from(i)),
            operator: [i; 32],
            consensus_key: [i + 50; 32],
            attestation_key: [i + 100; 32],
        };
        Network {
            epoch: 1,
            fault_model: FaultModelName::Crash,
            chain: ChainSection::unasked(),
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
        assert_eq!((none.nav_feed(), none.basket_feed(), none.rewards_feed()), (None, None, None));
        let mut all = old.clone();
        (all.chain.index, all.chain.rewards) = (Some([5; 32]), Some([6; 32]));
        all.chain.exchange = Some([7; 32]);
        all.save(&path).unwrap();
        let read = Network::load(&path).unwrap();
        assert_eq!(read, all);
        assert_eq!(read.nav_feed(), Some(Feed { kind: ReportKind::Nav, contract: [5; 32] }));
        assert_eq!(read.basket_feed(), Some(Feed { kind: ReportKind::Basket, contract: [5; 32] }));
        assert_eq!(
            read.rewards_feed(),
            Some(Feed { kind: ReportKind::Rewards, contract: [6; 32] })
        );
        assert_eq!(read.config_digest(), old.config_digest(), "the same committee");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("0x0505", "0x05")).unwrap();
        assert!(Network::load(&path).unwrap_err().to_string().contains("64 hex digits"));
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

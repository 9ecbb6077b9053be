//! The file that describes a deployment: chain, contracts, tokens, and the committee once it is
//! formed. `deploy` writes it, and every program reads it.

use crate::{moved, ContractName, Contracts, Error, FaultModelName, Network, NodeEntry, Rules};
use cicada_chain::Chain;
use cicada_core::hash::Digest;
use cicada_core::Account;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where it lies unless something else is said.
pub const NETWORK_FILE: &str = ".demo/network.toml";

/// The chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSection {
    /// WebSocket address of a node of the chain.
    pub url: String,
    /// The chain's genesis hash.
    pub genesis: Digest,
}

impl ChainSection {
    /// A chain that nobody asks. For tests and benchmarks.
    pub fn unasked() -> Self {
        Self { url: "ws://127.0.0.1:9944".into(), genesis: Digest([1; 32]) }
    }
}

/// A part of a deployment whose contracts need more than to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The compute market.
    Market,
    /// The index.
    Index,
}

/// The tokens of the index: instances of the contract `token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What is staked, traded against and paid out: TAO, 9 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tao: Option<Account>,
    /// The index token: TAO20, 18 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Account>,
    /// What the basket is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Subnet>,
}

/// A subnet and its token of 9 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// Its number.
    pub netuid: u16,
    /// Its token.
    pub token: Account,
}

/// All contracts of the index, with the committee's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is explained in Contracts and Tokens")]
pub struct IndexContracts {
    pub validators: Account,
    pub index: Account,
    pub pair: Account,
    pub rewards: Account,
    pub tao: Account,
    pub index_token: Account,
    pub subnets: Vec<Subnet>,
}

/// A deployment, as its file says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    #[serde(skip)]
    path: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault_model: Option<FaultModelName>,
    /// What a run of `deploy` that broke off has left to do.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unfinished: BTreeSet<Part>,
    /// The chain.
    pub chain: ChainSection,
    /// Where the contracts are.
    #[serde(default)]
    pub contracts: Contracts,
    /// The blocks in which they were made, where that is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blocks: BTreeMap<ContractName, u64>,
    /// The tokens of the index.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tokens: Tokens,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<Rules>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<NodeEntry>,
}

fn is_default(tokens: &Tokens) -> bool {
    *tokens == Tokens::default()
}

impl Deployment {
    /// One of which nothing is deployed yet; [`Self::save`] writes it to `path`.
    pub fn new(path: &Path, chain: ChainSection) -> Self {
        Self { path: path.into(), chain, ..Self::default() }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// If it is not there, cannot be read, is not valid TOML, has a key or a contract that is not
    /// known, or its nodes are no committee.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::NotThere { path: path.into() },
            _ => Error::invalid(path, source),
        })?;
        moved::refuse_old(&text).map_err(|reason| Error::invalid(path, reason))?;
        let read: Self = toml::from_str(&text).map_err(|error| Error::invalid(path, error))?;
        let read = Self { path: path.into(), ..read };
        let netuids: BTreeSet<u16> = read.tokens.subnets.iter().map(|one| one.netuid).collect();
        if netuids.len() < read.tokens.subnets.len() {
            return Err(read.invalid("a subnet has two tokens"));
        }
        match (read.epoch.is_some(), read.fault_model.is_some(), read.has_committee()) {
            (false, false, false) => Ok(read),
            (true, true, true) => read.network().map(|_| read),
            _ => Err(read.invalid("epoch, fault_model and 1 to 32 nodes go together")),
        }
    }

    /// Reads a file, if there is one.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn find(path: &Path) -> Result<Option<Self>, Error> {
        match Self::load(path) {
            Err(Error::NotThere { .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        let path = &self.path;
        let text = toml::to_string_pretty(self).map_err(|error| self.invalid(error))?;
        Ok(cicada_files::write_whole(path, text.as_bytes(), cicada_files::PLAIN)?)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn invalid(&self, reason: impl ToString) -> Error {
        Error::invalid(&self.path, reason)
    }

    /// Whether a committee is formed.
    pub fn has_committee(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// The committee with its chain and contracts.
    ///
    /// # Errors
    /// If there is none, or it is none.
    pub fn network(&self) -> Result<Network, Error> {
        let (Some(epoch), Some(fault_model)) = (self.epoch, self.fault_model) else {
            let reason = "there is no committee in it: 'deploy committee' forms one";
            return Err(self.invalid(reason));
        };
        let network = Network {
            epoch,
            fault_model,
            chain: self.chain.clone(),
            contracts: self.contracts.clone(),
            rules: self.rules.unwrap_or_default(),
            nodes: self.nodes.clone(),
        };
        network.check().map_err(|reason| self.invalid(reason))?;
        Ok(network)
    }

    /// Notes a committee that was formed, with its chain and contracts.
    pub fn seat(&mut self, network: &Network) {
        (self.epoch, self.fault_model) = (Some(network.epoch), Some(network.fault_model));
        (self.chain, self.contracts) = (network.chain.clone(), network.contracts.clone());
        (self.rules, self.nodes) = (Some(network.rules), network.nodes.clone());
    }

    /// Where a contract is.
    ///
    /// # Errors
    /// If it is not deployed.
    pub fn need(&self, name: ContractName) -> Result<Account, Error> {
        let account = self.contracts.get(name);
        account.ok_or_else(|| self.not_deployed(name.as_str(), name.made_by()))
    }

    fn not_deployed(&self, what: &'static str, made_by: &'static str) -> Error {
        Error::NotDeployed { path: self.path.clone(), what, made_by }
    }

    /// The contracts of the index.
    ///
    /// # Errors
    /// If one is not deployed.
    pub fn index(&self) -> Result<IndexContracts, Error> {
        let token =
            |token: Option<Account>, what| token.ok_or_else(|| self.not_deployed(what, "index"));
        Ok(IndexContracts {
            validators: self.need(ContractName::Validators)?,
            index: self.need(ContractName::Index)?,
            pair: self.need(ContractName::Pair)?,
            rewards: self.need(ContractName::Rewards)?,
            tao: token(self.tokens.tao, "tokens.tao")?,
            index_token: token(self.tokens.index, "tokens.index")?,
            subnets: self.tokens.subnets.clone(),
        })
    }

    /// The first block in which events of these contracts can be; 0 if that of one is not known.
    pub fn first_block(&self, names: &[ContractName]) -> u64 {
        let blocks = names.iter().map(|name| self.blocks.get(name).copied());
        blocks.collect::<Option<Vec<u64>>>().and_then(|b| b.into_iter().min()).unwrap_or(0)
    }

    /// Connects to the chain; `url` replaces that of the file.
    ///
    /// # Errors
    /// If no node answers, or the chain is another.
    pub async fn connect(&self, url: Option<&str>) -> Result<Chain, Error> {
        let url = url.unwrap_or(&self.chain.url);
        let chain = Chain::connect(url).await?;
        match chain.genesis() == self.chain.genesis {
            true => Ok(chain),
            false => Err(Error::OtherChain { url: url.into(), path: self.path.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    fn whole(path: &Path) -> Deployment {
        let mut file = Deployment::new(path, ChainSection::unasked());
        for (byte, name) in (10..).zip(ContractName::ALL) {
            file.contracts.set(name, Account([byte; 32]));
            file.blocks.insert(name, u64::from(byte));
        }
        let subnet = |netuid| Subnet { netuid, token: Account([7; 32]) };
        file.tokens = Tokens {
            tao: Some(Account([5; 32])),
            index: Some(Account([6; 32])),
            subnets: vec![subnet(11), subnet(12)],
        };
        file.unfinished.insert(Part::Index);
        file
    }

    fn refused(path: &Path, text: &str) -> String {
        std::fs::write(path, text).unwrap();
        Deployment::load(path).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/network.toml");
        let mut file = whole(&path);
        file.save().unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), file);
        let error = file.network().unwrap_err().to_string();
        assert!(error.contains("deploy committee") && error.contains("network.toml"), "{error}");
        let network = crate::tests::network(4);
        file.seat(&network);
        file.save().unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), file);
        assert_eq!(Network::load(&path).unwrap(), network);
    }

    #[test]
    fn accounts_are_written_in_ss58_and_read_in_hex_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        let alice = ALICE.parse().unwrap();
        let mut file = Deployment::new(&path, ChainSection::unasked());
        file.contracts.set(ContractName::Exchange, alice);
        file.tokens.tao = Some(alice);
        file.save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("exchange = \"{ALICE}\"")), "{text}");
        assert!(text.contains(&format!("genesis = \"0x{}\"", "01".repeat(32))), "{text}");
        std::fs::write(&path, text.replace(ALICE, ALICE_HEX)).unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), file);
        let error = refused(&path, &text.replace(ALICE, "0xd435"));
        assert!(error.contains("0xd435"), "{error}");
        let error = refused(&path, &text.replace(ALICE, &ALICE.replace("Gr", "rG")));
        assert!(error.contains("neither an address"), "{error}");
    }

    #[test]
    fn what_is_not_known_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        let missing = Deployment::load(&path).unwrap_err().to_string();
        assert!(missing.contains("deploy") && missing.contains("--network"), "{missing}");
        assert_eq!(Deployment::find(&path).unwrap(), None);
        whole(&path).save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for (from, to, what) in [
            ("genesis", "genisis", "genisis"),
            ("[tokens]", "[token]", "token"),
            ("netuid", "uid", "uid"),
            ("auction =", "action =", "no contract is called `action`"),
            ("url =", "url = 3\nx =", "url"),
            ("netuid = 12", "netuid = 11", "two tokens"),
            ("unfinished = [\"index\"]", "unfinished = [\"exchange\"]", "exchange"),
            ("unfinished", "epoch = 1\nunfinished", "go together"),
        ] {
            let said = refused(&path, &text.replacen(from, to, 1));
            assert!(said.contains(what) && said.contains("network.toml"), "{from}: {said}");
        }
    }

    #[test]
    fn what_is_not_deployed_is_named_with_what_makes_it() {
        let mut file = whole(Path::new("network.toml"));
        assert_eq!(file.index().unwrap().index_token, Account([6; 32]));
        let names = [ContractName::Token, ContractName::Exchange];
        assert_eq!(file.first_block(&names), 10);
        file.blocks.remove(&ContractName::Exchange);
        assert_eq!(file.first_block(&names), 0, "one is not known");
        file.contracts.remove(ContractName::Pair);
        let said = file.index().unwrap_err().to_string();
        assert!(said.contains("pair") && said.contains("deploy index"), "{said}");
    }
}

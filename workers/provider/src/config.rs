//! The provider's configuration: a TOML file; relative paths in it start at its folder.

use crate::sandbox::shown_to_jobs;
pub use crate::task::Task;
use anyhow::{bail, ensure, Result};
use cicada_chain::{signer, Signer};
use cicada_core::hash::{Hasher, Native};
use cicada_core::name::Name;
use cicada_network::refuse_moved;
use cicada_payload::{ProviderKey, Store};
use cicada_program::{ms, secret_is_kept, secret_of, wrong_at, Millis};
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The most jobs at once.
const MAX_JOBS: usize = 256;
/// The first of the accounts that jobs run as when the provider runs as root: no system gives these
/// numbers out.
const JOB_ACCOUNTS: u32 = 64_700;
/// Who owns nothing; many other services run as this one.
const NOBODY: u32 = 65_534;

/// Whether jobs are cut off from the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Where the system allows it; what applies is said at the start.
    #[default]
    IfPossible,
    /// Yes, and the provider does not start where the system forbids it.
    Required,
    /// No.
    Off,
}

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network file that `deploy` wrote.
    pub network: PathBuf,
    /// Address of a node of this provider's own, instead of the network file's.
    pub url: Option<String>,
    /// Secret of the provider's account: for development accounts such as `//Bob`.
    pub suri: Option<String>,
    /// A file with that secret, readable by its owner only.
    pub account: Option<PathBuf>,
    /// The X25519 key file of `cicada71-provider keys`.
    pub payload_key: PathBuf,
    /// Where payloads are fetched: a folder or an address.
    pub store: String,
    /// The folder for results; without it, the store.
    pub results: Option<PathBuf>,
    /// How long results are kept there; without it, for ever.
    pub keep_results: Option<Millis>,
    /// The folder for what must survive a restart. One provider per folder.
    pub state: PathBuf,
    /// Where `/status` and `/metrics` are served; without it, nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether requests are accepted without asking.
    #[serde(default)]
    pub auto_accept: bool,
    /// How often the market is looked at.
    #[serde(default = "ms::<1_000>")]
    pub poll: Millis,
    /// How many jobs run at once.
    #[serde(default = "one")]
    pub max_jobs: usize,
    /// Whether jobs are cut off from the network.
    #[serde(default)]
    pub network_isolation: Isolation,
    /// Whether jobs may run where nothing hides this user's files from them, its keys among them: for
    /// commands that do nothing that their input could choose.
    #[serde(default)]
    pub unprotected: bool,
    /// The first of `max_jobs` users and groups that jobs run as, one for each at a time; only root can
    /// choose. Every process of theirs is ended after a job, so nothing else may run as them. Root's
    /// default is 64700.
    pub job_account: Option<u32>,
    /// Names under which `listen` is reached, beside its address.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where jobs have their working directories; by default the system's place for such.
    pub work: Option<PathBuf>,
    /// What is offered.
    #[serde(rename = "task")]
    pub tasks: Vec<Task>,
}

fn one() -> usize {
    1
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words.
    pub fn load(path: &Path) -> Result<Self> {
        let config = cicada_program::load(path, "the one in docs/compute-market.md", Self::parse)?;
        secret_is_kept(path, config.suri.as_deref())?;
        config.secrets_are_hidden(path)?;
        Ok(config)
    }

    /// Jobs may run as the provider's own user, whose files they could read.
    fn secrets_are_hidden(&self, path: &Path) -> Result<()> {
        let secrets = [Some(&self.payload_key), self.account.as_ref()];
        let own = self.suri.as_ref().map(|_| path);
        for secret in secrets.into_iter().flatten().map(PathBuf::as_path).chain(own) {
            let more = self.tasks.iter().flat_map(|task| &task.readable);
            ensure!(
                !shown_to_jobs(secret, more),
                "{} lies where jobs can read: put it elsewhere, such as /etc/cicada71 or a home directory",
                secret.display()
            );
        }
        Ok(())
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        refuse_moved(text, &["market"]).map_err(anyhow::Error::msg)?;
        let mut config: Self =
            toml::from_str(text).map_err(|error| wrong_at(text, error.span(), error.message()))?;
        let paths = [&mut config.network, &mut config.payload_key, &mut config.state];
        let more = [&mut config.account, &mut config.results, &mut config.work];
        for path in paths.into_iter().chain(more.into_iter().flatten()) {
            *path = folder.join(&path);
        }
        for path in config.tasks.iter_mut().flat_map(|task| &mut task.readable) {
            *path = folder.join(&path);
        }
        if let Store::Folder(path) = config.store.parse::<Store>()? {
            config.store = folder.join(path).display().to_string();
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.tasks.is_empty(), "there is no [[task]]: nothing would be offered");
        ensure!((1..=MAX_JOBS).contains(&self.max_jobs), "max_jobs is 1 to {MAX_JOBS}");
        let accounts = self.accounts_of_jobs(true);
        ensure!(
            !accounts.contains(&0) && !accounts.contains(&NOBODY),
            "job_account: name the first of max_jobs users that nothing else runs as, not 0 and not {NOBODY}"
        );
        if self.suri.is_some() == self.account.is_some() {
            bail!("give one of suri and account");
        }
        if self.results.is_none() && matches!(self.store.parse()?, Store::Web(_)) {
            bail!("the store can only be read: name a folder with results");
        }
        for (index, task) in self.tasks.iter().enumerate() {
            let name = task.task_type.as_str();
            let twice = self.tasks[..index].iter().any(|other| other.task_type == task.task_type);
            ensure!(!twice, "task {name} stands there twice");
            task.check(self.max_jobs)?;
        }
        self.keep_results.map_or(Ok(()), |keep| self.may_remove_after(keep))
    }

    /// Results are removed from a folder of their own, and when nobody can judge them any more.
    fn may_remove_after(&self, keep: Millis) -> Result<()> {
        let apart = self.results.as_ref().is_some_and(|own| own != Path::new(&self.store));
        ensure!(apart, "keep_results: name with results a folder in which nothing else lies");
        let times = |task: &Task| [task.max_duration, task.max_review, task.max_dispute];
        let sum = |times: [Millis; 3]| times.iter().fold(0u64, |sum, ms| sum.saturating_add(ms.0));
        let needed = self.tasks.iter().map(|task| sum(times(task)));
        let needed = needed.max().unwrap_or_default();
        ensure!(
            keep.0 >= needed,
            "keep_results is at least max_duration, max_review and max_dispute together, {needed} ms: so long a result may be needed"
        );
        Ok(())
    }

    /// The account that signs.
    ///
    /// # Errors
    /// In words that do not repeat the secret.
    pub fn signer(&self) -> Result<Signer> {
        Ok(signer(&secret_of(self.suri.as_deref(), self.account.as_deref())?)?)
    }

    /// The key to which payload keys are sealed.
    ///
    /// # Errors
    /// As [`ProviderKey::load`].
    pub fn provider_key(&self) -> Result<ProviderKey> {
        Ok(ProviderKey::load(&self.payload_key)?)
    }

    /// Where payloads come from and results go to.
    ///
    /// # Errors
    /// As [`Store`]'s `from_str`.
    pub fn stores(&self) -> Result<(Store, Store)> {
        let store: Store = self.store.parse()?;
        let results = self.results.clone().map_or_else(|| store.clone(), Store::Folder);
        Ok((store, results))
    }

    /// The task of this name.
    pub fn task(&self, name: &Name) -> Option<&Task> {
        self.tasks.iter().find(|task| task.task_type == *name)
    }

    /// Where jobs have their working directories, and how the names of this provider's begin.
    pub fn workplaces(&self) -> (PathBuf, String) {
        let folder = self.work.clone().unwrap_or_else(std::env::temp_dir);
        let state = std::path::absolute(&self.state).unwrap_or_else(|_| self.state.clone());
        let own = Native::sha256(state.as_os_str().as_encoded_bytes());
        (folder, format!("cicada71-job-{}-", hex::encode(&own.0[..8])))
    }

    /// The user and group that a job runs as, if not the provider's own: one for each that runs at once.
    pub fn account_of_jobs(&self, is_root: bool, slot: u32) -> Option<u32> {
        self.accounts_of_jobs(is_root).nth(usize::try_from(slot).unwrap_or(usize::MAX))
    }

    /// All of them; none if jobs run as the provider itself.
    pub fn accounts_of_jobs(&self, is_root: bool) -> Range<u32> {
        let first = self.job_account.unwrap_or(JOB_ACCOUNTS);
        let count = if is_root { u32::try_from(self.max_jobs).unwrap_or(u32::MAX) } else { 0 };
        first..first.saturating_add(count)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cicada_amounts::Mmc;

    pub const SAMPLE: &str = r#"
        network = "network.toml"
        suri = "//Bob"
        payload_key = "key.toml"
        store = "store"
        state = "state"
        auto_accept = true

        [[task]]
        type = "count"
        command = ["/usr/bin/wc", "-w"]
        price = "0.5"
        min_price = "0.2"
        units = 1000
        max_units = 200
        capabilities = ["linux", "cpu"]
        max_duration = "2m"
    "#;

    pub fn sample() -> Config {
        Config::parse(SAMPLE, Path::new("/home")).unwrap()
    }

    #[test]
    fn paths_start_at_the_files_folder() {
        let config = sample();
        assert_eq!(config.network, PathBuf::from("/home/network.toml"));
        assert_eq!(config.stores().unwrap().1, Store::Folder("/home/store".into()));
        let task = &config.tasks[0];
        assert_eq!((task.price, task.max_duration), (Mmc(500_000), Millis(120_000)));
        assert_eq!(task.capabilities[0].as_str(), "cpu", "sorted, as the market wants them");
        assert_eq!(config.account_of_jobs(true, 0), Some(64_700));
        assert_eq!(config.account_of_jobs(true, 1), None, "one at a time");
        assert_eq!(config.account_of_jobs(false, 0), None);
    }

    #[test]
    fn who_says_nothing_agrees_to_little() {
        let consent = sample().tasks[0].consent();
        assert!(consent.arbitrators.is_empty(), "nobody judges who was not named");
        assert_eq!((consent.max_penalty_bps, consent.max_fee_bps), (2_000, 200));
        assert_eq!((consent.review.most_ms, consent.dispute.least_ms), (86_400_000, 600_000));
        assert_eq!((consent.min_response_ms, consent.min_duration_ms), (60_000, 60_000));
        assert_eq!(sample().tasks[0].max_hand_over, Millis(900_000));
        assert_eq!(sample().keep_results, None, "nothing is removed");
        let text =
            SAMPLE.replace("auto_accept", "keep_results = \"30d\"\nresults = \"own\"\nauto_accept");
        let config = Config::parse(&text, Path::new("/home")).unwrap();
        assert_eq!(config.keep_results, Some(Millis(30 * 86_400_000)));
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = SAMPLE.replace(from, to);
            format!("{:#}", Config::parse(&text, Path::new("")).unwrap_err())
        };
        assert!(wrong("auto_accept", "auto_acept").contains("auto_acept"));
        assert!(wrong("network =", "market =").contains("write network ="));
        assert!(wrong("suri = \"//Bob\"", "").contains("suri"));
        assert!(wrong("\"store\"", "\"http://x\"").contains("results"));
        assert!(wrong("\"0.5\"", "\"half\"").contains("half"));
        assert!(wrong("\"2m\"", "\"2\"").contains("duration"));
        assert!(wrong("\"count\"", "\"Count!\"").contains("Count!"));
        assert!(wrong("units = 1000", "units = 0").contains("units"));
        assert!(wrong("units = 1000", "units = 9\nmax_penalty_bps = 10001").contains("max_penalty"));
        assert!(wrong("units = 1000", "units = 9\narbitrators = [\"x\"]")
            .contains("neither an address"));
        assert!(wrong("/usr/bin/wc", "/usr/bin/wcc").contains("no program '/usr/bin/wcc'"));
        assert!(wrong("/usr/bin/wc", "bin/wc").contains("whole path"));
        assert!(wrong("units = 1000", "units = 1000\noutput_mib = 16").contains("at most 15"));
        assert!(wrong("units = 1000", "units = 1000\nfirm = true").contains("max_jobs"));
        let account = |id: u32| format!("auto_accept = true\njob_account = {id}");
        for taken in [0, 65_534] {
            assert!(wrong("auto_accept = true", &account(taken)).contains("job_account"));
        }
        assert!(wrong("auto_accept = true", "max_jobs = 0").contains("max_jobs"));
        let keep = |text: &str| wrong("auto_accept = true", text);
        assert!(keep("keep_results = \"30d\"").contains("nothing else lies"));
        assert!(keep("keep_results = \"30d\"\nresults = \"store\"").contains("nothing else lies"));
        assert!(keep("keep_results = \"8d\"\nresults = \"own\"").contains("at least"));
        let words = "suri = \"old orchard";
        for secret in [words.to_owned(), format!("{words}\"\n{words}\"")] {
            let said = wrong("suri = \"//Bob\"", &secret);
            assert!(said.contains("line ") && !said.contains("orchard"), "{said}");
        }
        assert!(wrong("min_price = \"0.2\"", "").contains("min_price"));
        assert!(wrong("\"0.2\"", "\"0\"").contains("min_price"));
        assert!(wrong("\"2m\"", "\"30s\"").contains("min_duration"), "a minute, unless it is said");
    }
}

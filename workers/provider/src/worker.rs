//! What a provider works with.

use crate::config::{Config, Task};
use crate::job::Job;
use crate::restrict::Restrictions;
use crate::sandbox::Sandbox;
use crate::state::{Identity, State};
use crate::status::Metrics;
use cicada_chain::Signer;
use cicada_core::market::{Assignment, Parameters};
use cicada_core::Account;
use cicada_market::Market;
use cicada_payload::{ProviderKey, Store};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Everything that working needs.
pub struct Worker {
    /// The way to the market.
    pub connection: Connection,
    /// The settings.
    pub config: Config,
    /// Who signs.
    pub signer: Signer,
    /// His account.
    pub own: Account,
    /// What opens payload keys.
    pub key: ProviderKey,
    /// Where payloads come from and results go to.
    pub stores: (Store, Store),
    /// Which market this is.
    pub identity: Identity,
    /// What was fixed when it was made.
    pub parameters: Parameters,
    /// What survives a restart.
    pub state: State,
    /// How jobs are kept apart.
    pub isolation: Isolated,
    /// This program.
    pub own_program: PathBuf,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

/// The newest connection to the market. Jobs do not end with an older one.
pub struct Connection(Mutex<Arc<Market>>);

impl Connection {
    fn newest(&self) -> MutexGuard<'_, Arc<Market>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Market> for Connection {
    fn from(market: Market) -> Self {
        Self(Mutex::new(Arc::new(market)))
    }
}

/// How jobs are kept apart from each other and from this machine.
#[derive(Clone, Debug, Default)]
pub struct Isolated {
    /// The world of its own that each gets, where that is possible.
    pub sandbox: Option<Sandbox>,
    /// Whether they are cut off from the network.
    pub network: bool,
}

impl Isolated {
    /// For people.
    pub fn in_words(&self) -> &'static str {
        match (&self.sandbox, self.network) {
            (Some(_), true) => "a world of their own, without network",
            (Some(_), false) => "a world of their own, on the network",
            (None, true) => "this machine's files and processes, without network",
            (None, false) => "this machine's files, processes and network",
        }
    }
}

impl Worker {
    /// The newest connection to the market.
    pub fn market(&self) -> Arc<Market> {
        self.connection.newest().clone()
    }

    /// Goes on over another connection to the same market.
    pub(crate) fn go_on_over(&self, market: Market) {
        *self.connection.newest() = Arc::new(market);
    }

    /// An assignment as a job, in one of the places of jobs; how long it may take is known at its start.
    pub(crate) fn job(&self, task: &Task, assignment: &Assignment, slot: u32) -> Job {
        let [memory, file, output, temporary] = task.sizes();
        let mut environment = BTreeMap::from([
            ("CICADA_TASK_TYPE".to_owned(), task.task_type.as_str().to_owned()),
            ("CICADA_UNITS".to_owned(), assignment.units.to_string()),
        ]);
        environment.extend(task.environment.clone());
        let is_root = nix::unistd::geteuid().is_root();
        let (folder, prefix) = self.config.workplaces();
        let sandbox = self.isolation.sandbox.as_ref();
        Job {
            own_program: self.own_program.clone(),
            command: task.command.clone(),
            environment,
            restrictions: Restrictions {
                cpu_seconds: task.cpu_seconds,
                memory,
                file,
                open_files: task.open_files,
                processes: task.processes,
                sandbox: sandbox.map(|s| s.of(&task.command, &task.readable, temporary)),
                no_network: self.isolation.network,
                account: self.config.account_of_jobs(is_root, slot),
                parent: i32::try_from(std::process::id()).unwrap_or_default(),
            },
            output: usize::try_from(output).unwrap_or(usize::MAX),
            timeout: Duration::ZERO,
            folder,
            prefix,
        }
    }
}

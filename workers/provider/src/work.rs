//! One assignment: from the hand-over to the delivery.

use crate::config::{Config, Task};
use crate::job::{Job, JobError};
use crate::restrict::Restrictions;
use crate::state::State;
use crate::status::Metrics;
use cicada_chain::Signer;
use cicada_core::hash::Hash;
use cicada_core::market::{Assignment, Privacy, RequestRecord, Status};
use cicada_core::Account;
use cicada_market::{Error, Market};
use cicada_payload::{ContentId, Envelope, PayloadKey, ProviderKey, Store};
use cicada_program::{count, now_ms};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How often a job is tried that fails by itself.
pub const MAX_ATTEMPTS: u32 = 2;
/// What is kept free before the deadline, for storing and delivering. In ms.
const MARGIN_MS: u64 = 2_000;

/// Why an assignment is not done now.
#[derive(Debug)]
pub enum Trouble {
    /// It may work later.
    Later(String),
    /// It will not work, whatever happens.
    Never(String),
    /// The job itself failed.
    Job(JobError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error.refusal() {
            Some(_) => Self::Never(error.to_string()),
            None => Self::Later(error.to_string()),
        }
    }
}

impl From<cicada_payload::Error> for Trouble {
    fn from(error: cicada_payload::Error) -> Self {
        use cicada_payload::Error as E;
        match error {
            // A store that lags, or is being repaired.
            E::NotFound { .. } | E::Fetch { .. } | E::WrongContent { .. } | E::File { .. } => {
                Self::Later(error.to_string())
            }
            _ => Self::Never(error.to_string()),
        }
    }
}

/// Everything that working needs.
pub struct Worker {
    /// The market.
    pub market: Market,
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
    /// What survives a restart.
    pub state: State,
    /// Whether jobs are cut off from the network.
    pub isolated: bool,
    /// This program.
    pub own_program: PathBuf,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

/// What a job gets, and who may read its result.
struct Input {
    payload: Zeroizing<Vec<u8>>,
    reply_to: Option<String>,
}

impl Worker {
    /// Works on an assignment until its result is on the chain. What was done before, in this
    /// process or an earlier one, is not done again, except for a job that was interrupted.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn work(&self, id: u64) -> Result<Hash, Trouble> {
        let assignment = self.market.assignment(id).await?;
        if !matches!(assignment.status, Status::Assigned | Status::InProgress) {
            return Err(Trouble::Later(format!("{:?}", assignment.status)));
        }
        let digest = match self.state.done(id) {
            Some(digest) => {
                self.start(id, &assignment).await?;
                digest
            }
            None => self.produce(id, &assignment).await?,
        };
        match self.market.complete(id, &digest, &self.signer).await {
            Ok(_) => Ok(digest),
            // A call that was final before the connection broke.
            Err(error) if error.refusal().is_some() => match self.market.assignment(id).await {
                Ok(now) if now.status == Status::Delivered => Ok(digest),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Runs the job and stores its result.
    async fn produce(&self, id: u64, assignment: &Assignment) -> Result<Hash, Trouble> {
        let request = self.market.request(assignment.request).await?;
        let name = &request.terms.task_type;
        let task = self.config.task(name);
        let task = task.ok_or_else(|| {
            Trouble::Never(format!("there is no task {} in the configuration", name.as_str()))
        })?;
        let longest = request.terms.max_duration_ms;
        let time = time_for(assignment, longest);
        let time = time.ok_or_else(|| Trouble::Never("there is no time left for it".into()))?;
        let input = match self.input(id, &request).await {
            // Given back while it can be, rather than missed.
            Err(Trouble::Later(why)) if time < Duration::from_millis(longest) => {
                Err(Trouble::Never(why))
            }
            other => other,
        }?;
        self.start(id, assignment).await?;
        tracing::info!(assignment = id, task = name.as_str(), "running the job");
        let job = self.job(task, assignment, time);
        let result = job.run(&input.payload).await.map_err(Trouble::Job)?;
        let result = match &input.reply_to {
            Some(reply_to) => PayloadKey::encrypt(reply_to, &result)?,
            None => result,
        };
        let digest = self.stores.1.put(&result).await?.sha256();
        self.state.set_done(id, &digest).map_err(|error| Trouble::Later(error.to_string()))?;
        Ok(digest)
    }

    async fn start(&self, id: u64, assignment: &Assignment) -> Result<(), Trouble> {
        if assignment.status == Status::Assigned {
            self.market.about("start", id, &self.signer).await?;
        }
        Ok(())
    }

    /// Fetches the payload, and decrypts it if it is not public.
    async fn input(&self, id: u64, request: &RequestRecord) -> Result<Input, Trouble> {
        let store = &self.stores.0;
        if let Privacy::Public { payload } = &request.terms.privacy {
            let content = store.get(&ContentId::from_chain(payload)?).await?;
            return Ok(Input { payload: Zeroizing::new(content), reply_to: None });
        }
        let handed = self.market.payload(id).await?;
        let handed = handed.ok_or_else(|| Trouble::Later("nothing is handed over yet".into()))?;
        let key = self.key.open(&handed.sealed_key)?;
        let file = store.get(&ContentId::from_chain(&handed.cid)?).await?;
        let envelope = Envelope::unpack(&key.decrypt(&file)?)?;
        Ok(Input { payload: envelope.payload, reply_to: Some(envelope.reply_to) })
    }

    fn job(&self, task: &Task, assignment: &Assignment, timeout: Duration) -> Job {
        let [memory, file, output] = task.sizes();
        let mut environment = BTreeMap::from([
            ("CICADA_TASK_TYPE".to_owned(), task.task_type.as_str().to_owned()),
            ("CICADA_UNITS".to_owned(), assignment.units.to_string()),
        ]);
        environment.extend(task.environment.clone());
        let is_root = nix::unistd::geteuid().is_root();
        let (folder, prefix) = self.config.workplaces();
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
                no_network: self.isolated,
                account: self.config.account_of_jobs(is_root),
                parent: i32::try_from(std::process::id()).unwrap_or_default(),
            },
            output: usize::try_from(output).unwrap_or(usize::MAX),
            timeout,
            folder,
            prefix,
        }
    }
}

impl Worker {
    /// Works on an assignment; what will never work is given back while that is possible.
    pub(crate) async fn settle_trouble(&self, id: u64) -> Result<Hash, Trouble> {
        let outcome = self.work(id).await;
        match &outcome {
            Err(Trouble::Never(_)) => {
                let status = self.market.assignment(id).await?.status;
                if matches!(status, Status::Assigned | Status::AwaitingPayload) {
                    self.market.about("decline", id, &self.signer).await?;
                    count(&self.metrics.jobs, "declined");
                } else if status == Status::InProgress {
                    self.note_failure(id)?;
                }
            }
            Err(Trouble::Job(_)) => self.note_failure(id)?,
            _ => {}
        }
        outcome
    }

    fn note_failure(&self, id: u64) -> Result<(), Trouble> {
        self.state.add_failure(id).map_err(|error| Trouble::Later(error.to_string()))
    }
}

/// How long the job may take: its request's bound, the whole of it after a restart too, and what
/// the deadline leaves. None if there is nothing left.
fn time_for(assignment: &Assignment, max_duration_ms: u64) -> Option<Duration> {
    let left = assignment.complete_by_ms.saturating_sub(now_ms()).checked_sub(MARGIN_MS)?;
    let time = left.min(max_duration_ms);
    (time > 0).then(|| Duration::from_millis(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::sla::Violations;

    fn until(complete_by_ms: u64) -> Assignment {
        Assignment {
            request: 1,
            offer: 1,
            requester: [1; 32],
            provider: [2; 32],
            escrow: 0,
            units: 1,
            price: 1,
            by_provider: true,
            status: Status::Assigned,
            assigned_ms: 0,
            complete_by_ms,
            ready_ms: 0,
            started_ms: None,
            completed_ms: None,
            violations: Violations::default(),
            paid: 0,
            rated_by_requester: false,
            rated_by_provider: false,
        }
    }

    #[test]
    fn a_job_gets_its_bound_or_what_the_deadline_leaves() {
        let now = now_ms();
        assert_eq!(time_for(&until(now + 3_600_000), 5_000), Some(Duration::from_secs(5)));
        let short = time_for(&until(now + 10_000), 60_000).expect("there is time");
        assert!(short <= Duration::from_secs(8) && short > Duration::from_secs(6), "{short:?}");
        assert_eq!(time_for(&until(now + MARGIN_MS), 60_000), None);
        assert_eq!(time_for(&until(now - 1), 60_000), None);
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        use cicada_payload::Error as E;
        let missing = E::NotFound { cid: "b".into(), place: "p".into() };
        assert!(matches!(Trouble::from(missing), Trouble::Later(_)));
        let wrong = E::Decrypt { what: "the payload", reason: "key".into() };
        assert!(matches!(Trouble::from(wrong), Trouble::Never(_)));
        let refused = cicada_chain::Error::Contract {
            label: "Auction::start".into(),
            error: "TooLate".into(),
            explanation: String::new(),
        };
        assert!(matches!(Trouble::from(Error::from(refused)), Trouble::Never(_)));
    }
}

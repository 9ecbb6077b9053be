//! One assignment: from the hand-over to the delivery.

use crate::config::Task;
use crate::job::{Job, JobError};
use crate::policy::{give_up_ms, hand_back, HandBack};
use crate::worker::Worker;
use cicada_contracts::auction;
use cicada_core::hash::Digest;
use cicada_core::market::{Assignment, Privacy, Request, RequestRecord, Status};
use cicada_market::Error;
use cicada_payload::{ContentId, Envelope, PayloadKey, Recipient, Store};
use cicada_program::{count, now_ms, visible_line};
use std::path::Path;
use times::{in_time, sent, soon, time_for, Patience, Seen};
use zeroize::Zeroizing;

mod times;

/// How long what is missing is waited for at most, where handing back costs more the later it comes.
const SOON_MS: u64 = 30_000;

/// What must be free on the disk of results beside the result itself, in bytes.
const FREE: u64 = 16 * 1024 * 1024;

/// Why an assignment is not done now.
#[derive(Debug)]
pub enum Trouble {
    /// It may work later.
    Later(String),
    /// It will not work, whatever happens.
    Never(String),
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

/// What a job gets, and who may read its result.
struct Input {
    payload: Zeroizing<Vec<u8>>,
    reply_to: Option<Recipient>,
}

impl Worker {
    /// Works on an assignment until its result is on the chain. What was done before, in this
    /// process or an earlier one, is not done again, except for a job that was interrupted. A job that
    /// fails by itself is delivered as such: its result says so.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn work(&self, id: u64, slot: u32) -> Result<Digest, Trouble> {
        let assignment = self.market().assignment(id).await?;
        if !matches!(assignment.status, Status::Assigned | Status::InProgress) {
            return Err(Trouble::Later(format!("{:?}", assignment.status)));
        }
        let digest = match self.state.done(id, &assignment) {
            Some(digest) => {
                let request = self.market().request(assignment.request).await?;
                self.start(id, &assignment, &request.terms).await?;
                digest
            }
            None => self.produce(id, &assignment, slot).await?,
        };
        self.deliver(id, &assignment, &digest).await?;
        Ok(digest)
    }

    /// Runs the job and stores its result.
    async fn produce(
        &self,
        id: u64,
        assignment: &Assignment,
        slot: u32,
    ) -> Result<Digest, Trouble> {
        let request = self.market().request(assignment.request).await?;
        let name = &request.terms.task_type;
        let task = self.config.task(name);
        let task = task.ok_or_else(|| {
            Trouble::Never(format!("there is no task {} in the configuration", name.as_str()))
        })?;
        let mut job = self.job(task, assignment, slot);
        let input = self.prepare(id, assignment, &request, (task, &job)).await?;
        self.start(id, assignment, &request.terms).await?;
        // What a start that is not final yet says of its time does not matter without a service level.
        let started_ms = match request.terms.sla {
            Some(_) => self.market().assignment(id).await?.started_ms,
            None => None,
        };
        job.timeout = time_for(assignment, &request.terms, started_ms, self.parameters.slack_ms);
        tracing::info!(assignment = id, task = name.as_str(), "running the job");
        let result = match job.run(&input.payload).await {
            Ok(result) => result,
            // Nothing of it has run: neither its input nor its command did that.
            Err(JobError::NotStarted(why)) => return Err(Trouble::Later(why)),
            Err(error) => {
                count(&self.metrics.jobs, "failed");
                let said = visible_line(&error.to_string());
                tracing::warn!(
                    assignment = id,
                    "the job failed, and its report is delivered: {said}"
                );
                format!("cicada71: no result: {error}\n").into_bytes()
            }
        };
        let result = match &input.reply_to {
            Some(reply_to) => PayloadKey::encrypt(reply_to, &result)?,
            None => result,
        };
        let digest = self.store(id, assignment, &result).await?;
        if let Err(error) = self.state.set_done(id, assignment, &digest) {
            // Only a restart before the delivery would need it.
            tracing::warn!(assignment = id, "{error:#}");
        }
        Ok(digest)
    }

    /// Fetches the payload and finds out whether the job can be started, in the time in which handing
    /// back is free: whatever hangs, lags or is missing by then will not come in time. Who comes too
    /// late for that hands back only what is not there soon, and nothing once that costs as much as a
    /// failure.
    async fn prepare(
        &self,
        id: u64,
        assignment: &Assignment,
        request: &RequestRecord,
        (task, job): (&Task, &Job),
    ) -> Result<Input, Trouble> {
        let ready = || async {
            let input = self.input(id, request).await?;
            self.rehearse(task, job).await?;
            Ok(input)
        };
        if assignment.status != Status::Assigned {
            return ready().await;
        }
        let (now, parameters) = (now_ms(), &self.parameters);
        let left = assignment.complete_by_ms.saturating_sub(now);
        match hand_back(assignment, parameters, now) {
            HandBack::Free => {
                let until_ms = give_up_ms(assignment, &request.terms, parameters, now);
                in_time(until_ms, ready()).await
            }
            HandBack::Part => soon(now.saturating_add(SOON_MS.min(left / 4)), ready).await,
            HandBack::All => ready().await,
        }
    }

    /// What can be known to be impossible is found out before the bond is at stake.
    async fn rehearse(&self, task: &Task, job: &Job) -> Result<(), Trouble> {
        if let Store::Folder(folder) = &self.stores.1 {
            let room = free_space(folder).map_err(|e| Trouble::Later(format!("{e:#}")))?;
            let needed = task.sizes()[2].saturating_add(FREE);
            if room < needed {
                let place = folder.display();
                return Err(Trouble::Later(format!(
                    "{place}: {room} bytes are free, and a result may need {needed}"
                )));
            }
        }
        job.rehearse().await.map_err(|error| Trouble::Later(error.to_string()))
    }

    /// Stores a result, as soon as the disk takes it.
    async fn store(&self, id: u64, of: &Assignment, result: &[u8]) -> Result<Digest, Trouble> {
        let mut patience = Patience::until(id, of.complete_by_ms);
        loop {
            match self.stores.1.put(result).await {
                Ok(cid) => return Ok(Digest(cid.sha256())),
                Err(error @ cicada_payload::Error::File { .. }) => {
                    patience.after(&error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Marks the start, unless it is marked; whatever happens to the connection.
    async fn start(&self, id: u64, of: &Assignment, terms: &Request) -> Result<(), Trouble> {
        if of.status != Status::Assigned {
            return Ok(());
        }
        let parameters = &self.parameters;
        let give_up_ms = give_up_ms(of, terms, parameters, now_ms());
        let send =
            || async move { self.market().act(&auction::start(id), &self.signer).await.map(drop) };
        let seen = || async move {
            match self.market().assignment(id).await.ok()?.status {
                // Handed back while that is free, rather than begun without enough time.
                Status::Assigned
                    if now_ms() >= give_up_ms
                        && hand_back(of, parameters, now_ms()) == HandBack::Free =>
                {
                    Some(Seen::TooLate)
                }
                Status::Assigned => Some(Seen::Nothing),
                _ => Some(Seen::Done),
            }
        };
        sent(Patience::until(id, of.complete_by_ms), send, seen).await
    }

    /// Delivers a result, whatever happens to the connection.
    async fn deliver(&self, id: u64, of: &Assignment, digest: &Digest) -> Result<(), Trouble> {
        let send = || async move {
            let complete = auction::complete(id, digest);
            self.market().act(&complete, &self.signer).await.map(drop)
        };
        let seen = || async move {
            let escrow = self.market().escrow(of.escrow).await.ok()?;
            Some(if escrow.result == Some(*digest) { Seen::Done } else { Seen::Nothing })
        };
        sent(Patience::until(id, of.complete_by_ms), send, seen).await
    }

    /// Fetches the payload, and decrypts it if it is not public.
    async fn input(&self, id: u64, request: &RequestRecord) -> Result<Input, Trouble> {
        let store = &self.stores.0;
        if let Privacy::Public { payload } = &request.terms.privacy {
            let content = store.get(&ContentId::from_chain(payload)?).await?;
            return Ok(Input { payload: Zeroizing::new(content), reply_to: None });
        }
        if self.isolation.sandbox.is_none() {
            return Err(Trouble::Never("jobs are not kept apart here: no private payloads".into()));
        }
        let handed = self.market().payload(id).await?;
        let handed = handed.ok_or_else(|| Trouble::Later("nothing is handed over yet".into()))?;
        let key = self.key.open(&handed.sealed_key)?;
        let file = store.get(&ContentId::from_chain(&handed.cid)?).await?;
        // Beside the loop that sees to other jobs.
        let opened = tokio::task::spawn_blocking(move || Envelope::unpack(&key.decrypt(&file)?));
        let envelope = opened.await.map_err(|error| Trouble::Never(error.to_string()))??;
        Ok(Input { payload: envelope.payload, reply_to: Some(envelope.reply_to) })
    }

    /// Works on an assignment; what will never work is given back while that is possible.
    pub(crate) async fn settle_trouble(&self, id: u64, slot: u32) -> Result<Digest, Trouble> {
        let outcome = self.work(id, slot).await;
        if let Err(Trouble::Never(_)) = &outcome {
            self.give_back(id).await?;
        }
        outcome
    }

    /// Gives an assignment back, if it has not been started.
    pub(crate) async fn give_back(&self, id: u64) -> Result<(), Error> {
        let status = self.market().assignment(id).await?.status;
        if matches!(status, Status::Assigned | Status::AwaitingPayload) {
            self.give_all_back(&[id]).await?;
        }
        Ok(())
    }

    /// Gives assignments back that have not been started, all at once.
    pub(crate) async fn give_all_back(&self, ids: &[u64]) -> Result<(), Error> {
        let messages: Vec<_> = ids.iter().copied().map(auction::decline).collect();
        let each = self.market().act_each(&messages, &self.signer).await?;
        let mut failed = None;
        for outcome in each {
            match outcome {
                Ok(()) => count(&self.metrics.jobs, "declined"),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Bytes that may still be written to a folder, which is made if it is missing.
fn free_space(folder: &Path) -> anyhow::Result<u64> {
    use anyhow::Context;
    let place = || folder.display().to_string();
    std::fs::create_dir_all(folder).with_context(place)?;
    let of = nix::sys::statvfs::statvfs(folder).with_context(place)?;
    Ok(of.blocks_available().saturating_mul(of.fragment_size()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cicada_contracts::types::AuctionError;
    use cicada_core::market::Parameters;
    use cicada_core::sla::Violations;
    use cicada_core::Account;

    pub fn until(complete_by_ms: u64) -> Assignment {
        Assignment {
            request: 1,
            offer: 1,
            requester: Account([1; 32]),
            provider: Account([2; 32]),
            escrow: 0,
            units: 1,
            price: 1,
            status: Status::Assigned,
            assigned_ms: 0,
            auction_left_ms: 0,
            complete_by_ms,
            ready_ms: 0,
            started_ms: None,
            completed_ms: None,
            ended_ms: None,
            violations: Violations::default(),
            paid: 0,
            rated_by_requester: false,
            rated_by_provider: false,
        }
    }

    pub const PARAMETERS: Parameters = Parameters {
        priority_ms: 0,
        violation_points: 5,
        fast_response_ms: 60_000,
        slack_ms: 24_000,
        hand_back_ms: 120_000,
    };

    #[test]
    fn only_what_may_change_is_tried_again() {
        use cicada_payload::Error as E;
        let missing = E::NotFound { cid: "b".into(), place: "p".into() };
        assert!(matches!(Trouble::from(missing), Trouble::Later(_)));
        let wrong = E::Decrypt { what: "the payload", reason: "key".into() };
        assert!(matches!(Trouble::from(wrong), Trouble::Never(_)));
        let refused = cicada_chain::Error::refusal_of("start", &AuctionError::TooLate, "");
        assert!(matches!(Trouble::from(Error::from(refused)), Trouble::Never(_)));
    }
}

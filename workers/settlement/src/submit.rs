//! Telling the chain, once.

use crate::{Committee, Error, Unheard, Verified, Witnesses};
use cicada_chain::{account_of, CallOutcome, Chain, Error as ChainError, Fate, Signer, Underway};
use cicada_contracts::{validators, Message};
use cicada_core::feed::FeedValue;
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::Settlement;
use cicada_core::report::{Feed, FeedState, Report};
use cicada_core::Account;
use parity_scale_codec::Decode;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a report is sent that was lost sight of and did not get in.
const TRIES: usize = 3;
/// How often what was lost sight of is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// What the chain has of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing yet.
    Open,
    /// The report with this digest.
    Holds(Digest),
    /// A report, and later ones: it does not tell which.
    Passed,
}

impl Standing {
    /// Of a slot of a feed of which only the newest report is known.
    pub fn of(newest: &FeedState, slot: u64) -> Self {
        match newest.slot.cmp(&slot) {
            std::cmp::Ordering::Less => Self::Open,
            std::cmp::Ordering::Equal => Self::Holds(newest.digest),
            std::cmp::Ordering::Greater => Self::Passed,
        }
    }
}

/// How a certified report came to the chain.
#[derive(Debug)]
pub enum Settled {
    /// By our transaction.
    ByUs(Box<CallOutcome<Settlement>>),
    /// It was there already.
    Already,
    /// The chain has another report in its slot.
    Another,
}

impl Settled {
    /// The block of our transaction, if it did it.
    pub fn block(&self) -> Option<u64> {
        match self {
            Self::ByUs(outcome) => Some(outcome.block),
            Self::Already | Self::Another => None,
        }
    }
}

/// Who brings certified reports to the chain.
pub struct Bringer<'a, W> {
    /// The chain.
    pub chain: &'a Chain,
    /// The contract of validators, which knows who has a voice.
    pub validators: &'a Account,
    /// Who pays.
    pub signer: &'a Signer,
    /// The committee in office, and the one before.
    pub committee: &'a Committee,
    /// Who signs in the place of seats without a voice.
    pub witnesses: W,
    /// What was sent before.
    pub underways: &'a Underways,
}

/// What a report is called by and looked up with.
pub struct Submission<M, T, S> {
    /// The message that settles it, made of what was verified.
    pub message: M,
    /// The view that tells what the chain has.
    pub held: Message<T>,
    /// What it says of the slot.
    pub standing: S,
    /// How old the newest block may be: a dry run sees its clock, and a contract refuses what is of a time
    /// to come.
    pub fresh: Duration,
}

/// Feed, slot and digest of a report.
type Key = (Feed, u64, Digest);

/// Transactions of which nobody has said what became of them, by their report: as long as one may still be
/// done, no other is sent. Those to settled slots are forgotten.
#[derive(Debug)]
pub struct Underways {
    patience: Duration,
    known: Mutex<BTreeMap<Key, Underway>>,
}

impl Underways {
    /// None. What is lost sight of is looked for so long; who comes again soon need not wait.
    pub fn new(patience: Duration) -> Self {
        Self { patience, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Key, Underway>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, key: &Key) -> Option<Underway> {
        self.known().get(key).copied()
    }

    // Keeps those to slots of a feed from this one on: what comes to a settled one changes nothing.
    fn keep_from(&self, feed: Feed, slot: u64) {
        self.known().retain(|(of, known, _), _| *of != feed || *known >= slot);
    }
}

impl<W: Witnesses> Bringer<'_, W> {
    /// Brings a verified report to the contract of its feed, under signatures of seats that have a
    /// voice, and reads back what the chain has: the certificate that was used, and how it ended.
    ///
    /// # Errors
    /// If the chain refuses it, too few have a voice, or a transaction may still be done.
    pub async fn settle<V, E, T, M, S>(
        &self,
        verified: Verified<V>,
        submission: Submission<M, T, S>,
    ) -> Result<(Verified<V>, Settled), Error>
    where
        V: FeedValue,
        T: Decode,
        M: FnOnce(&Verified<V>) -> Message<Settlement, E>,
        S: Fn(T) -> Standing,
    {
        let Submission { message, held, standing, fresh } = submission;
        let Self { chain, signer, .. } = *self;
        chain.freshen(signer, fresh).await?;
        let barred = validators::barred(&Some(verified.certificate().epoch));
        let barred = chain.read(self.validators, &barred).await?;
        let verified = with_voice(verified, self.committee, barred, &self.witnesses).await?;
        let (message, report) = (message(&verified), verified.value().report());
        let contract = &report.feed.contract;
        let ledger = Contract { chain, signer, contract, message, held, standing };
        let settled = settle(&ledger, report, self.underways).await?;
        Ok((verified, settled))
    }
}

/// With others in the place of seats that have lost their voice.
async fn with_voice<V: FeedValue>(
    verified: Verified<V>,
    committee: &Committee,
    barred: u32,
    witnesses: &impl Witnesses,
) -> Result<Verified<V>, Unheard> {
    if verified.certificate().signers & barred == 0 {
        return Ok(verified);
    }
    let signed = committee.that_signed(verified.certificate().epoch);
    let more = witnesses.attestations(signed, verified.value().report()).await;
    verified.without(committee, barred, more)
}

/// The chain, as one report deals with it.
trait Ledger {
    /// What a transaction would do.
    async fn dry_run(&self) -> Result<Settlement, ChainError>;
    /// Sends it.
    async fn call(&self) -> Result<CallOutcome<Settlement>, ChainError>;
    /// What is there.
    async fn standing(&self) -> Result<Standing, ChainError>;
    /// What became of a transaction.
    async fn fate(&self, of: &Underway) -> Result<Fate, ChainError>;
}

struct Contract<'a, E, T, S> {
    chain: &'a Chain,
    signer: &'a Signer,
    contract: &'a Account,
    message: Message<Settlement, E>,
    held: Message<T>,
    standing: S,
}

impl<E, T: Decode, S: Fn(T) -> Standing> Ledger for Contract<'_, E, T, S> {
    async fn dry_run(&self) -> Result<Settlement, ChainError> {
        let origin = account_of(self.signer);
        Ok(self.chain.dry_run(self.contract, &self.message, &origin).await?.returned)
    }

    async fn call(&self) -> Result<CallOutcome<Settlement>, ChainError> {
        self.chain.call(self.contract, &self.message, self.signer).await
    }

    async fn standing(&self) -> Result<Standing, ChainError> {
        let held = self.chain.read(self.contract, &self.held).await?;
        Ok((self.standing)(held))
    }

    async fn fate(&self, of: &Underway) -> Result<Fate, ChainError> {
        self.chain.fate(of).await
    }
}

async fn settle(
    ledger: &impl Ledger,
    report: &Report,
    underways: &Underways,
) -> Result<Settled, Error> {
    let Report { feed, slot, .. } = *report;
    // The slots before that of a report that is brought are settled.
    underways.keep_from(feed, slot);
    let settled = attempt(ledger, (feed, slot, report.digest::<Native>()), underways).await?;
    underways.keep_from(feed, slot.saturating_add(1));
    Ok(settled)
}

async fn attempt(ledger: &impl Ledger, key: Key, underways: &Underways) -> Result<Settled, Error> {
    let (_, slot, digest) = key;
    let mut lost = None;
    for _ in 0..TRIES {
        if let Some(underway) = underways.of(&key) {
            let looked = look(ledger, &digest, (&underway, lost.take()), underways.patience);
            if let Some(settled) = looked.await? {
                return Ok(settled);
            }
            // It can do nothing any more.
            underways.known().remove(&key);
        }
        let sent = match ledger.dry_run().await {
            Ok(Settlement::AlreadyDone) => return Ok(Settled::Already),
            Ok(Settlement::Recorded | Settlement::Void) => ledger.call().await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(outcome) => return done(ledger, &digest, slot, outcome).await,
            Err(error) => match error.underway() {
                Some(underway) => {
                    underways.known().insert(key, *underway);
                    lost = Some(error);
                }
                None => return refused(ledger, &digest, error).await,
            },
        }
    }
    Err(lost.map_or(Error::Unrecorded { slot }, Error::Chain))
}

/// What became of a transaction that was lost sight of; `None` if it can do nothing any more, and the slot is
/// still open.
async fn look(
    ledger: &impl Ledger,
    digest: &Digest,
    (underway, lost): (&Underway, Option<ChainError>),
    patience: Duration,
) -> Result<Option<Settled>, Error> {
    let begin = tokio::time::Instant::now();
    loop {
        // First its fate: what is read after it shows what it did.
        let seen = match ledger.fate(underway).await {
            Ok(fate) => ledger.standing().await.map(|standing| (fate, standing)),
            Err(error) => Err(error),
        };
        match seen {
            Ok((_, Standing::Holds(held))) if held == *digest => return Ok(Some(Settled::Already)),
            Ok((_, Standing::Holds(_))) => return Ok(Some(Settled::Another)),
            Ok((Fate::Used | Fate::Expired, _)) => return Ok(None),
            // The connection may come back.
            Ok((Fate::Open, _)) | Err(_) => {}
        }
        if begin.elapsed() >= patience {
            return Err(Error::Chain(lost.unwrap_or_else(|| ChainError::Unknown {
                what: "a report".into(),
                underway: Box::new(*underway),
                reason: "it was sent before, and is not final yet".into(),
            })));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the chain has after our transaction.
async fn done(
    ledger: &impl Ledger,
    digest: &Digest,
    slot: u64,
    outcome: CallOutcome<Settlement>,
) -> Result<Settled, Error> {
    match ledger.standing().await? {
        Standing::Holds(held) if held != *digest => Ok(Settled::Another),
        Standing::Open => Err(Error::Unrecorded { slot }),
        // What changes nothing emits nothing: somebody was faster.
        _ if outcome.events.is_empty() => Ok(Settled::Already),
        _ => Ok(Settled::ByUs(Box::new(outcome))),
    }
}

/// Whether the chain refuses it because somebody was faster.
async fn refused(
    ledger: &impl Ledger,
    digest: &Digest,
    error: ChainError,
) -> Result<Settled, Error> {
    match ledger.standing().await {
        Ok(Standing::Holds(held)) if held == *digest => Ok(Settled::Already),
        Ok(Standing::Holds(_)) => Ok(Settled::Another),
        _ => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;

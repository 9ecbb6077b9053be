//! Points and metrics of accounts, written by the contracts on its list, and capabilities that the
//! committee attests (`docs/contracts/reputation.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod reputation {
    use cicada_core::capability::{check, is_held, matches, CapabilityRow};
    use cicada_core::certificate::{Certificate, CertificateError};
    use cicada_core::hash::Hash as Digest;
    use cicada_core::leaderboard::Settlement;
    use cicada_core::name::Name;
    use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind};
    use cicada_core::reputation::{
        Decay, Event, HistoryEntry, Profile, Summary, MAX_EVENTS, MAX_HISTORY_PAGE,
    };
    use cicada_traits::host::HostSha256;
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::reputation::{
        Capabilities, Reputation, ReputationError, ReputationView, Settings, Writers,
    };
    use cicada_traits::stored::{Opaque, Stored};
    use ink::env::call::{build_call, ExecutionInput, Selector};
    use ink::prelude::vec::Vec;
    use ink::selector_bytes;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// An event changed an account's reputation. What a ranking off chain needs.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ReputationChanged {
        /// Whose.
        #[ink(topic)]
        pub account: AccountId,
        /// Its place in the account's history, from 0.
        pub index: u64,
        /// Points before it, decay included.
        pub points_before: u32,
        /// What happened, who recorded it and when, points and metrics after it.
        pub entry: HistoryEntry,
    }

    /// An account may write from now on, or no longer.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WriterChanged {
        /// The writer.
        #[ink(topic)]
        pub account: AccountId,
        /// Whether it may write.
        pub allowed: bool,
    }

    /// The committee attested capabilities.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CapabilitiesAttested {
        /// The slot.
        pub slot: u64,
        /// The digest of its report.
        pub digest: [u8; 32],
        /// When it was observed, in milliseconds since 1970.
        pub time_ms: u64,
    }

    /// The owner offered ownership.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OwnershipProposed {
        /// The owner.
        pub owner: AccountId,
        /// Who may accept.
        pub proposed: AccountId,
    }

    /// Ownership was handed on.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OwnershipAccepted {
        /// The new owner.
        pub owner: AccountId,
    }

    /// What one number is kept of, and no zeros.
    #[ink::scale_derive(Encode, TypeInfo)]
    #[allow(clippy::cast_possible_truncation)] // in the derived code
    pub enum Fact {
        /// 1 if the account may write.
        Writer(AccountId),
        /// Until when the account has the capability, in milliseconds.
        Capability([u8; 32], Name),
    }

    /// The history of accounts.
    type History = Mapping<(AccountId, u64), Opaque<HistoryEntry>, ManualKey<0x4849_5354>>;

    /// The state.
    #[ink(storage)]
    pub struct ReputationContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        settings: Stored<Settings>,
        facts: Mapping<Fact, u64, ManualKey<0x4641_4354>>,
        profiles: Mapping<AccountId, Stored<Profile>, ManualKey<0x5052_4f46>>,
        history: History,
    }

    impl ReputationContract {
        /// A contract without writers, for capabilities that the committee of `validators`
        /// attests. `decay_bps` (0 to 10,000; 0 = nothing decays) of the distance to the start is
        /// taken off after every `epoch_ms` from now on. The caller owns it.
        ///
        /// # Errors
        /// [`ReputationError::InvalidDecay`].
        #[ink(constructor)]
        pub fn new(
            validators: AccountId,
            epoch_ms: u64,
            decay_bps: u16,
        ) -> Result<Self, ReputationError> {
            let decay = Decay { start_ms: Self::env().block_timestamp(), epoch_ms, decay_bps };
            if !decay.is_valid() {
                return Err(ReputationError::InvalidDecay);
            }
            Ok(Self {
                owner: Self::env().caller(),
                proposed_owner: None,
                settings: Stored(Settings { validators, decay, latest: FeedState::EMPTY }),
                facts: Mapping::new(),
                profiles: Mapping::new(),
                history: Mapping::new(),
            })
        }

        /// The profile of an account now. Of one that was never written, the start.
        #[inline(never)]
        fn profile(&self, account: AccountId) -> Profile {
            let stored = self.profiles.get(account).map_or(Profile::START, |profile| profile.0);
            stored.decayed(&self.settings.0.decay, self.env().block_timestamp())
        }

        fn verify(
            &self,
            digest: Digest,
            certificate: Opaque<Certificate>,
        ) -> Result<(), ReputationError> {
            // `Validators::verify`, with the certificate as it came.
            let selector = Selector::new(selector_bytes!("Validators::verify"));
            let input = ExecutionInput::new(selector).push_arg(digest).push_arg(certificate);
            build_call::<Environment>()
                .call(self.settings.0.validators)
                .exec_input(input)
                .returns::<Result<(), CertificateError>>()
                .try_invoke()
                .ok()
                .and_then(Result::ok)
                .ok_or(ReputationError::ValidatorsUnavailable)?
                .map_err(ReputationError::Certificate)
        }

        #[inline(never)]
        fn fact(&self, fact: &Fact) -> u64 {
            self.facts.get(fact).unwrap_or_default()
        }

        #[inline(never)]
        fn set_fact(&mut self, fact: &Fact, value: u64) {
            if value == 0 {
                self.facts.remove(fact);
            } else {
                self.facts.insert(fact, &value);
            }
        }
    }

    impl Reputation for ReputationContract {
        /// Applies events to an account, in order, at most 8: all of them or none. Writers.
        #[ink(message)]
        #[inline(never)]
        fn record(
            &mut self,
            account: AccountId,
            events: Vec<Event>,
        ) -> Result<(), ReputationError> {
            let writer = self.env().caller();
            if !self.is_writer(writer) {
                return Err(ReputationError::NotWriter);
            }
            if events.len() > MAX_EVENTS {
                return Err(ReputationError::TooManyEvents);
            }
            let time_ms = self.env().block_timestamp();
            let mut profile = self.profile(account);
            for event in events {
                let (index, points_before) = (profile.events(), profile.points());
                profile.apply(&event).map_err(|_| ReputationError::InvalidStars)?;
                let (points, metrics) = (profile.points(), profile.metrics());
                let entry =
                    HistoryEntry { event, writer: *writer.as_ref(), points, metrics, time_ms };
                self.history.insert((account, index), &Stored(entry));
                self.env().emit_event(ReputationChanged { account, index, points_before, entry });
            }
            self.profiles.insert(account, &Stored(profile));
            Ok(())
        }

        /// The points of an account now, decay included.
        #[ink(message)]
        fn points(&self, account: AccountId) -> u32 {
            self.profile(account).points()
        }

        /// Whether the committee has attested this capability to the account, and still does.
        #[ink(message)]
        fn is_capable(&self, account: AccountId, capability: Name) -> bool {
            let fact = Fact::Capability(*account.as_ref(), capability);
            is_held(self.fact(&fact), self.env().block_timestamp())
        }
    }

    impl ReputationView for ReputationContract {
        /// Points, metrics, score and counts of an account now, decay included.
        #[ink(message)]
        fn summary(&self, account: AccountId) -> Summary {
            self.profile(account).summary()
        }

        /// Up to 50 events of an account from an index on, the oldest first.
        #[ink(message)]
        #[inline(never)]
        fn history(&self, account: AccountId, from: u64, limit: u32) -> Vec<Opaque<HistoryEntry>> {
            let mut page = Vec::new();
            let mut index = from;
            for _ in 0..limit.min(MAX_HISTORY_PAGE) {
                let Some(entry) = self.history.get((account, index)) else {
                    break;
                };
                page.push(entry);
                index = index.saturating_add(1);
            }
            page
        }

        /// What was fixed at creation, and the newest attestation.
        #[ink(message)]
        fn settings(&self) -> Settings {
            self.settings.0
        }
    }

    impl Writers for ReputationContract {
        /// Puts an account on the list of writers, or takes it off. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_writer(&mut self, account: AccountId, allowed: bool) -> Result<(), ReputationError> {
            if self.env().caller() != self.owner {
                return Err(ReputationError::NotOwner);
            }
            if self.is_writer(account) == allowed {
                return Ok(());
            }
            self.set_fact(&Fact::Writer(account), allowed.into());
            self.env().emit_event(WriterChanged { account, allowed });
            Ok(())
        }

        /// Whether an account may write.
        #[ink(message)]
        #[inline(never)]
        fn is_writer(&self, account: AccountId) -> bool {
            self.fact(&Fact::Writer(account)) != 0
        }
    }

    impl Capabilities for ReputationContract {
        /// Writes certified rows; the newest report, brought again, changes nothing.
        #[ink(message)]
        #[inline(never)]
        fn attest_capabilities(
            &mut self,
            report: Report,
            rows: Vec<CapabilityRow>,
            certificate: Opaque<Certificate>,
        ) -> Result<Settlement, ReputationError> {
            let contract = *self.env().account_id().as_ref();
            let feed = Feed { kind: ReportKind::Capability, contract };
            let digest = report.digest::<HostSha256>();
            let latest = self.settings.0.latest;
            match latest.check_next(&feed, &report, self.env().block_timestamp()) {
                Err(FeedError::SlotTaken) if latest.digest == digest => {
                    return Ok(Settlement::AlreadyDone);
                }
                checked => checked?,
            }
            check(&rows)?;
            if !matches::<HostSha256>(&report, &rows) {
                return Err(ReputationError::ContentMismatch);
            }
            self.verify(digest, certificate)?;

            self.settings.0.latest = FeedState::after(&report, digest);
            for row in rows {
                self.set_fact(&Fact::Capability(row.account, row.capability), row.until_ms);
            }
            let (slot, time_ms) = (report.slot, report.time_ms);
            self.env().emit_event(CapabilitiesAttested { slot, digest, time_ms });
            Ok(Settlement::Recorded)
        }
    }

    impl Ownable for ReputationContract {
        /// The owner.
        #[ink(message)]
        fn owner(&self) -> AccountId {
            self.owner
        }

        /// Offers ownership to an account. The owner.
        #[ink(message)]
        #[inline(never)]
        fn propose_owner(&mut self, account: AccountId) -> Result<(), OwnableError> {
            if self.env().caller() != self.owner {
                return Err(OwnableError::NotOwner);
            }
            self.proposed_owner = Some(account);
            self.env().emit_event(OwnershipProposed { owner: self.owner, proposed: account });
            Ok(())
        }

        /// Takes the ownership that was offered to the caller.
        #[ink(message)]
        #[inline(never)]
        fn accept_ownership(&mut self) -> Result<(), OwnableError> {
            let caller = self.env().caller();
            if self.proposed_owner != Some(caller) {
                return Err(OwnableError::NotProposed);
            }
            self.proposed_owner = None;
            self.owner = caller;
            self.env().emit_event(OwnershipAccepted { owner: caller });
            Ok(())
        }
    }
}

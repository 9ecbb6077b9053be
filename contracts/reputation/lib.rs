//! Points and metrics of accounts, written by the contracts on its list
//! (`docs/contracts/reputation.md`). What accounts can do is another contract's matter:
//! `capabilities`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod reputation {
    use cicada_core::reputation::{
        Decay, Event, HistoryEntry, Profile, Summary, MAX_EVENTS, MAX_HISTORY_PAGE, WRITER_DELAY_MS,
    };
    use cicada_core::Account;
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::reputation::{Reputation, ReputationError, ReputationView, Writers};
    use cicada_traits::stored::{Opaque, Stored};
    use ink::prelude::vec::Vec;
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

    /// An account may write from some time on, or no longer.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WriterChanged {
        /// The writer.
        #[ink(topic)]
        pub account: AccountId,
        /// Whether it may write.
        pub allowed: bool,
        /// From when on that is so, in ms.
        pub from_ms: u64,
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

    /// The history of accounts.
    type History = Mapping<(AccountId, u64), Opaque<HistoryEntry>, ManualKey<0x4849_5354>>;

    /// The state.
    #[ink(storage)]
    pub struct ReputationContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        decay: Stored<Decay>,
        /// From when on each may write, in ms.
        writers: Mapping<AccountId, u64, ManualKey<0x5752_4954>>,
        /// Whether anything was ever recorded.
        in_use: bool,
        profiles: Mapping<AccountId, Stored<Profile>, ManualKey<0x5052_4f46>>,
        history: History,
    }

    impl ReputationContract {
        /// A contract without writers, owned by the caller. `decay_bps` (0 to 10,000; 0 = nothing
        /// decays) of the distance to the start is taken off after every `epoch_ms` from now on.
        ///
        /// # Errors
        /// [`ReputationError::InvalidDecay`].
        #[ink(constructor)]
        pub fn new(epoch_ms: u64, decay_bps: u16) -> Result<Self, ReputationError> {
            let decay = Decay { start_ms: Self::env().block_timestamp(), epoch_ms, decay_bps };
            if !decay.is_valid() {
                return Err(ReputationError::InvalidDecay);
            }
            Ok(Self {
                owner: Self::env().caller(),
                proposed_owner: None,
                decay: Stored(decay),
                writers: Mapping::new(),
                in_use: false,
                profiles: Mapping::new(),
                history: Mapping::new(),
            })
        }

        /// The profile of an account now. Of one that was never written, the start.
        #[inline(never)]
        fn profile(&self, account: AccountId) -> Profile {
            let stored = self.profiles.get(account).map_or(Profile::START, |profile| profile.0);
            stored.decayed(&self.decay.0, self.env().block_timestamp())
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
                    HistoryEntry { event, writer: Account::of(&writer), points, metrics, time_ms };
                self.history.insert((account, index), &Stored(entry));
                self.env().emit_event(ReputationChanged { account, index, points_before, entry });
            }
            self.profiles.insert(account, &Stored(profile));
            self.in_use = true;
            Ok(())
        }

        /// The points of an account now, decay included.
        #[ink(message)]
        fn points(&self, account: AccountId) -> u32 {
            self.profile(account).points()
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

        /// How scores return to their start, as fixed at creation.
        #[ink(message)]
        fn decay(&self) -> Decay {
            self.decay.0
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
            if self.writers.contains(account) == allowed {
                return Ok(());
            }
            let mut from_ms = self.env().block_timestamp();
            if allowed {
                if self.in_use {
                    from_ms = from_ms.saturating_add(WRITER_DELAY_MS);
                }
                self.writers.insert(account, &from_ms);
            } else {
                self.writers.remove(account);
            }
            self.env().emit_event(WriterChanged { account, allowed, from_ms });
            Ok(())
        }

        /// Whether an account may write now.
        #[ink(message)]
        #[inline(never)]
        fn is_writer(&self, account: AccountId) -> bool {
            let now_ms = self.env().block_timestamp();
            self.writers.get(account).is_some_and(|from_ms| from_ms <= now_ms)
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

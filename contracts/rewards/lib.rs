//! Rewards of certified epochs, paid by Merkle claims (`docs/contracts/rewards.md`).
//! Nothing here grows with the number of miners but the length of a proof.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
#![allow(clippy::large_enum_variant)] // the enum of all messages, which ink! makes

mod calls;
mod events;
mod rankings;
mod registry;

#[ink::contract]
pub mod rewards {
    use crate::calls;
    pub use crate::events::{
        BondReturned, Claimed, EmissionSet, EpochSettled, Funded, OwnershipAccepted,
        OwnershipProposed, RankingAccused, RankingsJudged, Registered, SlotVoid, Unregistered,
    };
    use crate::rankings::{feed, Rankings};
    use crate::registry::Registry;
    use cicada_core::certificate::Certificate;
    use cicada_core::fixed::add;
    use cicada_core::hash::Digest;
    use cicada_core::leaderboard::Settlement;
    use cicada_core::merkle;
    use cicada_core::ranking::{with_weight, Statement};
    use cicada_core::report::{FeedError, FeedState, Report};
    use cicada_core::rewards::{
        emission_notice_ms, is_epoch_length, starts_soon, Award, AwardState, Bounds, Claim,
        Emission, Registration, MAX_PROOF,
    };
    use cicada_core::slashing::Weight;
    use cicada_core::Account;
    use cicada_traits::host::HostSha256;
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::payment;
    use cicada_traits::rewards::{Accused, EpochRecord, RewardTerms, Rewards, RewardsError};
    use cicada_traits::stored::{Opaque, Stored};
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The money and the epochs.
    #[ink(storage)]
    pub struct RewardsContract {
        validators: AccountId,
        token: AccountId,
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        start_ms: u64,
        min_epoch_ms: u64,
        emission: Stored<Emission>,
        funded: u128,
        paid: u128,
        state: Stored<AwardState>,
        latest: Stored<FeedState>,
        epochs: Mapping<u64, Stored<EpochRecord>, ManualKey<0x4550_4f43>>,
        /// What each account was paid; there are no zeros.
        paid_of: Mapping<AccountId, u128, ManualKey<0x5041_4944>>,
        registry: Registry,
        rankings: Rankings,
    }

    impl RewardsContract {
        /// A contract without money or epochs, owned by the caller. Epochs are certified by the
        /// committee of `validators` and paid in `token`.
        ///
        /// # Errors
        /// [`RewardsError::WrongEpochLength`], [`RewardsError::StartTooLate`],
        /// [`RewardsError::WrongBond`].
        #[ink(constructor)]
        pub fn new(
            validators: AccountId,
            token: AccountId,
            terms: RewardTerms,
        ) -> Result<Self, RewardsError> {
            let RewardTerms { start_ms, min_epoch_ms, emission, bond, unbonding_ms } = terms;
            if !is_epoch_length(min_epoch_ms) {
                return Err(RewardsError::WrongEpochLength);
            }
            if !starts_soon(start_ms, Self::env().block_timestamp()) {
                return Err(RewardsError::StartTooLate);
            }
            Ok(Self {
                validators,
                token,
                owner: Self::env().caller(),
                proposed_owner: None,
                start_ms,
                min_epoch_ms,
                emission: Stored(Emission::constant(emission)),
                funded: 0,
                paid: 0,
                state: Stored(AwardState::starting(start_ms)),
                latest: Stored(FeedState::EMPTY),
                epochs: Mapping::new(),
                paid_of: Mapping::new(),
                registry: Registry::new(bond, unbonding_ms)?,
                rankings: Rankings::default(),
            })
        }
    }

    impl Rewards for RewardsContract {
        /// Pays in.
        #[ink(message)]
        #[inline(never)]
        fn fund(&mut self, amount: u128) -> Result<(), RewardsError> {
            if amount == 0 {
                return Err(RewardsError::ZeroAmount);
            }
            let (from, this) = (self.env().caller(), self.env().account_id());
            self.funded = add(self.funded, amount)?;
            self.env().emit_event(Funded { from, amount, funded: self.funded });
            Ok(payment::pull(self.token, from, this, amount)?)
        }

        /// Settles the next epoch; the newest report, brought again, changes nothing.
        #[ink(message)]
        #[inline(never)]
        fn settle_epoch(
            &mut self,
            report: Report,
            award: Award,
            ranked_by: u32,
            certificate: Opaque<Certificate>,
        ) -> Result<Settlement, RewardsError> {
            let digest = report.digest::<HostSha256>();
            let latest = self.latest.0;
            match latest.check_next(&feed(), &report, self.env().block_timestamp()) {
                Err(FeedError::SlotTaken) if latest.digest == digest => {
                    return Ok(Settlement::AlreadyDone);
                }
                checked => checked?,
            }
            if !award.matches::<HostSha256>(ranked_by, &report) {
                return Err(RewardsError::ContentMismatch);
            }
            let committee = calls::committee_of(&certificate);
            calls::verify(self.validators, digest, certificate)?;
            self.latest = Stored(FeedState::after(&report, digest));
            let bounds = Bounds {
                emission: self.emission.0.at(award.epoch),
                min_epoch_ms: self.min_epoch_ms,
                funded: self.funded,
                observed_ms: report.time_ms,
            };
            if award.check_next(&self.state.0, &bounds).is_err() {
                self.env().emit_event(SlotVoid { slot: report.slot, digest });
                return Ok(Settlement::Void);
            }
            self.state = Stored(AwardState::after(&award));
            let stakes = calls::electorate(self.validators, committee)?.stakes;
            // Not the report's: who holds a certificate back shall not choose when all are judged.
            let time_ms = self.env().block_timestamp();
            let (slot, weighed) = (report.slot, with_weight(&stakes));
            let record =
                EpochRecord { award, digest, slot, time_ms, ranked_by, committee, weighed };
            self.epochs.insert(award.epoch, &Stored(record));
            self.env().emit_event(EpochSettled::from(record));
            Ok(Settlement::Recorded)
        }

        /// Notes that a seat signed a ranking that is off the certified one.
        #[ink(message)]
        fn accuse_ranking(
            &mut self,
            epoch: u64,
            certified: Vec<Weight>,
            statement: Statement,
            stated: Vec<Weight>,
        ) -> Result<(), RewardsError> {
            let record = self.epoch(epoch).ok_or(RewardsError::UnknownEpoch)?;
            self.rankings.accuse(self.validators, &record, &statement, &certified, &stated)
        }

        /// Hands on who was off in an epoch.
        #[ink(message)]
        fn judge_rankings(&mut self, epoch: u64) -> Result<(), RewardsError> {
            let record = self.epoch(epoch).ok_or(RewardsError::UnknownEpoch)?;
            self.rankings.judge(self.validators, &record)
        }

        /// Who is accused.
        #[ink(message)]
        fn accused(&self, epoch: u64) -> Accused {
            self.rankings.of(epoch)
        }

        /// Pays the caller.
        #[ink(message)]
        fn claim(
            &mut self,
            epoch: u64,
            cumulative: u128,
            index: u32,
            proof: Vec<Digest>,
        ) -> Result<u128, RewardsError> {
            self.claim_for(self.env().caller(), epoch, cumulative, index, proof)
        }

        /// Pays an account, whoever calls.
        #[ink(message)]
        #[inline(never)]
        fn claim_for(
            &mut self,
            account: AccountId,
            epoch: u64,
            cumulative: u128,
            index: u32,
            proof: Vec<Digest>,
        ) -> Result<u128, RewardsError> {
            if proof.len() > MAX_PROOF {
                return Err(RewardsError::ProofTooLong);
            }
            let claim = Claim { account: Account::of(&account), cumulative };
            let leaf = claim.leaf::<HostSha256>();
            let award = self.epoch(epoch).ok_or(RewardsError::UnknownEpoch)?.award;
            let (root, claims) = (&award.claims_root, award.claims);
            if !merkle::verify::<HostSha256>(root, claims, index, &leaf, &proof) {
                return Err(RewardsError::NotUnderRoot);
            }
            let amount = claim.due(self.paid_of(account)).unwrap_or_default();
            if amount == 0 {
                return Err(RewardsError::NothingDue);
            }
            let paid = add(self.paid, amount)?;
            if paid > self.state.0.total {
                return Err(RewardsError::AboveTotal);
            }
            self.paid = paid;
            self.paid_of.insert(account, &cumulative);
            self.env().emit_event(Claimed { account, amount, cumulative });
            payment::pay(self.token, account, amount)?;
            Ok(amount)
        }

        /// Announces the largest pool of epochs to come. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_emission(&mut self, from_epoch: u64, amount: u128) -> Result<(), RewardsError> {
            if self.env().caller() != self.owner {
                return Err(RewardsError::NotOwner);
            }
            let notice_ms = emission_notice_ms(self.registry.unbonding_ms);
            let noticed_ms = self.env().block_timestamp().saturating_add(notice_ms);
            let (state, least) = (&self.state.0, self.min_epoch_ms);
            let changed = self.emission.0.changed(state, least, noticed_ms, from_epoch, amount);
            self.emission = Stored(changed.ok_or(RewardsError::EpochBegun)?);
            self.env().emit_event(EmissionSet { from_epoch, amount });
            Ok(())
        }

        /// Registers the caller for the tiers.
        #[ink(message)]
        #[inline(never)]
        fn register(&mut self) -> Result<(), RewardsError> {
            let (account, this) = (self.env().caller(), self.env().account_id());
            let bond = self.registry.enter(account, self.env().block_timestamp())?;
            self.env().emit_event(Registered { account });
            Ok(payment::pull(self.token, account, this, bond)?)
        }

        /// Ends the caller's registration.
        #[ink(message)]
        #[inline(never)]
        fn unregister(&mut self) -> Result<(), RewardsError> {
            let account = self.env().caller();
            let free_ms = self.registry.leave(account, self.env().block_timestamp())?;
            self.env().emit_event(Unregistered { account, free_ms });
            Ok(())
        }

        /// Pays the caller's bond back.
        #[ink(message)]
        #[inline(never)]
        fn withdraw_bond(&mut self) -> Result<(), RewardsError> {
            let account = self.env().caller();
            let amount = self.registry.release(account, self.env().block_timestamp())?;
            self.env().emit_event(BondReturned { account, amount });
            Ok(payment::pay(self.token, account, amount)?)
        }

        /// The registration of an account.
        #[ink(message)]
        fn registration(&self, account: AccountId) -> Option<Registration> {
            self.registry.of(account)
        }

        /// All bonds that are here.
        #[ink(message)]
        fn bonded(&self) -> u128 {
            self.registry.bonded
        }

        /// A settled epoch.
        #[ink(message)]
        #[inline(never)]
        fn epoch(&self, epoch: u64) -> Option<EpochRecord> {
            self.epochs.get(epoch).map(|record| record.0)
        }

        /// What the next epoch follows.
        #[ink(message)]
        fn state(&self) -> AwardState {
            self.state.0
        }

        /// The newest report.
        #[ink(message)]
        fn latest(&self) -> FeedState {
            self.latest.0
        }

        /// What an account was paid.
        #[ink(message)]
        #[inline(never)]
        fn paid_of(&self, account: AccountId) -> u128 {
            self.paid_of.get(account).unwrap_or_default()
        }

        /// What all accounts were paid.
        #[ink(message)]
        fn paid(&self) -> u128 {
            self.paid
        }

        /// What was ever paid in.
        #[ink(message)]
        fn funded(&self) -> u128 {
            self.funded
        }

        /// What is neither awarded nor carried.
        #[ink(message)]
        #[inline(never)]
        fn available(&self) -> u128 {
            self.state.0.free(self.funded).unwrap_or_default()
        }

        /// The largest pools of the epochs.
        #[ink(message)]
        fn emission(&self) -> Emission {
            self.emission.0
        }

        /// The rules.
        #[ink(message)]
        fn terms(&self) -> RewardTerms {
            RewardTerms {
                start_ms: self.start_ms,
                min_epoch_ms: self.min_epoch_ms,
                emission: self.emission.0.at(self.state.0.epoch.saturating_add(1)),
                bond: self.registry.bond,
                unbonding_ms: self.registry.unbonding_ms,
            }
        }

        /// The token.
        #[ink(message)]
        fn token(&self) -> AccountId {
            self.token
        }

        /// The contract that verifies certificates.
        #[ink(message)]
        fn validators(&self) -> AccountId {
            self.validators
        }
    }

    impl Ownable for RewardsContract {
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

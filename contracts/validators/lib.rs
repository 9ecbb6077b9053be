//! The committee of the 23 nodes, and what they stake (`docs/contracts/validators.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod calls;
mod events;
mod stake;

#[ink::contract]
pub mod validators {
    pub use crate::events::{
        Bonded, CommitteeSeated, KeysRegistered, OwnershipAccepted, OwnershipProposed, Resigned,
        Slashed, TermsSet, Unbonding, Withdrawn,
    };
    use crate::stake::{Stakes, Verdict};
    use cicada_core::certificate::{Certificate, CertificateError, Signature};
    use cicada_core::committee::{
        can_certify, check_members, members_root, seat_bit, silence, AttestationKey,
        AttestationKeys, CommitteeError, ConsensusKey, Domain, Member,
    };
    use cicada_core::evidence::Equivocation;
    use cicada_core::hash::Digest;
    use cicada_core::quorum::{FaultModel, Quorum};
    use cicada_core::ranking::min_agreeing;
    use cicada_core::report::{attestation_message, Feed, FeedState, Report, ReportKind};
    use cicada_core::slashing::{judge, Offence, OffenceKind, MIN_UNBONDING_MS};
    use cicada_core::Account;
    use cicada_traits::host::{sr25519_verify, HostSha256};
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::staking::{
        AnnouncedTerms, Deviation, DoubleObservation, Electorate, Judged, StakeView, Staking,
        StakingError, StakingTerms,
    };
    use cicada_traits::stored::Stored;
    use cicada_traits::validators::{Validators, ValidatorsError};
    use ink::env::{emit_event, DefaultEnvironment};
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The smallest committee that withstands a liar.
    const MIN_SEATS: u8 = 4;

    /// The members of a committee, in seat order.
    type Seats = Stored<Vec<Member>>;

    /// The committee. What `verify` needs lies in the one cell that every call loads.
    #[ink(storage)]
    pub struct ValidatorsContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        genesis: Stored<Digest>,
        quorum: Stored<Quorum>,
        epoch: u32,
        config_digest: Stored<Digest>,
        attestation_keys: Stored<AttestationKeys>,
        /// Seats in office whose signatures do not count, one bit each.
        barred: u32,
        /// The same of the committee before.
        barred_before: u32,
        /// When the committee in office was seated.
        seated_ms: u64,
        feed_state: Stored<FeedState>,
        /// Of every epoch, since evidence may come late.
        members: Mapping<u32, Seats, ManualKey<0x4d45_4d42>>,
        /// The weights of a committee when it left office.
        weights: Mapping<u32, Vec<u128>, ManualKey<0x5745_4947>>,
        keys: Mapping<AccountId, (ConsensusKey, AttestationKey), ManualKey<0x4b45_5953>>,
        /// The statement of every registration there was: a certified change names keys, and stands
        /// whatever its members register later.
        proven: Mapping<Digest, (), ManualKey<0x5052_4f56>>,
        stakes: Stakes,
    }

    impl ValidatorsContract {
        /// A contract without a committee, for committees of `seats` (4 to 32) on the chain
        /// with this genesis hash. The caller owns it.
        ///
        /// # Errors
        /// [`CommitteeError::WrongSize`].
        #[ink(constructor)]
        pub fn new(genesis: Digest, seats: u8) -> Result<Self, CommitteeError> {
            let quorum = Quorum::of(FaultModel::Byzantine, seats)
                .filter(|_| seats >= MIN_SEATS)
                .ok_or(CommitteeError::WrongSize)?;
            Ok(Self {
                owner: Self::env().caller(),
                proposed_owner: None,
                genesis: Stored(genesis),
                quorum: Stored(quorum),
                epoch: 0,
                config_digest: Stored(Digest::ZERO),
                attestation_keys: Stored(AttestationKeys::default()),
                barred: 0,
                barred_before: 0,
                seated_ms: 0,
                feed_state: Stored(FeedState::EMPTY),
                members: Mapping::new(),
                weights: Mapping::new(),
                keys: Mapping::new(),
                proven: Mapping::new(),
                stakes: Stakes::default(),
            })
        }

        fn member(&self, operator: AccountId) -> Result<Member, ValidatorsError> {
            let keys = self.keys.get(operator).ok_or(ValidatorsError::NotRegistered)?;
            Ok(Member {
                operator: Account::of(&operator),
                consensus_key: keys.0,
                attestation_key: keys.1,
            })
        }

        /// The members that these operators make, in seat order.
        fn members(&self, operators: &[AccountId]) -> Result<Vec<Member>, ValidatorsError> {
            // Bounds the loop before it reads anything.
            if operators.len() != usize::from(self.quorum.0.n()) {
                return Err(CommitteeError::WrongSize.into());
            }
            let members = operators
                .iter()
                .map(|operator| self.member(*operator))
                .collect::<Result<Vec<_>, _>>()?;
            check_members(&self.quorum.0, &members)?;
            Ok(members)
        }

        fn seat(&mut self, members: Vec<Member>, epoch: u32, barred: u32) {
            let digest = self.domain().config_digest::<HostSha256>(epoch, &self.quorum.0, &members);
            if self.epoch > 0 {
                let weights = self.weights_of(self.epoch, &self.committee_of(self.epoch));
                self.weights.insert(self.epoch, &weights);
                self.weights.remove(self.epoch_before());
            }
            self.epoch = epoch;
            self.seated_ms = self.env().block_timestamp();
            self.config_digest = Stored(digest);
            self.attestation_keys = Stored(AttestationKeys(attestation_keys(&members)));
            self.barred_before = self.barred;
            self.barred = barred;
            self.members.insert(epoch, &Stored(members));
            emit_event::<DefaultEnvironment, _>(CommitteeSeated { epoch, config_digest: digest });
        }

        /// The committee of an epoch, in seat order; empty if there was none.
        #[inline(never)]
        fn committee_of(&self, epoch: u32) -> Vec<Member> {
            self.members.get(epoch).map(|members| members.0).unwrap_or_default()
        }

        /// The epoch before the one in office; 0 for none.
        fn epoch_before(&self) -> u32 {
            self.epoch.saturating_sub(1)
        }

        /// Whether this is the committee before, and none of its stake can be out yet.
        fn counts_still(&self, epoch: u32) -> bool {
            let until_ms = self.seated_ms.saturating_add(MIN_UNBONDING_MS);
            epoch > 0 && epoch == self.epoch_before() && self.env().block_timestamp() < until_ms
        }

        /// Takes the weight of seats of the committee before.
        #[inline(never)]
        fn mute_before(&mut self, seats: u32) {
            if seats == 0 {
                return;
            }
            let epoch = self.epoch_before();
            let mut weights = self.weights.get(epoch).unwrap_or_default();
            for (seat, weight) in (0u8..).zip(weights.iter_mut()) {
                if seats & seat_bit(seat) != 0 {
                    *weight = 0;
                }
            }
            self.weights.insert(epoch, &weights);
        }

        /// The weights of a committee in office or the one before.
        #[inline(never)]
        fn weights_of(&self, epoch: u32, members: &[Member]) -> Vec<u128> {
            if epoch == self.epoch {
                return self.stakes.weights(members, epoch, self.barred);
            }
            self.weights.get(epoch).unwrap_or_default()
        }

        /// The seat of a key in a committee, as a bit; none if it has none.
        fn bit_of(keys: &[AttestationKey], key: &AttestationKey) -> u32 {
            (0u8..).zip(keys).find(|(_, other)| *other == key).map_or(0, |(seat, _)| seat_bit(seat))
        }

        /// Punishes what is proven: that a member signed twice in a slot. That takes the voice of
        /// the seat that has his key, in office and in the committee before.
        #[inline(never)]
        fn convicted(
            &mut self,
            member: &Member,
            epoch: u32,
            feed: Feed,
            slot: u64,
        ) -> Result<(), StakingError> {
            let terms = self.stakes.rules()?;
            let kind = OffenceKind::Equivocation;
            let offence = Offence { operator: member.operator, epoch, feed, slot, kind };
            let key = &member.attestation_key;
            let barred = Self::bit_of(&self.attestation_keys.0 .0, key);
            let ejected_in = (barred != 0).then_some(self.epoch);
            let mut verdict = Verdict::default();
            if !self.stakes.convict(&terms, &offence, ejected_in, &mut verdict)? {
                return Err(StakingError::AlreadyPunished);
            }
            self.barred = silence(&self.quorum.0, self.barred, barred);
            let before = attestation_keys(&self.committee_of(self.epoch_before()));
            let barred = Self::bit_of(&before, key);
            self.barred_before = silence(&self.quorum.0, self.barred_before, barred);
            self.mute_before(barred);
            verdict.execute(&terms, Some(self.env().caller()))
        }

        /// The committee of an epoch and the digest that its signatures bind.
        #[inline(never)]
        fn record(&self, epoch: u32) -> Result<(Vec<Member>, Digest), StakingError> {
            let members = self.committee_of(epoch);
            if members.is_empty() {
                return Err(StakingError::UnknownEpoch);
            }
            let digest = self.domain().config_digest::<HostSha256>(epoch, &self.quorum.0, &members);
            Ok((members, digest))
        }

        /// As `verify`, for the committee before the one in office.
        #[inline(never)]
        fn verify_before(
            &self,
            digest: Digest,
            certificate: Certificate,
        ) -> Result<(), CertificateError> {
            let epoch = self.epoch_before();
            let members = self.committee_of(epoch);
            certificate.check_form(epoch, &self.quorum.0)?;
            certificate.check_barred(self.barred_before)?;
            let config = self.domain().config_digest::<HostSha256>(epoch, &self.quorum.0, &members);
            let message = attestation_message::<HostSha256>(&config, &digest);
            certificate.check_signatures(&message, &attestation_keys(&members), sr25519_verify)
        }

        fn ensure_owner(&self) -> Result<(), StakingError> {
            if self.env().caller() != self.owner {
                return Err(StakingError::NotOwner);
            }
            Ok(())
        }
    }

    /// The attestation keys of members, in seat order.
    #[inline(never)]
    fn attestation_keys(members: &[Member]) -> Vec<AttestationKey> {
        members.iter().map(|member| member.attestation_key).collect()
    }

    impl Validators for ValidatorsContract {
        /// Registers or replaces the caller's keys for the committees to come.
        #[ink(message)]
        #[inline(never)]
        fn register(
            &mut self,
            consensus_key: ConsensusKey,
            attestation_key: AttestationKey,
            possession: Signature,
        ) -> Result<(), ValidatorsError> {
            let operator = self.env().caller();
            let member =
                Member { operator: Account::of(&operator), consensus_key, attestation_key };
            let statement = self.domain().possession_statement::<HostSha256>(&member);
            if !sr25519_verify(&possession, &statement, &attestation_key) {
                return Err(ValidatorsError::BadPossession);
            }
            self.keys.insert(operator, &(consensus_key, attestation_key));
            self.proven.insert(statement, &());
            emit_event::<DefaultEnvironment, _>(KeysRegistered {
                operator,
                consensus_key,
                attestation_key,
            });
            Ok(())
        }

        /// Seats the first committee: the operators in seat order. The owner, once.
        #[ink(message)]
        #[inline(never)]
        fn form_committee(&mut self, operators: Vec<AccountId>) -> Result<(), ValidatorsError> {
            if self.env().caller() != self.owner {
                return Err(ValidatorsError::NotOwner);
            }
            if self.epoch != 0 {
                return Err(ValidatorsError::AlreadyFormed);
            }
            let members = self.members(&operators)?;
            if self.stakes.unfit(&members, self.epoch) != (0, 0) {
                return Err(ValidatorsError::NotActive);
            }
            self.seat(members, 1, 0);
            Ok(())
        }

        /// Seats the next committee by a report that the one in office certified.
        #[ink(message)]
        #[inline(never)]
        fn rotate(
            &mut self,
            report: Report,
            members: Vec<Member>,
            certificate: Certificate,
        ) -> Result<(), ValidatorsError> {
            let contract = Account::of(&self.env().account_id());
            let feed = Feed { kind: ReportKind::Committee, contract };
            self.feed_state.0.check_next(&feed, &report, self.env().block_timestamp())?;
            check_members(&self.quorum.0, &members)?;
            if report.root != members_root::<HostSha256>(&self.quorum.0, &members) {
                return Err(ValidatorsError::WrongRoot);
            }
            let digest = report.digest::<HostSha256>();
            // Only of the committee in office: else two changes could follow one another.
            certificate.check_form(self.epoch, &self.quorum.0)?;
            self.verify(digest, certificate)?;
            let domain = self.domain();
            let statement = |member: &Member| domain.possession_statement::<HostSha256>(member);
            if !members.iter().all(|member| self.proven.contains(statement(member))) {
                return Err(ValidatorsError::NotRegistered);
            }
            // Were one of them enough to refuse, he could keep the committee in office for ever.
            let (inactive, ejected) = self.stakes.unfit(&members, self.epoch);
            if !can_certify(&self.quorum.0, inactive) {
                return Err(ValidatorsError::NotActive);
            }
            // Who is inactive weighs nothing until he has topped up, and needs no bar for it.
            let silent = silence(&self.quorum.0, 0, ejected);
            self.feed_state = Stored(FeedState::after(&report, digest));
            // One change per report and 2^32 epochs: a chain does not live to see them all.
            self.seat(members, self.epoch.saturating_add(1), silent);
            Ok(())
        }

        /// Whether the committee in office, or for a day the one before, certified the report with
        /// this digest.
        #[ink(message)]
        fn verify(&self, digest: Digest, certificate: Certificate) -> Result<(), CertificateError> {
            if self.counts_still(certificate.epoch) {
                return self.verify_before(digest, certificate);
            }
            certificate.check_form(self.epoch, &self.quorum.0)?;
            certificate.check_barred(self.barred)?;
            let message = attestation_message::<HostSha256>(&self.config_digest.0, &digest);
            certificate.check_signatures(&message, &self.attestation_keys.0 .0, sr25519_verify)
        }

        /// The epoch in office; 0 before the first committee.
        #[ink(message)]
        fn epoch(&self) -> u32 {
            self.epoch
        }

        /// The number of seats.
        #[ink(message)]
        fn seats(&self) -> u8 {
            self.quorum.0.n()
        }

        /// The digest that every signature of the epoch in office binds.
        #[ink(message)]
        fn config_digest(&self) -> Digest {
            self.config_digest.0
        }

        /// The chain and contract that registrations and signatures are for.
        #[ink(message)]
        fn domain(&self) -> Domain {
            Domain { genesis: self.genesis.0, validators: Account::of(&self.env().account_id()) }
        }

        /// The members in office, in seat order.
        #[ink(message)]
        #[inline(never)]
        fn committee(&self) -> Vec<Member> {
            self.committee_of(self.epoch)
        }

        /// The keys that an operator registered for the committees to come.
        #[ink(message)]
        #[inline(never)]
        fn keys_of(&self, operator: AccountId) -> Option<(ConsensusKey, AttestationKey)> {
            self.keys.get(operator)
        }

        /// The newest change of committee in its feed.
        #[ink(message)]
        fn feed_state(&self) -> FeedState {
            self.feed_state.0
        }
    }

    impl Judged for ValidatorsContract {
        /// Who is in office, or was in the epoch before until a day ago, with what weight.
        #[ink(message)]
        #[inline(never)]
        fn electorate(&self, epoch: Option<u32>) -> Electorate {
            let epoch = epoch.unwrap_or(self.epoch);
            let (members, stakes) = match epoch == self.epoch || self.counts_still(epoch) {
                true => {
                    let members = self.committee_of(epoch);
                    let stakes = self.weights_of(epoch, &members);
                    (members, stakes)
                }
                false => (Vec::new(), Vec::new()),
            };
            Electorate {
                epoch,
                config_digest: match epoch == self.epoch {
                    true => self.config_digest.0,
                    false => {
                        self.domain().config_digest::<HostSha256>(epoch, &self.quorum.0, &members)
                    }
                },
                keys: attestation_keys(&members),
                stakes,
            }
        }

        /// Punishes seats for their deviation in a slot of the caller's feed. A judge.
        #[ink(message)]
        #[inline(never)]
        fn report_deviations(
            &mut self,
            kind: ReportKind,
            slot: u64,
            time_ms: u64,
            epoch: u32,
            deviations: Vec<Deviation>,
        ) -> Result<(), StakingError> {
            let caller = self.env().caller();
            let terms = self.stakes.rules()?;
            if !terms.judges.contains(&caller) {
                return Err(StakingError::NotJudge);
            }
            let quorum = self.quorum.0;
            if deviations.len() > usize::from(quorum.n()) {
                return Err(StakingError::TooMany);
            }
            let members = self.committee_of(epoch);
            if members.is_empty() {
                return Err(StakingError::UnknownEpoch);
            }
            // Too old to cost anything; an error would keep all that comes after it from being judged.
            if epoch < self.epoch_before() {
                return Ok(());
            }
            let (offence, needed) = match kind {
                ReportKind::Rewards => (OffenceKind::RankingDeviation, min_agreeing(&quorum)),
                _ => (OffenceKind::NavDeviation, quorum.size()),
            };
            let feed = Feed { kind, contract: Account::of(&caller) };
            let mut verdict = Verdict::default();
            for off in judge(&quorum, terms.bands(offence), needed, &deviations)? {
                let member = members.get(usize::from(off.seat)).ok_or(StakingError::UnknownSeat)?;
                let operator = member.operator;
                let offence = Offence { operator, epoch, feed, slot, kind: offence };
                self.stakes.judge(&terms, &offence, off.bps, time_ms, &mut verdict)?;
            }
            verdict.execute(&terms, None)
        }
    }

    impl Staking for ValidatorsContract {
        /// Sets the first rules of stake, or announces others. The owner.
        #[ink(message)]
        fn set_terms(&mut self, terms: StakingTerms) -> Result<(), StakingError> {
            self.ensure_owner()?;
            self.stakes.set_terms(terms)
        }

        /// Adds to the caller's stake, from his allowance at the token.
        #[ink(message)]
        fn bond(&mut self, amount: u128) -> Result<(), StakingError> {
            self.stakes.bond(self.env().caller(), amount)
        }

        /// Begins to take the caller's stake out.
        #[ink(message)]
        fn unbond(&mut self, amount: u128) -> Result<(), StakingError> {
            let operator = self.env().caller();
            let members = self.committee_of(self.epoch);
            let seated = members.iter().any(|member| operator == member.operator.0.into());
            self.stakes.unbond(operator, amount, seated)
        }

        /// Asks for the caller's seat to be given to another.
        #[ink(message)]
        fn resign(&mut self) -> Result<(), StakingError> {
            self.stakes.resign(self.env().caller())
        }

        /// Pays out what has waited long enough.
        #[ink(message)]
        fn withdraw(&mut self) -> Result<u128, StakingError> {
            self.stakes.withdraw(self.env().caller())
        }

        /// Punishes a seat that attested two reports of one slot. Anybody, with the proof.
        #[ink(message)]
        #[inline(never)]
        fn convict(&mut self, evidence: Equivocation) -> Result<(), StakingError> {
            let Equivocation { epoch, seat, first, .. } = evidence;
            let (members, digest) = self.record(epoch)?;
            let keys = attestation_keys(&members);
            evidence
                .check::<HostSha256>(epoch, &digest, &keys, sr25519_verify)
                .map_err(StakingError::Evidence)?;
            let member = members.get(usize::from(seat)).ok_or(StakingError::UnknownSeat)?;
            self.convicted(member, epoch, first.feed, first.slot)
        }

        /// Punishes a seat that signed two values for one slot. Anybody, with the proof.
        #[ink(message)]
        #[inline(never)]
        fn convict_observer(&mut self, evidence: DoubleObservation) -> Result<(), StakingError> {
            let DoubleObservation { epoch, feed, slot, one, other } = evidence;
            let (members, digest) = self.record(epoch)?;
            let member = members.get(usize::from(one.seat)).ok_or(StakingError::UnknownSeat)?;
            let verify = |signature: &Signature, message: &Digest, _| {
                sr25519_verify(signature, message, &member.attestation_key)
            };
            if !one.convicts::<HostSha256>(&other, &digest, &feed, slot, verify) {
                return Err(StakingError::NoConviction);
            }
            self.convicted(member, epoch, feed, slot)
        }

        /// The stake of an operator.
        #[ink(message)]
        fn stake_of(&self, operator: AccountId) -> StakeView {
            self.stakes.view(operator, self.epoch)
        }

        /// The rules of stake in force.
        #[ink(message)]
        fn terms(&self) -> Option<StakingTerms> {
            self.stakes.terms()
        }

        /// The rules that will be in force.
        #[ink(message)]
        fn announced(&self) -> Option<AnnouncedTerms> {
            self.stakes.announced()
        }

        /// The seats whose signatures do not count, in office or in the committee before.
        #[ink(message)]
        fn barred(&self, epoch: Option<u32>) -> u32 {
            match epoch.unwrap_or(self.epoch) {
                epoch if epoch == self.epoch => self.barred,
                epoch if self.counts_still(epoch) => self.barred_before,
                _ => 0,
            }
        }
    }

    impl Ownable for ValidatorsContract {
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
            emit_event::<DefaultEnvironment, _>(OwnershipProposed {
                owner: self.owner,
                proposed: account,
            });
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
            emit_event::<DefaultEnvironment, _>(OwnershipAccepted { owner: caller });
            Ok(())
        }
    }
}

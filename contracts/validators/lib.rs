//! The committee of the 23 nodes (`docs/contracts/validators.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod validators {
    use cicada_core::certificate::{Certificate, CertificateError, Signature};
    use cicada_core::committee::{
        check_members, members_root, AttestationKey, AttestationKeys, CommitteeError, ConsensusKey,
        Domain, Member,
    };
    use cicada_core::hash::Hash as Digest;
    use cicada_core::quorum::{FaultModel, Quorum};
    use cicada_core::report::{attestation_message, Feed, FeedState, Report, ReportKind};
    use cicada_traits::host::{sr25519_verify, HostSha256};
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::stored::Stored;
    use cicada_traits::validators::{Validators, ValidatorsError};
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::{Lazy, Mapping};

    /// The smallest committee that withstands a liar.
    const MIN_SEATS: u8 = 4;

    /// An operator registered or replaced keys.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeysRegistered {
        /// The operator.
        #[ink(topic)]
        pub operator: AccountId,
        /// The ed25519 key of consensus messages.
        pub consensus_key: [u8; 32],
        /// The sr25519 key of attestations.
        pub attestation_key: [u8; 32],
    }

    /// A committee took office.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CommitteeSeated {
        /// Its epoch.
        pub epoch: u32,
        /// The digest that its signatures bind.
        pub config_digest: [u8; 32],
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

    /// The committee. What `verify` needs lies in the one cell that every call loads.
    #[ink(storage)]
    pub struct ValidatorsContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        genesis: Digest,
        quorum: Stored<Quorum>,
        epoch: u32,
        config_digest: Digest,
        attestation_keys: Stored<AttestationKeys>,
        feed_state: Stored<FeedState>,
        members: Lazy<Stored<Vec<Member>>, ManualKey<0x4d45_4d42>>,
        keys: Mapping<AccountId, (ConsensusKey, AttestationKey), ManualKey<0x4b45_5953>>,
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
                genesis,
                quorum: Stored(quorum),
                epoch: 0,
                config_digest: [0; 32],
                attestation_keys: Stored(AttestationKeys::default()),
                feed_state: Stored(FeedState::EMPTY),
                members: Lazy::new(),
                keys: Mapping::new(),
            })
        }

        fn member(&self, operator: AccountId) -> Result<Member, ValidatorsError> {
            let keys = self.keys.get(operator).ok_or(ValidatorsError::NotRegistered)?;
            Ok(Member {
                operator: *operator.as_ref(),
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

        fn seat(&mut self, members: Vec<Member>, epoch: u32) {
            let digest = self.domain().config_digest::<HostSha256>(epoch, &self.quorum.0, &members);
            self.epoch = epoch;
            self.config_digest = digest;
            let keys = members.iter().map(|member| member.attestation_key).collect();
            self.attestation_keys = Stored(AttestationKeys(keys));
            self.members.set(&Stored(members));
            self.env().emit_event(CommitteeSeated { epoch, config_digest: digest });
        }
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
            let member = Member { operator: *operator.as_ref(), consensus_key, attestation_key };
            let statement = self.domain().possession_statement::<HostSha256>(&member);
            if !sr25519_verify(&possession, &statement, &attestation_key) {
                return Err(ValidatorsError::BadPossession);
            }
            self.keys.insert(operator, &(consensus_key, attestation_key));
            self.env().emit_event(KeysRegistered { operator, consensus_key, attestation_key });
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
            self.seat(members, 1);
            Ok(())
        }

        /// Seats the next committee by a report that the one in office certified.
        #[ink(message)]
        #[inline(never)]
        fn rotate(
            &mut self,
            report: Report,
            operators: Vec<AccountId>,
            certificate: Certificate,
        ) -> Result<(), ValidatorsError> {
            let contract = *self.env().account_id().as_ref();
            let feed = Feed { kind: ReportKind::Committee, contract };
            self.feed_state.0.check_next(&feed, &report, self.env().block_timestamp())?;
            let members = self.members(&operators)?;
            if report.root != members_root::<HostSha256>(&self.quorum.0, &members) {
                return Err(ValidatorsError::WrongRoot);
            }
            let digest = report.digest::<HostSha256>();
            self.verify(digest, certificate)?;
            self.feed_state = Stored(FeedState::after(&report, digest));
            // One change per report and 2^32 epochs: a chain does not live to see them all.
            self.seat(members, self.epoch.saturating_add(1));
            Ok(())
        }

        /// Whether the committee in office certified the report with this digest.
        #[ink(message)]
        fn verify(&self, digest: Digest, certificate: Certificate) -> Result<(), CertificateError> {
            certificate.check_form(self.epoch, &self.quorum.0)?;
            let message = attestation_message::<HostSha256>(&self.config_digest, &digest);
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
            self.config_digest
        }

        /// The chain and contract that registrations and signatures are for.
        #[ink(message)]
        fn domain(&self) -> Domain {
            Domain { genesis: self.genesis, validators: *self.env().account_id().as_ref() }
        }

        /// The members in office, in seat order.
        #[ink(message)]
        #[inline(never)]
        fn committee(&self) -> Vec<Member> {
            self.members.get().map(|members| members.0).unwrap_or_default()
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

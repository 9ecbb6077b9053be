//! What the committee attests that accounts can do (`docs/contracts/capabilities.md`).
//!
//! A contract of its own, because a score and an attestation have different authors: contracts of
//! the market write the one, the committee decides the other. Neither contract can touch what the
//! other keeps.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod capabilities {
    use cicada_core::capability::{check, is_held, matches, CapabilityRow};
    use cicada_core::certificate::{Certificate, CertificateError};
    use cicada_core::hash::Digest;
    use cicada_core::leaderboard::Settlement;
    use cicada_core::name::Name;
    use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind};
    use cicada_core::Account;
    use cicada_traits::capabilities::{Capabilities, CapabilitiesError};
    use cicada_traits::host::HostSha256;
    use cicada_traits::stored::{Opaque, Stored};
    use ink::env::call::{build_call, ExecutionInput, Selector};
    use ink::prelude::vec::Vec;
    use ink::selector_bytes;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The committee attested capabilities.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CapabilitiesAttested {
        /// The slot.
        pub slot: u64,
        /// The digest of its report.
        pub digest: Digest,
        /// When it was observed, in milliseconds since 1970.
        pub time_ms: u64,
    }

    /// A slot was taken by a certified report whose rows are too many, none or not in order.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SlotVoid {
        /// The slot.
        pub slot: u64,
        /// The digest of its report.
        pub digest: Digest,
    }

    /// The register.
    #[ink(storage)]
    pub struct CapabilitiesContract {
        validators: AccountId,
        latest: Stored<FeedState>,
        /// Until when, in milliseconds since 1970; there are no zeros.
        until_ms: Mapping<(Account, Name), u64, ManualKey<0x4341_5041>>,
    }

    impl CapabilitiesContract {
        /// An empty register of what the committee of `validators` attests.
        #[ink(constructor)]
        pub fn new(validators: AccountId) -> Self {
            Self { validators, latest: Stored(FeedState::EMPTY), until_ms: Mapping::new() }
        }

        fn verify(
            &self,
            digest: Digest,
            certificate: Opaque<Certificate>,
        ) -> Result<(), CapabilitiesError> {
            // `Validators::verify`, with the certificate as it came.
            let selector = Selector::new(selector_bytes!("Validators::verify"));
            let input = ExecutionInput::new(selector).push_arg(digest).push_arg(certificate);
            build_call::<Environment>()
                .call(self.validators)
                .exec_input(input)
                .returns::<Result<(), CertificateError>>()
                .try_invoke()
                .ok()
                .and_then(Result::ok)
                .ok_or(CapabilitiesError::ValidatorsUnavailable)?
                .map_err(CapabilitiesError::Certificate)
        }

        fn set(&mut self, row: CapabilityRow) {
            let key = (row.account, row.capability);
            if row.until_ms == 0 {
                self.until_ms.remove(&key);
            } else {
                self.until_ms.insert(&key, &row.until_ms);
            }
        }
    }

    impl Capabilities for CapabilitiesContract {
        /// Writes certified rows; the newest report, brought again, changes nothing.
        #[ink(message)]
        fn attest_capabilities(
            &mut self,
            report: Report,
            rows: Vec<CapabilityRow>,
            certificate: Opaque<Certificate>,
        ) -> Result<Settlement, CapabilitiesError> {
            let contract = Account::of(&self.env().account_id());
            let feed = Feed { kind: ReportKind::Capability, contract };
            let digest = report.digest::<HostSha256>();
            let latest = self.latest.0;
            match latest.check_next(&feed, &report, self.env().block_timestamp()) {
                Err(FeedError::SlotTaken) if latest.digest == digest => {
                    return Ok(Settlement::AlreadyDone);
                }
                checked => checked?,
            }
            if !matches::<HostSha256>(&report, &rows) {
                return Err(CapabilitiesError::ContentMismatch);
            }
            self.verify(digest, certificate)?;

            self.latest = Stored(FeedState::after(&report, digest));
            let (slot, time_ms) = (report.slot, report.time_ms);
            if check(&rows).is_err() {
                self.env().emit_event(SlotVoid { slot, digest });
                return Ok(Settlement::Void);
            }
            for row in rows {
                self.set(row);
            }
            self.env().emit_event(CapabilitiesAttested { slot, digest, time_ms });
            Ok(Settlement::Recorded)
        }

        /// Whether the committee has attested this capability to the account, and still does.
        #[ink(message)]
        fn is_capable(&self, account: AccountId, capability: Name) -> bool {
            let account = Account::of(&account);
            let until_ms = self.until_ms.get((account, capability)).unwrap_or_default();
            is_held(until_ms, self.env().block_timestamp())
        }

        /// Slot, digest and time of the newest report; slot 0 before the first.
        #[ink(message)]
        fn latest(&self) -> FeedState {
            self.latest.0
        }

        /// The contract that verifies certificates.
        #[ink(message)]
        fn validators(&self) -> AccountId {
            self.validators
        }
    }
}

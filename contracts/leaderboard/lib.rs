//! The canonical leaderboard (`docs/contracts/leaderboard.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod leaderboard {
    use cicada_core::certificate::{Certificate, CertificateError};
    use cicada_core::hash::Digest;
    use cicada_core::leaderboard::{check, matches, Board, Record, RecordHeader, Settlement};
    use cicada_core::quote::{Framework, Quote};
    use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind};
    use cicada_core::Account;
    use cicada_traits::host::HostSha256;
    use cicada_traits::leaderboard::{Leaderboard, LeaderboardError, MAX_PAGE};
    use cicada_traits::stored::Stored;
    use cicada_traits::validators::Validators;
    use ink::codegen::TraitCallBuilder;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// A slot became final.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LeaderboardFinalized {
        /// The slot.
        pub slot: u64,
        /// The digest of its report.
        pub digest: Digest,
        /// The committee that attested it.
        pub epoch: u32,
        /// Bit `i` is set if seat `i` signed.
        pub signers: u32,
        /// When it was observed, in milliseconds since 1970.
        pub time_ms: u64,
    }

    /// The leaderboard.
    #[ink(storage)]
    pub struct LeaderboardContract {
        validators: AccountId,
        latest: Stored<FeedState>,
        records: Mapping<u64, Stored<Record>, ManualKey<0x534c_4f54>>,
    }

    impl LeaderboardContract {
        /// A leaderboard without records, certified by the committee of `validators`.
        #[ink(constructor)]
        pub fn new(validators: AccountId) -> Self {
            Self { validators, latest: Stored(FeedState::EMPTY), records: Mapping::new() }
        }

        fn verify(&self, digest: Digest, certificate: Certificate) -> Result<(), LeaderboardError> {
            let validators: ink::contract_ref!(Validators) = self.validators.into();
            let answer: Result<(), CertificateError> = validators
                .call()
                .verify(digest, certificate)
                .try_invoke()
                .ok()
                .and_then(Result::ok)
                .ok_or(LeaderboardError::ValidatorsUnavailable)?;
            Ok(answer?)
        }

        #[inline(never)]
        fn is_recorded(&self, report: &Report) -> bool {
            self.records.get(report.slot).is_some_and(|record| record.0.report == *report)
        }
    }

    impl Leaderboard for LeaderboardContract {
        /// Records a certified leaderboard; one that is final already changes nothing.
        #[ink(message)]
        fn submit(
            &mut self,
            report: Report,
            board: Board,
            certificate: Certificate,
        ) -> Result<Settlement, LeaderboardError> {
            let contract = Account::of(&self.env().account_id());
            let feed = Feed { kind: ReportKind::Leaderboard, contract };
            let now = self.env().block_timestamp();
            match self.latest.0.check_next(&feed, &report, now) {
                Err(FeedError::SlotTaken) if self.is_recorded(&report) => {
                    return Ok(Settlement::AlreadyDone);
                }
                checked => checked?,
            }
            check(&board.standings)?;
            if !matches::<HostSha256>(&report, &board) {
                return Err(LeaderboardError::ContentMismatch);
            }
            let (epoch, signers) = (certificate.epoch, certificate.signers);
            let digest = report.digest::<HostSha256>();
            self.verify(digest, certificate)?;

            self.latest = Stored(FeedState::after(&report, digest));
            let record = Record { report, epoch, signers, board };
            self.records.insert(report.slot, &Stored(record));
            self.env().emit_event(LeaderboardFinalized {
                slot: report.slot,
                digest,
                epoch,
                signers,
                time_ms: report.time_ms,
            });
            Ok(Settlement::Recorded)
        }

        /// Slot, digest and time of the newest record; slot 0 before the first.
        #[ink(message)]
        fn latest(&self) -> FeedState {
            self.latest.0
        }

        /// The record of a slot.
        #[ink(message)]
        #[inline(never)]
        fn record(&self, slot: u64) -> Option<Record> {
            self.records.get(slot).map(|record| record.0)
        }

        /// The quotes of the newest record, in order of rank.
        #[ink(message)]
        #[inline(never)]
        fn ranking(&self) -> Vec<Quote> {
            self.record(self.latest.0.slot)
                .map(|record| record.quotes().collect())
                .unwrap_or_default()
        }

        /// The newest quote of a framework.
        #[ink(message)]
        #[inline(never)]
        fn quote(&self, framework: Framework) -> Option<Quote> {
            let record = self.record(self.latest.0.slot)?;
            let quote = record.quotes().find(|quote| quote.framework == framework);
            quote
        }

        /// Up to 50 records from a slot on, ascending, without their rows.
        #[ink(message)]
        #[inline(never)]
        fn history(&self, from: u64, limit: u32) -> Vec<RecordHeader> {
            let first = from.max(1);
            let page = u64::from(limit.min(MAX_PAGE));
            let end = self.latest.0.slot.min(first.saturating_add(page).saturating_sub(1));
            (first..=end)
                .filter_map(|slot| {
                    let record = self.record(slot)?;
                    Some(RecordHeader {
                        slot,
                        digest: record.report.digest::<HostSha256>(),
                        time_ms: record.report.time_ms,
                        epoch: record.epoch,
                        signers: record.signers,
                        shards: record.board.shards,
                    })
                })
                .collect()
        }

        /// The contract that verifies certificates.
        #[ink(message)]
        fn validators(&self) -> AccountId {
            self.validators
        }
    }
}

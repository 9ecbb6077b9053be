//! What must be true of a certified value that does not depend on the state of the chain.

use crate::Committee;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::feed::FeedValue;
use cicada_core::hash::{Digest, Native};
use cicada_core::report::{Feed, FeedState, Report};

/// A slot of a feed about which nodes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The feed.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// The digest of the report before it.
    pub previous: Digest,
}

impl Asked {
    /// The slot of a report.
    pub fn of(report: &Report) -> Self {
        Self { feed: report.feed, slot: report.slot, previous: report.previous }
    }

    /// The slot that comes next.
    pub fn after(feed: Feed, newest: &FeedState) -> Self {
        Self { feed, slot: newest.slot.saturating_add(1), previous: newest.digest }
    }

    /// Checks that a report is of this slot. It may be another's; the certificate of another slot,
    /// however true, is no answer.
    ///
    /// # Errors
    /// [`Invalid::AnotherFeed`], [`Invalid::AnotherSlot`].
    pub fn check(&self, report: &Report) -> Result<(), Invalid> {
        if report.feed != self.feed {
            return Err(Invalid::AnotherFeed);
        }
        match (report.slot, report.previous) == (self.slot, self.previous) {
            true => Ok(()),
            false => Err(Invalid::AnotherSlot { found: report.slot, asked: self.slot }),
        }
    }
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is of another feed.
    #[error("the nodes decided on a report for another contract: those that answer belong to another deployment")]
    AnotherFeed,
    /// It is of another slot, or follows another report.
    #[error("it answers with slot {found}, not with the slot {asked} that was asked for")]
    AnotherSlot {
        /// Its slot.
        found: u64,
        /// The slot that was asked for.
        asked: u64,
    },
    /// Its content is not that of its report.
    #[error("{0}")]
    Content(String),
    /// Not a quorum of the committee signed it.
    #[error("the nodes' certificate is not valid: {0:?}")]
    Certificate(CertificateError),
}

/// A value that a quorum of its committee certified, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<V> {
    value: V,
    certificate: Certificate,
}

impl<V> Verified<V> {
    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }

    /// Signatures of a quorum.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The same value under another certificate.
    pub(crate) fn with(
        self,
        committee: &Committee,
        certificate: Certificate,
    ) -> Result<Self, Invalid>
    where
        V: FeedValue,
    {
        committee.check(self.value.report(), &certificate).map_err(Invalid::Certificate)?;
        Ok(Self { certificate, ..self })
    }
}

/// Checks everything that the chain will check and that does not depend on its state: the feed, the content
/// and its root, the certificate and all its signatures.
///
/// # Errors
/// [`Invalid`].
pub fn verify<V: FeedValue>(
    committee: &Committee,
    feed: &Feed,
    value: V,
    certificate: Certificate,
) -> Result<Verified<V>, Invalid> {
    let report = value.report();
    if report.feed != *feed {
        return Err(Invalid::AnotherFeed);
    }
    value.check_content::<Native>(committee.quorum.n()).map_err(Invalid::Content)?;
    committee.check(report, &certificate).map_err(Invalid::Certificate)?;
    Ok(Verified { value, certificate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stage;
    use cicada_core::Account;

    #[test]
    fn a_certificate_of_the_committee_passes() {
        let stage = Stage::new();
        let (value, certificate) = (stage.value(), stage.certificate());
        let verified = verify(&stage.committee, &stage.feed(), value.clone(), certificate.clone());
        let verified = verified.unwrap();
        assert_eq!((verified.value(), verified.certificate()), (&value, &certificate));
    }

    #[test]
    fn a_certificate_of_the_committee_before_passes_as_long_as_it_counts() {
        let stage = Stage::new();
        let next =
            Committee { epoch: 2, config_digest: Digest([9; 32]), ..stage.committee.clone() };
        let check = |committee: &Committee, certificate| {
            verify(committee, &stage.feed(), stage.value(), certificate).map(|_| ())
        };
        assert!(check(&next, stage.certificate()).is_err());
        let after = Committee { before: Some(Box::new(stage.committee.clone())), ..next };
        assert_eq!(check(&after, stage.certificate()), Ok(()));
        let mut forged = stage.certificate();
        forged.signatures[0][5] ^= 1;
        assert!(check(&after, forged).is_err());
    }

    #[test]
    fn changed_content_reports_and_signatures_do_not() {
        let stage = Stage::new();
        let check = |value, certificate| {
            verify(&stage.committee, &stage.feed(), value, certificate).map(|_| ())
        };
        let mut rows = stage.value();
        rows.board.standings[0].score += 1;
        assert!(matches!(check(rows, stage.certificate()), Err(Invalid::Content(_))));
        let mut shards = stage.value();
        shards.board.shards.0[0] ^= 1;
        assert!(matches!(check(shards, stage.certificate()), Err(Invalid::Content(_))));
        let mut report = stage.value();
        report.report.slot += 1;
        let error = check(report, stage.certificate()).unwrap_err();
        assert!(error.to_string().contains("BadSignature"), "{error}");
        let mut few = stage.certificate();
        few.signatures.pop();
        assert!(check(stage.value(), few).is_err());
        let other = Feed { contract: Account([9; 32]), ..stage.feed() };
        let of_other = verify(&stage.committee, &other, stage.value(), stage.certificate());
        assert_eq!(of_other, Err(Invalid::AnotherFeed));
        let mut next = stage.committee.clone();
        next.epoch += 1;
        assert!(verify(&next, &stage.feed(), stage.value(), stage.certificate()).is_err());
    }

    #[test]
    fn an_answer_about_another_slot_is_none() {
        let stage = Stage::new();
        let report = stage.value().report;
        let asked = Asked::of(&report);
        assert_eq!(asked, Asked::after(stage.feed(), &FeedState::EMPTY));
        // What another proposed for this slot is the nodes' to decide.
        assert_eq!(asked.check(&Report { time_ms: 7, root: Digest([9; 32]), ..report }), Ok(()));
        let next = Asked { slot: report.slot + 1, previous: Digest([1; 32]), ..asked };
        let error = next.check(&report).unwrap_err().to_string();
        assert_eq!(error, "it answers with slot 1, not with the slot 2 that was asked for");
        assert!(Asked { previous: Digest([1; 32]), ..asked }.check(&report).is_err());
        let feed = Feed { contract: Account([9; 32]), ..asked.feed };
        assert_eq!(Asked { feed, ..asked }.check(&report), Err(Invalid::AnotherFeed));
    }
}

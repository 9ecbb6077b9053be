//! Certificates without barred seats.
//!
//! A seat that was convicted has no voice for the rest of its epoch, and the contract refuses a
//! certificate that it signed. The consensus nodes may not know that. Whoever brings a certificate to the
//! chain then asks others for their own signatures under the same report.

use crate::{Committee, Invalid, Verified};
use cicada_core::certificate::Signature;
use cicada_core::feed::FeedValue;
use cicada_core::report::Report;
use std::future::Future;

/// Who signs a decided report once more.
pub trait Witnesses {
    /// Signatures by seat of the committee that decided it; nothing is verified yet.
    fn attestations(
        &self,
        committee: &Committee,
        report: &Report,
    ) -> impl Future<Output = Vec<(u8, Signature)>> + Send;
}

/// Too few seats with a voice sign a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too few nodes with a voice attest slot {slot}")]
pub struct Unheard {
    /// Its slot.
    pub slot: u64,
}

impl<V: FeedValue> Verified<V> {
    /// The same without signatures of the seats of `barred`, one bit each: others, of `more`, stand in
    /// their place.
    ///
    /// # Errors
    /// If there are too few.
    pub fn without(
        self,
        committee: &Committee,
        barred: u32,
        more: Vec<(u8, Signature)>,
    ) -> Result<Self, Unheard> {
        let (report, certificate) = (self.value().report(), self.certificate());
        let committee = committee.that_signed(certificate.epoch);
        let message = committee.message(report);
        let genuine =
            more.into_iter().filter(|(seat, signed)| committee.signed(*seat, &message, signed));
        let replaced = certificate.without(barred, &committee.quorum, genuine);
        let unheard = Unheard { slot: report.slot };
        let replaced = replaced.ok_or_else(|| unheard.clone())?;
        self.with(committee, replaced).map_err(|_: Invalid| unheard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stage;

    #[test]
    fn who_lost_his_voice_is_replaced_by_who_has_one() {
        let stage = Stage::new();
        let old = stage.verified();
        assert_eq!(old.certificate().signers, 0xffff, "the first sixteen");
        let others = || (16..23).map(|seat| stage.attested(seat)).collect::<Vec<_>>();
        let without = |barred, more| old.clone().without(&stage.committee, barred, more);
        let replaced = without(0b101, others()).unwrap();
        assert_eq!(replaced.certificate().signers, 0x3_fffa);
        assert_eq!(replaced.value(), old.value());
        let report = replaced.value().report;
        assert_eq!(stage.committee.check(&report, replaced.certificate()), Ok(()));
        let too_few = Err(Unheard { slot: 1 });
        assert_eq!(without(0b101, Vec::new()), too_few);
        assert_eq!(without(0b1, vec![stage.attested(0)]), too_few, "its own again");
        assert_eq!(without(0xff, others()), too_few, "eight are barred of 23");
        let mut forged = others();
        forged.iter_mut().for_each(|(_, signature)| signature[0] ^= 1);
        assert_eq!(without(0b1, forged), too_few);
        let of_another = vec![(16, stage.attested(17).1)];
        assert_eq!(without(0b1, of_another), too_few, "another seat's signature");
    }
}

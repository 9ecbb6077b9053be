//! How figures return to their start, by epochs.

use parity_scale_codec::{Decode, Encode};

/// The largest share that an epoch can take off, in bps: all of it.
pub const MAX_DECAY_BPS: u16 = 10_000;
/// The whole of a share in binary fixed point (`_q63`).
const ONE_Q63: u64 = 1 << 63;

/// How points and metrics return to their start values: at the end of each epoch, `decay_bps` of
/// the distance is taken off. Epochs are counted from `start_ms` and are the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Decay {
    /// When epoch 0 began, in milliseconds since 1970.
    pub start_ms: u64,
    /// The length of an epoch in milliseconds; not 0 if anything decays.
    pub epoch_ms: u64,
    /// The share of the distance that an epoch takes off, 0 (nothing decays) to 10,000 bps.
    pub decay_bps: u16,
}

impl Decay {
    /// Whether the numbers are in range.
    pub fn is_valid(&self) -> bool {
        self.decay_bps <= MAX_DECAY_BPS && (self.decay_bps == 0 || self.epoch_ms > 0)
    }

    /// The number of epochs that have ended. An epoch ends exactly at its last millisecond's end:
    /// at `start_ms + epoch_ms` one has.
    pub fn epoch_at(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.start_ms).checked_div(self.epoch_ms).unwrap_or(0)
    }

    /// The share of a distance that is left after so many epochs, at most 2⁶³: the power of
    /// `1 − decay_bps / 10,000`, each product rounded up at the 63rd binary digit.
    pub fn keep_q63_ceil(&self, epochs: u64) -> u64 {
        let left_bps = u64::from(MAX_DECAY_BPS.saturating_sub(self.decay_bps));
        let whole_bps = u64::from(MAX_DECAY_BPS);
        // ⌈left · 2⁶³ / 10,000⌉ in two parts, each of which fits.
        let rest = left_bps.saturating_mul(ONE_Q63 % whole_bps).div_ceil(whole_bps);
        let mut square = left_bps.saturating_mul(ONE_Q63 / whole_bps).saturating_add(rest);
        let (mut product, mut bits) = (ONE_Q63, epochs);
        // At most 64 rounds.
        while bits > 0 {
            if bits & 1 == 1 {
                product = mul_q63(product, square, ONE_Q63 - 1);
            }
            square = mul_q63(square, square, ONE_Q63 - 1);
            bits >>= 1;
        }
        product
    }
}

/// `⌊(a · b + up) / 2⁶³⌋` for `b` and `up` of at most 2⁶³.
#[inline(never)]
fn mul_q63(a: u64, b: u64, up: u64) -> u64 {
    let product = u128::from(a).saturating_mul(b.into()).saturating_add(up.into());
    u64::try_from(product >> 63).unwrap_or(u64::MAX)
}

/// `value` with the share `keep_q63` of its distance from `start` left; the distance is rounded
/// down.
#[inline(never)]
pub(super) fn approach(value: u64, start: u64, keep_q63: u64) -> u64 {
    let left = mul_q63(value.abs_diff(start), keep_q63, 0);
    if value < start {
        start.saturating_sub(left)
    } else {
        start.saturating_add(left)
    }
}

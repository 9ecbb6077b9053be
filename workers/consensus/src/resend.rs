//! Patience.

/// When to send a request again: later each time, up to 16 times the first pause.
#[derive(Clone, Debug)]
pub(crate) struct Resend {
    pub(crate) at_ms: u64,
    attempt: u32,
}

impl Resend {
    pub(crate) fn new(now: u64, pause: u64) -> Self {
        Self { at_ms: now.saturating_add(pause), attempt: 0 }
    }

    /// Whether it is time; if so, the next time is set.
    pub(crate) fn due(&mut self, now: u64, pause: u64) -> bool {
        let due = self.at_ms <= now;
        if due {
            self.attempt = self.attempt.saturating_add(1).min(4);
            self.at_ms = now.saturating_add(pause << self.attempt);
        }
        due
    }
}

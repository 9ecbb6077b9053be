//! When it is a seat's turn.

use cicada_network::Rules;

/// The longest pause between two tries of one turn, in milliseconds.
const AGAIN_MS: u64 = 2_000;

/// A seat in its committee, and the rules by which its turns come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) seat: u8,
    pub(crate) seats: u8,
    pub(crate) rules: Rules,
}

impl Place {
    /// When this seat's turn for a slot begins that is due at `due_ms`.
    pub(crate) fn allowed_from_ms(&self, due_ms: u64, slot: u64) -> u64 {
        self.rules.lead_ms(due_ms, slot, self.seat, self.seats)
    }

    /// Whether more seats than may be silent have their turn within an interval.
    pub(crate) fn allows_eight(&self, slot: u64, interval_ms: u64) -> bool {
        let ahead = u64::from(self.seats.saturating_sub(1).min(7));
        let seats = u64::from(self.seats.max(1));
        let last = u8::try_from(slot.wrapping_add(ahead) % seats).unwrap_or_default();
        Self { seat: last, ..*self }.allowed_from_ms(0, slot) < interval_ms
    }

    /// The same for what is brought to the chain: there it is already.
    pub(crate) fn of_bringers(self) -> Self {
        Self { rules: Rules { due_after_ms: 0, ..self.rules }, ..self }
    }

    /// When the next try is after one at `now_ms`.
    pub(crate) fn next_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.rules.turn_delay_ms.clamp(1_000, AGAIN_MS))
    }
}

/// Since when something is to be done about a slot, and when it is tried next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    slot: u64,
    due_ms: u64,
    since_ms: u64,
    pub(crate) next_ms: u64,
}

impl Due {
    /// The same again, or something new that is due since `due_ms` and noticed at `noticed_ms`: from
    /// the later of both on, so that those who notice it late do not all begin at once.
    pub(crate) fn of(before: Option<Self>, slot: u64, due_ms: u64, noticed_ms: u64) -> Self {
        let since_ms = due_ms.max(noticed_ms);
        let new = Self { slot, due_ms, since_ms, next_ms: since_ms };
        before.filter(|due| (due.slot, due.due_ms) == (slot, due_ms)).unwrap_or(new)
    }

    /// Whether it is the turn of this seat for something that is due, of which `known` is kept.
    pub(crate) fn turn(
        known: &mut Option<Self>,
        (slot, due_ms, noticed_ms): (u64, u64, u64),
        place: &Place,
        now_ms: u64,
    ) -> bool {
        known.insert(Self::of(*known, slot, due_ms, noticed_ms)).has_turn(place, now_ms)
    }

    /// Whether it is the turn of this seat; if so, the next try is a moment later.
    pub(crate) fn has_turn(&mut self, place: &Place, now_ms: u64) -> bool {
        if now_ms < place.allowed_from_ms(self.since_ms, self.slot).max(self.next_ms) {
            return false;
        }
        self.next_ms = place.next_ms(now_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_738_425_600_000;
    const SLOT: u64 = 5;

    #[test]
    fn a_seat_begins_in_its_turn_and_tries_again_a_moment_later() {
        let place = |seat| Place { seat, seats: 23, rules: Rules::default() };
        let mut due = Due::of(None, SLOT, NOW, NOW + 300);
        assert!(!due.has_turn(&place(5), NOW + 299) && due.has_turn(&place(5), NOW + 300));
        assert!(!due.has_turn(&place(5), NOW + 2_299) && due.has_turn(&place(5), NOW + 2_300));
        // 30 s after the first, two turns later, and 2 s: the nodes' clocks may be a little slower.
        let mut due = Due::of(None, SLOT, NOW, NOW);
        assert!(!due.has_turn(&place(7), NOW + 41_999) && due.has_turn(&place(7), NOW + 42_000));
        let mut brought = Due::of(None, SLOT, 0, NOW);
        let bringer = place(7).of_bringers();
        assert!(
            !brought.has_turn(&bringer, NOW + 11_999) && brought.has_turn(&bringer, NOW + 12_000)
        );
        // The same slot of another round is due anew, and nothing is due before its time.
        assert_eq!(Due::of(Some(due), SLOT, NOW, NOW + 20_000).since_ms, NOW);
        let later = Due::of(Some(due), SLOT, NOW + 300_000, NOW);
        assert_eq!((later.since_ms, later.next_ms), (NOW + 300_000, NOW + 300_000));
        let next = Due::of(Some(due), SLOT + 1, NOW, NOW + 20_000);
        assert_eq!(next.since_ms, NOW + 20_000, "who notices it late lets the others go first");
    }

    #[test]
    fn who_finds_an_award_late_waits_for_its_own_turn_alone() {
        let rules = Rules::default();
        let place = Place { seat: 6, seats: 23, rules };
        let noticed_ms = NOW + rules.due_after_ms;
        let mut due = Due::of(None, SLOT, NOW, noticed_ms - rules.due_after_ms);
        assert!(!due.has_turn(&place, NOW + 36_999) && due.has_turn(&place, NOW + 37_000));
    }

    #[test]
    fn eight_seats_have_their_turn_within_an_interval() {
        let rules = Rules { turn_delay_ms: 2_000, due_after_ms: 2_000, ..Rules::default() };
        let place = Place { seat: 3, seats: 23, rules };
        assert!(place.allows_eight(40, 20_000) && !place.allows_eight(40, 18_000));
        assert!(Place { seats: 1, ..place }.allows_eight(7, 1));
    }

    #[test]
    fn without_a_delay_nobody_waits() {
        let place = Place { seat: 4, seats: 23, rules: Rules::UNASKED };
        assert_eq!(place.allowed_from_ms(NOW, SLOT), NOW);
        let mut due = Due::of(None, SLOT, NOW, NOW);
        assert!(due.has_turn(&place, NOW) && !due.has_turn(&place, NOW + 999));
    }
}

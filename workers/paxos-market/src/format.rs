//! Parts of the record as programs and people read them.

/// Seats as ranges: `0-6, 9, 11-12`.
pub fn seats(seats: &[u8]) -> String {
    let mut seats = seats.to_vec();
    seats.sort_unstable();
    seats.dedup();
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for seat in seats {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(seat) => *end = seat,
            _ => ranges.push((seat, seat)),
        }
    }
    let range = |(from, to): &(u8, u8)| match to - from {
        0 => from.to_string(),
        _ => format!("{from}-{to}"),
    };
    match &ranges[..] {
        [] => "none".into(),
        _ => ranges.iter().map(range).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_written_as_ranges() {
        assert_eq!(seats(&[]), "none");
        assert_eq!(seats(&[3]), "3");
        assert_eq!(seats(&[2, 0, 1, 5, 7, 8]), "0-2, 5, 7-8");
        assert_eq!(seats(&(0..23).collect::<Vec<_>>()), "0-22");
        assert_eq!(seats(&[254, 255]), "254-255");
    }
}

//! What is printed and drawn, and whether it is what it should be.

use std::fmt::Write;

/// One slot of the NAV.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its number.
    pub number: u64,
    /// How many observed, and how many signed the certificate.
    pub observers: u32,
    /// How many signed the certificate.
    pub signers: u32,
    /// The settled NAV.
    pub nav_e18: u128,
    /// The price before the miners traded.
    pub before_e18: u128,
    /// And after.
    pub after_e18: u128,
    /// How many traded.
    pub trades: usize,
    /// What else happened.
    pub note: String,
}

/// `|price − NAV| / NAV` in percent, for people and checks of whole tenths.
pub fn off_percent(price_e18: u128, nav_e18: u128) -> f64 {
    price_e18.abs_diff(nav_e18) as f64 * 100.0 / nav_e18 as f64
}

impl Slot {
    /// How far the price was off before the miners traded, in percent.
    pub fn before(&self) -> f64 {
        off_percent(self.before_e18, self.nav_e18)
    }

    /// And after.
    pub fn after(&self) -> f64 {
        off_percent(self.after_e18, self.nav_e18)
    }
}

/// Something that has to hold.
#[derive(Clone, Debug)]
pub struct Check {
    /// In words, with figures.
    pub what: String,
    /// Whether it does.
    pub holds: bool,
}

fn unit(e18: u128) -> f64 {
    e18 as f64 / 1e18
}

/// The table of slots.
pub fn table(slots: &[Slot]) -> String {
    let mut text = String::from(
        "slot  observed  signed  NAV, TAO    market before  off before  market after  off after  trades  notes\n",
    );
    for slot in slots {
        let _ = writeln!(
            text,
            "{:>4}  {:>8}  {:>6}  {:<10.7}  {:<13.7}  {:>8.3} %  {:<12.7}  {:>7.3} %  {:>6}  {}",
            slot.number,
            slot.observers,
            slot.signers,
            unit(slot.nav_e18),
            unit(slot.before_e18),
            slot.before(),
            unit(slot.after_e18),
            slot.after(),
            slot.trades,
            slot.note
        );
    }
    text
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const MARGIN: f64 = 70.0;

/// NAV and market price over the slots, as an SVG. The price of each slot has two points: before and
/// after the miners traded.
pub fn chart(slots: &[Slot]) -> String {
    let values = slots.iter().flat_map(|slot| [slot.nav_e18, slot.before_e18, slot.after_e18]);
    let (low, high) = values
        .map(unit)
        .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let room = ((high - low) * 0.08).max(1e-6);
    let (low, high) = (low - room, high + room);
    let count = slots.len().max(1) as f64;
    let x = |slot: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * slot / count;
    let y = |value: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (value - low) / (high - low);
    let point = |at: f64, e18: u128| format!("{:.1},{:.1} ", x(at), y(unit(e18)));
    let (mut nav, mut market, mut marks) = (String::new(), String::new(), String::new());
    for (at, slot) in (0u32..).map(f64::from).zip(slots) {
        nav += &(point(at, slot.nav_e18) + &point(at + 1.0, slot.nav_e18));
        market += &(point(at + 0.1, slot.before_e18) + &point(at + 0.9, slot.after_e18));
        let _ = writeln!(
            marks,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(at + 0.5),
            HEIGHT - MARGIN + 20.0,
            slot.number
        );
    }
    for step in 0..=4 {
        let value = low + (high - low) * f64::from(step) / 4.0;
        let _ = writeln!(
            marks,
            "<line x1=\"{MARGIN}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.4}</text>",
            WIDTH - MARGIN,
            y(value),
            y(value),
            MARGIN - 8.0,
            y(value) + 4.0
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"30\" font-size=\"17\">NAV and market price of the index token, TAO</text>\n\
         {marks}<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">slot of the NAV</text>\n\
         <polyline fill=\"none\" stroke=\"#0072b2\" stroke-width=\"2\" points=\"{nav}\"/>\n\
         <polyline fill=\"none\" stroke=\"#d55e00\" stroke-width=\"2\" points=\"{market}\"/>\n\
         <text x=\"{:.1}\" y=\"50\" fill=\"#0072b2\">NAV, settled</text>\n\
         <text x=\"{:.1}\" y=\"50\" fill=\"#d55e00\">market price, before and after arbitrage</text>\n\
         </svg>\n",
        WIDTH / 2.0,
        HEIGHT - 16.0,
        MARGIN,
        MARGIN + 120.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u128 = 1_000_000_000_000_000_000;

    fn slot(number: u64, nav_e18: u128) -> Slot {
        Slot {
            number,
            observers: 23,
            signers: 16,
            nav_e18,
            before_e18: nav_e18 / 100 * 102,
            after_e18: nav_e18,
            trades: 1,
            note: "a note".into(),
        }
    }

    #[test]
    fn a_slot_says_how_far_the_price_was_off() {
        let one = slot(1, ONE);
        assert!((one.before() - 2.0).abs() < 1e-9 && one.after() == 0.0);
        let text = table(&[one]);
        assert!(text.contains("2.000 %") && text.contains("a note"), "{text}");
    }

    #[test]
    fn a_chart_has_two_points_of_each_line_for_a_slot() {
        let slots = [slot(1, ONE), slot(2, ONE + ONE / 100)];
        let text = chart(&slots);
        for line in text.lines().filter(|line| line.starts_with("<polyline")) {
            let points = line.split("points=\"").nth(1).unwrap().split_whitespace();
            assert_eq!(points.filter(|point| point.contains(',')).count(), 4);
        }
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(!text.contains("NaN"));
        assert!(!chart(&[slot(1, ONE)]).contains("inf"));
    }
}

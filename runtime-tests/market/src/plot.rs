//! Prices over the rounds, as an SVG.

use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// Colours that differ for most eyes, also in grey.
const PALETTE: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// A line of the plot.
pub struct Line {
    /// What it shows.
    pub label: String,
    /// Round and price.
    pub points: Vec<(u32, f64)>,
    /// Drawn thin and grey: to compare with.
    pub aside: bool,
}

/// Draws the lines.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(path: &Path, title: &str, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let rounds = points().map(|(round, _)| *round).max().unwrap_or(1).max(1);
    let top = points().map(|(_, price)| *price).fold(1.0, f64::max) * 1.1;
    let area = SVGBackend::new(path, (960, 540)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0..rounds, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("round (one hour)")
        .y_desc("price of a unit, MMC")
        .disable_x_mesh()
        .draw()?;
    for (index, line) in lines.iter().enumerate() {
        let colour = match line.aside {
            true => RGBColor(170, 170, 170),
            false => PALETTE[index % PALETTE.len()],
        };
        let width = if line.aside { 1 } else { 2 };
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(width)))?
            .label(&line.label)
            .legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width))
            });
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}

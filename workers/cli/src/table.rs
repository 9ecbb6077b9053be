//! Tables for people.

use comfy_table::{CellAlignment, Table};

/// A column: its title, and where its cells stand.
pub enum Column {
    /// Words.
    Left(&'static str),
    /// Figures.
    Right(&'static str),
}
pub use Column::{Left, Right};

/// A table without lines; no space at the ends of its rows.
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(columns.iter().map(|column| match column {
        Left(title) | Right(title) => *title,
    }));
    table.add_rows(rows);
    for (column, kind) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        column.set_cell_alignment(match kind {
            Left(_) => CellAlignment::Left,
            Right(_) => CellAlignment::Right,
        });
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A figure, or a dash where there is none.
pub fn or_dash(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "–".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_figures_right() {
        let rows = [["claude", "1,000"], ["gpt", "7"]].map(|row| row.map(String::from).to_vec());
        let text = table(&[Left("Framework"), Right("Tokens")], rows);
        assert_eq!(text, "Framework  Tokens\nclaude      1,000\ngpt             7\n");
        assert_eq!(or_dash(None), "–");
    }
}

//! Aligned columns.

use super::paint::{Color, Paint};
use super::redact;

/// Which side of its column a cell leans to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

struct Cell {
    text: String,
    color: Option<Color>,
}

/// Rows under a header, two spaces between columns, no spaces at the end of a line.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|text| Cell { text: redact::line(&text), color: None }).into());
    }

    /// Colours the cell of the last row in this column.
    pub fn color(&mut self, column: usize, color: Color) {
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.get_mut(column)) {
            cell.color = Some(color);
        }
    }

    /// The table as text; nothing at all when it has no rows.
    pub fn render(&self, paint: Paint) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (name, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.chars().count());
                cells.max().unwrap_or(0).max(name.len())
            })
            .collect();
        let header: Vec<Cell> =
            self.columns.iter().map(|(name, _)| Cell { text: (*name).to_owned(), color: Some(Color::Dim) }).collect();
        let mut text = String::new();
        for row in std::iter::once(&header).chain(&self.rows) {
            text.push_str(&self.line(row, &widths, paint));
            text.push('\n');
        }
        text
    }

    fn line(&self, row: &[Cell], widths: &[usize], paint: Paint) -> String {
        let mut line = String::new();
        let mut pending = 0;
        for ((cell, width), (_, align)) in row.iter().zip(widths).zip(&self.columns) {
            let gap = width.saturating_sub(cell.text.chars().count());
            let painted = cell.color.map_or_else(|| cell.text.clone(), |color| paint.text(color, &cell.text));
            let (before, after) = match align {
                Align::Left => (0, gap),
                Align::Right => (gap, 0),
            };
            if !cell.text.is_empty() {
                line.push_str(&" ".repeat(pending + before));
                line.push_str(&painted);
                pending = after + 2;
            } else {
                pending += width + 2;
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_words_left_and_numbers_right() {
        let mut table = Table::new(&[("NAME", Align::Left), ("ROWS", Align::Right), ("NOTE", Align::Left)]);
        table.row(["orders".to_owned(), "12".to_owned(), String::new()]);
        table.row(["a\x1b".to_owned(), "1,234".to_owned(), "x".to_owned()]);
        assert_eq!(table.render(Paint::off()), "NAME     ROWS  NOTE\norders     12\na\\x1b   1,234  x\n");
    }

    #[test]
    fn an_empty_table_is_nothing() {
        assert_eq!(Table::new(&[("NAME", Align::Left)]).render(Paint::off()), "");
    }
}

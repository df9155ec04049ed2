//! Tables for people: aligned columns without lines, so that `awk` and eyes both cope.

use std::io::{self, Write};

/// Rows under upper-case headings.
#[derive(Debug)]
pub(crate) struct Table {
    rows: comfy_table::Table,
}

impl Table {
    /// A table with these headings and no row.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut rows = comfy_table::Table::new();
        rows.load_style(comfy_table::presets::NOTHING)
            .set_header(headings);
        Self { rows }
    }

    /// Adds one row; it has as many cells as there are headings.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.add_row(cells);
    }

    /// Writes the table without trailing blanks.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows.lines().try_for_each(|line| {
            writeln!(
                out,
                "{}",
                line.strip_prefix(' ').unwrap_or(&line).trim_end()
            )
        })
    }
}

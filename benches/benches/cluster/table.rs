//! The table of measured values beside their goals.

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Adds a value that should be at most, or at least, its goal.
    pub(crate) fn add(&mut self, what: &str, value: f64, unit: &str, goal: Option<Goal>) {
        let (goal, verdict) = match goal {
            None => (String::new(), ""),
            Some(Goal::Most(most)) => (format!("<= {most}"), verdict(value <= most)),
            Some(Goal::Least(least)) => (format!(">= {least}"), verdict(value >= least)),
        };
        let row = [
            what.to_owned(),
            goal,
            format!("{value:.2} {unit}").trim_end().to_owned(),
            verdict.to_owned(),
        ];
        eprintln!("{}", row.join(" | "));
        self.rows.push(row);
    }

    /// Prints all rows as Markdown.
    pub(crate) fn print(self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!(
            "\nThe controller on a real API server; load average {}\n",
            load.trim()
        );
        let heads = ["what", "goal", "measured", ""].map(str::to_owned);
        let mut widths = [0; 4];
        for row in std::iter::once(&heads).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |row: &[String; 4]| {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|(cell, width)| format!(" {cell:<width$} |"));
            println!("|{}", cells.collect::<String>());
        };
        line(&heads);
        let dashes = widths.map(|width| format!("{:-<1$}|", "", width + 2));
        println!("|{}", dashes.concat());
        self.rows.iter().for_each(line);
    }
}

/// What is wanted of a value.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}

//! The table of measured values beside their goals.

use openelb_benches::markdown;

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
        let title = "The controller on a real API server";
        markdown::print(title, ["what", "goal", "measured", ""], &self.rows);
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

//! The table of measured values beside their goals.

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 6]>,
}

/// On which side of the goal a value should lie.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most this much.
    AtMost(f64),
    /// At least this much.
    AtLeast(f64),
    /// No goal: shown for comparison.
    None,
}

impl Table {
    /// Adds a row; `kernel` is what the kernel's own responder did in the same run.
    pub(crate) fn add(
        &mut self,
        what: &str,
        unit: &str,
        measured: f64,
        kernel: Option<f64>,
        goal: Goal,
    ) {
        let (wanted, ratio, verdict) = match goal {
            Goal::AtMost(most) => (
                format!("<= {}", number(most)),
                measured / most,
                measured <= most,
            ),
            Goal::AtLeast(least) => (
                format!(">= {}", number(least)),
                measured / least,
                measured >= least,
            ),
            Goal::None => (String::new(), f64::NAN, true),
        };
        let is_goal = !matches!(goal, Goal::None);
        let verdict = if verdict { "met" } else { "MISSED" };
        self.rows.push([
            format!("{what} ({unit})"),
            number(measured),
            kernel.map(number).unwrap_or_default(),
            wanted,
            if is_goal {
                format!("{ratio:.2}")
            } else {
                String::new()
            },
            if is_goal {
                verdict.to_owned()
            } else {
                String::new()
            },
        ]);
    }

    /// Prints all rows, columns aligned.
    pub(crate) fn print(&self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("Layer 2; load average {}", load.trim());
        let heads = ["what", "measured", "kernel", "goal", "ratio to goal", ""].map(str::to_owned);
        for row in std::iter::once(&heads).chain(&self.rows) {
            let [what, measured, kernel, goal, ratio, verdict] = row;
            println!("{what:<58} {measured:>11} {kernel:>11} {goal:>12} {ratio:>14}  {verdict}");
        }
    }
}

/// Three significant digits below a hundred, whole numbers above.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

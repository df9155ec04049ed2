//! The table of measured values beside their goals and beside others.

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 6]>,
}

impl Table {
    /// Adds a row: what we did, what FRR and BIRD did in the same run, and the most that is wanted.
    pub(crate) fn add(&mut self, what: &str, values: [Option<f64>; 3], goal: Option<f64>) {
        let [ours, frr, bird] = values;
        let verdict = match (ours, goal) {
            (Some(ours), Some(goal)) if ours <= goal => "met",
            (_, Some(_)) => "MISSED",
            _ => "",
        };
        let cell = |value: Option<f64>| value.map(number).unwrap_or_default();
        self.rows.push([
            what.to_owned(),
            cell(ours),
            cell(frr),
            cell(bird),
            goal.map(|goal| format!("<= {}", number(goal)))
                .unwrap_or_default(),
            verdict.to_owned(),
        ]);
    }

    /// Prints all rows, columns aligned.
    pub(crate) fn print(&self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("BFD; load average {}", load.trim());
        let heads = ["what", "measured", "FRR", "BIRD", "goal", ""].map(str::to_owned);
        for row in std::iter::once(&heads).chain(&self.rows) {
            let [what, ours, frr, bird, goal, verdict] = row;
            println!("{what:<62} {ours:>9} {frr:>9} {bird:>9} {goal:>9}  {verdict}");
        }
    }
}

/// Three significant digits below a hundred, whole numbers above.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

//! The table of measured values beside their goals and beside keepalived and FRR.

use openelb_benches::markdown;

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 7]>,
}

/// The spread of one figure in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    half: f64,
    most: f64,
    longest: f64,
    count: usize,
}

impl Spread {
    /// Of these samples; `None` if there are none.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let part = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(place).copied()
        };
        Some(Self {
            half: part(50)?,
            most: part(99)?,
            longest: *sorted.last()?,
            count: sorted.len(),
        })
    }

    fn text(self) -> String {
        let [half, most, longest] = [self.half, self.most, self.longest].map(number);
        format!("{half} / {most} / {longest}")
    }
}

impl Table {
    /// Adds a row of spreads: the most that is wanted of the longest; ours, keepalived's, FRR's.
    pub(crate) fn add_spread(
        &mut self,
        what: &str,
        goal: Option<f64>,
        spreads: [Option<Spread>; 3],
    ) {
        let [ours, ..] = spreads;
        let is_met = goal.zip(ours).map(|(goal, ours)| ours.longest <= goal);
        let count = spreads.iter().flatten().map(|spread| spread.count).max();
        let [ours, keepalived, frr] = spreads.map(|it| it.map(Spread::text).unwrap_or_default());
        self.push([
            what.to_owned(),
            goal.map(most).unwrap_or_default(),
            ours,
            keepalived,
            frr,
            count.map(|count| count.to_string()).unwrap_or_default(),
            verdict(is_met),
        ]);
    }

    /// Adds a row of single values.
    pub(crate) fn add(&mut self, what: &str, goal: Option<f64>, values: [Option<f64>; 3]) {
        let [ours, ..] = values;
        let is_met = goal.zip(ours).map(|(goal, ours)| ours <= goal);
        let [ours, keepalived, frr] = values.map(|it| it.map(number).unwrap_or_default());
        self.push([
            what.to_owned(),
            goal.map(most).unwrap_or_default(),
            ours,
            keepalived,
            frr,
            String::new(),
            verdict(is_met),
        ]);
    }

    /// Prints all rows as Markdown, and empties the table.
    pub(crate) fn print(&mut self, title: &str) {
        let heads = ["what", "goal", "ours", "keepalived", "FRR", "n", ""];
        markdown::print(title, heads, &std::mem::take(&mut self.rows));
    }

    fn push(&mut self, row: [String; 7]) {
        eprintln!("{}", row.join(" | "));
        self.rows.push(row);
    }
}

fn most(goal: f64) -> String {
    format!("<= {}", number(goal))
}

fn verdict(is_met: Option<bool>) -> String {
    match is_met {
        Some(true) => "met".to_owned(),
        Some(false) => "MISSED".to_owned(),
        None => String::new(),
    }
}

/// Three significant digits below a hundred, whole numbers above.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 || value == 0.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

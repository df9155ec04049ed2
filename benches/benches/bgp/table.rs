//! The table of measured values beside their goals and the other announcers.

use super::contender::Kind;

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    what: String,
    unit: &'static str,
    ours: Option<f64>,
    others: [Option<f64>; 3],
    goal: Option<Goal>,
}

/// What was asked for.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most this much.
    AtMost(f64),
    /// At least this much.
    AtLeast(f64),
}

impl Table {
    /// Adds what we measured, or could not.
    pub(crate) fn add(
        &mut self,
        what: &str,
        unit: &'static str,
        ours: Option<f64>,
        goal: Option<Goal>,
    ) {
        self.rows.push(Row {
            what: what.to_owned(),
            unit,
            ours,
            others: [None; 3],
            goal,
        });
    }

    /// Adds what another announcer did in a row that may be there already.
    pub(crate) fn beside(&mut self, kind: Kind, what: &str, unit: &'static str, value: f64) {
        let place = Kind::ALL.iter().position(|other| *other == kind);
        if !self.rows.iter().any(|row| row.what == what) {
            self.add(what, unit, None, None);
        }
        let row = self.rows.iter_mut().find(|row| row.what == what);
        if let (Some(row), Some(place)) = (row, place) {
            row.others[place] = Some(value);
        }
    }

    /// What we measured in a row.
    pub(crate) fn ours(&self, what: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.what == what)?.ours
    }

    /// What another announcer did in a row.
    pub(crate) fn other(&self, kind: Kind, what: &str) -> Option<f64> {
        let place = Kind::ALL.iter().position(|other| *other == kind)?;
        self.rows.iter().find(|row| row.what == what)?.others[place]
    }

    /// Prints all rows, columns aligned.
    pub(crate) fn print(&self) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("BGP; load average {}", load.trim());
        let [gobgp, bird, exabgp] = Kind::ALL.map(Kind::name);
        let mut lines =
            vec![["what", "openelb", gobgp, bird, exabgp, "goal", ""].map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        for [what, ours, gobgp, bird, exabgp, goal, verdict] in lines {
            println!(
                "{what:<62} {ours:>10} {gobgp:>10} {bird:>10} {exabgp:>10} {goal:>10}  {verdict}"
            );
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
        let [gobgp, bird, exabgp] = self.others.map(cell);
        let goal = match self.goal {
            Some(Goal::AtMost(most)) => format!("<= {}", number(most)),
            Some(Goal::AtLeast(least)) => format!(">= {}", number(least)),
            None => String::new(),
        };
        let verdict = match (self.goal, self.ours) {
            (None, _) => "",
            (Some(_), None) => "NOT MEASURED",
            (Some(Goal::AtMost(most)), Some(ours)) if ours <= most => "met",
            (Some(Goal::AtLeast(least)), Some(ours)) if ours >= least => "met",
            (Some(_), Some(_)) => "MISSED",
        };
        let what = format!("{} ({})", self.what, self.unit);
        [
            what,
            cell(self.ours),
            gobgp,
            bird,
            exabgp,
            goal,
            verdict.to_owned(),
        ]
    }
}

/// About three significant digits.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

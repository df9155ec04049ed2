//! The answers of the `pool` verbs for people.

use std::io::{self, Write};

use serde::Serialize;

use crate::engine::{FamilyUse, MapRow, PlanReport, PoolMap, PoolReport, Pools};
use crate::output::{Paint, Report, Table};

impl Report for Pools {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        if self.pools.is_empty() {
            return writeln!(out, "there is no pool");
        }
        let mut table = Table::new([
            "NAME", "FAMILY", "RANGES", "CAPACITY", "USED", "FREE", "USE", "STATE",
        ]);
        for pool in &self.pools {
            for usage in &pool.families {
                table.row([
                    pool.name.to_string(),
                    usage.family.clone(),
                    ranges_of(pool, usage),
                    usage.capacity.clone(),
                    usage.used.clone(),
                    usage.free.clone(),
                    percent(usage),
                    state(pool, usage, paint),
                ]);
            }
        }
        table.write(out)
    }
}

/// One pool in full.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct OnePool {
    pub(super) pool: PoolReport,
}

impl Report for OnePool {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let pool = &self.pool;
        writeln!(out, "{} {}", paint.strong("pool"), pool.name)?;
        writeln!(out, "  ranges      {}", pool.ranges)?;
        for followed in &pool.follows {
            let now = followed.prefix.as_deref().unwrap_or("not known yet");
            let former = match followed.former.as_slice() {
                [] => String::new(),
                former => format!(", and {} for a while", former.join(" and ")),
            };
            writeln!(out, "  follows     {}: {now}{former}", followed.name)?;
        }
        writeln!(out, "  strategy    {}", pool.strategy)?;
        writeln!(out, "  serves      {}", serves(pool))?;
        for usage in &pool.families {
            writeln!(out, "  {}", paint.strong(&usage.family))?;
            writeln!(
                out,
                "    used        {} of {} ({})",
                usage.used,
                usage.capacity,
                percent(usage)
            )?;
            let pieces = if usage.free_runs == "1" {
                "piece"
            } else {
                "pieces"
            };
            let largest = &usage.largest_free_run;
            writeln!(
                out,
                "    free        {} in {} {pieces}, the largest {largest}",
                usage.free, usage.free_runs
            )?;
            for (name, count) in [
                ("reserved", &usage.reserved),
                ("cooling", &usage.cooling),
                ("quarantined", &usage.quarantined),
                ("orphaned", &usage.orphaned),
            ] {
                if count != "0" {
                    writeln!(out, "    {name:<11} {count}")?;
                }
            }
        }
        Ok(())
    }
}

impl Report for PlanReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        match (self.changes, self.applied) {
            (false, _) => Ok(()),
            (true, true) => writeln!(out, "{}", paint.good("applied")),
            (true, false) => writeln!(out, "nothing was changed: this is a plan"),
        }
    }
}

/// A map and how wide it is drawn.
#[derive(Debug, Serialize)]
pub(super) struct Drawn {
    #[serde(flatten)]
    pub(super) map: PoolMap,
    #[serde(skip)]
    pub(super) width: usize,
}

impl Report for Drawn {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for row in &self.map.rows {
            let used: u64 = row.used.iter().sum();
            let size = &row.cell_size;
            let each = if size == "1" {
                "one address".to_owned()
            } else {
                format!("{size} addresses")
            };
            writeln!(
                out,
                "{}: {used} used; each cell is {each}",
                paint.strong(&row.range)
            )?;
            for line in row.used.chunks(self.width) {
                writeln!(
                    out,
                    "  {}",
                    line.iter().map(|used| cell(*used, row)).collect::<String>()
                )?;
            }
        }
        writeln!(
            out,
            "  · free   ░ up to a quarter used   ▒ half   ▓ more   █ full"
        )
    }
}

fn cell(used: u64, row: &MapRow) -> char {
    let size: u128 = row.cell_size.parse().unwrap_or(u128::MAX);
    let used = u128::from(used);
    match used {
        0 => '·',
        _ if used >= size => '█',
        _ if used <= size / 4 => '░',
        _ if used <= size / 2 => '▒',
        _ => '▓',
    }
}

fn serves(pool: &PoolReport) -> String {
    if pool.is_disabled {
        return "nobody new: it is disabled".to_owned();
    }
    match (
        pool.is_default,
        pool.namespaces.as_slice(),
        pool.auto_assign,
    ) {
        (true, _, _) => "everybody: it is the default pool".to_owned(),
        (_, [], true) => "everybody".to_owned(),
        (_, [], false) => "requests that name it or one of its addresses".to_owned(),
        (_, namespaces, true) => format!("namespaces {}", namespaces.join(", ")),
        (_, namespaces, false) => {
            format!("namespaces {}, when they name it", namespaces.join(", "))
        }
    }
}

fn state(pool: &PoolReport, usage: &FamilyUse, paint: Paint) -> String {
    match (pool.is_disabled, usage.free.as_str(), pool.is_default) {
        (true, _, _) => paint.warn("disabled"),
        (_, "0", _) => paint.bad("full"),
        (_, _, true) => "default".to_owned(),
        _ => paint.good("ok"),
    }
}

/// The ranges of one family out of the list of both.
fn ranges_of(pool: &PoolReport, usage: &FamilyUse) -> String {
    let is_v6 = usage.family == "IPv6";
    let of_family: Vec<_> = pool
        .ranges
        .split(',')
        .filter(|range| range.contains(':') == is_v6)
        .collect();
    of_family.join(",")
}

/// How much of the capacity is used, in whole percent, and never 100 % or 0 % by rounding.
fn percent(usage: &FamilyUse) -> String {
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let (used, capacity) = (number(&usage.used), number(&usage.capacity));
    if used <= 0.0 || capacity <= 0.0 {
        return "0%".to_owned();
    }
    match 100.0 * used / capacity {
        share if share < 1.0 => "<1%".to_owned(),
        share if share > 99.0 && used < capacity => ">99%".to_owned(),
        share => format!("{share:.0}%"),
    }
}

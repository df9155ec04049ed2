//! The one table, as Markdown that also reads well in a terminal.

use std::fmt::Write;

use super::{Bound, Row, Unit};
use crate::floor::Floor;

/// The floors of this machine beside those of the machine that the goals were set on.
pub fn floors(floor: &Floor) -> String {
    let reference = Floor::REFERENCE;
    let mut text = String::from("| floor | here | where the goals were set |\n|---|---:|---:|\n");
    let rows = [
        (
            "dependent load, 4 KiB (L1)",
            Some(floor.l1),
            Some(reference.l1),
        ),
        (
            "dependent load, 1 MiB",
            Some(floor.mebibyte),
            Some(reference.mebibyte),
        ),
        (
            "dependent load, 256 MiB (DRAM)",
            Some(floor.dram),
            Some(reference.dram),
        ),
        (
            "mutex, uncontended",
            Some(floor.mutex),
            Some(reference.mutex),
        ),
        ("one fdatasync", floor.fdatasync, reference.fdatasync),
    ];
    for (name, here, there) in rows {
        let cell = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| amount(value, Unit::Nanoseconds))
        };
        writeln!(text, "| {name} | {} | {} |", cell(here), cell(there)).expect("a string grows");
    }
    text
}

/// Every goal: measured, floor, goal, scaled goal, verdict, instructions, ratio to each baseline.
pub fn goals(rows: &[Row], floor: &Floor) -> String {
    let mut lines = vec![header()];
    lines.extend(rows.iter().map(|row| cells(row, floor)));
    aligned(&lines)
}

/// How many goals are missed on this machine, and which.
pub fn missed(rows: &[Row], floor: &Floor) -> Vec<String> {
    let missed = rows.iter().filter(|row| is_met(row, floor) == Some(false));
    missed.map(|row| row.operation.clone()).collect()
}

fn header() -> Vec<String> {
    let fixed = [
        "operation",
        "measured",
        "floor",
        "goal",
        "scaled goal",
        "verdict",
        "instructions",
    ];
    fixed
        .iter()
        .chain(BASELINES.iter())
        .map(|name| (*name).to_owned())
        .collect()
}

fn cells(row: &Row, floor: &Floor) -> Vec<String> {
    let bound = match row.bound {
        Bound::None => "-".to_owned(),
        bound => format!(
            "{} {}",
            bound.name(),
            amount(bound.of(floor), Unit::Nanoseconds)
        ),
    };
    let verdict = match is_met(row, floor) {
        None => "-",
        Some(true) => "met",
        Some(false) => "MISSED",
    };
    let goal =
        |goal: Option<f64>| goal.map_or_else(|| "-".to_owned(), |goal| amount(goal, row.unit));
    let mut cells = vec![
        row.operation.clone(),
        amount(row.measured, row.unit),
        bound,
        goal(row.goal),
        goal(row.scaled_goal(floor)),
        verdict.to_owned(),
        row.instructions
            .map_or_else(|| "-".to_owned(), |count| format!("{count:.0}")),
    ];
    for name in BASELINES {
        let found = row.baselines.iter().find(|(baseline, _)| *baseline == name);
        cells.push(found.map_or_else(|| "-".to_owned(), |(_, other)| ratio(other / row.measured)));
    }
    cells
}

fn is_met(row: &Row, floor: &Floor) -> Option<bool> {
    row.scaled_goal(floor).map(|goal| row.measured <= goal)
}

fn ratio(ratio: f64) -> String {
    if ratio >= 100.0 {
        format!("{} x", grouped(ratio))
    } else if ratio >= 10.0 {
        format!("{ratio:.0} x")
    } else {
        format!("{ratio:.1} x")
    }
}

/// Thousands with commas.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Nanoseconds if value < 10.0 => format!("{value:.1} ns"),
        Unit::Nanoseconds if value < 1e4 => format!("{value:.0} ns"),
        Unit::Nanoseconds if value < 1e5 => format!("{:.1} us", value / 1e3),
        Unit::Nanoseconds if value < 1e6 => format!("{:.0} us", value / 1e3),
        Unit::Nanoseconds => format!("{:.2} ms", value / 1e6),
    }
}

/// A Markdown table whose source lines up.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let padded = if column == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            };
            write!(text, "| {padded} ").expect("a string grows");
        }
        text.push_str("|\n");
        if at == 0 {
            for (column, width) in widths.iter().enumerate() {
                let end = if column == 0 { "-" } else { ":" };
                write!(text, "|-{}{end}", "-".repeat(*width)).expect("a string grows");
            }
            text.push_str("|\n");
        }
    }
    text
}

/// The columns after the verdict: how many times as much each takes.
const BASELINES: [&str; 7] = [
    "HashMap scan",
    "text-key scan",
    "BTreeSet",
    "bitvec + hint",
    "roaring, used",
    "roaring, free",
    "range-set-blaze",
];

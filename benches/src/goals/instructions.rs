//! Instructions for one operation, counted by callgrind: the same on every run.

use std::path::Path;
use std::process::Command;

use super::Row;

/// Operations that `src/bin/instructions.rs` knows, by the table row that they belong to.
pub const OPERATIONS: [(&str, &str); 11] = [
    ("next free, /24 50 % contiguous", "next-24"),
    ("next free, /16 50 % contiguous", "next-16-contiguous"),
    ("next free, /16 50 % random", "next-16-random"),
    ("next free, /8 50 % contiguous", "next-8-contiguous"),
    ("next free, /8 50 % random", "next-8-random"),
    ("exhausted, /16 full", "exhausted-16"),
    ("contains, /16 50 % random", "contains-16"),
    ("find and take, /64 a million live", "take-next-64"),
    ("free, /16 50 % random", "release-and-take-16"),
    ("allocate a pair, 10,000 owners", "allocate-and-release"),
    ("repeat it, 10,000 owners", "repeat"),
];

/// Fills in the rows' instruction counts; leaves them out where valgrind is not installed.
pub fn count(program: &Path, rows: &mut [Row]) {
    for (operation, argument) in OPERATIONS {
        let Some(row) = rows.iter_mut().find(|row| row.operation == operation) else {
            continue;
        };
        // The difference of two runs leaves out the start of the program and the setup.
        let [few, many] = COUNTS.map(|count| run(program, argument, count));
        if let (Some(few), Some(many)) = (few, many) {
            row.instructions = Some((many - few) / f64::from(COUNTS[1] - COUNTS[0]));
        }
    }
}

fn run(program: &Path, argument: &str, count: u32) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([argument, &count.to_string()])
        .output()
        .ok()?;
    let report = String::from_utf8(output.stderr).ok()?;
    let collected = report
        .lines()
        .find_map(|line| line.split_once("Collected : "))?
        .1;
    collected.split_whitespace().next()?.parse().ok()
}

const COUNTS: [u32; 2] = [1_000, 6_000];

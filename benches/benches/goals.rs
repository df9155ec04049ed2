//! `make bench`: every goal beside the machine's floor and the baselines, in one table.
//!
//! `cargo bench --bench goals -- --write` also puts the table into `docs/performance.md`.

use std::env::args;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use openelb_benches::floor::Floor;
use openelb_benches::goals::{compact, index, instructions, ledger, table};
use openelb_benches::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<()> {
    // `cargo test --benches` starts every benchmark without this; nothing is measured then.
    if !args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "measuring; about two minutes")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let floor = Floor::measure(folder);
    let mut rows = index::rows();
    rows.extend(compact::rows());
    rows.extend(ledger::rows());
    instructions::count(Path::new(env!("CARGO_BIN_EXE_instructions")), &mut rows);

    let text = format!("{}\n{}", table::floors(&floor), table::goals(&rows, &floor));
    writeln!(out, "\n{text}")?;
    match table::missed(&rows, &floor).as_slice() {
        [] => writeln!(out, "all {} goals are met on this machine", rows.len())?,
        missed => writeln!(out, "missed: {}", missed.join("; "))?,
    }
    if args().any(|argument| argument == "--write") {
        write_into(Path::new(PAGE), &text)?;
    }
    Ok(())
}

/// Replaces what stands between the page's two marks.
fn write_into(page: &Path, text: &str) -> io::Result<()> {
    let before = fs::read_to_string(page)?;
    let missing = || io::Error::other(format!("{} has no {BEGIN} ... {END}", page.display()));
    let (head, rest) = before.split_once(BEGIN).ok_or_else(missing)?;
    let (_, tail) = rest.split_once(END).ok_or_else(missing)?;
    fs::write(page, format!("{head}{BEGIN}\n{text}{END}{tail}"))
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");
const BEGIN: &str = "<!-- goals: begin -->";
const END: &str = "<!-- goals: end -->";

//! `openelb prefix explain`: which prefix is in use, and why.

use std::io::{self, Write};

use super::offline;
use crate::args::PrefixExplainArgs;
use crate::client;
use crate::engine::{Answer, PrefixReport, PrefixesReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(args: &PrefixExplainArgs, format: Format) -> Result<ExitCode, Failure> {
    if let (Some(delegated), Some(file)) = (args.delegated, &args.what) {
        return offline::run(file.as_ref(), delegated, &args.node, format);
    }
    let name = args.what.clone();
    match client::ask(&args.place, Question::Prefixes { name })? {
        Answer::Prefixes(report) => output::print(&report, format)?,
        _ => return Err(super::super::unexpected()),
    }
    Ok(ExitCode::Success)
}

/// One line for each prefix.
pub(in crate::command) fn table(prefixes: &[PrefixReport], paint: Paint) -> Table {
    let mut table = Table::new(["NAME", "PREFIX", "FORMER", "VALID", "STATE"]);
    for report in prefixes {
        let generations = &report.explanation.generations;
        let preferred = generations.preferred.as_ref();
        let former = generations
            .deprecated
            .iter()
            .map(|it| it.prefix.to_string());
        let state = match (&report.explanation.degraded, preferred) {
            (_, None) => paint.bad("not known"),
            _ if report.overlap.is_some() => paint.bad("taken"),
            (Some(_), _) => paint.warn("degraded"),
            (None, _) if report.explanation.tentative.is_some() => "about to change".to_owned(),
            (None, _) => paint.good("ok"),
        };
        table.row([
            report.name.to_string(),
            preferred.map_or_else(|| "-".to_owned(), |it| it.prefix.to_string()),
            former.collect::<Vec<_>>().join(", "),
            match (preferred, report.valid_seconds) {
                (None, _) => "-".to_owned(),
                (_, None) => "for ever".to_owned(),
                (_, Some(seconds)) => format!("{seconds} s"),
            },
            state,
        ]);
    }
    table
}

impl Report for PrefixesReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        if self.prefixes.is_empty() {
            return writeln!(
                out,
                "no address follows a prefix: there is no DynamicPrefix"
            );
        }
        for (index, report) in self.prefixes.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write_one(report, out, paint)?;
        }
        Ok(())
    }
}

fn write_one(report: &PrefixReport, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    writeln!(out, "{} {}", paint.strong("prefix"), report.name)?;
    if let Some(overlap) = &report.overlap {
        writeln!(out, "  {}: {overlap}", paint.bad("not all of it is used"))?;
    }
    for line in report.explanation.to_string().lines() {
        writeln!(out, "  {line}")?;
    }
    for (index, source) in report.sources.iter().enumerate() {
        writeln!(out, "  source {index} is {source}")?;
    }
    if !report.derivation.is_empty() {
        writeln!(out, "  {}", paint.strong("derivation"))?;
    }
    let mut steps = report.derivation.iter();
    steps.try_for_each(|step| writeln!(out, "    {step}"))
}

//! The lab's story as people read it: a picture of the network, then one line a step.

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use super::clock::millis;
use super::namespace::Isolation;
use super::network::Network;
use super::plan;
use super::report::{HostReport, LabReport, Step, StepFailure};
use crate::output::{Paint, Report};

impl Report for LabReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        write_network(&self.hosts, out, paint)?;
        for step in &self.steps {
            write_step(step, out, paint)?;
        }
        write_end(self, out, paint)
    }
}

/// Writes what there is: the hosts side by side on their switch.
pub(crate) fn write_network(
    hosts: &[HostReport],
    out: &mut dyn Write,
    paint: Paint,
) -> io::Result<()> {
    let title = "Hosts on one switch, each a network namespace of this machine";
    writeln!(out, "{}\n", paint.strong(title))?;
    let address = |host: &HostReport, index: usize| {
        let address = host.addresses.get(index);
        address.map(ToString::to_string).unwrap_or_default()
    };
    let most = hosts.iter().map(|host| host.addresses.len()).max();
    let rows = 3 + most.unwrap_or_default();
    let cell = |host: &HostReport, row: usize| match row {
        0 => host.name.clone(),
        1 => host.role.to_owned(),
        2 => host.mac.clone(),
        row => address(host, row - 3),
    };
    for number in 0..rows {
        let cells: Vec<String> = hosts
            .iter()
            .map(|host| format!("{:<COLUMN$}", cell(host, number)))
            .collect();
        let line = format!("    {}", cells.concat());
        let line = line.trim_end();
        if number == 0 {
            writeln!(out, "{}", paint.strong(line))?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    let drop = format!("{:<COLUMN$}", "  |");
    writeln!(out, "    {}", drop.repeat(hosts.len()).trim_end())?;
    let wire = format!("{:=<COLUMN$}", "==+");
    writeln!(out, "  =={} switch\n", wire.repeat(hosts.len()))?;
    writeln!(out, "{}", paint.strong("      at       took"))
}

/// Writes one step that went as expected.
pub(crate) fn write_step(step: &Step, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let (at, took) = (millis(step.at_us) / 1_000.0, millis(step.took_us));
    let (ok, summary) = (paint.good("ok"), paint.strong(&step.summary));
    writeln!(out, "{at:>6.3} s {took:>7.1} ms  {ok} {summary}")?;
    for detail in &step.details {
        writeln!(out, "{:24}{detail}", "")?;
    }
    Ok(())
}

/// Writes how it ended.
pub(crate) fn write_end(report: &LabReport, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let elapsed = millis(report.elapsed_us) / 1_000.0;
    match &report.failure {
        None => {
            let count = report.steps.len();
            let done = format!("{count} of {count} steps as expected in {elapsed:.1} s");
            writeln!(out, "\n{}", paint.good(done))
        }
        Some(failure) => write_failure(failure, out, paint),
    }
}

/// Writes how to enter the hosts of a network that stays.
pub(crate) fn write_doors(
    network: &Network,
    isolation: Isolation,
    files: &Path,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "\nIt stays until Ctrl-C. Configurations, state and logs: {}",
        files.display()
    )?;
    for station in network.stations() {
        writeln!(
            out,
            "  {:<8} {}",
            station.plan.name,
            station.host.door(isolation)
        )?;
    }
    let port = plan::PORT;
    writeln!(
        out,
        "On the client, bash says who answers: cat < /dev/tcp/ADDRESS/{port}"
    )
}

/// Writes what went wrong.
pub(crate) fn write_failure(
    failure: &StepFailure,
    out: &mut dyn Write,
    paint: Paint,
) -> io::Result<()> {
    writeln!(
        out,
        "\n{} step {}",
        paint.bad("failed:"),
        paint.strong(failure.step)
    )?;
    writeln!(out, "  expected: {}", failure.expected)?;
    writeln!(out, "  seen:     {}", failure.seen)?;
    if !failure.log.is_empty() {
        writeln!(out, "  the daemons said last:")?;
    }
    for line in &failure.log {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

/// Room for the longest line of a host: its hardware address, and a gap.
const COLUMN: usize = 19;

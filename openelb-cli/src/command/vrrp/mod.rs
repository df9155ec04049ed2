//! `openelb vrrp …`: the virtual routers of a running daemon.

use std::io::{self, Write};

use super::span;
use crate::args::{VrrpShowArgs, VrrpVerb};
use crate::client;
use crate::engine::{Answer, Question, RouterReport, VrrpReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(verb: VrrpVerb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        VrrpVerb::Show(args) => show(&args, format),
    }
}

fn show(args: &VrrpShowArgs, format: Format) -> Result<ExitCode, Failure> {
    let Answer::Vrrp(mut report) = client::ask_daemon(&args.place, Question::Vrrp)? else {
        return Err(super::unexpected());
    };
    if let Some(what) = &args.what {
        let address = what.parse().ok();
        let is_meant = |router: &RouterReport| {
            router.name == *what
                || router.pool == *what
                || router.vrid.to_string() == *what
                || address.is_some_and(|address| router.addresses.contains(&address))
        };
        report.routers.retain(is_meant);
        if report.routers.is_empty() {
            let message = format!("`{what}` is no virtual router, VRID, pool or address of one");
            return Err(Failure::new(ExitCode::NotFound, message).next("see `openelb vrrp show`"));
        }
    }
    output::print(&report, format)?;
    Ok(ExitCode::Success)
}

impl Report for VrrpReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        match self.routers.as_slice() {
            [] => writeln!(out, "no virtual router")?,
            routers => table(routers, paint).write(out)?,
        }
        let of_routers = self.routers.iter().flat_map(|router| {
            let problems = router.problems.iter();
            problems.map(|problem| format!("{}: {problem}", router.name))
        });
        let trouble = self.trouble.iter().cloned();
        trouble
            .chain(of_routers)
            .try_for_each(|line| writeln!(out, "{} {line}", paint.bad("!")))
    }
}

pub(super) fn table(routers: &[RouterReport], paint: Paint) -> Table {
    let mut table = Table::new([
        "INTERFACE",
        "VRID",
        "FAMILY",
        "POOL",
        "STATE",
        "FOR",
        "PRIORITY",
        "ACTIVE",
        "ADDRESSES",
    ]);
    for router in routers {
        let state = match router.state.as_str() {
            "Active" => paint.good(&router.state),
            "Backup" => router.state.clone(),
            other => paint.warn(other),
        };
        let addresses: Vec<_> = router.addresses.iter().map(ToString::to_string).collect();
        let dash = || "-".to_owned();
        table.row([
            router.interface.clone().unwrap_or_else(dash),
            router.vrid.to_string(),
            router.family.clone(),
            router.pool.clone(),
            state,
            router.seconds.map_or_else(dash, span),
            router.priority.to_string(),
            active(router),
            addresses.join(", "),
        ]);
    }
    table
}

/// Who is Active, with its priority.
fn active(router: &RouterReport) -> String {
    match (router.state.as_str(), router.active, router.active_priority) {
        ("Active", ..) => "this node".to_owned(),
        (_, Some(address), Some(priority)) => format!("{address} ({priority})"),
        (_, Some(address), None) => address.to_string(),
        (_, None, _) => "-".to_owned(),
    }
}

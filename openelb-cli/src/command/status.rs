//! `openelb status`: the running daemon on one screen.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::{l2, prefix, vrrp};
use crate::args::{PlaceArgs, StatusArgs};
use crate::client;
use crate::engine::{Answer, BgpReport, Pools, Question, ServiceState, StatusReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(args: &StatusArgs, format: Format) -> Result<ExitCode, Failure> {
    let mut shown = ask(&args.place)?;
    output::print(&shown, format)?;
    if !args.watch {
        return Ok(ExitCode::Success);
    }
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = ask(&args.place)?;
        if now != shown {
            if format == Format::Table && io::stdout().is_terminal() {
                // Home and clear: the screen shows one state at a time.
                output::print_text("\u{1b}[H\u{1b}[2J")?;
            }
            output::print(&now, format)?;
            shown = now;
        }
    }
}

fn ask(place: &PlaceArgs) -> Result<StatusReport, Failure> {
    match client::ask_daemon(place, Question::Status)? {
        Answer::Status(status) => Ok(*status),
        _ => Err(super::unexpected()),
    }
}

impl Report for StatusReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let state = match &self.read_only {
            None => paint.good("running"),
            Some(_) => paint.bad("read-only"),
        };
        let generation = self.generation;
        writeln!(
            out,
            "openelb {}, pid {}: {state}, generation {generation}",
            self.version, self.pid
        )?;
        writeln!(
            out,
            "configuration {}, announcer {}",
            self.config.files.join(", "),
            self.announcer
        )?;
        heading(out, paint, "POOLS")?;
        Pools {
            pools: self.pools.clone(),
        }
        .write_human(out, paint)?;
        if !self.prefixes.is_empty() {
            heading(out, paint, "PREFIXES")?;
            prefix::table(&self.prefixes, paint).write(out)?;
        }
        heading(out, paint, "SERVICES")?;
        services(self, paint).write(out)?;
        if !self.announcements.is_empty() {
            heading(out, paint, "ANNOUNCEMENTS")?;
            announcements(self).write(out)?;
        }
        if let Some(election) = &self.election {
            heading(out, paint, "ELECTION")?;
            l2::nodes(election, paint).write(out)?;
        }
        if let Some(vrrp) = &self.vrrp {
            heading(out, paint, "VIRTUAL ROUTERS")?;
            vrrp::table(&vrrp.routers, paint).write(out)?;
        }
        if let Some(bgp) = &self.bgp {
            heading(out, paint, "BGP")?;
            // What is wrong with it is among the problems below.
            peers(bgp, paint).write(out)?;
        }
        if !self.problems.is_empty() {
            heading(out, paint, "PROBLEMS")?;
            self.problems
                .iter()
                .try_for_each(|problem| writeln!(out, "{} {problem}", paint.bad("!")))?;
        }
        Ok(())
    }
}

fn heading(out: &mut dyn Write, paint: Paint, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", paint.strong(text))
}

fn services(status: &StatusReport, paint: Paint) -> Table {
    let mut table = Table::new(["OWNER", "ADDRESSES", "STATE", "DETAIL"]);
    for service in &status.services {
        let addresses: Vec<_> = service
            .addresses
            .iter()
            .map(|held| held.shown.to_string())
            .collect();
        let state = match service.state {
            ServiceState::Announced => paint.good("announced"),
            ServiceState::Elsewhere => "elsewhere".to_owned(),
            ServiceState::Silent => "silent".to_owned(),
            ServiceState::Standby => "standby".to_owned(),
            ServiceState::Allocated => "allocated".to_owned(),
            ServiceState::Unhealthy => paint.bad("unhealthy"),
            ServiceState::Waiting => paint.bad("waiting"),
        };
        table.row([
            service.owner.to_string(),
            addresses.join(", "),
            state,
            service.detail.clone(),
        ]);
    }
    table
}

fn peers(bgp: &BgpReport, paint: Paint) -> Table {
    let mut table = Table::new(["PEER", "REMOTE", "STATE", "ADVERTISED"]);
    for peer in &bgp.peers {
        let state = if peer.is_established() {
            paint.good(&peer.state)
        } else {
            paint.bad(&peer.state)
        };
        let advertised = peer.total(|family| family.advertised).to_string();
        table.row([peer.name.clone(), peer.remote.clone(), state, advertised]);
    }
    table
}

fn announcements(status: &StatusReport) -> Table {
    let mut table = Table::new(["ADDRESS", "INTERFACE", "STATE"]);
    for announcement in &status.announcements {
        table.row([
            announcement.address.to_string(),
            announcement.interfaces.join(", "),
            announcement.state.clone(),
        ]);
    }
    table
}

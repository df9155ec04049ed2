//! `openelb bgp peers`: every peer in one line, with its last error below.

use std::io::{self, Write};

use super::super::span;
use crate::args::BgpPeerArgs;
use crate::engine::{BgpReport, DrainState, ErrorReport, PeerReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(args: &BgpPeerArgs, format: Format) -> Result<ExitCode, Failure> {
    let report = super::report_of(&args.place, args.peer.as_deref())?;
    output::print(&report, format)?;
    Ok(ExitCode::Success)
}

impl Report for BgpReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        match (self.asn, &self.router_id) {
            (Some(asn), Some(router_id)) => {
                writeln!(
                    out,
                    "AS {asn}, router id {router_id}, {} routes",
                    self.routes
                )?;
            }
            _ => writeln!(out, "no BgpConf: this daemon speaks no BGP")?,
        }
        match self.drain {
            DrainState::No => {}
            DrainState::Announced => {
                writeln!(
                    out,
                    "{}",
                    paint.warn("draining: peers are asked to prefer other paths")
                )?;
            }
            DrainState::Withdrawn => {
                writeln!(out, "{}", paint.warn("drained: every route is withdrawn"))?;
            }
        }
        if !self.peers.is_empty() {
            peers(&self.peers, paint).write(out)?;
        }
        let trouble = self.trouble.iter().cloned();
        let listeners = self.listeners.iter().filter_map(|listener| {
            let problem = listener.problem.as_ref()?;
            Some(format!("listener {}: {problem}", listener.address))
        });
        let interfaces = self.interfaces.iter().filter_map(|interface| {
            let problem = interface.problem.as_ref()?;
            Some(format!("{}: {problem}", interface.interface))
        });
        let of_peers = self.peers.iter().flat_map(remarks);
        trouble
            .chain(listeners)
            .chain(interfaces)
            .chain(of_peers)
            .try_for_each(|line| writeln!(out, "{} {line}", paint.bad("!")))
    }
}

fn peers(peers: &[PeerReport], paint: Paint) -> Table {
    let mut table = Table::new([
        "PEER",
        "REMOTE",
        "AS",
        "STATE",
        "FOR",
        "ADVERTISED",
        "PENDING",
        "REFUSED",
        "RECEIVED",
        "BFD",
        "FLAPS",
    ]);
    for peer in peers {
        let session = peer.session.as_ref();
        let state = match session {
            Some(_) => paint.good(&peer.state),
            None => paint.bad(&peer.state),
        };
        let dash = || "-".to_owned();
        table.row([
            peer.name.clone(),
            peer.remote.clone(),
            session.map_or_else(dash, |session| session.peer_as.to_string()),
            state,
            session.map_or_else(dash, |session| span(session.uptime_seconds)),
            peer.total(|family| family.advertised).to_string(),
            peer.total(|family| family.pending).to_string(),
            peer.total(|family| family.refused).to_string(),
            peer.total(|family| family.received).to_string(),
            peer.bfd.as_ref().map_or_else(dash, |bfd| bfd.state.clone()),
            peer.flaps.to_string(),
        ]);
    }
    table
}

/// What is to be said about a peer besides its line.
pub(super) fn remarks(peer: &PeerReport) -> Vec<String> {
    let mut remarks = Vec::new();
    let name = &peer.name;
    if !peer.is_established() {
        if let Some(error) = &peer.last_error {
            remarks.push(format!("{name}: {}", in_words(error)));
        }
        if let Some(waiting) = &peer.waiting {
            let retry = peer.retry_seconds;
            let retry = retry.map_or(String::new(), |retry| format!(", again in {}", span(retry)));
            remarks.push(format!("{name}: waits for {waiting}{retry}"));
        }
    }
    if let Some(hint) = &peer.hint {
        remarks.push(format!("{name}: {hint}"));
    }
    for family in &peer.families {
        if let Some(why) = &family.refused_why {
            let (count, family) = (family.refused, &family.family);
            remarks.push(format!(
                "{name}: {count} {family} routes are not announced: {why}"
            ));
        }
        if peer.is_established() && family.enabled && !family.negotiated {
            let family = &family.family;
            remarks.push(format!(
                "{name}: the peer does not speak {family}; enable the family there, or leave it \
                 out of `afiSafis`"
            ));
        }
    }
    remarks
}

fn in_words(error: &ErrorReport) -> String {
    let code = match (error.code, error.subcode) {
        // The words of a NOTIFICATION name its code themselves where they know it.
        (Some(code), Some(subcode)) if !error.words.contains(&format!("{code}/{subcode}")) => {
            format!(" ({code}/{subcode})")
        }
        _ => String::new(),
    };
    format!("{}{code}, {} ago", error.words, span(error.seconds_ago))
}

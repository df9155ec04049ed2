//! `openelb bgp routes`: every route as each peer was told of it.

use std::io::{self, Write};

use crate::args::BgpRoutesArgs;
use crate::client;
use crate::engine::{Answer, Question, RouteReport, RoutesReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(args: &BgpRoutesArgs, format: Format) -> Result<ExitCode, Failure> {
    let question = Question::BgpRoutes {
        peer: args.peer.clone(),
        received: args.received,
    };
    let Answer::BgpRoutes(routes) = client::ask_daemon(&args.place, question)? else {
        return Err(super::super::unexpected());
    };
    output::print(&routes, format)?;
    Ok(ExitCode::Success)
}

impl Report for RoutesReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        if self.routes.is_empty() {
            return writeln!(out, "no routes");
        }
        let mut table = Table::new(["PREFIX", "PEER", "STATE", "NEXT HOP", "AS PATH", "DETAIL"]);
        for route in &self.routes {
            let state = match route.state.as_str() {
                "advertised" | "received" => paint.good(&route.state),
                "refused" => paint.bad(&route.state),
                _ => paint.warn(&route.state),
            };
            let or_dash = |text: &Option<String>| match text.as_deref() {
                None | Some("") => "-".to_owned(),
                Some(text) => text.to_owned(),
            };
            let prefix = match route.path_id {
                Some(path) => format!("{} path {path}", route.prefix),
                None => route.prefix.clone(),
            };
            table.row([
                prefix,
                route.peer.clone(),
                state,
                or_dash(&route.next_hop),
                or_dash(&route.as_path),
                detail(route),
            ]);
        }
        table.write(out)?;
        match self.left_off {
            0 => Ok(()),
            _ => writeln!(out, "and more; name one with --peer"),
        }
    }
}

fn detail(route: &RouteReport) -> String {
    let why = route.why.clone();
    let med = route.med.map(|med| format!("med {med}"));
    let preference = route.local_pref.map(|value| format!("local-pref {value}"));
    let communities = &route.communities;
    let communities = (!communities.is_empty()).then(|| communities.join(" "));
    let parts = [why, med, preference, communities];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

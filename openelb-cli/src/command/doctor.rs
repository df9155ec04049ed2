//! `openelb doctor`: what is wrong with a cluster's objects. Only reads.

use std::io::{self, Write};

use openelb_k8s::client::connect;
use openelb_k8s::explain::{Leak, LiveError, gather, leaks};
use serde::Serialize;

use super::explain;
use crate::args::{ClusterArgs, DoctorVerb};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(verb: &DoctorVerb, format: Format) -> Result<ExitCode, Failure> {
    let DoctorVerb::Leaks(args) = verb;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new(ExitCode::Failed, error))?;
    let found = runtime.block_on(look(&args.cluster));
    let found = found.map_err(|error| explain::failure(&error))?;
    output::print(&found, format)?;
    Ok(if found.leaks.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::Problems
    })
}

/// What leaks, and among how many objects it was looked for.
#[derive(Debug, Serialize)]
struct Found {
    eips: usize,
    services: usize,
    leaks: Vec<Leak>,
}

async fn look(args: &ClusterArgs) -> Result<Found, LiveError> {
    let client = connect(&explain::place(args)).await?;
    let cluster = gather(&client).await?;
    Ok(Found {
        leaks: leaks(&cluster, &explain::serving(args)),
        eips: cluster.eips.len(),
        services: cluster.services.len(),
    })
}

impl Report for Found {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for leak in &self.leaks {
            writeln!(out, "{}\n  next: {}", paint.bad(leak), leak.next)?;
        }
        let Self { eips, services, .. } = self;
        match self.leaks.len() {
            0 => writeln!(out, "nothing leaks (Eips: {eips}, Services: {services})"),
            count => writeln!(out, "leaks: {count} (Eips: {eips}, Services: {services})"),
        }
    }
}

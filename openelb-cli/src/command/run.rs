//! `openelb run`: the standalone daemon.

use std::io::{self, Write};

use serde::Serialize;

use super::validate;
use crate::args::RunArgs;
use crate::clock;
use crate::config::Config;
use crate::daemon;
use crate::engine::{self, Allocated, Answer, Engine, Owners, PlanReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};
use crate::store::{DirectoryLock, MemoryStore, RedbStore, Store};

pub(super) fn run(args: &RunArgs, format: Format) -> Result<ExitCode, Failure> {
    let files = daemon::Files::look(&args.config);
    let config = validate::load(&args.config, &args.node)?;
    if args.dry_run {
        output::print(&rehearse(args, &config)?, format)?;
    } else {
        daemon::run(args, config, files)?;
    }
    Ok(ExitCode::Success)
}

/// Does everything but write and send: the plan, and what each service would get.
fn rehearse(args: &RunArgs, config: &Config) -> Result<Rehearsal, Failure> {
    let directory = &args.place.state_dir;
    let mut store: Box<dyn Store> = Box::new(MemoryStore::default());
    if RedbStore::exists(directory) {
        let _lock = DirectoryLock::take(directory, "openelb run --dry-run")
            .map_err(|error| crate::client::lock_failure(&error))?;
        let failed = |error| engine::store_failure(&error);
        let stored = RedbStore::open(directory)
            .and_then(|mut store| store.load())
            .map_err(failed)?;
        store = Box::new(MemoryStore::from(stored));
    }
    let mut engine = Engine::open(store)?;
    let now = clock::now();
    let plan = engine.set_pools(
        &config
            .pools
            .iter()
            .map(|pool| pool.spec.clone())
            .collect::<Vec<_>>(),
        now,
    )?;
    let mut services = Allocated::default();
    for service in &config.services {
        let question = Question::Allocate {
            owners: Owners::Named(vec![service.owner.key.clone()]),
            request: Box::new(service.request.clone()),
        };
        if let Answer::Allocated(part) = engine.answer(question, now)? {
            services.allocations.extend(part.allocations);
            services.refused.extend(part.refused);
        }
    }
    Ok(Rehearsal {
        pools: plan,
        services,
    })
}

#[derive(Debug, Serialize)]
struct Rehearsal {
    pools: PlanReport,
    services: Allocated,
}

impl Report for Rehearsal {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        self.pools
            .lines
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))?;
        self.services.write_human(out, paint)?;
        writeln!(out, "nothing was written or sent: this is a rehearsal")
    }
}

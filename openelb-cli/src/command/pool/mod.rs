//! `openelb pool`: show and plan address pools.

mod show;

use openelb_ipam::PoolName;

use super::validate;
use crate::args::{PlaceArgs, PoolMapArgs, PoolNameArgs, PoolPlanArgs, PoolVerb};
use crate::client;
use crate::engine::{Answer, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

use self::show::OnePool;

pub(super) fn run(verb: PoolVerb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        PoolVerb::Ls(place) => list(&place, format),
        PoolVerb::Show(args) => one(&args, format),
        PoolVerb::Map(args) => map(&args, format),
        PoolVerb::Plan(args) => plan(&args, format),
    }
}

fn list(place: &PlaceArgs, format: Format) -> Result<ExitCode, Failure> {
    match client::ask(place, Question::Pools)? {
        Answer::Pools(pools) => output::print(&pools, format)?,
        _ => return Err(super::unexpected()),
    }
    Ok(ExitCode::Success)
}

fn one(args: &PoolNameArgs, format: Format) -> Result<ExitCode, Failure> {
    match client::ask(
        &args.place,
        Question::Pool {
            name: name(&args.name)?,
        },
    )? {
        Answer::Pools(pools) => {
            for pool in pools.pools {
                output::print(&OnePool { pool }, format)?;
            }
            Ok(ExitCode::Success)
        }
        _ => Err(super::unexpected()),
    }
}

fn map(args: &PoolMapArgs, format: Format) -> Result<ExitCode, Failure> {
    // Sixteen rows of cells at most: a screen.
    let cells = u32::from(args.width) * 16;
    let question = Question::Map {
        name: name(&args.pool.name)?,
        cells,
    };
    match client::ask(&args.pool.place, question)? {
        Answer::Map(map) => output::print(
            &show::Drawn {
                map,
                width: args.width.into(),
            },
            format,
        )?,
        _ => return Err(super::unexpected()),
    }
    Ok(ExitCode::Success)
}

fn plan(args: &PoolPlanArgs, format: Format) -> Result<ExitCode, Failure> {
    let config = validate::load(&args.files.files, &args.files.node)?;
    let pools = config.pools.into_iter().map(|pool| pool.spec).collect();
    let question = if args.apply {
        Question::Apply { pools }
    } else {
        Question::Plan { pools }
    };
    let Answer::Plan(report) = client::ask(&args.place, question)? else {
        return Err(super::unexpected());
    };
    output::print(&report, format)?;
    let is_pending = report.changes && !report.applied;
    Ok(if is_pending && args.exit_code {
        ExitCode::Changes
    } else {
        ExitCode::Success
    })
}

fn name(text: &str) -> Result<PoolName, Failure> {
    text.parse().map_err(|error| {
        Failure::new(ExitCode::Invalid, error).next("see `openelb pool ls` for the names")
    })
}

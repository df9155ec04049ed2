//! One file per verb; each turns what was typed into a question, and the answer into a report.

mod announce;
mod bgp;
mod completions;
mod doctor;
mod drain;
mod explain;
mod follow;
mod import;
mod ip;
mod l2;
mod man;
mod manifests;
mod owner;
mod pool;
mod prefix;
mod run;
mod span;
mod status;
mod validate;
mod vrrp;
mod wish;

use crate::args::{Args, Verb};
use crate::exit_code::{ExitCode, Failure};
use crate::lab;

use self::span::span;

/// Runs the verb that was typed.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let format = args.output;
    match args.verb {
        Verb::Run(args) => run::run(&args, format),
        Verb::Validate(args) => validate::run(&args, format),
        Verb::Pool(verb) => pool::run(verb, format),
        Verb::Ip(verb) => ip::run(verb, format),
        Verb::Explain(args) => explain::run(&args, format),
        Verb::Doctor(verb) => doctor::run(&verb, format),
        Verb::Status(args) => status::run(&args, format),
        Verb::Bgp(verb) => bgp::run(verb, format),
        Verb::L2(verb) => l2::run(verb, format),
        Verb::Vrrp(verb) => vrrp::run(verb, format),
        Verb::Prefix(verb) => prefix::run(verb, format),
        Verb::Drain(args) => drain::run(&args, format),
        Verb::Announce(args) => announce::run(&args),
        Verb::Lab(args) => lab::run(&args, format),
        Verb::Manifests(args) => manifests::run(&args),
        Verb::Import(args) => import::run(&args, format),
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
    }
}

/// An answer to another question than the one asked.
fn unexpected() -> Failure {
    Failure::new(
        ExitCode::Failed,
        "the daemon answered another question than the one asked",
    )
    .next("use the openelb command of the daemon's version")
}

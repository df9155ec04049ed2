//! `openelb l2 …`: who answers for which address, and what happens to that.

mod monitor;
mod owners;

use crate::args::L2Verb;
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) use self::owners::nodes;

pub(super) fn run(verb: L2Verb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        L2Verb::Owners(args) => owners::run(&args, format),
        L2Verb::Monitor(args) => monitor::run(&args, format),
    }
}

//! `openelb prefix …`: the prefixes that addresses follow, and what happens to them.

mod explain;
mod offline;
mod watch;

use crate::args::PrefixVerb;
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) use self::explain::table;

pub(super) fn run(verb: PrefixVerb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        PrefixVerb::Explain(args) => explain::run(&args, format),
        PrefixVerb::Watch(args) => watch::run(&args, format),
    }
}

//! `openelb prefix watch`: what happens to the prefixes, line by line, until Ctrl-C.

use super::super::follow::{self, Follow};
use crate::args::PrefixWatchArgs;
use crate::client;
use crate::engine::{Answer, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) fn run(args: &PrefixWatchArgs, format: Format) -> Result<ExitCode, Failure> {
    let follow = Follow {
        only_new: args.new,
        once: args.once,
        format,
    };
    let ask = |from| match client::ask_daemon(&args.place, Question::PrefixEvents { from })? {
        Answer::PrefixEvents(events) => Ok(events),
        _ => Err(super::super::unexpected()),
    };
    follow::run(follow, ask, |event| {
        args.name.is_none() || args.name == event.prefix
    })
}

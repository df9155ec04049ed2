//! `openelb l2 monitor`: what happens to the election, the addresses and the virtual routers, line by
//! line, until Ctrl-C.

use super::super::follow::{self, Follow};
use crate::args::MonitorArgs;
use crate::client;
use crate::engine::{Answer, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) fn run(args: &MonitorArgs, format: Format) -> Result<ExitCode, Failure> {
    let follow = Follow {
        only_new: args.new,
        once: args.once,
        format,
    };
    let ask = |from| match client::ask_daemon(&args.place, Question::LinkEvents { from })? {
        Answer::LinkEvents(events) => Ok(events),
        _ => Err(super::super::unexpected()),
    };
    follow::run(follow, ask, |event| {
        args.interface.is_none() || args.interface == event.interface
    })
}

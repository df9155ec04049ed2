//! `openelb bgp monitor`: what happens to the peers, line by line, until Ctrl-C.

use super::super::follow::{self, Follow};
use crate::args::BgpMonitorArgs;
use crate::client;
use crate::engine::{Answer, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) fn run(args: &BgpMonitorArgs, format: Format) -> Result<ExitCode, Failure> {
    let follow = Follow {
        only_new: args.new,
        once: args.once,
        format,
    };
    let ask = |from| match client::ask_daemon(&args.place, Question::BgpEvents { from })? {
        Answer::BgpEvents(events) => Ok(events),
        _ => Err(super::super::unexpected()),
    };
    follow::run(follow, ask, |event| {
        args.peer.is_none() || args.peer == event.peer
    })
}

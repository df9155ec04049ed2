//! Prefixes from standard input, a line at a time.

use std::io::{self, BufRead as _};

use super::told::Told;
use super::{Outbox, StartError, clock};
use crate::prefix::statement;

/// Reads lines until the input ends. Each says what is there now: its prefix replaces that of the line
/// before. The thread cannot be stopped, as reading cannot.
pub(super) fn start(index: usize, outbox: Outbox) -> Result<(), StartError> {
    let read = move || {
        let mut told = Told::new(index, "standard input");
        for line in io::stdin().lock().lines() {
            let leases = line.map_err(|error| error.to_string()).and_then(|line| {
                statement::read(&line, clock::now()).map_err(|error| error.problem.to_string())
            });
            match leases {
                Ok(leases) => outbox.send(told.replace(leases)),
                Err(why) => outbox.send(told.fail(format!("standard input: {why}"))),
            }
        }
        outbox.send(told.fail("standard input has ended".to_owned()));
    };
    let what = "standard input";
    std::thread::Builder::new()
        .name("openelb-stdin".to_owned())
        .spawn(read)
        .map(drop)
        .map_err(|why| StartError::Thread { what, why })
}

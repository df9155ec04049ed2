//! One file per verb; each turns what was typed into a question, and the answer into a report.

mod completions;
mod man;

use crate::args::{Args, Verb};
use crate::exit_code::{ExitCode, Failure};
use crate::lab;

/// Runs the verb that was typed.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.verb {
        Verb::Completions(args) => completions::run(&args),
        Verb::Lab(lab) => lab::run(&lab, args.output),
        Verb::Man(args) => man::run(&args),
        _ => Err(Failure::new(
            ExitCode::Failed,
            "this verb is not part of this build",
        )),
    }
}

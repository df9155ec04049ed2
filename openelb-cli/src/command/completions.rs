//! `openelb completions`: the completion script of a shell.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::exit_code::{ExitCode, Failure};
use crate::output;

pub(super) fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "openelb", &mut script);
    output::print_text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Success)
}

//! `openelb man`: the manual pages, made from the same text as `--help`.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Args, ManArgs};
use crate::exit_code::{ExitCode, Failure};
use crate::output;

pub(super) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    match &args.dir {
        Some(dir) => write_pages(dir).map_err(|error| {
            Failure::new(
                ExitCode::Failed,
                format!("cannot write into {}: {error}", dir.display()),
            )
            .next("choose a directory you may write to")
        })?,
        None => output::print_text(&front_page()?)?,
    }
    Ok(ExitCode::Success)
}

/// Writes `openelb.1` and one page per verb, `openelb-pool-ls.1` and so on.
fn write_pages(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Args::command().disable_help_subcommand(true), dir)
}

fn front_page() -> Result<String, Failure> {
    let mut text = Vec::new();
    Man::new(Args::command())
        .render(&mut text)
        .map_err(|error| {
            Failure::new(
                ExitCode::Failed,
                format!("cannot render the manual: {error}"),
            )
        })?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

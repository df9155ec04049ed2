//! The `openelb` command: parse, run, exit.
#![forbid(unsafe_code)]

mod address;
mod args;
mod client;
mod clock;
mod command;
mod config;
mod control;
mod daemon;
mod engine;
mod exit_code;
mod lab;
mod output;
mod store;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let args = args::Args::parse();
    let as_data = args.output.is_data();
    match command::run(args) {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.report(as_data);
            failure.code.into()
        }
    }
}

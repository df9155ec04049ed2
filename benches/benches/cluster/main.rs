//! Measures the controller on a real API server, beside what that API server itself can do in the
//! same run.
//!
//! Needs root and the control plane of `make envtest`. `OPENELB_SERVICES` (10,000) is how many
//! Services there are.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring program prints its table and stops at the first thing that goes wrong"
)]

mod api;
mod controller;
mod goals;
mod table;

use std::process::ExitCode;

use openelb_k8s::envtest::{Binaries, ControlPlane, Options, Release};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(controller::ARGUMENT) {
        return openelb_k8s::daemon::main();
    }
    // `cargo test --benches` starts every benchmark without this; nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let plane = match Binaries::find(Release::Current) {
        Ok(binaries) if nix::unistd::geteuid().is_root() => {
            ControlPlane::start(&binaries, &Options::default()).unwrap()
        }
        Ok(_) => return skipped("network namespaces cannot be made here (run as root)"),
        Err(missing) => return skipped(&missing.to_string()),
    };
    let services = std::env::var("OPENELB_SERVICES");
    let services = services.map_or(10_000, |text| text.parse().unwrap());
    plane.netns().enter_with_this_thread().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(goals::measure(&plane, services)).print();
    ExitCode::SUCCESS
}

fn skipped(why: &str) -> ExitCode {
    eprintln!("SKIPPED cluster: {why}");
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    if is_ci {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

//! The CNI IPAM plugin: environment and standard input in, one answer out.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    openelb_cli::cni::main()
}

//! The controller and the speaker of a cluster.

fn main() -> std::process::ExitCode {
    openelb_k8s::daemon::main()
}

//! Arguments as users and manifests write them.

use clap::Parser;

use super::{Args, Command, ControllerArgs, Listen, OnStop, ServeUnclassed};
use crate::wish::Unclassed;

#[test]
fn a_controller_needs_no_argument() {
    let args = controller(&[]);
    assert!(args.leader_elect);
    assert_eq!(args.metrics_addr, ":7480".parse().unwrap());
    assert_eq!(args.serving().unclassed, Unclassed::OptIn);
}

#[test]
fn arguments_of_openelb_are_read() {
    let args = controller(&[
        "--leader-elect=false",
        "--metrics-addr=:50052",
        "--readiness-addr=0",
    ]);
    assert!(!args.leader_elect);
    assert_eq!(args.metrics_addr, ":50052".parse().unwrap());
    assert!(controller(&["--leader-elect"]).leader_elect);
}

#[test]
fn unclassed_services_are_served_when_asked_for() {
    let args = controller(&["--serve-unclassed=always"]);
    assert_eq!(args.serve_unclassed, ServeUnclassed::Always);
    assert_eq!(args.serving().unclassed, Unclassed::Always);
}

#[test]
fn an_address_to_listen_at_is_written_as_in_go() {
    let listen = |text: &str| text.parse::<Listen>().map(|listen| listen.0);
    assert_eq!(listen("0"), Ok(None));
    assert_eq!(listen(":80"), Ok(Some("[::]:80".parse().unwrap())));
    assert_eq!(
        listen("127.0.0.1:80"),
        Ok(Some("127.0.0.1:80".parse().unwrap()))
    );
    let error = listen("80").unwrap_err().to_string();
    assert!(error.contains("write :PORT"), "{error}");
}

#[test]
fn numbers_out_of_range_are_refused() {
    for flag in [
        "--ledger-cap=0",
        "--ledger-cap=99999",
        "--concurrent-writes=0",
    ] {
        let words = ["openelb-k8s", "controller", flag];
        assert!(Args::try_parse_from(words).is_err(), "{flag}");
    }
}

fn controller(flags: &[&str]) -> ControllerArgs {
    let words = ["openelb-k8s", "controller"].iter().chain(flags);
    match Args::try_parse_from(words).unwrap().command {
        Command::Controller(args) => args,
        Command::Speaker(_) | Command::Version => panic!("another command"),
    }
}

#[test]
fn a_speaker_takes_its_node_from_the_command_line_and_drains_when_it_ends() {
    let words = ["openelb-k8s", "speaker", "--node-name", "n1"];
    let Command::Speaker(args) = Args::try_parse_from(words).unwrap().command else {
        panic!("another command");
    };
    assert_eq!((&*args.node_name, args.on_stop), ("n1", OnStop::Drain));
    assert_eq!(args.drain_time.as_secs(), 2);
    for flag in ["--drain-time=1h", "--drain-time=soon", "--on-stop=never"] {
        let words = ["openelb-k8s", "speaker", "--node-name", "n1", flag];
        assert!(Args::try_parse_from(words).is_err(), "{flag}");
    }
}

//! `openelb announce`, in a network namespace of its own.

use std::process::Command;

use crate::testenv::{Env, Ran};

/// Runs a script in new user and network namespaces with a pair of connected interfaces, `near` and
/// `far`. `None` where the kernel does not let a user make namespaces; with `CI=true` that fails.
fn on_a_wire(env: &Env, script: &str) -> Option<Ran> {
    let possible = Command::new("unshare")
        .args(["--map-root-user", "--net", "true"])
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "namespaces are needed for this test"
        );
        eprintln!("skipped: no user namespaces here");
        return None;
    }
    let wire = "ip link add near type veth peer name far && ip link set near up && \
                ip link set far up && ip address add 192.0.2.1/24 dev far && ";
    let output = env
        .prepare(Command::new("unshare"))
        .args([
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            &format!("{wire}{script}"),
        ])
        .env("OPENELB", env!("CARGO_BIN_EXE_openelb"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    Some(Ran {
        code,
        out: text(output.stdout),
        err: text(output.stderr),
    })
}

#[test]
fn addresses_of_both_families_are_probed_announced_and_withdrawn() {
    let env = Env::new();
    let Some(ran) = on_a_wire(
        &env,
        "$OPENELB announce 192.0.2.9 2001:db8::9 --dev near --for 5s",
    ) else {
        return;
    };
    assert_eq!(ran.code, 0, "{ran:?}");
    for address in ["192.0.2.9", "2001:db8::9"] {
        for fact in ["near: probing", "near: announced"] {
            assert!(ran.out.contains(&format!("{fact} {address}\n")), "{ran:?}");
        }
    }
    assert!(
        ran.out.ends_with("withdrawn: 192.0.2.9, 2001:db8::9\n"),
        "{ran:?}"
    );
}

#[test]
fn an_address_that_somebody_has_is_not_announced_and_the_other_is_named() {
    let env = Env::new();
    let script = "$OPENELB announce 192.0.2.1 --dev near --for 3s; code=$?; \
                  ip -o link show far; exit $code";
    let Some(ran) = on_a_wire(&env, script) else {
        return;
    };
    assert_eq!(ran.code, 4, "{ran:?}");
    let (_, rest) = ran.out.split_once("link/ether ").unwrap();
    let mac = rest.split(' ').next().unwrap();
    let fact = format!("192.0.2.1 is not announced: conflict: {mac} uses it");
    assert!(ran.err.contains(&fact), "{ran:?}");
    assert!(!ran.out.contains("withdrawn"), "{ran:?}");
}

#[test]
fn an_interface_that_is_not_there_is_told_with_those_that_are() {
    let env = Env::new();
    let Some(ran) = on_a_wire(&env, "$OPENELB announce 192.0.2.9 --dev nosuch --for 1s") else {
        return;
    };
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.err
            .contains("there is no interface \"nosuch\"; this host has"),
        "{ran:?}"
    );
}

//! Machines and the allocator know neither clocks nor sockets nor threads.

use crate::source::{PURE, SourceFile, rust_files};

/// Words that would bring I/O, time or implicit randomness into a pure module.
const BANNED: [&str; 14] = [
    "Instant::now",
    "SystemTime",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::thread",
    "std::fs",
    "std::io",
    "std::env",
    "tokio",
    "libc::",
    "nix::",
    "socket2",
    "rand::",
];

#[test]
fn machines_hold_no_word_of_io_or_clocks() {
    let files = rust_files("openelb-announce/src");
    let files = files
        .iter()
        .filter(|file| file.module().is_empty() || PURE.contains(&file.module()));
    for file in files
        .chain(&rust_files("openelb-ipam/src"))
        .filter(|file| !file.is_test())
    {
        for (number, line) in file.code() {
            for word in BANNED {
                assert!(
                    !line.contains(word),
                    "{}:{number}: `{word}` in a pure module",
                    file.path
                );
            }
        }
    }
}

#[test]
fn clap_and_miette_stay_in_the_command() {
    for folder in [
        "openelb-ipam/src",
        "openelb-announce/src",
        "openelb-k8s/src",
    ] {
        // The arguments of the processes of a cluster are no part of its library.
        let is_library = |file: &&SourceFile| !file.path.starts_with("openelb-k8s/src/daemon/");
        for file in rust_files(folder).iter().filter(is_library) {
            for (number, line) in file.code() {
                for word in ["clap::", "miette::", "comfy_table::"] {
                    assert!(!line.contains(word), "{}:{number}: `{word}`", file.path);
                }
            }
        }
    }
}

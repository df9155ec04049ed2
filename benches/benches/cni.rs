//! ADD and DEL of the CNI IPAM plugin beside host-local's, with few and many addresses held.
//!
//! Both are started as a runtime starts them, on the same file system, in turn. How much ours grows with
//! what is held is measured by itself, size by size in turn: host-local reads every file, and whoever
//! runs next finds the processor's caches full of them. Builds the plugin first.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring program reads the clock, prints its table and stops at the first thing that goes wrong"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How many addresses of each family are held while ADD and DEL are measured.
const HELD: [u32; 4] = [0, 200, 2_000, 10_000];
/// Pairs of ADD and DEL, of which the median counts.
const ROUNDS: usize = 61;
/// Their growth from none held to 10,000.
const MOST_GROWTH: f64 = 1.2;

fn main() -> ExitCode {
    let ours = build();
    let theirs = ["/usr/lib/cni/host-local", "/opt/cni/bin/host-local"].map(PathBuf::from);
    let Some(theirs) = theirs.into_iter().find(|path| path.exists()) else {
        eprintln!("SKIPPED cni: no host-local (Debian: containernetworking-plugins)");
        return if std::env::var("CI").is_ok_and(|ci| ci == "true") {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "CNI IPAM, one IPv4 and one IPv6 address each, medians of {ROUNDS}; load average {}",
        load.trim()
    );
    println!(
        "{:<10} {:>12} {:>12} {:>8} {:>12} {:>12} {:>8}",
        "held", "ADD (us)", "host-local", "ratio", "DEL (us)", "host-local", "ratio"
    );
    let rows: Vec<_> = HELD
        .iter()
        .map(|held| measure(*held, &ours, &theirs))
        .collect();
    let (first, last) = (&rows[0], &rows[rows.len() - 1]);
    let alone = alone(&ours);
    for (verb, at) in [("ADD", 0), ("DEL", 1)] {
        let times = alone.map(|times| times[at]);
        let growth = times[3].as_secs_f64() / times[0].as_secs_f64();
        println!(
            "{verb} alone at {HELD:?} held: {:?} us; last / first: {growth:.2}, goal <= {MOST_GROWTH}: {}",
            times.map(|time| time.as_micros()),
            verdict(growth <= MOST_GROWTH)
        );
        for row in [first, last] {
            println!(
                "{verb} before host-local at {} held: {}",
                row.held,
                verdict(row.ours[at] < row.theirs[at])
            );
        }
    }
    ExitCode::SUCCESS
}

/// Medians of ADD and of DEL.
struct Row {
    held: u32,
    ours: [Duration; 2],
    theirs: [Duration; 2],
}

/// Medians of ADD and of DEL at each size, with nobody in between.
fn alone(ours: &Path) -> [[Duration; 2]; HELD.len()] {
    let folders = HELD.map(|held| filled(ours, held));
    let mut times = HELD.map(|_| [Vec::new(), Vec::new()]);
    for round in 0..ROUNDS {
        for (folder, times) in folders.iter().zip(&mut times) {
            let container = format!("measured{round}");
            times[0].push(run(ours, folder.path(), "ADD", &container));
            times[1].push(run(ours, folder.path(), "DEL", &container));
        }
    }
    times.map(|times| times.map(median))
}

/// A data directory in which so many addresses are held.
fn filled(program: &Path, held: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), held);
    // The first invocation after somebody else's files reads all of them, once.
    run(program, folder.path(), "ADD", "warm");
    run(program, folder.path(), "DEL", "warm");
    folder
}

fn measure(held: u32, ours: &Path, theirs: &Path) -> Row {
    let folders = [ours, theirs].map(|program| (program, filled(program, held)));
    let mut times = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    for round in 0..ROUNDS {
        // In turn, so that a noisy minute is noisy for both.
        for ((program, folder), times) in folders.iter().zip(&mut times) {
            let container = format!("measured{round}");
            times[0].push(run(program, folder.path(), "ADD", &container));
            times[1].push(run(program, folder.path(), "DEL", &container));
        }
    }
    let [ours, theirs] = times.map(|times| times.map(median));
    let [add, del] = [0, 1].map(|at| theirs[at].as_secs_f64() / ours[at].as_secs_f64());
    println!(
        "{held:<10} {:>12} {:>12} {add:>8.1} {:>12} {:>12} {del:>8.1}",
        ours[0].as_micros(),
        theirs[0].as_micros(),
        ours[1].as_micros(),
        theirs[1].as_micros()
    );
    Row { held, ours, theirs }
}

/// Address files as both plugins write them.
fn fill(data: &Path, held: u32) {
    let folder = data.join("pods");
    fs::create_dir_all(&folder).unwrap();
    for at in 0..held {
        let container = format!("{at:064x}\r\neth0");
        fs::write(
            folder.join(format!("10.1.{}.{}", (at + 2) >> 8, (at + 2) & 255)),
            &container,
        )
        .unwrap();
        fs::write(folder.join(format!("fd00:1::{:x}", at + 2)), &container).unwrap();
    }
    if held > 0 {
        let last = held + 1;
        fs::write(
            folder.join("last_reserved_ip.0"),
            format!("10.1.{}.{}", last >> 8, last & 255),
        )
        .unwrap();
        fs::write(
            folder.join("last_reserved_ip.1"),
            format!("fd00:1::{last:x}"),
        )
        .unwrap();
    }
}

/// One invocation, from its start to its end.
fn run(program: &Path, data: &Path, verb: &str, container: &str) -> Duration {
    let config = format!(
        r#"{{"cniVersion":"1.0.0","name":"pods","type":"bridge","ipam":{{"type":"x","dataDir":"{}",
        "ranges":[[{{"subnet":"10.1.0.0/16"}}],[{{"subnet":"fd00:1::/64"}}]]}}}}"#,
        data.display()
    );
    let started = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .env("CNI_COMMAND", verb)
        .env("CNI_CONTAINERID", container)
        .env("CNI_IFNAME", "eth0")
        .env("CNI_NETNS", "/proc/self/ns/none")
        .env("CNI_PATH", "/usr/lib/cni")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(config.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let took = started.elapsed();
    assert!(
        output.status.success(),
        "{verb}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}

/// The plugin alone, optimised: its package without the `openelb` command builds in seconds.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = root.join("target/cni");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo)
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "openelb-cli",
            "--no-default-features",
            "--bin",
            "openelb-cni",
            "--target-dir",
        ])
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success(), "the plugin could not be built");
    target.join("release/openelb-cni")
}

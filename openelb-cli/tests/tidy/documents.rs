//! Documents tell the truth: named tests exist, links resolve, targets are listed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::source::{CRATES, files_with_extension, root, rust_files};

#[test]
fn every_test_named_in_the_rfc_table_exists() {
    let table = fs::read_to_string(root().join("docs/rfc-coverage.md")).unwrap();
    let tests = test_names();
    let mut rows = 0;
    for line in table.lines().filter(|line| line.starts_with('|')) {
        let Some(cell) = line.trim_end_matches('|').rsplit('|').next() else {
            continue;
        };
        for name in cell.split('`').skip(1).step_by(2) {
            rows += 1;
            let name = name.rsplit("::").next().unwrap_or(name);
            assert!(
                tests.contains(name),
                "docs/rfc-coverage.md names no existing test: {name}"
            );
        }
    }
    assert!(
        rows > 20,
        "the table names {rows} tests; was its form changed?"
    );
}

#[test]
fn relative_links_in_documents_lead_somewhere() {
    for document in files_with_extension("", "md") {
        let folder = root().join(&document.path).parent().unwrap().to_owned();
        for piece in document.text.split("](").skip(1) {
            let link = piece.split(')').next().unwrap_or_default();
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            assert!(
                folder.join(path).exists(),
                "{}: dead link {link}",
                document.path
            );
        }
    }
}

#[test]
fn every_fuzz_target_is_listed_and_seeded() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for file in rust_files("fuzz/fuzz_targets") {
        let name = file
            .path
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "fuzz/Cargo.toml lacks {name}"
        );
        let seeds = root().join("fuzz/seeds").join(&name);
        let seeded = fs::read_dir(&seeds).is_ok_and(|mut seeds| seeds.next().is_some());
        assert!(seeded, "{} holds no seed", seeds.display());
    }
}

#[test]
fn readme_asks_a_stranger_for_two_commands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let commands: Vec<_> = readme
        .lines()
        .filter(|line| line.starts_with("make "))
        .collect();
    let words = |line: &&str| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let commands: Vec<_> = commands.iter().map(words).collect();
    assert_eq!(commands, ["make demo", "make test"]);
}

#[test]
fn the_pinned_toolchain_is_the_oldest_that_is_promised() {
    let value = |path: &str, key: &str| {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        value.unwrap().trim_matches('"').to_owned()
    };
    let promised = value("Cargo.toml", "rust-version");
    // Every check runs with it, so that no newer one is needed without anybody's notice.
    let pinned = value("rust-toolchain.toml", "channel");
    assert_eq!(pinned, format!("{promised}.0"));
}

#[test]
fn configurations_in_the_documents_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("l2.key"),
        "0123456789abcdef0123456789abcdef",
    )
    .unwrap();
    for document in [
        "README.md",
        "docs/bgp.md",
        "docs/dynamic-prefix.md",
        "docs/standalone.md",
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let blocks = text.split("```yaml\n").skip(1);
        let blocks = blocks.filter_map(|rest| rest.split("```").next());
        let whole: Vec<_> = blocks
            .filter(|block| block.starts_with("apiVersion:"))
            .collect();
        assert!(!whole.is_empty(), "{document} shows no configuration");
        for block in whole {
            let file = folder.path().join("config.yaml");
            fs::write(&file, block).unwrap();
            let mut validate = Command::new(env!("CARGO_BIN_EXE_openelb"));
            let answer = validate.arg("validate").arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            assert!(answer.status.success(), "{document}:\n{block}\n{said}");
        }
    }
}

/// Names of all functions that carry `#[test]`, in every crate.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in CRATES {
        for file in rust_files(name) {
            let mut marked = false;
            for line in file.text.lines().map(str::trim_start) {
                if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
                    names.insert(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
                }
                let attribute = line.starts_with("#[") || line.starts_with("///");
                marked = line.starts_with("#[test]") || (marked && attribute);
            }
        }
    }
    names
}

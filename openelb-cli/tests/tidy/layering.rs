//! Who may import whom, between crates and between the modules of a crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::source::{CRATES, PURE, SourceFile, root, rust_files};

#[test]
fn crates_depend_only_on_what_the_map_allows() {
    let forbidden = [
        (
            "openelb-ipam",
            &[
                "openelb-announce",
                "openelb-k8s",
                "tokio",
                "kube",
                "clap",
                "libc",
                "socket2",
            ][..],
        ),
        (
            "openelb-announce",
            &["openelb-ipam", "openelb-k8s", "kube", "clap"][..],
        ),
        // Its library has no command line; `clap` is there for the binary, behind a feature.
        ("openelb-k8s", &["openelb-cli"][..]),
        ("openelb-cli", &["kube"][..]),
    ];
    for (name, banned) in forbidden {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            assert!(
                !banned.contains(&dependency),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn protocols_meet_only_in_the_announcer() {
    let protocols = ["arp", "ndp", "bgp", "bfd", "vrrp", "ownership"];
    for file in rust_files("openelb-announce/src") {
        if !protocols.contains(&file.module()) {
            continue;
        }
        for target in imports(&file) {
            let foreign = protocols.contains(&target.as_str()) && target != file.module();
            assert!(
                !foreign,
                "{}: a protocol imports crate::{target}",
                file.path
            );
        }
    }
}

#[test]
fn sans_io_modules_never_import_the_driver() {
    let driver = ["link", "driver", "announcer"];
    for file in rust_files("openelb-announce/src") {
        if !PURE.contains(&file.module()) {
            continue;
        }
        for target in imports(&file) {
            assert!(
                !driver.contains(&target.as_str()),
                "{}: imports crate::{target}",
                file.path
            );
        }
    }
}

#[test]
fn first_level_modules_form_no_cycle() {
    for name in CRATES {
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in rust_files(&format!("{name}/src")) {
            if file.is_test() || file.module().is_empty() || file.path.contains("/bin/") {
                continue;
            }
            let edges = graph.entry(file.module().to_owned()).or_default();
            edges.extend(imports(&file).into_iter().filter(|to| to != file.module()));
        }
        if let Some(cycle) = cycle(&graph) {
            panic!("{name}: modules in a circle: {}", cycle.join(" -> "));
        }
    }
}

/// First path segments after `crate::` in the file's code.
fn imports(file: &SourceFile) -> BTreeSet<String> {
    let lines: Vec<_> = file.code().into_iter().map(|(_, line)| line).collect();
    let code = lines.join("\n");
    let mut found = BTreeSet::new();
    for piece in code.split("crate::").skip(1) {
        if let Some(group) = piece.strip_prefix('{') {
            found.extend(group_heads(group));
        } else {
            found.insert(
                piece
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    found
}

/// `{a::b, c::{d, e}, f}` names `a`, `c` and `f`.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut head) = (0_u32, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(std::mem::take(&mut head)),
            c if depth == 0 => head.push(c),
            _ => {}
        }
    }
    heads.push(head);
    let first = |head: String| {
        head.trim()
            .split("::")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    heads.into_iter().map(first).collect()
}

fn cycle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        node: &str,
        graph: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(start) = path.iter().position(|seen| seen == node) {
            path.drain(..start);
            path.push(node.to_owned());
            return true;
        }
        if done.contains(node) {
            return false;
        }
        path.push(node.to_owned());
        for next in graph.get(node).into_iter().flatten() {
            if graph.contains_key(next) && visit(next, graph, path, done) {
                return true;
            }
        }
        path.pop();
        done.insert(node.to_owned());
        false
    }
    let (mut path, mut done) = (Vec::new(), BTreeSet::new());
    graph
        .keys()
        .any(|node| visit(node, graph, &mut path, &mut done))
        .then_some(path)
}

#[test]
fn the_cycle_finder_finds_a_cycle() {
    let edge = |to: &[&str]| to.iter().map(|name| (*name).to_owned()).collect();
    let mut graph = BTreeMap::from([
        ("a".to_owned(), edge(&["b"])),
        ("b".to_owned(), edge(&["c"])),
    ]);
    assert_eq!(cycle(&graph), None);
    graph.insert("c".to_owned(), edge(&["b"]));
    assert_eq!(
        cycle(&graph),
        Some(vec!["b".to_owned(), "c".to_owned(), "b".to_owned()])
    );
}

//! Reads the tree: source files with their tests and comments set apart.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose source the rules hold for.
pub(crate) const CRATES: [&str; 4] = [
    "openelb-ipam",
    "openelb-announce",
    "openelb-k8s",
    "openelb-cli",
];

/// The modules of `openelb-announce` that know no driver, no clock and no socket.
pub(crate) const PURE: [&str; 13] = [
    "time",
    "random",
    "wire",
    "timer",
    "machine",
    "claim",
    "arp",
    "ndp",
    "bgp",
    "bfd",
    "vrrp",
    "ownership",
    "sim",
];

/// One Rust file, as the rules see it.
pub(crate) struct SourceFile {
    /// Path from the root of the repository, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// First-level module the file belongs to: `src/arp/packet.rs` is `arp`, `src/lib.rs` is empty.
    pub(crate) fn module(&self) -> &str {
        let inner = self.path.split("/src/").nth(1).unwrap_or_default();
        let first = inner.split('/').next().unwrap_or_default();
        match first.trim_end_matches(".rs") {
            "lib" | "main" => "",
            module => module,
        }
    }

    /// Whether the file holds tests only.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || self.path.contains("/tests/")
    }

    /// Lines of code with their numbers: no comment lines, no inline `#[cfg(test)]` module.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .take_while(|(_, line)| *line != "#[cfg(test)]")
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .collect()
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate sits in the root")
        .into()
}

/// Every Rust file below `folder` (a path from the root), sorted by path.
pub(crate) fn rust_files(folder: &str) -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(&root().join(folder), "rs", &mut files);
    files.sort();
    files.into_iter().map(|path| read(&path)).collect()
}

/// Every file with the extension `ext` below `folder`, without `target` and hidden folders.
pub(crate) fn files_with_extension(folder: &str, ext: &str) -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(&root().join(folder), ext, &mut files);
    files.sort();
    files.into_iter().map(|path| read(&path)).collect()
}

fn read(path: &Path) -> SourceFile {
    let relative = path.strip_prefix(root()).expect("collected below the root");
    SourceFile {
        path: relative.to_string_lossy().into_owned(),
        text: fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    }
}

fn collect(folder: &Path, ext: &str, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, ext, into);
        } else if path.extension().is_some_and(|found| found == ext) {
            into.push(path);
        }
    }
}

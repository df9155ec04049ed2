//! Files a person can read in one sitting, named for what they are.

use crate::source::{CRATES, rust_files};

#[test]
fn no_file_has_more_than_500_lines_without_its_tests() {
    for name in CRATES {
        for file in rust_files(&format!("{name}/src"))
            .iter()
            .filter(|file| !file.is_test())
        {
            let until_tests = file.text.lines().take_while(|line| *line != "#[cfg(test)]");
            let lines = until_tests.count();
            assert!(
                lines <= 500,
                "{}: {lines} lines; split it by idea",
                file.path
            );
        }
    }
}

#[test]
fn every_file_opens_with_a_sentence_about_itself() {
    for folder in CRATES.into_iter().chain(["examples", "benches", "fuzz"]) {
        let tells_itself = |path: &str| !path.ends_with("/tests.rs");
        for file in rust_files(folder)
            .iter()
            .filter(|file| tells_itself(&file.path))
        {
            let mut lines = file.text.lines();
            let first = lines
                .find(|line| !line.starts_with("#!"))
                .unwrap_or_default();
            assert!(
                first.starts_with("//! "),
                "{}: the first line is no `//!` sentence",
                file.path
            );
        }
    }
}

#[test]
fn fewer_than_one_line_in_a_hundred_is_nested_six_deep() {
    for name in CRATES {
        let (mut all, mut deep) = (0_usize, 0_usize);
        for file in rust_files(&format!("{name}/src"))
            .iter()
            .filter(|file| !file.is_test())
        {
            for (_, line) in file.code() {
                all += usize::from(!line.trim().is_empty());
                deep += usize::from(line.starts_with(&" ".repeat(24)) && !line.trim().is_empty());
            }
        }
        assert!(
            deep * 100 <= all,
            "{name}: {deep} of {all} lines stand six indents deep"
        );
    }
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let empty = [
        "util", "utils", "helper", "helpers", "common", "misc", "manager", "types",
    ];
    for folder in CRATES.into_iter().chain(["examples", "benches"]) {
        for file in rust_files(folder) {
            for part in file.path.split('/') {
                let name = part.trim_end_matches(".rs");
                assert!(
                    !empty.contains(&name),
                    "{}: `{name}` says nothing",
                    file.path
                );
            }
        }
    }
}

#[test]
fn no_test_is_ignored() {
    for name in CRATES {
        for file in rust_files(name) {
            for (number, line) in file.text.lines().enumerate() {
                let ignored = line.trim_start().starts_with("#[ignore");
                assert!(
                    !ignored,
                    "{}:{}: an ignored test proves nothing",
                    file.path,
                    number + 1
                );
            }
        }
    }
}

#[test]
fn no_promise_is_left_in_a_comment() {
    for name in CRATES {
        for file in rust_files(&format!("{name}/src")) {
            for (number, line) in file.text.lines().enumerate() {
                for word in ["TODO", "FIXME", "XXX", "HACK"] {
                    let bare = line.contains(word) && !line.contains("TODO(rfc");
                    assert!(
                        !bare,
                        "{}:{}: {word} without an RFC section",
                        file.path,
                        number + 1
                    );
                }
            }
        }
    }
}

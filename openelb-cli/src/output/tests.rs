//! The three formats say the same, and colour stays where it belongs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Format, Paint, Report, Table, write};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    address: &'static str,
    free_addresses: u64,
}

impl Report for Answer {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let mut table = Table::new(["ADDRESS", "FREE"]);
        table.row([self.address.to_owned(), paint.good(self.free_addresses)]);
        table.write(out)
    }
}

fn shown(format: Format, paint: Paint) -> String {
    let mut out = Vec::new();
    let answer = Answer {
        address: "192.0.2.1",
        free_addresses: 7,
    };
    write(&answer, format, &mut out, paint).unwrap();
    String::from_utf8(out).unwrap()
}

const PLAIN: fn() -> Paint = || Paint::new(false, false);

#[test]
fn a_table_has_no_lines_and_no_trailing_blanks() {
    assert_eq!(
        shown(Format::Table, PLAIN()),
        "ADDRESS    FREE\n192.0.2.1  7\n"
    );
}

#[test]
fn json_and_yaml_hold_the_same_names_and_values() {
    let json: serde_json::Value = serde_json::from_str(&shown(Format::Json, PLAIN())).unwrap();
    let yaml: serde_json::Value = serde_saphyr::from_str(&shown(Format::Yaml, PLAIN())).unwrap();
    assert_eq!(json, yaml);
    assert_eq!(json["freeAddresses"], 7);
}

#[test]
fn colour_needs_a_terminal_and_no_refusal() {
    assert!(shown(Format::Table, Paint::new(true, false)).contains("\u{1b}[32m7"));
    for paint in [
        Paint::new(true, true),
        Paint::new(false, false),
        Paint::new(false, true),
    ] {
        assert!(!shown(Format::Table, paint).contains('\u{1b}'));
    }
}

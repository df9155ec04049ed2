//! The `openelb` command.

fn main() {}

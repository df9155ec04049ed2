//! Lessons in `examples/`, one file each; `cargo run -p openelb-examples --example NAME`.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

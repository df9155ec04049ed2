//! The repository's rules as tests: layering, purity, shape and documents (CONTRIBUTING.md, "Rules that a machine checks").

mod documents;
mod layering;
mod purity;
mod shape;
mod source;

//! Any text as a configuration file of the standalone daemon: no panic; a refusal names an error, and
//! pools that are accepted can be put in force.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the command has no library: the modules that the reader takes are compiled in"
)]

#[path = "../../openelb-cli/src/address.rs"]
mod address;
#[path = "../../openelb-cli/src/config/mod.rs"]
mod config;
#[path = "../../openelb-cli/src/engine/mod.rs"]
mod engine;
#[path = "../../openelb-cli/src/exit_code.rs"]
mod exit_code;
#[path = "../../openelb-cli/src/store/mod.rs"]
mod store;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use engine::Engine;
use libfuzzer_sys::fuzz_target;
use openelb_ipam::Time;
use openelb_k8s::bgp::Node;
use store::MemoryStore;

fuzz_target!(|text: &str| {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    // A name of this process's own; the last text stays behind, in a folder for such.
    let name = || std::env::temp_dir().join(format!("openelb-fuzz-{}.yaml", std::process::id()));
    let path = PATH.get_or_init(name);
    fs::write(path, text).expect("the folder of temporary files can be written");
    let config = match config::load(std::slice::from_ref(path), &Node::default()) {
        Ok(config) => config,
        Err(invalid) => {
            assert!(invalid.remarks.iter().any(config::Diagnostic::is_error));
            assert!(!invalid.to_string().is_empty());
            return;
        }
    };
    let pools: Vec<_> = config.pools.into_iter().map(|pool| pool.spec).collect();
    let mut engine = Engine::open(Box::<MemoryStore>::default()).expect("an empty store can be opened");
    if let Err(failure) = engine.set_pools(&pools, Time(0)) {
        panic!("accepted, and then refused: {failure}");
    }
});

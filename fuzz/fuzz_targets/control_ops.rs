//! Any lines to the control socket: no panic; every answer is one line that a client understands, every
//! refusal says what to do, and what is answered can be stored.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the command has no library: the modules behind the socket are compiled in"
)]

#[path = "../../openelb-cli/src/address.rs"]
mod address;
#[path = "../../openelb-cli/src/control/mod.rs"]
mod control;
#[path = "../../openelb-cli/src/engine/mod.rs"]
mod engine;
#[path = "../../openelb-cli/src/exit_code.rs"]
mod exit_code;
#[path = "../../openelb-cli/src/store/mod.rs"]
mod store;

use control::{Reply, parse_question, reply_line};
use engine::Engine;
use libfuzzer_sys::fuzz_target;
use openelb_ipam::Time;
use store::MemoryStore;

fuzz_target!(|octets: &[u8]| {
    let mut engine = Engine::open(Box::<MemoryStore>::default()).expect("an empty store can be opened");
    let mut now = Time(0);
    for line in octets.split(|octet| *octet == b'\n') {
        now = Time(now.0 + 1_000);
        engine.expire(now);
        let outcome = parse_question(line).and_then(|question| {
            let answer = engine.answer(question, now)?;
            engine.commit()?;
            Ok(answer)
        });
        if let Err(failure) = &outcome {
            assert!(failure.next.is_some(), "{failure}");
        }
        let answered = reply_line(outcome);
        assert_eq!(answered.iter().position(|octet| *octet == b'\n'), Some(answered.len() - 1));
        let _: Reply = serde_json::from_slice(&answered).expect("a client reads what a daemon writes");
    }
});

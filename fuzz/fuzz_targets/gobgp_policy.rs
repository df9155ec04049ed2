//! Any text as a policy: no panic, and every refusal says what is wrong and what to do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_k8s::bgp::policy;

fuzz_target!(|text: &str| {
    if let Err(errors) = policy::parse(text) {
        assert!(!errors.is_empty());
        for error in errors {
            assert!(!error.message.is_empty() && !error.next.is_empty(), "{error}");
        }
    }
});

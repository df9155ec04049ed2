//! Any text of a relative range is read or refused, and any history of a changing prefix keeps every invariant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_ipam::relative::{Projection, RelativeRange};
use prefix_model::PrefixModel;

#[path = "../../openelb-ipam/tests/it/prefix_model.rs"]
mod prefix_model;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = Projection::default().read(text);
        if let Ok(range) = text.parse::<RelativeRange>() {
            assert_eq!(range.to_string().parse::<RelativeRange>().as_ref(), Ok(&range));
        }
    }
    let (steps, _) = bytes.as_chunks::<6>();
    let mut model = PrefixModel::new();
    for step in steps.iter().take(200) {
        model.step(*step);
    }
    let _ = model.state();
});

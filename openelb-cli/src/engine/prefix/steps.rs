//! How the prefix of addresses follows from the one that was delegated, step by step.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use openelb_ipam::dynamic_prefix::{Derivation, Part};

/// One step a line: the value, and what it is. The last line is the result, or why there is none.
pub(crate) fn steps(derivation: &Derivation, delegated: Ipv6Net) -> Vec<String> {
    let length = derivation.length;
    let mut rows = vec![(delegated.trunc().to_string(), "was delegated".to_owned())];
    match derivation.part {
        Part::Whole if delegated.prefix_len() < length => {
            rows.push((
                format!("/{length}"),
                "the lowest of this length is taken".to_owned(),
            ));
        }
        Part::Whole => {}
        Part::Number(number) => {
            let from = delegated.prefix_len();
            let what = format!(
                "the number of the subnet, in bits {from} to {}",
                length.saturating_sub(1)
            );
            rows.push((format!("{number:#x}"), what));
        }
        Part::Override { keep, bits } => {
            // Bits are counted from 0, as prefixes are: bit 56 is the first behind a /56.
            let kept = Ipv6Net::new(delegated.addr(), keep).map(|kept| kept.trunc().to_string());
            rows.extend(
                kept.ok()
                    .map(|kept| (kept, format!("its first {keep} bits are kept"))),
            );
            let what = format!("replaces bits {keep} to {}", length.saturating_sub(1));
            rows.push((in_hextets(bits), what));
        }
    }
    match derivation.derive(delegated) {
        Ok(prefix) => rows.push((prefix.to_string(), "is used".to_owned())),
        Err(error) => rows.push(("nothing".to_owned(), format!("follows: {error}"))),
    }
    let width = rows.iter().map(|(value, _)| value.len()).max().unwrap_or(0);
    let line = |(value, what): (String, String)| format!("{value:<width$}  {what}");
    rows.into_iter().map(line).collect()
}

/// The network half in full, as an override is written: `0:0:0:cd::`.
fn in_hextets(bits: Ipv6Addr) -> String {
    let [a, b, c, d, rest @ ..] = bits.segments();
    if rest == [0; 4] {
        return format!("{a:x}:{b:x}:{c:x}:{d:x}::");
    }
    bits.to_string()
}

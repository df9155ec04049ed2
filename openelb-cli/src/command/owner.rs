//! Owners as people write them.

use openelb_ipam::OwnerKey;

use crate::exit_code::{ExitCode, Failure};

/// Reads `NAME`, `NAMESPACE/NAME` or `KIND/NAMESPACE/NAME`; missing are `kind` and `default`.
pub(super) fn parse(text: &str, kind: &str) -> Result<OwnerKey, Failure> {
    let parts: Vec<&str> = text.splitn(3, '/').collect();
    let key = match parts.as_slice() {
        [name] => OwnerKey::new(kind, "default", name),
        [namespace, name] => OwnerKey::new(kind, namespace, name),
        _ => text.parse(),
    };
    key.map_err(|error| {
        Failure::new(ExitCode::Invalid, error)
            .next("write NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME")
    })
}

/// Kind of the owners that are typed on the command line.
pub(super) const MANUAL: &str = "manual";

/// Kind of the owners that only keep an address from being handed out.
pub(super) const RESERVATION: &str = "reservation";

#[cfg(test)]
mod tests {
    use super::{MANUAL, parse};

    #[test]
    fn what_is_missing_is_filled_in() {
        for (text, expected) in [
            ("web", "manual/default/web"),
            ("shop/web", "manual/shop/web"),
            ("service/shop/web", "service/shop/web"),
            ("node//worker-1", "node//worker-1"),
        ] {
            assert_eq!(parse(text, MANUAL).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_forms_that_are_known() {
        for text in ["", "a b", "shop/", "/", "//"] {
            let failure = parse(text, MANUAL).expect_err(text);
            assert!(failure.next.unwrap().contains("NAMESPACE/NAME"), "{text:?}");
        }
    }
}

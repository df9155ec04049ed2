//! An address as people write it: in full, as a host part, or with the prefix that it follows.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use openelb_ipam::relative::RelativeRange;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One address. `::10` is a host part where a pool has it of a prefix; whoever knows the pools
/// decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    /// What the ledger knows it by, as far as the text alone says.
    pub(crate) ledger: IpAddr,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let ledger = if RelativeRange::is_meant_by(text) {
            let range: RelativeRange = text.parse().map_err(|error| format!("{error}"))?;
            if range.first() != range.last() {
                return Err(format!(
                    "{text} is a range; write one address, such as home/::10"
                ));
            }
            range.in_ledger().first()
        } else {
            let read = text.parse::<IpAddr>();
            read.map_err(|_| {
                format!("`{text}` is no address; write one, or NAME/HOST such as home/::10")
            })?
        };
        let text = text.to_owned();
        Ok(Self { text, ledger })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use openelb_ipam::relative::is_ledger;

    use super::Address;

    #[test]
    fn an_address_is_written_in_full_or_with_the_prefix_that_it_follows() {
        for text in ["192.0.2.7", "2001:db8::1", "::10"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.ledger, text.parse::<std::net::IpAddr>().unwrap());
        }
        let relative: Address = "home/::10".parse().unwrap();
        assert!(matches!(relative.ledger, std::net::IpAddr::V6(it) if is_ledger(it)));
        assert_eq!(relative.to_string(), "home/::10");
    }

    #[test]
    fn what_is_no_one_address_is_refused_with_the_form_that_is_one() {
        for text in [
            "",
            "home",
            "192.0.2.300",
            "home/::10-::20",
            "home/2001:db8::1",
            "/::10",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains("; "), "{text:?}: {error}");
        }
    }
}

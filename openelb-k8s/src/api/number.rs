//! Numbers that OpenELB's schema writes as text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A whole number that is written as text and read as text or number.
///
/// The schema has strings where the BGP library behind it has 64-bit numbers, because JSON cannot
/// carry these exactly. Users write both.
///
/// ```
/// use openelb_k8s::api::TextNumber;
///
/// let number: TextNumber = serde_json::from_str("\"90\"")?;
/// assert_eq!(number, serde_json::from_str("90")?);
/// assert_eq!(serde_json::to_string(&number)?, "\"90\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextNumber(pub u64);

impl fmt::Display for TextNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for TextNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TextNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextNumberVisitor)
    }
}

struct TextNumberVisitor;

impl Visitor<'_> for TextNumberVisitor {
    type Value = TextNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0, with or without quotes")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<TextNumber, E> {
        Ok(TextNumber(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<TextNumber, E> {
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Signed(value), &self);
        u64::try_from(value).map(TextNumber).map_err(wrong)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<TextNumber, E> {
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Str(value), &self);
        value.trim().parse().map(TextNumber).map_err(wrong)
    }
}

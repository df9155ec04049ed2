//! Values that travel as text: one `serde` form, made of `Display` and `FromStr`.
//!
//! Ranges, range sets and counts are strings in every human-readable document, so that JSON readers
//! with 53-bit numbers cannot round a `/64`, and an error is the parser's own sentence wherever the
//! text came from.

/// Implements `Serialize` through `Display` and `Deserialize` through `FromStr`.
///
/// The second argument completes serde's sentence "expected …". A bare unsigned integer is read as
/// its decimal text, because hand-written YAML leaves quotes out.
#[cfg(feature = "serde")]
macro_rules! text_serde {
    ($type:ty, $expected:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$type, E> {
                        self.visit_str(&alloc::string::ToString::to_string(&number))
                    }
                }

                deserializer.deserialize_any(Text)
            }
        }
    };
}

/// Without the feature there is no form to implement.
#[cfg(not(feature = "serde"))]
macro_rules! text_serde {
    ($type:ty, $expected:literal) => {};
}

pub(crate) use text_serde;

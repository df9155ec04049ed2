//! Patterns over interface names: `*` stands for any characters, `?` for one.

use std::fmt;

/// A pattern such as `eth*` or `bond?`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that is written `text`. Every text is one; without `*` and `?` it matches itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Does `text` hold a character that makes it more than a plain name?
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Does it match the whole of `name`? At most one step for each pair of their characters.
    pub fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Goes back only to the last star: what an earlier one took can stay as it is.
fn matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                last_star = Some((rest, name));
                pattern = rest;
            }
            ([expected, rest @ ..], [octet, tail @ ..])
                if *expected == b'?' || expected == octet =>
            {
                (pattern, name) = (rest, tail);
            }
            ([], []) => return true,
            _ => match last_star {
                Some((after, [_, tail @ ..])) => {
                    last_star = Some((after, tail));
                    (pattern, name) = (after, tail);
                }
                _ => return false,
            },
        }
    }
}

//! Shutdown communication: words from operator to operator (RFC 9003).

/// The words in the data of an administrative shutdown or reset, made safe to print.
///
/// The length octet counts (RFC 9003 section 2); `None` when it is zero or beyond the data. Octets
/// that are no UTF-8 are replaced, control characters dropped: what a peer sends must not move an
/// operator's cursor.
pub fn shutdown_communication(data: &[u8]) -> Option<String> {
    let (length, rest) = data.split_first()?;
    let words = rest.get(..usize::from(*length))?;
    let words = String::from_utf8_lossy(words);
    let printable: String = words.chars().filter(|c| !c.is_control()).collect();
    (!printable.is_empty()).then_some(printable)
}

/// The data that carry `words`, of which at most 255 octets fit.
pub(super) fn encode(words: &str) -> Vec<u8> {
    let fitting = words.floor_char_boundary(usize::from(u8::MAX));
    let (fitting, _) = words.split_at(fitting);
    let length = u8::try_from(fitting.len()).expect("cut to 255 octets in the line above");
    let mut data = vec![length];
    data.extend_from_slice(fitting.as_bytes());
    data
}

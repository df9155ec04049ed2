//! Entries that follow a prefix, such as `home/::1000-::1fff`: where the ledger holds them, and
//! whether the prefix has room for them.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use openelb_ipam::relative::{HOST_BITS, PrefixName, RelativeRange, ledger_space};

use super::{EipError, Errors};
use crate::api::Eip;

/// An entry that follows a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relative {
    /// The key it is written under, such as `spec.exclude[0]`.
    pub key: String,
    /// As it is written.
    pub entry: String,
    /// What it means.
    pub range: RelativeRange,
}

/// The entries of an Eip that follow a prefix, without those that cannot be read; [`spec`](super::spec)
/// tells of these.
///
/// ```
/// use openelb_k8s::{api::Eip, pool};
///
/// let eip = Eip::new("edge", "192.0.2.0/24, home/::1000-::1fff");
/// let [entry] = pool::relative(&eip).try_into().unwrap();
/// assert_eq!(entry.range.prefix().to_string(), "home");
/// assert_eq!(entry.range.host_bits(), 13);
/// ```
pub fn relative(eip: &Eip) -> Vec<Relative> {
    let read = |(key, entry): (String, String)| {
        let range = RelativeRange::is_meant_by(&entry).then(|| entry.parse().ok())??;
        Some(Relative { key, entry, range })
    };
    written(eip).filter_map(read).collect()
}

/// What is wrong with the entries that follow a prefix, once the prefixes are known: `prefixes` are
/// their names and the lengths of what is derived from them.
///
/// ```
/// use std::collections::BTreeMap;
/// use openelb_k8s::{api::Eip, pool};
///
/// let prefixes = BTreeMap::from([("home".parse()?, 120)]);
/// let [narrow, unknown] = pool::check_prefixes(&Eip::new("edge", "home/::1000, hom/::1"), &prefixes)
///     .try_into().unwrap();
/// assert!(narrow.message.contains("13 bits"));
/// assert_eq!(unknown.next, "did you mean `home`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_prefixes(eip: &Eip, prefixes: &BTreeMap<PrefixName, u8>) -> Vec<EipError> {
    let mut errors = Errors {
        name: &eip.metadata.name,
        found: Vec::new(),
    };
    for Relative { key, entry, range } in relative(eip) {
        let name = range.prefix();
        let Some(length) = prefixes.get(name) else {
            let message = format!("`{entry}`: there is no DynamicPrefix `{name}`");
            errors.add(&key, message, advice(name, prefixes));
            continue;
        };
        let (needed, left) = (range.host_bits(), 128_u8.saturating_sub(*length));
        if needed > left {
            let message = format!(
                "`{entry}` needs {needed} bits, and the /{length} of DynamicPrefix {name} leaves {left}"
            );
            let next = format!(
                "write lower host parts, or `subnet.length` of {name} as at most {}",
                128 - needed
            );
            errors.add(&key, message, next);
        }
    }
    errors.found
}

/// A text with every address of the ledger in it as it would be written: `home/::10`. `written` gives
/// that form of an address, or `None` for one that follows no prefix.
///
/// ```
/// use openelb_k8s::pool;
///
/// let written = |address: std::net::Ipv6Addr| {
///     let host = address.to_string().strip_prefix("1234:5678:9abc")?.to_owned();
///     Some(format!("home/{host}"))
/// };
/// let text = "1234:5678:9abc::10-1234:5678:9abc::1f: 192.0.2.1 at 1234:5678:9abc::10.";
/// assert_eq!(pool::in_words(text, written), "home/::10-::1f: 192.0.2.1 at home/::10.");
/// ```
pub fn in_words(text: &str, written: impl Fn(Ipv6Addr) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_of_address) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_of_address(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        // A colon or a full stop at the end may be the sentence's.
        let shorter = word.get(..word.len() - 1).unwrap_or_default();
        let read = |word: &str| written(word.parse().ok()?);
        let (form, tail) = match (read(word), read(shorter)) {
            (Some(form), _) => (form, ""),
            (None, Some(form)) => (form, word.get(shorter.len()..).unwrap_or_default()),
            (None, None) => (word.to_owned(), ""),
        };
        // The second end of a range repeats no name.
        let form = match form.split_once('/') {
            Some((name, host)) if is_second_end(&out, name) => host.to_owned(),
            _ => form,
        };
        out.push_str(&form);
        out.push_str(tail);
        rest = after;
    }
    out + rest
}

/// What the allocator said of an Eip, with its entries as they were written.
///
/// ```
/// use openelb_k8s::{api::Eip, pool};
///
/// let eip = Eip::new("edge", "home/::10");
/// let said = format!("{} is taken", pool::relative(&eip)[0].range.in_ledger());
/// assert_eq!(pool::as_written(&said, &eip), "home/::10 is taken");
/// ```
pub fn as_written(text: &str, eip: &Eip) -> String {
    let entries = relative(eip);
    in_words(text, |address| {
        let mut prefixes = entries.iter().map(|entry| entry.range.prefix());
        let name = prefixes.find(|name| ledger_space(name).contains(&address))?;
        let host = address.to_bits() & ((1 << HOST_BITS) - 1);
        Some(format!("{name}/{}", Ipv6Addr::from_bits(host)))
    })
}

/// What the allocator reads in place of an entry: the ledger's form of those that follow a prefix,
/// every other as it is. `Err` is what is wrong, and what to write instead.
pub(super) fn in_ledger(entry: &str) -> Result<String, (String, String)> {
    if !RelativeRange::is_meant_by(entry) {
        return Ok(entry.to_owned());
    }
    let range = entry.trim().parse::<RelativeRange>().map_err(|error| {
        let text = error.to_string();
        let (fact, next) = text
            .rsplit_once("; ")
            .unwrap_or((&text, "write NAME/::FIRST-::LAST"));
        (fact.to_owned(), next.to_owned())
    })?;
    let range = range.in_ledger();
    // As a prefix only where it was written as one: of a prefix the first address is not given.
    let is_prefix = entry.matches('/').count() > 1;
    Ok(if is_prefix {
        range.to_string()
    } else {
        format!("{}-{}", range.first(), range.last())
    })
}

fn is_of_address(c: char) -> bool {
    c.is_ascii_hexdigit() || matches!(c, ':' | '.')
}

/// Whether what was written so far ends in the first end of a range that follows this prefix.
fn is_second_end(before: &str, name: &str) -> bool {
    let first = before.strip_suffix('-').unwrap_or_default();
    let words = first
        .rsplit(|c: char| !is_of_address(c) && c != '/' && c != '-' && !c.is_ascii_alphanumeric());
    let last = words.into_iter().next().unwrap_or_default();
    last.strip_prefix(name)
        .is_some_and(|host| host.starts_with("/:"))
}

/// All entries with their keys.
fn written(eip: &Eip) -> impl Iterator<Item = (String, String)> {
    let address = super::entries(&eip.spec.address).into_iter();
    let address = address.map(|entry| (super::ADDRESS.to_owned(), entry));
    let exclude = eip.spec.exclude.iter().enumerate();
    let exclude =
        exclude.map(|(at, entry)| (format!("spec.exclude[{at}]"), entry.trim().to_owned()));
    address.chain(exclude)
}

fn advice(name: &PrefixName, known: &BTreeMap<PrefixName, u8>) -> String {
    let typed = name.to_string();
    let names: Vec<String> = known.keys().map(ToString::to_string).collect();
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&typed, known), known))
        .filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min();
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None if names.is_empty() => format!("add a DynamicPrefix of the name {typed}"),
        None => format!("add it, or write one of: {}", names.join(", ")),
    }
}

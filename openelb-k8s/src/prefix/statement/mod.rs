//! Prefixes as people and scripts write them: one a line, with what is left of their lifetimes.

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use thiserror::Error;

use super::Lease;

/// The prefixes of a file that was written at that time. Blank lines and what follows a `#` are
/// passed over; a file without any other line tells that there is no prefix.
///
/// ```
/// use openelb_ipam::Time;
/// use openelb_k8s::prefix::statement;
///
/// let text = "# from the uplink\n2001:db8::/56 preferred 1800 valid 3600\n";
/// let leases = statement::read(text, Time(1_000))?;
/// assert_eq!(leases[0].preferred_until, Some(Time(1_801_000)));
/// assert!(statement::read("2001:db8::1", Time(0)).is_err(), "an address is no prefix");
/// # Ok::<(), statement::StatementError>(())
/// ```
pub fn read(text: &str, written: Time) -> Result<Vec<Lease>, StatementError> {
    let mut leases: Vec<Lease> = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let text = text.split('#').next().unwrap_or_default();
        let mut words = text.split_whitespace();
        let Some(prefix) = words.next() else {
            continue;
        };
        let at = |problem| StatementError {
            line: line + 1,
            problem,
        };
        let lease = one(prefix, words, written).map_err(at)?;
        if leases.len() == MOST {
            return Err(at(Problem::TooMany));
        }
        leases.retain(|other| other.prefix != lease.prefix);
        leases.push(lease);
    }
    Ok(leases)
}

fn one<'a>(
    prefix: &str,
    mut words: impl Iterator<Item = &'a str>,
    written: Time,
) -> Result<Lease, Problem> {
    let net = prefix.parse::<Ipv6Net>();
    let net = net.map_err(|_| Problem::Prefix(shown(prefix)))?;
    let mut lease = Lease {
        prefix: net.trunc(),
        preferred_until: None,
        valid_until: None,
    };
    while let Some(word) = words.next() {
        let end = match word {
            "preferred" => &mut lease.preferred_until,
            "valid" => &mut lease.valid_until,
            _ => return Err(Problem::Word(shown(word))),
        };
        let number = words.next().unwrap_or_default();
        let seconds = number.parse::<u32>();
        let seconds = seconds.map_err(|_| Problem::Seconds(shown(number)))?;
        *end = super::lease::after(written, seconds);
    }
    // Nothing is preferred for longer than it is valid.
    if let Some(valid) = lease.valid_until {
        lease.preferred_until = Some(
            lease
                .preferred_until
                .map_or(valid, |until| until.min(valid)),
        );
    }
    Ok(lease)
}

/// At most so much of a word as an error needs.
fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}

/// Why a text does not tell prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct StatementError {
    /// The line at fault, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// It does not start with a prefix.
    #[error("`{0}` is no IPv6 prefix; write one such as 2001:db8::/56")]
    Prefix(String),
    /// A word that is not known.
    #[error("`{0}` is not known; write `preferred SECONDS` and `valid SECONDS`, or nothing")]
    Word(String),
    /// A lifetime that is none.
    #[error("`{0}` is no number of seconds; write 0 to 4294967295, the last for ever")]
    Seconds(String),
    /// More prefixes than anybody is delegated.
    #[error("more than {MOST} prefixes; keep those that are in use")]
    TooMany,
}

/// More than any site is delegated.
const MOST: usize = 64;

#[cfg(test)]
mod tests;

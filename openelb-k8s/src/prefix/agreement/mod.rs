//! What several web servers say the address of whoever asks is: only what enough of them say counts.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use thiserror::Error;

/// The address in a server's answer.
///
/// ```
/// use openelb_k8s::prefix::agreement::answer;
///
/// assert_eq!(answer("2001:db8::5\n").unwrap().to_string(), "2001:db8::5");
/// assert!(answer("192.0.2.1").unwrap_err().to_string().contains("IPv4"));
/// ```
pub fn answer(text: &str) -> Result<Ipv6Addr, AnswerError> {
    let text = text.trim();
    let shown = || text.chars().take(LONGEST_SHOWN).collect::<String>();
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if is_global(address) => Ok(address),
        Ok(IpAddr::V6(address)) => Err(AnswerError::NotGlobal(address)),
        Ok(IpAddr::V4(_)) => Err(AnswerError::Ipv4),
        Err(_) => Err(AnswerError::NoAddress(shown())),
    }
}

/// The prefix of this length that at least `quorum` of the answers lie in, if it is the only one.
///
/// Answers count by prefix, not by address: a host with temporary addresses may ask one server from
/// one and the next from another.
///
/// ```
/// use openelb_k8s::prefix::agreement::{answer, agree};
///
/// let answers = [answer("2001:db8::5"), answer("2001:db8::6"), answer("<html>")].map(|it| it.map_err(|e| e.to_string()));
/// assert_eq!(agree(&answers, 64, 2).unwrap().to_string(), "2001:db8::/64");
/// ```
pub fn agree(
    answers: &[Result<Ipv6Addr, String>],
    length: u8,
    quorum: usize,
) -> Result<Ipv6Net, Disagreement> {
    let mut votes: BTreeMap<Ipv6Net, usize> = BTreeMap::new();
    for address in answers.iter().flatten() {
        if let Ok(net) = Ipv6Net::new(*address, length) {
            *votes.entry(net.trunc()).or_default() += 1;
        }
    }
    let mut enough = votes.iter().filter(|(_, votes)| **votes >= quorum);
    match (enough.next(), enough.next()) {
        (Some((prefix, _)), None) => Ok(*prefix),
        _ => Err(Disagreement {
            quorum,
            votes: votes.into_iter().collect(),
            refused: answers
                .iter()
                .filter_map(|answer| answer.as_ref().err().cloned())
                .collect(),
        }),
    }
}

/// Why an answer tells no address of the outside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Something else, such as a page of a captive portal.
    #[error("answered `{0}`, which is no address")]
    NoAddress(String),
    /// It was reached over IPv4, or knows nothing else.
    #[error("answered with an IPv4 address; ask a server that has only IPv6 addresses")]
    Ipv4,
    /// An address that the outside does not see: the server is inside, or a prefix is translated.
    #[error("answered {0}, which is no global address")]
    NotGlobal(Ipv6Addr),
}

/// Not enough servers say the same, or enough of them say different things.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", told(self))]
pub struct Disagreement {
    /// How many would have had to agree.
    pub quorum: usize,
    /// Who said what.
    pub votes: Vec<(Ipv6Net, usize)>,
    /// What the others said.
    pub refused: Vec<String>,
}

fn told(disagreement: &Disagreement) -> String {
    let votes = disagreement.votes.iter();
    let votes = votes.map(|(prefix, votes)| format!("{votes} of {prefix}"));
    let said: Vec<String> = votes.chain(disagreement.refused.iter().cloned()).collect();
    format!(
        "{} servers must agree, and they said: {}",
        disagreement.quorum,
        if said.is_empty() {
            "nothing".to_owned()
        } else {
            said.join(", ")
        }
    )
}

/// Global unicast (RFC 4291 section 2.5.4, as far as it is in use): neither unique local nor any
/// other that another site may have as well.
pub(crate) fn is_global(address: Ipv6Addr) -> bool {
    address.to_bits() >> 125 == 0b001
}

const LONGEST_SHOWN: usize = 40;

#[cfg(test)]
mod tests;

//! Asks web servers and the resolver, each source on a thread of its own.

use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ipnet::Ipv6Net;
use ureq::Agent;
use ureq::config::IpFamily;

use super::pace::Pace;
use super::told::{Told, endless};
use super::{Outbox, StartError, clock};
use crate::prefix::{Lease, Source, agreement};

/// The thread of one source. It ends after its present question when this is dropped.
#[derive(Debug)]
pub(super) struct Asker {
    /// Nothing is ever sent: that it is gone is the word to stop.
    _stop: Sender<()>,
}

impl Asker {
    /// Starts to ask; `None` for a source that is not asked.
    pub(super) fn start(
        index: usize,
        source: Source,
        outbox: Outbox,
    ) -> Result<Option<Self>, StartError> {
        let (every, origin) = match &source {
            Source::Http { every, urls, .. } => (*every, format!("{} web servers", urls.len())),
            Source::Dns { every, name, .. } => (*every, name.clone()),
            _ => return Ok(None),
        };
        let (stop, stopped) = channel();
        let ask = move || {
            let seed = clock::now().0 ^ (index as u64).rotate_left(32);
            let (mut told, mut pace) = (Told::new(index, origin), Pace::new(every, seed));
            let agent = agent();
            loop {
                let answer = ask(&source, &agent);
                let pause = pace.next(answer.is_ok());
                outbox.send(match answer {
                    Ok(leases) => told.replace(leases),
                    Err(why) => told.fail(why),
                });
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let what = "web servers and names";
        std::thread::Builder::new()
            .name("openelb-ask".to_owned())
            .spawn(ask)
            .map_err(|why| StartError::Thread { what, why })?;
        Ok(Some(Self { _stop: stop }))
    }
}

fn ask(source: &Source, agent: &Agent) -> Result<Vec<Lease>, String> {
    match source {
        Source::Http {
            urls,
            quorum,
            length,
            ..
        } => {
            let answers = ask_all(agent, urls);
            let prefix = agreement::agree(&answers, *length, *quorum);
            prefix
                .map(|prefix| vec![endless(prefix)])
                .map_err(|error| error.to_string())
        }
        Source::Dns { name, length, .. } => look_up(name, *length),
        _ => Ok(Vec::new()),
    }
}

/// All at once, so that one that hangs costs no more than its own time.
fn ask_all(agent: &Agent, urls: &[String]) -> Vec<Result<Ipv6Addr, String>> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = urls
            .iter()
            .map(|url| scope.spawn(|| ask_one(agent, url)))
            .collect();
        let ended = || Err("the question ended early".to_owned());
        asked
            .into_iter()
            .map(|it| it.join().unwrap_or_else(|_| ended()))
            .collect()
    })
}

fn ask_one(agent: &Agent, url: &str) -> Result<Ipv6Addr, String> {
    let failed = |error: ureq::Error| format!("{url}: {error}");
    let mut response = agent.get(url).call().map_err(failed)?;
    let body = response.body_mut().with_config().limit(LONGEST_ANSWER);
    let text = body.read_to_string().map_err(failed)?;
    agreement::answer(&text).map_err(|error| format!("{url} {error}"))
}

/// Only over IPv6, because the question is from which IPv6 address it comes; never through a proxy,
/// whose address the answer would be.
fn agent() -> Agent {
    Agent::config_builder()
        .ip_family(IpFamily::Ipv6Only)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .max_redirects(3)
        .max_idle_connections(0)
        .user_agent(concat!("openelb/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn look_up(name: &str, length: u8) -> Result<Vec<Lease>, String> {
    let found = (name, 0).to_socket_addrs();
    let found = found.map_err(|error| format!("looking up {name}: {error}"))?;
    let mut prefixes: Vec<Ipv6Net> = found
        .filter_map(|address| match address.ip() {
            IpAddr::V6(address) if is_somebodys(address) => Ipv6Net::new(address, length).ok(),
            _ => None,
        })
        .map(|net| net.trunc())
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    if prefixes.is_empty() {
        return Err(format!("{name} has no IPv6 address; add an AAAA record"));
    }
    Ok(prefixes.into_iter().map(endless).collect())
}

/// Global, or unique local: a name may well be of a site only.
fn is_somebodys(address: Ipv6Addr) -> bool {
    agreement::is_global(address) || address.is_unique_local()
}

const PATIENCE: Duration = Duration::from_secs(10);
/// An address has at most 45 octets; pages of captive portals need not be read to their end.
const LONGEST_ANSWER: u64 = 1024;

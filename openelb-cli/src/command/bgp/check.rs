//! `openelb bgp check`: what is wrong with each peer, as far as can be told from here, and what to
//! do next.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr, SocketAddrV6, TcpStream};
use std::time::Duration;

use serde::Serialize;

use super::super::span;
use super::peers::remarks;
use crate::args::BgpPeerArgs;
use crate::engine::{BgpReport, PeerReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(args: &BgpPeerArgs, format: Format) -> Result<ExitCode, Failure> {
    let report = super::report_of(&args.place, args.peer.as_deref())?;
    let diagnosis = Diagnosis::of(&report);
    output::print(&diagnosis, format)?;
    Ok(if diagnosis.healthy {
        ExitCode::Success
    } else {
        ExitCode::Problems
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Diagnosis {
    healthy: bool,
    /// About the speaker itself.
    findings: Vec<String>,
    peers: Vec<PeerDiagnosis>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PeerDiagnosis {
    peer: String,
    healthy: bool,
    /// In the order in which they were looked at.
    facts: Vec<String>,
    findings: Vec<String>,
    next: Vec<String>,
}

impl Diagnosis {
    fn of(report: &BgpReport) -> Self {
        let mut findings: Vec<_> = report.trouble.iter().cloned().collect();
        if report.asn.is_none() {
            findings.push("there is no BgpConf; add one named `default`".to_owned());
        }
        if report.asn.is_some() && report.peers.is_empty() {
            findings.push("there is no BgpPeer for this node; add one".to_owned());
        }
        for listener in &report.listeners {
            let problem = listener.problem.as_ref();
            findings.extend(problem.map(|why| format!("listener {}: {why}", listener.address)));
        }
        for interface in &report.interfaces {
            let problem = interface.problem.as_ref();
            findings.extend(problem.map(|why| format!("{}: {why}", interface.interface)));
        }
        let peers: Vec<_> = report.peers.iter().map(PeerDiagnosis::of).collect();
        Self {
            healthy: findings.is_empty() && peers.iter().all(|peer| peer.healthy),
            findings,
            peers,
        }
    }
}

impl PeerDiagnosis {
    fn of(peer: &PeerReport) -> Self {
        let mut diagnosis = Self {
            peer: peer.name.clone(),
            healthy: false,
            facts: Vec::new(),
            findings: remarks(peer),
            next: Vec::new(),
        };
        match &peer.session {
            Some(session) => {
                let (asn, uptime) = (session.peer_as, span(session.uptime_seconds));
                let fact = format!("established with AS {asn} for {uptime}");
                diagnosis.facts.push(fact);
                let count = peer.total(|family| family.advertised);
                diagnosis.facts.push(format!("{count} routes advertised"));
                let pending = peer.total(|family| family.pending);
                if pending > 0 {
                    diagnosis.facts.push(format!("{pending} still to be sent"));
                }
            }
            None => diagnosis.look_at_connection(peer),
        }
        if let Some(bfd) = &peer.bfd {
            diagnosis
                .facts
                .push(format!("BFD is {}: {}", bfd.state, bfd.diagnostic));
        }
        diagnosis.advise(peer);
        diagnosis.healthy = peer.is_established() && diagnosis.findings.is_empty();
        diagnosis
    }

    fn look_at_connection(&mut self, peer: &PeerReport) {
        self.facts.push(format!("the session is {}", peer.state));
        let (Some(address), Some(port)) = (peer.address, peer.port) else {
            self.facts
                .push("the peer is waited for: this side does not dial".to_owned());
            return;
        };
        let (fact, next) = reachability(socket_address(address, port, &peer.remote));
        self.facts.push(fact);
        self.next.extend(next.map(str::to_owned));
    }

    /// What the last NOTIFICATION asks for (RFC 4271 section 6, RFC 4486).
    fn advise(&mut self, peer: &PeerReport) {
        let error = peer.last_error.as_ref().filter(|_| !peer.is_established());
        let code = error.and_then(|error| error.code.zip(error.subcode));
        let next = match code {
            Some((2, 2)) => {
                "compare `peerAs` here with the AS of the router, and the AS it expects"
            }
            Some((2, 3)) => "give each router its own router id",
            Some((2, 6)) => "use a hold time of 0 or at least 3 s on both sides",
            Some((2, 7)) => "enable on the router the families of `afiSafis`, or list fewer",
            Some((4, _)) => "look for loss, a firewall or an overloaded router between the two",
            Some((6, 2)) => "the other side is shut down on purpose: ask its operator",
            Some((6, 3)) => "the router has no such neighbor any more: ask its operator",
            Some((6, 5)) => "the router does not know this address or AS: add the neighbor there",
            Some((6, 10)) => "BFD says the path is broken: check the link between the two",
            _ => return,
        };
        self.next.push(next.to_owned());
    }
}

/// The address with the interface that a link-local one needs.
fn socket_address(address: IpAddr, port: u16, remote: &str) -> SocketAddr {
    let scope = remote.split_once('%').map(|(_, name)| name);
    let scope = scope.and_then(|name| nix::net::if_::if_nametoindex(name).ok());
    match (address, scope) {
        (IpAddr::V6(v6), Some(scope)) => SocketAddrV6::new(v6, port, 0, scope).into(),
        _ => (address, port).into(),
    }
}

/// Whether anybody accepts connections there, and what to do if not.
fn reachability(at: SocketAddr) -> (String, Option<&'static str>) {
    match TcpStream::connect_timeout(&at, PATIENCE) {
        Ok(_) => (format!("{at} accepts connections"), None),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => (
            format!("{at} refuses connections"),
            Some("start BGP on the router, and check `transport.remotePort`"),
        ),
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => (
            // With a TCP-MD5 key on the other side this probe, which has none, gets no answer.
            format!("{at} does not answer a connection without password"),
            Some(
                "if the router has a password for us, compare it with `authPassword` here; else \
                 check the route and firewalls between the two",
            ),
        ),
        Err(error) => (
            format!("{at} cannot be reached: {error}"),
            Some("check the link and the route to it: `ip route get ADDRESS`"),
        ),
    }
}

impl Report for Diagnosis {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for finding in &self.findings {
            writeln!(out, "{} {finding}", paint.bad("!"))?;
        }
        for peer in &self.peers {
            let verdict = if peer.healthy {
                paint.good("ok")
            } else {
                paint.bad("look")
            };
            writeln!(out, "{}: {verdict}", paint.strong(&peer.peer))?;
            for fact in &peer.facts {
                writeln!(out, "  {fact}")?;
            }
            for finding in &peer.findings {
                writeln!(out, "  {} {finding}", paint.bad("!"))?;
            }
            for next in &peer.next {
                writeln!(out, "  next: {next}")?;
            }
        }
        Ok(())
    }
}

/// Longer than a lost segment takes to be sent again.
const PATIENCE: Duration = Duration::from_secs(3);

//! `openelb announce --dev`: by ARP and NDP.

use std::net::IpAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::args::AnnounceArgs;
use crate::daemon;
use crate::exit_code::{ExitCode, Failure};
use crate::output;
use openelb_announce::Announcer;
use openelb_announce::announcer::{AddressStatus, Announcement, Event, Owner, State};
use openelb_announce::claim::{self, Probe};
use openelb_announce::link::InterfaceSelector;

pub(super) fn run(args: &AnnounceArgs, interface: &str) -> Result<ExitCode, Failure> {
    let interfaces: InterfaceSelector = interface.parse().map_err(|error| {
        Failure::new(ExitCode::Invalid, format!("--dev {interface}: {error}"))
            .next("write a name such as eth0, a glob, a prefix, can_reach:ADDRESS or all")
    })?;
    let announcer = Arc::new(daemon::start_announcer()?);
    let weak = Arc::downgrade(&announcer);
    let narrator = std::thread::spawn(move || narrate(&weak));
    let probe = if args.no_probe {
        Probe::Skip
    } else {
        Probe::Fast
    };
    let announcement = |address: &IpAddr| Announcement {
        address: *address,
        interfaces: interfaces.clone(),
        probe,
        owner: Owner::Sole,
    };
    announcer
        .announce(args.address.iter().map(announcement).collect())
        .map_err(|error| Failure::new(ExitCode::Invalid, error))?;
    super::wait(args.duration)?;
    let spoken_for = announced(&announcer);
    let outcome = verdict(&announcer);
    drop(announcer);
    if !spoken_for.is_empty() {
        output::print_text(&format!("withdrawn: {}\n", spoken_for.join(", ")))?;
    }
    // A thread that panicked has said so on standard error.
    let _ = narrator.join();
    outcome
}

/// The addresses that are answered for.
fn announced(announcer: &Announcer) -> Vec<String> {
    let status = announcer.status();
    let is_announced = |status: &&AddressStatus| matches!(status.state(), State::Announced { .. });
    status
        .iter()
        .filter(is_announced)
        .map(|status| status.address.to_string())
        .collect()
}

/// Whether every address was announced in the end.
fn verdict(announcer: &Announcer) -> Result<ExitCode, Failure> {
    for status in announcer.status() {
        for warning in &status.warnings {
            output::print_text(&format!("warning: {warning}\n"))?;
        }
        if let State::Announced { .. } = status.state() {
            continue;
        }
        let missing: Vec<_> = status.missing.iter().map(ToString::to_string).collect();
        let message = format!("{} is not announced: {}", status.address, status.state());
        let next = if missing.is_empty() {
            "see the lines above for what came in between".to_owned()
        } else {
            missing.join("; ")
        };
        return Err(Failure::new(ExitCode::Refused, message).next(next));
    }
    Ok(ExitCode::Success)
}

/// Tells what happens, until the announcer is gone.
fn narrate(announcer: &Weak<Announcer>) {
    while let Some(announcer) = announcer.upgrade() {
        let line = match announcer.events().recv_timeout(PAUSE) {
            Ok(event) => line(&event),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // Nobody reads any more: the addresses are announced all the same.
        if output::print_text(&line).is_err() {
            return;
        }
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::Address { interface, event } => match event {
            claim::Event::Probing(address) => format!("{interface}: probing {address}\n"),
            claim::Event::Announced(address) => format!("{interface}: announced {address}\n"),
            claim::Event::Released(address) => format!("{interface}: withdrawn {address}\n"),
            claim::Event::Conflict { address, mac, .. } => {
                format!("{interface}: conflict about {address} with {mac}\n")
            }
            other => format!("{interface}: {other:?}\n"),
        },
        Event::Paused { pause, lapsed } => {
            format!("paused for {pause:?}; starting again: {lapsed}\n")
        }
        other => format!("{other:?}\n"),
    }
}

const PAUSE: Duration = Duration::from_millis(50);

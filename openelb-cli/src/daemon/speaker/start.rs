//! Opening the network, with the rights that the configuration takes.

use openelb_announce::Announcer;
use openelb_announce::announcer::{AnnounceError, Options, Scheduling, StartError};

use super::super::rights::give_up_capabilities;
use crate::exit_code::{ExitCode, Failure};

/// What the configuration needs of the link.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Needs {
    /// Something is announced on one.
    pub(in super::super) link: bool,
    /// Virtual routers have a MAC or accept packets of their own.
    pub(in super::super) configuring: bool,
    /// An election has profile Fast.
    pub(in super::super) realtime: bool,
}

/// Opens the network and gives up every capability of this thread, and so of those it starts. What
/// opens sockets for interfaces that appear later is a thread of the announcer's own.
pub(crate) fn start_announcer() -> Result<Announcer, Failure> {
    start_announcer_for(Needs::default())
}

pub(super) fn start_announcer_for(needs: Needs) -> Result<Announcer, Failure> {
    let options = Options {
        configures_links: needs.configuring,
        ..Options::default()
    };
    let announcer = Announcer::start(options).map_err(|error| start_failure(&error))?;
    if let (true, Scheduling::Refused { reason }) = (needs.realtime, announcer.scheduling()) {
        let message = format!("cannot elect with profile Fast: {}", fact(reason));
        return Err(Failure::new(ExitCode::NotPermitted, message).next(REALTIME));
    }
    give_up_capabilities()?;
    Ok(announcer)
}

/// Whether the thread that answers and beats runs ahead of others.
pub(super) fn in_words(scheduling: &Scheduling) -> String {
    match scheduling {
        Scheduling::Realtime { priority } => format!("real-time, priority {priority}"),
        Scheduling::Ordinary => "ordinary".to_owned(),
        Scheduling::Refused { reason } => format!("ordinary: {}", fact(reason)),
    }
}

/// Why a set was not taken over, for operators.
pub(super) fn trouble(error: &AnnounceError) -> String {
    match error {
        AnnounceError::NeedsRealtime { .. } => {
            format!("{}; {REALTIME}", fact(&error.to_string()))
        }
        _ => error.to_string(),
    }
}

/// The announcer's own advice is for programs; the one for operators is another.
fn fact(text: &str) -> &str {
    text.split("; ").next().unwrap_or(text)
}

/// The failure to open the network, as the user sees it.
fn start_failure(error: &StartError) -> Failure {
    let (code, next) = match error {
        StartError::PacketSocket(_) => (
            ExitCode::NotPermitted,
            "run `setcap cap_net_raw+ep $(command -v openelb)`, or put \
             `AmbientCapabilities=CAP_NET_RAW` into the systemd unit, or run without the network: \
             `--no-announce`",
        ),
        _ => (ExitCode::Failed, "run without the network: `--no-announce`"),
    };
    let text = error.to_string();
    Failure::new(code, format!("cannot announce: {}", fact(&text))).next(next)
}

/// How to be allowed what profile Fast needs.
const REALTIME: &str = "give the daemon CAP_SYS_NICE, or `LimitRTPRIO=50` in its systemd unit, or write \
                        `profile: Normal`";

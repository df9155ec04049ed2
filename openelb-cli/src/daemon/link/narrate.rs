//! Events of the link as sentences that a person understands at night.

use openelb_announce::announcer::Event;
use openelb_announce::claim;
use openelb_announce::ownership::{self, GroupName, How, Mismatch, Refusal, Why};
use openelb_announce::vrrp;
use openelb_announce::vrrp::machine::Cause;
use tracing::{debug, info, warn};

use super::batch::{Move, Way};

/// One line in the log.
pub(super) fn log(event: &Event) {
    let Some(text) = text(event) else {
        return;
    };
    match level(event) {
        Level::Quiet => debug!("{text}"),
        Level::Normal => info!("{text}"),
        Level::Worry => warn!("{text}"),
    }
}

/// How much an operator wants to hear of an event.
enum Level {
    Quiet,
    Normal,
    Worry,
}

fn level(event: &Event) -> Level {
    match event {
        Event::Address { event, .. } => match event {
            claim::Event::Conflict { .. } | claim::Event::GroupsExhausted { .. } => Level::Worry,
            _ => Level::Normal,
        },
        Event::Ownership { event, .. } => match event {
            ownership::Event::Reannounce { .. } => Level::Quiet,
            ownership::Event::Listening
            | ownership::Event::NodeUp(_)
            | ownership::Event::Ordered { .. }
            | ownership::Event::Obeyed { .. }
            | ownership::Event::Drained => Level::Normal,
            _ => Level::Worry,
        },
        Event::Router { event, .. } => match event {
            vrrp::Event::Reannounce => Level::Quiet,
            vrrp::Event::Active { .. }
            | vrrp::Event::Backup { .. }
            | vrrp::Event::Initialized
            | vrrp::Event::Follows(_) => Level::Normal,
            _ => Level::Worry,
        },
        _ => Level::Worry,
    }
}

/// The sentence, where there is something to say.
pub(super) fn text(event: &Event) -> Option<String> {
    match event {
        Event::Address { interface, event } => Some(of_address(interface, event)),
        Event::Ownership { interface, event } => of_election(interface, event),
        Event::Router {
            router,
            interface,
            event,
        } => of_router(event).map(|text| format!("virtual router {router} on {interface}: {text}")),
        Event::Paused { pause, lapsed } => Some(format!(
            "this process did not run for {pause:?}; starting again: {lapsed}"
        )),
        Event::Missed(count) => Some(format!(
            "{count} events were missed; the status is complete"
        )),
        _ => None,
    }
}

fn of_address(interface: &str, event: &claim::Event) -> String {
    match event {
        claim::Event::Probing(address) => {
            format!("{address} on {interface}: looking whether somebody else has it")
        }
        claim::Event::Announced(address) => format!("{address} on {interface}: announced"),
        claim::Event::Released(address) => format!("{address} on {interface}: no longer answered"),
        claim::Event::Conflict { address, mac, .. } => {
            format!("{address} on {interface}: {mac} uses it too")
        }
        claim::Event::GroupsExhausted { address, limit, .. } => format!(
            "{address} on {interface}: no solicited-node group is left ({limit} are in use)"
        ),
        other => format!("{interface}: {other:?}"),
    }
}

fn of_election(interface: &str, event: &ownership::Event) -> Option<String> {
    let text = match event {
        ownership::Event::Listening => "listening who else is there before taking part".to_owned(),
        ownership::Event::Reannounce { .. } => return None,
        ownership::Event::NodeUp(node) => format!("node {node} is heard"),
        ownership::Event::NodeDown(node) => {
            format!("node {node} is heard no more; its addresses are taken over")
        }
        ownership::Event::DuplicateNode(node) => {
            format!("two nodes are called {node}; give each a name of its own with --node-name")
        }
        ownership::Event::Mismatch { node, what } => {
            format!("node {node} is set up differently: {}", of_mismatch(what))
        }
        ownership::Event::Refused { node, reason } => of_refusal(node.as_ref(), *reason),
        ownership::Event::Ordered { by, drain: true } => {
            format!("node {by} told this node to drain")
        }
        ownership::Event::Ordered { by, drain: false } => {
            format!("node {by} told this node to take part again")
        }
        ownership::Event::Obeyed { node, drain: true } => {
            format!("node {node} drains, as it was told")
        }
        ownership::Event::Obeyed { node, drain: false } => {
            format!("node {node} takes part again, as it was told")
        }
        ownership::Event::Unheeded { node } => {
            format!("node {node} did not do what it was told within half a minute")
        }
        ownership::Event::Drained => "everything that others can have is handed over".to_owned(),
        _ => return None,
    };
    Some(format!("election on {interface}: {text}"))
}

/// Shards that moved together, as one sentence.
pub(super) fn moved(moved: &Move, name: Option<&GroupName>) -> String {
    let group = name.map_or_else(|| moved.group.to_string(), ToString::to_string);
    // The only shard of a group is known by the group's name.
    let what = match (moved.shards, group.as_str()) {
        (1, name) if name.starts_with("service/") => group,
        (1, _) => format!("1 shard of {group}"),
        (count, _) => format!("{count} shards of {group}"),
    };
    let told = match &moved.way {
        Way::Here { how, is_doubtful } => {
            let how = match how {
                How::Cold => "nobody had it before",
                How::Takeover => "whoever had it fell silent",
                How::Handover => "whoever had it handed it over",
            };
            let doubt = if *is_doubtful {
                "; nothing at all is heard here, so this node may be cut off"
            } else {
                ""
            };
            format!("here now, {how}{doubt}")
        }
        Way::Away(why) => format!("no longer here, {}", of_loss(why)),
    };
    format!("election on {}: {what}: {told}", moved.interface)
}

/// The sentence in the log. What moves as planned is told by the addresses themselves.
pub(super) fn log_move(moved: &Move, text: &str) {
    match &moved.way {
        Way::Here {
            how: How::Handover, ..
        }
        | Way::Away(Why::HandedTo(_)) => debug!("{text}"),
        Way::Away(Why::Fenced | Why::Duplicate) => warn!("{text}"),
        _ => info!("{text}"),
    }
}

fn of_loss(why: &Why) -> String {
    match why {
        Why::HandedTo(node) => format!("handed over to {node}"),
        Why::Yielded(node) => format!("{node} has it too and comes first"),
        Why::Fenced => "no beat of ours left in time, so others may have taken it".to_owned(),
        Why::Excluded => "this node may not serve it".to_owned(),
        Why::LinkDown => "the link is down".to_owned(),
        Why::Left => "this node leaves".to_owned(),
        Why::Unconfigured => "the configuration has it no more".to_owned(),
        Why::Duplicate => "another node has this node's name".to_owned(),
    }
}

fn of_mismatch(what: &Mismatch) -> String {
    match what {
        Mismatch::Timing { ours, theirs } => format!(
            "it beats every {:?} and counts as dead after {:?}, here it is {:?} and {:?}; write the \
             same `profile` everywhere",
            theirs.0,
            theirs.1,
            ours.interval(),
            ours.dead_after()
        ),
        Mismatch::Shards { ours, theirs, .. } => format!(
            "it has {theirs} shards, here there are {ours}; write the same `shards` everywhere"
        ),
    }
}

fn of_refusal(node: Option<&ownership::NodeId>, reason: Refusal) -> String {
    let who = node.map_or_else(
        || "an unknown host".to_owned(),
        |node| format!("what calls itself {node}"),
    );
    format!("beats of {who} are refused: {}", in_words(reason))
}

/// Why a beat was refused, and what to do.
pub(super) fn in_words(reason: Refusal) -> &'static str {
    match reason {
        Refusal::HopLimit => "they came through a router",
        Refusal::Malformed => "they are no beats; does something else use the port?",
        Refusal::Version => "they have another version of the protocol; use one version everywhere",
        Refusal::Key => {
            "they are signed with a key that this node does not have; compare the key files"
        }
        Refusal::Signature => "the signature does not fit; compare the key files",
        Refusal::Stale => "they are old ones, sent again",
        Refusal::TooManyNodes => "there are more nodes than one link may have",
        _ => "of a reason that this command does not know",
    }
}

fn of_router(event: &vrrp::Event) -> Option<String> {
    Some(match event {
        vrrp::Event::Active { cause } => {
            let cause = match cause {
                Cause::Owner => "the addresses are this host's own",
                Cause::Silence => "the Active router fell silent",
                Cause::Left => "the Active router left",
                Cause::Preempts => "the Active router has a lower priority",
            };
            format!("Active here: {cause}")
        }
        vrrp::Event::Backup { why } => {
            let why = match why {
                vrrp::machine::Why::Started => "it starts by listening".to_owned(),
                vrrp::machine::Why::Yielded(other) => {
                    format!("{} has priority {}", other.address, other.priority)
                }
                vrrp::machine::Why::Fenced => "this host was paused".to_owned(),
                vrrp::machine::Why::StoodAside => "its priority is 0".to_owned(),
            };
            format!("Backup here: {why}")
        }
        vrrp::Event::Initialized => "takes no part".to_owned(),
        vrrp::Event::Follows(other) => {
            format!(
                "{} is Active with priority {}",
                other.address, other.priority
            )
        }
        vrrp::Event::Reannounce => return None,
        vrrp::Event::DuplicateVrid { source } => format!(
            "{source} uses the VRID for addresses of its own; write another `vrid` or `vridRange`"
        ),
        vrrp::Event::Mismatch { source, mismatch } => {
            format!("{source} is set up differently: {mismatch}")
        }
        vrrp::Event::Refused { source, reason } => {
            format!("packets of {source} are refused: {reason}")
        }
        vrrp::Event::Unusable(error) => format!("the settings are not used: {error}"),
    })
}

//! The election in the words of the command's own interface.

use std::time::Duration;

use openelb_announce::announcer::{SegmentStatus, ShardStatus};
use openelb_announce::ownership::{NodeStatus, Phase, Refusal, Shard, Standing};
use openelb_k8s::link::{Contest, Unit};

use super::Noted;
use crate::engine::{
    DrainReport, ElectionReport, NodeReport, SegmentCounters, SegmentReport, UnitReport,
};

/// The report of the elections on all links.
pub(in super::super) fn report(
    contest: &Contest,
    segments: &[SegmentStatus],
    noted: &Noted,
) -> ElectionReport {
    let units = contest.units.iter().flat_map(|unit| units(unit, segments));
    ElectionReport {
        node: Some(contest.election.node.to_string()),
        profile: Some(format!("{:?}", contest.election.profile)),
        draining: segments.iter().any(|segment| segment.status.is_draining),
        segments: segments.iter().map(|it| segment(it, noted)).collect(),
        units: units.collect(),
        ..ElectionReport::default()
    }
}

/// How far this node is drained as far as the elections go.
pub(in super::super) fn drained(election: &ElectionReport) -> DrainReport {
    let owned = |segment: &SegmentReport| segment.owned;
    let is_taker = |node: &NodeReport| node.state == IN_SERVICE;
    let alone = election.segments.iter();
    let alone = alone.filter(|segment| !segment.nodes.iter().any(is_taker));
    DrainReport {
        node: election.node.clone().unwrap_or_default(),
        draining: election.draining,
        owned: election.segments.iter().map(owned).sum(),
        unwanted: alone.map(owned).sum(),
        ..DrainReport::default()
    }
}

/// How far another node is drained, as it is heard here; `None` when no link knows it.
pub(in super::super) fn drained_elsewhere(
    election: &ElectionReport,
    name: &str,
) -> Option<DrainReport> {
    let nodes = election.segments.iter().flat_map(|segment| &segment.nodes);
    let heard: Vec<_> = nodes.filter(|node| node.name == name).collect();
    (!heard.is_empty()).then(|| DrainReport {
        node: name.to_owned(),
        draining: heard.iter().all(|node| node.draining),
        owned: heard.iter().map(|node| node.owned).sum(),
        ..DrainReport::default()
    })
}

fn segment(segment: &SegmentStatus, noted: &Noted) -> SegmentReport {
    let status = &segment.status;
    let counters = &status.counters;
    let node = status.node.as_ref();
    let groups = status.groups.iter();
    let owned = groups.filter_map(|group| group.owners.get(node?)).sum();
    let takeovers = noted.takeovers.get(&segment.interface);
    let refused = counters.refused.iter();
    let refused = refused.map(|(reason, count)| (word(*reason).to_owned(), *count));
    SegmentReport {
        interface: segment.interface.clone(),
        phase: phase(status.phase, status.is_draining).to_owned(),
        valid: status.valid_until.is_some(),
        owned: count(owned),
        nodes: status.nodes.iter().map(self::node).collect(),
        counters: SegmentCounters {
            sent: counters.sent,
            unsent: counters.unsent,
            heard: counters.heard,
            acquired: counters.acquired,
            takeovers: takeovers.copied().unwrap_or_default(),
            lost: counters.lost,
            contended: counters.contended,
            fenced: counters.fenced,
        },
        refused: refused.collect(),
        problems: problems(segment),
    }
}

/// What an operator should look at.
fn problems(segment: &SegmentStatus) -> Vec<String> {
    let place = &segment.interface;
    let failures = segment.failures.iter();
    let failures = failures.map(|why| format!("election on {place}: {why}"));
    let counters = &segment.status.counters;
    let refused = counters.refused.iter().filter(|(_, count)| **count > 0);
    let refused = refused.map(|(reason, count)| {
        let why = super::narrate::in_words(*reason);
        format!("election on {place}: {count} beats were refused: {why}")
    });
    let one_way = segment.status.nodes.iter().filter(|node| !node.is_mutual);
    let one_way = one_way.filter(|node| !node.is_indirect && !node.is_listening);
    let one_way = one_way.map(|node| {
        let name = &node.node;
        format!("election on {place}: {name} is heard but does not hear this node")
    });
    let left_out = (counters.groups_left_out > 0).then(|| {
        let count = counters.groups_left_out;
        format!(
            "election on {place}: {count} groups are more than a beat can carry, and nobody has them; \
             let services share a health check or a pool"
        )
    });
    let shadowed = (segment.status.phase == Phase::Shadowed).then(|| {
        format!(
            "election on {place}: another node has this node's name; name one of them with --node-name"
        )
    });
    let found = failures.chain(refused).chain(one_way);
    found.chain(left_out).chain(shadowed).collect()
}

fn node(node: &NodeStatus) -> NodeReport {
    let state = if node.is_leaving {
        "left"
    } else if node.is_draining {
        "draining"
    } else if node.is_listening {
        "listening"
    } else if node.is_deaf {
        "deaf"
    } else if node.is_indirect {
        "heard by others only"
    } else if !node.is_mutual {
        "does not hear us"
    } else {
        IN_SERVICE
    };
    NodeReport {
        name: node.node.to_string(),
        state: state.to_owned(),
        age_ms: milliseconds(node.age),
        heard_seconds: node.heard_for.as_secs(),
        owned: count(node.claims),
        draining: node.is_draining,
    }
}

fn phase(phase: Phase, is_draining: bool) -> &'static str {
    match phase {
        Phase::Idle => "link down",
        Phase::Listening { .. } => "listening",
        Phase::Running if is_draining => "draining",
        Phase::Running => IN_SERVICE,
        Phase::Shadowed => "name taken",
        Phase::Left => "left",
    }
}

/// The unit on every link that has it; at least one row, so that nothing is hidden.
fn units(unit: &Unit, segments: &[SegmentStatus]) -> Vec<UnitReport> {
    let shard = Shard::of(&unit.group.name, unit.group.shards, &unit.name);
    let row = UnitReport {
        addresses: unit.addresses.iter().copied().collect(),
        services: unit.services.iter().cloned().collect(),
        group: unit.group.name.to_string(),
        shard: shard.index,
        eligible: unit.group.standing != Standing::Excluded,
        ..UnitReport::default()
    };
    let here = segments.iter().filter_map(|segment| {
        let status = segment.shards.iter().find(|it| it.shard == shard)?;
        let has_address = status
            .addresses
            .iter()
            .any(|it| unit.addresses.contains(it));
        has_address.then(|| placed(&row, segment, status))
    });
    let here: Vec<_> = here.collect();
    if here.is_empty() { vec![row] } else { here }
}

fn placed(row: &UnitReport, segment: &SegmentStatus, status: &ShardStatus) -> UnitReport {
    UnitReport {
        interface: Some(segment.interface.clone()),
        owner: status.owner.as_ref().map(ToString::to_string),
        seconds: status.owned_for.map(|span| span.as_secs()),
        ..row.clone()
    }
}

/// One word, for metrics.
fn word(reason: Refusal) -> &'static str {
    match reason {
        Refusal::HopLimit => "hopLimit",
        Refusal::Malformed => "malformed",
        Refusal::Version => "version",
        Refusal::Key => "key",
        Refusal::Signature => "signature",
        Refusal::Stale => "stale",
        Refusal::TooManyNodes => "tooManyNodes",
        _ => "other",
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A node that takes part, here or elsewhere.
const IN_SERVICE: &str = "in service";

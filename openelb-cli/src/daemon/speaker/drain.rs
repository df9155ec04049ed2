//! Taking this node out of service, or another one by its beats.

use openelb_announce::ownership::NodeId;
use tracing::info;

use super::super::link;
use super::Speaker;
use crate::engine::{DrainReport, DrainStep};
use crate::exit_code::{ExitCode, Failure};

impl Speaker {
    /// One step of taking this node out of service, or of bringing it back: the links and BGP.
    pub(in super::super) fn drain(&mut self, step: DrainStep) -> Result<(), Failure> {
        let has_link = self.wanted.contest.is_some() || !self.wanted.routers.is_empty();
        if !has_link && !self.bgp.can_drain() {
            let message = "nothing here can move to another node";
            let next =
                "add a Layer2Conf, a vip pool or a BgpConf, and run it without --no-announce";
            return Err(Failure::new(ExitCode::Refused, message).next(next));
        }
        if self.bgp.can_drain() {
            self.bgp.drain(step);
        }
        let is_draining = step != DrainStep::Undo;
        if has_link && self.is_draining != is_draining {
            info!(
                "{}",
                if is_draining {
                    "draining: addresses are handed over to other nodes of the link"
                } else {
                    "in service again: addresses are taken back as the nodes agree"
                }
            );
            self.is_draining = is_draining;
            self.put_in_force();
        }
        // The order of another node holds on a link that this daemon has not heard it on, and must
        // not outlive the word of whoever stands here.
        if let Some(announcer) = self.announcer.as_ref().filter(|_| !is_draining) {
            announcer.drain(false);
        }
        Ok(())
    }

    /// Tells another node to drain, or to take part again.
    pub(in super::super) fn order(&self, node: &str, step: DrainStep) -> Result<(), Failure> {
        let unknown =
            |message: String, next: &str| Err(Failure::new(ExitCode::NotFound, message).next(next));
        let Some(election) = self.election() else {
            return unknown(
                format!("no election, and so no way to reach node `{node}`"),
                "ask the daemon of that node itself: `openelb drain` there",
            );
        };
        if link::drained_elsewhere(&election, node).is_none() {
            let nodes = election.segments.iter().flat_map(|segment| &segment.nodes);
            let mut names: Vec<_> = nodes.map(|node| node.name.as_str()).collect();
            names.dedup();
            let next = match names.as_slice() {
                [] => "no other node is heard; see `openelb l2 owners`".to_owned(),
                names => format!("nodes that are heard: {}", names.join(", ")),
            };
            return unknown(format!("no node `{node}` is heard"), &next);
        }
        if let (Some(announcer), Ok(node)) = (&self.announcer, NodeId::new(node)) {
            announcer.order_drain(&node, step != DrainStep::Undo);
        }
        Ok(())
    }

    /// How far a node is out of service; `None`: this one.
    pub(in super::super) fn drained(&self, node: Option<&str>) -> Result<DrainReport, Failure> {
        let election = self.election();
        if let Some(node) = node.filter(|node| !self.is_called(node)) {
            let heard = election.and_then(|election| link::drained_elsewhere(&election, node));
            return heard.ok_or_else(|| {
                Failure::new(
                    ExitCode::NotFound,
                    format!("node `{node}` is heard no more"),
                )
                .next("see `openelb l2 owners`")
            });
        }
        let routers = self.vrrp().map(|vrrp| vrrp.routers).unwrap_or_default();
        let active = routers.iter().filter(|router| router.state == "Active");
        let bgp = self.bgp.is_configured().then(|| self.bgp.report());
        let is_draining = self.is_draining || self.bgp.is_draining();
        Ok(DrainReport {
            draining: is_draining,
            active: Some(active.count().try_into().unwrap_or(u64::MAX)),
            bgp,
            ..election.as_ref().map(link::drained).unwrap_or_default()
        })
    }

    /// Whether this node has that name in the election.
    pub(in super::super) fn is_called(&self, node: &str) -> bool {
        let contest = self.wanted.contest.as_ref();
        contest.is_some_and(|contest| contest.election.node.as_str() == node)
    }
}

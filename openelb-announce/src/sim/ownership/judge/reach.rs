//! Who hears whom, by the beats that arrive.

use crate::time::Time;
use std::time::Duration;

/// The last beat of each node that reached each other one.
///
/// Node `b` *hears* node `a` from the moment at which a beat of `a` reaches the process of `b` until
/// none did for `window`. Two nodes are *connected* when each hears the other.
#[derive(Debug)]
pub(super) struct Reach {
    window: Duration,
    nodes: usize,
    /// At `b * nodes + a`: when `b` was last reached by a beat of `a`, and whether that still counts.
    links: Vec<Link>,
    next_silence: Time,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    last: Time,
    hears: bool,
}

/// A node falls silent for another one, or is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::ownership) struct Change {
    pub(in crate::sim::ownership) at: Time,
    pub(in crate::sim::ownership) listener: usize,
    pub(in crate::sim::ownership) speaker: usize,
    pub(in crate::sim::ownership) hears: bool,
}

impl Reach {
    pub(super) fn new(nodes: usize, window: Duration) -> Self {
        Self {
            window,
            nodes,
            links: vec![Link::default(); nodes * nodes],
            next_silence: Time::MAX,
        }
    }

    /// A beat of `speaker` reaches `listener`.
    pub(super) fn hear(&mut self, listener: usize, speaker: usize, now: Time) -> Option<Change> {
        let link = self.links.get_mut(listener * self.nodes + speaker)?;
        link.last = now;
        self.next_silence = self.next_silence.min(now + self.window);
        let change = Change {
            at: now,
            listener,
            speaker,
            hears: true,
        };
        (!std::mem::replace(&mut link.hears, true)).then_some(change)
    }

    /// A process is new or gone: it hears nobody.
    pub(super) fn forget(&mut self, listener: usize) {
        let start = listener * self.nodes;
        for link in self.links.iter_mut().skip(start).take(self.nodes) {
            link.hears = false;
        }
    }

    /// Who fell silent by `now`.
    pub(super) fn advance(&mut self, now: Time) -> Vec<Change> {
        if now <= self.next_silence {
            return Vec::new();
        }
        let (window, nodes) = (self.window, self.nodes);
        let mut silent = Vec::new();
        let mut next = Time::MAX;
        for (position, link) in self
            .links
            .iter_mut()
            .enumerate()
            .filter(|(_, link)| link.hears)
        {
            let at = link.last + window;
            if at < now {
                link.hears = false;
                silent.push(Change {
                    at,
                    listener: position / nodes,
                    speaker: position % nodes,
                    hears: false,
                });
            } else {
                next = next.min(at);
            }
        }
        self.next_silence = next;
        silent
    }

    pub(super) fn hears(&self, listener: usize, speaker: usize) -> bool {
        self.links
            .get(listener * self.nodes + speaker)
            .is_some_and(|link| link.hears)
    }

    /// Must one of two owners give way? So it is when they are connected, or when one hears the other,
    /// which hears a third: then that one is not deaf, and yields to whom it cannot hear.
    pub(super) fn must_agree(&self, a: usize, b: usize) -> bool {
        let (ab, ba) = (self.hears(a, b), self.hears(b, a));
        let is_deaf = |node: usize| (0..self.nodes).all(|other| !self.hears(node, other));
        (ab && !is_deaf(b)) || (ba && !is_deaf(a))
    }

    /// The nodes that are joined to `node` by hearing in either direction, as a bit set.
    pub(super) fn segment(&self, node: usize, among: u8) -> u8 {
        let mut members = bit(node) & among;
        loop {
            let near = |a: &usize| {
                let joins =
                    |b: usize| members & bit(b) != 0 && (self.hears(*a, b) || self.hears(b, *a));
                among & bit(*a) != 0 && (0..self.nodes).any(joins)
            };
            let more = (0..self.nodes)
                .filter(near)
                .fold(members, |all, a| all | bit(a));
            if more == members {
                return members;
            }
            members = more;
        }
    }
}

/// The bit of a node in a bit set; there are eight nodes at most.
pub(super) const fn bit(node: usize) -> u8 {
    if node < 8 { 1 << node } else { 0 }
}

//! The messages that wait to be sent, besides UPDATEs: at most one of each, so never more than a few.

use super::Messages;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::message::{Notification, Open, RefreshKind, RouteRefresh, write_keepalive};

/// What waits to be sent on one connection.
///
/// It is bounded by its shape: a second KEEPALIVE or the same request again says nothing new, and a
/// NOTIFICATION is the last thing that is ever said. KEEPALIVEs cost no allocation.
#[derive(Debug, Default)]
pub(in crate::bgp) struct Outbox {
    open: Option<Box<[u8]>>,
    keepalive: bool,
    refresh: PerFamily<bool>,
    notification: Option<Box<[u8]>>,
    // Nothing is taken after a NOTIFICATION (RFC 4271 section 4.5: the connection is closed next).
    is_sealed: bool,
}

impl Outbox {
    pub(in crate::bgp) fn push_open(&mut self, open: &Open) {
        let mut octets = Vec::new();
        open.write(&mut octets);
        self.open = Some(octets.into_boxed_slice());
    }

    pub(in crate::bgp) const fn push_keepalive(&mut self) {
        self.keepalive = !self.is_sealed;
    }

    pub(in crate::bgp) fn push_refresh(&mut self, family: Family) {
        self.refresh[family] = !self.is_sealed;
    }

    /// Says the last word.
    pub(in crate::bgp) fn push_notification(&mut self, notification: &Notification) {
        if self.is_sealed {
            return;
        }
        let mut octets = Vec::new();
        notification.write(&mut octets);
        *self = Self {
            open: self.open.take(),
            notification: Some(octets.into_boxed_slice()),
            is_sealed: true,
            ..Self::default()
        };
    }

    pub(in crate::bgp) fn is_empty(&self) -> bool {
        let refreshes = self.refresh.iter().any(|(_, waits)| *waits);
        self.open.is_none() && !self.keepalive && !refreshes && self.notification.is_none()
    }

    /// Appends whole messages, in the order in which they make sense, while they fit into `room`.
    pub(in crate::bgp) fn write(&mut self, out: &mut Vec<u8>, room: usize, sent: &mut Messages) {
        let end = out.len().saturating_add(room);
        if let Some(open) = self.open.take_if(|open| out.len() + open.len() <= end) {
            out.extend_from_slice(&open);
            sent.open += 1;
        }
        if self.keepalive && self.open.is_none() && out.len() + KEEPALIVE <= end {
            write_keepalive(out);
            self.keepalive = false;
            sent.keepalive += 1;
        }
        for (family, waits) in self.refresh.iter_mut() {
            if *waits && out.len() + REFRESH <= end {
                RouteRefresh::new(family, RefreshKind::Request).write(out);
                *waits = false;
                sent.route_refresh += 1;
            }
        }
        let fits = |octets: &mut Box<[u8]>| out.len() + octets.len() <= end;
        if self.open.is_none()
            && let Some(notification) = self.notification.take_if(fits)
        {
            out.extend_from_slice(&notification);
            sent.notification += 1;
        }
    }
}

/// Octets of a KEEPALIVE.
const KEEPALIVE: usize = 19;
/// Octets of a ROUTE-REFRESH.
const REFRESH: usize = 23;

#[cfg(test)]
mod tests;

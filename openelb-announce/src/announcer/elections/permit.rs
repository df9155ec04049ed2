//! What an election wants of the outer fence, on its way to whoever asks it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// An election wants the permit of a fence group, or does not need it any more.
///
/// Answer with [`Announcer::permit`](crate::Announcer::permit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitRequest {
    /// The present name of the interface that the election is on. Elections of different interfaces
    /// may share a permit or have one each, as the fence sees fit. When an interface is renamed, its
    /// permits are given back under the old name and wanted under the new one.
    pub interface: Arc<str>,
    /// The fence group, below [`Settings::fences`](crate::ownership::Settings::fences).
    pub fence: u16,
    /// Is it wanted, or given back?
    pub wanted: bool,
}

/// The permits that the election of one link wants.
pub(super) struct Permits {
    requests: Option<Sender<PermitRequest>>,
    wanted: BTreeSet<u16>,
}

impl Permits {
    /// None yet; `requests` is who asks for them.
    pub(super) fn new(requests: Option<Sender<PermitRequest>>) -> Self {
        Self {
            requests,
            wanted: BTreeSet::new(),
        }
    }

    /// The permit of this fence group is wanted, and held once it is there.
    pub(super) fn want(&mut self, interface: &Arc<str>, fence: u16) {
        if self.wanted.insert(fence) {
            self.ask(interface, fence, true);
        }
    }

    /// It is not needed any more.
    pub(super) fn release(&mut self, interface: &Arc<str>, fence: u16) {
        if self.wanted.remove(&fence) {
            self.ask(interface, fence, false);
        }
    }

    /// The interface has another name.
    pub(super) fn rename(&self, before: &Arc<str>, now: &Arc<str>) {
        for fence in &self.wanted {
            self.ask(before, *fence, false);
            self.ask(now, *fence, true);
        }
    }

    fn ask(&self, interface: &Arc<str>, fence: u16, wanted: bool) {
        let request = PermitRequest {
            interface: Arc::clone(interface),
            fence,
            wanted,
        };
        // Whoever asks may have ended: then no permit comes, and what is held ends by itself.
        let _ = self.requests.as_ref().map(|it| it.send(request));
    }
}

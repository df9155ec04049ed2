//! One connection of a model router.

use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::message::capability::extended_next_hop;
use crate::bgp::message::{AddPathMode, Capability, DecodeContext, Framer, GracefulRestart, Open};
use crate::time::Time;
use std::time::Duration;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    OpenSent,
    OpenConfirm,
    Established,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) is_ours: bool,
    pub(super) state: State,
    pub(super) framer: Framer,
    pub(super) context: DecodeContext,
    pub(super) hold: Option<Duration>,
    pub(super) hold_at: Time,
    pub(super) keepalive: Duration,
    pub(super) keepalive_at: Time,
    extended: bool,
    /// What the speaker said about restarts, if both sides have the capability.
    restart: Option<GracefulRestart>,
    /// Both sides keep routes through NOTIFICATIONs.
    notification: bool,
}

impl Session {
    pub(super) fn new(is_ours: bool, hold_at: Time) -> Self {
        Self {
            is_ours,
            state: State::OpenSent,
            framer: Framer::new(),
            context: DecodeContext::default(),
            hold: None,
            hold_at,
            keepalive: Duration::ZERO,
            keepalive_at: Time::MAX,
            extended: false,
            restart: None,
            notification: false,
        }
    }

    /// Both OPENs are known.
    pub(super) fn agree(&mut self, ours: &Open, theirs: &Open, now: Time) {
        let hold = Duration::from_secs(ours.hold_time.min(theirs.hold_time).into());
        self.hold = Some(hold).filter(|hold| !hold.is_zero());
        self.hold_at = self.hold.map_or(Time::MAX, |hold| now + hold);
        self.keepalive = hold / 3;
        self.keepalive_at = self.hold.map_or(Time::MAX, |hold| now + hold / 3);
        let sends_paths = |family| {
            let takes = ours.add_path(family).is_some_and(AddPathMode::receives);
            takes && theirs.add_path(family).is_some_and(AddPathMode::sends)
        };
        self.context = DecodeContext {
            four_octet_as: theirs.is_four_octet_as(),
            families: ours.families().intersection(theirs.families()),
            add_path: PerFamily::from_fn(sends_paths),
            extended_next_hop: extended_next_hop(&ours.capabilities, &theirs.capabilities),
            ebgp: ours.asn != theirs.asn,
            first_as: Some(theirs.asn).filter(|asn| *asn != ours.asn),
        };
        self.extended =
            ours.has(&Capability::ExtendedMessage) && theirs.has(&Capability::ExtendedMessage);
        let both = ours.graceful_restart().zip(theirs.graceful_restart());
        self.notification =
            both.is_some_and(|(ours, theirs)| ours.notification && theirs.notification);
        self.restart = both.map(|(_, theirs)| theirs.clone());
        self.state = State::OpenConfirm;
    }

    pub(super) fn establish(&mut self) {
        self.state = State::Established;
        if self.extended {
            self.framer.allow_extended_messages();
        }
    }

    pub(super) const fn keeps_through_notifications(&self) -> bool {
        self.notification
    }

    /// How long the speaker's routes are kept, if it asked for that.
    pub(super) fn restart_time(&self) -> Option<Duration> {
        let restart = self.restart.as_ref()?;
        Some(Duration::from_secs(restart.time.into()))
    }

    /// The families whose routes are kept.
    pub(super) fn restart_families(&self) -> FamilySet {
        self.named(|_| true)
    }

    /// The families whose stale routes may stay until End-of-RIB: those with the F bit.
    pub(super) fn forwarding_kept(&self, keeps: bool) -> FamilySet {
        self.named(|forwarding| forwarding && keeps)
    }

    fn named(&self, wanted: impl Fn(bool) -> bool) -> FamilySet {
        let families = self.restart.iter().flat_map(|restart| &restart.families);
        let wanted = |(family, forwarding): &(Family, bool)| wanted(*forwarding).then_some(*family);
        families.filter_map(wanted).collect()
    }
}

//! What is sent, and when beside the periodic packets (RFC 5880 section 6.8.7).

use std::time::Duration;

use super::{Authenticator, Flags, Octets, Output, Packet, Session};
use crate::time::Time;
use crate::wire::Writer;

impl Session {
    /// Sends what is news since the last packet, and lets the timer follow the interval.
    ///
    /// Every change of the contents is sent at once, lest the neighbour learns of it an interval
    /// late; the session's own changes and the packets that cause them bound how often that is.
    pub(super) fn speak(&mut self, now: Time) {
        if self.state == super::State::AdminDown && self.said.is_none() {
            return;
        }
        if !self.is_silent() && self.said != Some(self.packet()) {
            self.transmit(self.poll_flag(), now);
            self.schedule(self.transmit_interval(), now);
        }
        self.reschedule(now);
    }

    /// The timer has come.
    pub(super) fn transmit_periodically(&mut self, now: Time) {
        let interval = self.transmit_interval();
        if interval.is_some() {
            self.transmit(self.poll_flag(), now);
        }
        self.schedule(interval, now);
    }

    /// Answers a poll at once, whatever the timer says. The timer stays as it is.
    pub(super) fn answer_poll(&mut self, now: Time) {
        let last_periodic = self.last_sent;
        self.transmit(Flags::FINAL, now);
        self.last_sent = last_periodic.or(self.last_sent);
    }

    fn transmit(&mut self, flags: Flags, now: Time) {
        let said = self.packet();
        let packet = Packet {
            flags: said.flags.with(flags),
            ..said
        };
        let mut buffer = [0; ROOM];
        let written = match &mut self.authenticator {
            None => emit(&packet, None, &mut buffer),
            Some(authenticator) => emit(&packet, Some(authenticator), &mut buffer),
        };
        let octets = buffer.get(..written).unwrap_or_default();
        self.outputs
            .push_back(Output::Transmit(Octets::from_slice(octets)));
        self.said = Some(said);
        self.last_sent = Some(now);
        if flags.contains(Flags::POLL)
            && let Some(poll) = &mut self.poll
        {
            poll.is_asked = true;
        }
    }

    fn poll_flag(&self) -> Flags {
        if self.poll.is_some() {
            Flags::POLL
        } else {
            Flags::NONE
        }
    }

    /// What there is to say at present, without P and F.
    fn packet(&self) -> Packet {
        let flags = if self.settings.control_plane_independent {
            Flags::CONTROL_PLANE_INDEPENDENT
        } else {
            Flags::NONE
        };
        Packet {
            diagnostic: self.diagnostic,
            state: self.state,
            flags,
            multiplier: self.multiplier(),
            my_discriminator: self.discriminator,
            your_discriminator: self.remote.discriminator,
            desired_min_tx: self.timing.desired_min_tx,
            required_min_rx: self.timing.required_min_rx,
            required_min_echo_rx: Duration::ZERO,
        }
    }
}

/// Writes and, with an authenticator, signs a packet; returns how long it is.
fn emit(
    packet: &Packet,
    authenticator: Option<&mut Authenticator>,
    buffer: &mut [u8; ROOM],
) -> usize {
    let auth = authenticator.as_ref().map_or(0, |_| Authenticator::LENGTH);
    let (mandatory, section) = buffer.split_at_mut(Packet::LENGTH);
    let fits = "the buffer is as long as both sections";
    packet.emit(auth, &mut Writer::new(mandatory)).expect(fits);
    if let Some(authenticator) = authenticator {
        authenticator
            .sign(mandatory, &mut Writer::new(section))
            .expect(fits);
    }
    Packet::LENGTH + usize::from(auth)
}

const ROOM: usize = Packet::LENGTH + Authenticator::LENGTH as usize;

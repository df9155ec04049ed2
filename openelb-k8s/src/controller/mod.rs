//! Who gets which address, written so that several controllers at once give none twice.
//!
//! A [`Machine`] is told what the API server shows and what became of its writes, and says what to
//! write next. It does no I/O and reads no clock.

mod input;
mod output;
mod settings;

use std::collections::VecDeque;

use openelb_ipam::{Ipam, Time};

pub use input::{Input, Kind, Object, Outcome};
pub use output::{Change, ObjectRef, Occurrence, Output, ServiceApply, Write, WriteId};
pub use settings::Settings;

/// The controller: objects and answers in, writes out.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    ipam: Ipam,
    outputs: VecDeque<Output>,
}

impl Machine {
    /// A machine that has seen nothing and does not lead.
    pub fn new(settings: Settings) -> Self {
        Self {
            ipam: Ipam::new().with_seed(settings.seed),
            settings,
            outputs: VecDeque::new(),
        }
    }

    /// The operator's choices.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Learns one thing. O(what changed), but for an edit of the pools: O(addresses in use).
    pub fn handle_input(&mut self, input: Input, now: Time) {
        let _ = (input, now);
    }

    /// Does what is due. Call it when [`poll_timeout`](Self::poll_timeout) says so; earlier or later
    /// does no harm.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing to be done, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` is never.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Whether it leads, and all kinds are synced: before, it writes nothing.
    pub fn is_working(&self) -> bool {
        false
    }

    /// Who has what, as far as decided; what is decided may not be written yet.
    pub fn ipam(&self) -> &Ipam {
        &self.ipam
    }
}

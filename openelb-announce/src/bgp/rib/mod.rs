//! The routes of this speaker and what each peer has been told of them (RFC 4271 section 3.2).
//!
//! ```text
//!   desired routes ──▶ Rib ──Changes──▶ AdjRibOut (one a session) ──fill──▶ UPDATEs
//!                  slots, groups        advertised, dirty: two bits a slot
//! ```
//!
//! The [`Rib`] is shared by all sessions: every prefix is a slot that points at its attribute group.
//! A session knows of each slot only whether the peer has it and whether that is out of date. The
//! dirty bits are the queue: it cannot grow beyond the table, what changes twice before it is sent
//! is sent once, and a withdrawal of what was never sent is dropped.
//!
//! | operation | cost |
//! |---|---|
//! | [`Rib::replace`] | linear in both sets, sorted input is cheapest |
//! | [`Rib::change`] | linear in the change |
//! | [`AdjRibOut::note`] | constant for each change |
//! | [`AdjRibOut::fill`] | linear in what is written |
//! | [`AdjRibOut::refresh`], [`AdjRibOut::set_terms`] | linear in the table |
//!
//! [`AdjRibIn`] is the other direction: it counts, and keeps routes only when asked to. Out of those
//! that are imported [`LocRib`] chooses the best ones. Nothing leads from it to the [`Rib`]: what
//! peers announce is never announced to others.

mod adj_rib_in;
mod adj_rib_out;
mod bits;
mod export;
mod group;
mod loc_rib;
mod table;
mod terms;

pub use adj_rib_in::{AdjRibIn, Keep, PrefixLimitExceeded, Received, ReceivedCounts};
pub use adj_rib_out::{AdjRibOut, Filled, RouteCounts, Sent, SentState};
pub use export::Refusal;
pub use loc_rib::{Learned, LearnedRoute, LocRib, NotLearned, Path, Viewpoint};
pub use table::{Changes, Rib};
pub use terms::Terms;

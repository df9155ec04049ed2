//! A prefix that the network may change: which one is in use, which one was, and until when.
//!
//! ```text
//!               hold-down              a better one matured,            min(grace, valid lifetime)
//!   (seen) ──> tentative ──> preferred ── or this one is gone ──> deprecated ──> withdrawn
//!                  │             │  ^                                  │
//!                  v             │  └──────── told of again ───────────┘
//!              (gone again)      └─ no source tells of it: stays, degraded, until its valid lifetime ends
//! ```
//!
//! Make before break: the addresses of a new prefix are announced before those of the old one begin
//! to leave. Losing a source is not losing the prefix. What comes and goes within the hold-down
//! changes nothing.
//!
//! ```
//! use core::time::Duration;
//! use openelb_ipam::Time;
//! use openelb_ipam::dynamic_prefix::{Event, Input, Machine, Settings, Sighting};
//!
//! let seen = |prefix: &str| Input::Seen(Sighting {
//!     source: 0,
//!     origin: "wan0".into(),
//!     prefix: prefix.parse().unwrap(),
//!     preferred_until: None,
//!     valid_until: Some(Time(86_400_000)),
//! });
//! let (a, b) = ("2001:db8:a::/64", "2001:db8:b::/64");
//! let mut machine = Machine::new(Settings::default());
//!
//! // A is told of, and after the hold-down in use.
//! machine.handle_input(seen(a), Time(0));
//! machine.handle_timeout(Time(0));
//! machine.handle_timeout(machine.poll_timeout().unwrap());
//! assert_eq!(machine.poll_event(), Some(Event::Detected { prefix: a.parse()? }));
//!
//! // The provider replaces it by B.
//! let gone = Input::Gone { source: 0, origin: "wan0".into(), prefix: a.parse()? };
//! machine.handle_input(gone, Time(600_000));
//! machine.handle_input(seen(b), Time(600_000));
//! machine.handle_timeout(Time(600_000));
//! machine.handle_timeout(Time(615_000));
//! assert_eq!(machine.poll_event(), Some(Event::Renumbered { from: a.parse()?, to: b.parse()? }));
//!
//! // Once B is announced, A has an hour to leave.
//! machine.handle_input(Input::Announced { prefix: b.parse()? }, Time(616_000));
//! machine.handle_timeout(Time(616_000));
//! let until = Time(616_000) + Duration::from_secs(3_600);
//! assert_eq!(machine.generations().deprecated[0].until, Some(until));
//! machine.handle_timeout(until);
//! assert!(machine.generations().deprecated.is_empty());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod choose;
mod derivation;
mod explain;
mod generation;
mod input;
mod machine;
mod settings;
mod state;

#[cfg(test)]
mod tests;

pub use self::derivation::{Derivation, DeriveError, Part};
pub use self::explain::{Explanation, Tentative, Told, Verdict};
pub use self::generation::{Generation, Generations};
pub use self::input::{Event, Input, Sighting};
pub use self::machine::Machine;
pub use self::settings::{Scope, Settings};
pub use self::state::{Held, Known, State};

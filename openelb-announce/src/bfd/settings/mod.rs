//! What can be chosen for a BFD session, with the reason of every default.

use std::time::Duration;

use super::auth::Auth;

/// The behaviour of one end of a session. Start from `Settings::default()`.
///
/// ```
/// use openelb_announce::bfd::Settings;
/// use std::time::Duration;
///
/// let fast = Settings {
///     min_tx: Duration::from_millis(50),
///     min_rx: Duration::from_millis(50),
///     ..Settings::default()
/// };
/// assert_eq!(fast.validate(), Ok(()));
/// let too_nervous = Settings { multiplier: 1, ..fast };
/// assert!(too_nervous.validate().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Desired Min TX Interval: packets are sent no faster; 10 ms to 60 s. Default 300 ms, which
    /// every router supports. Below 1 s it takes effect once the session is up.
    pub min_tx: Duration,
    /// Required Min RX Interval: the neighbour is asked to send no faster; 10 ms to 60 s. Default
    /// 300 ms.
    pub min_rx: Duration,
    /// Detect Mult: how many of our packets the neighbour may miss before it declares the session
    /// down; 2 to 255. Default 3.
    pub multiplier: u8,
    /// `None` (default): a neighbour on the same link, whose packets must arrive with TTL 255
    /// (RFC 5881). A number: a neighbour behind routers, whose packets must arrive with at least
    /// that TTL, 1 to 254 (RFC 5883). FRR sends those with 255, BIRD with the kernel's usual 64.
    pub multihop: Option<u8>,
    /// How packets are authenticated; default not at all.
    pub auth: Option<Auth>,
    /// The passive role: say nothing until the neighbour was heard. Default false.
    pub passive: bool,
    /// The C bit: does BFD here survive the control plane? Default false, because it runs in the
    /// same process as the BGP speaker; a neighbour that helps a graceful restart must then not
    /// take a failing session for a failing path (RFC 5882 section 4.3.2).
    pub control_plane_independent: bool,
}

impl Settings {
    /// Checks every bound; the error names the field.
    pub fn validate(&self) -> Result<(), SettingsError> {
        for (field, interval) in [("min_tx", self.min_tx), ("min_rx", self.min_rx)] {
            if !(SHORTEST..=LONGEST).contains(&interval) {
                return Err(SettingsError::Interval { field, interval });
            }
        }
        if self.multiplier < 2 {
            return Err(SettingsError::Multiplier(self.multiplier));
        }
        match self.multihop {
            Some(ttl @ (0 | 255)) => Err(SettingsError::MinimumTtl(ttl)),
            _ => Ok(()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_tx: Duration::from_millis(300),
            min_rx: Duration::from_millis(300),
            multiplier: 3,
            multihop: None,
            auth: None,
            passive: false,
            control_plane_independent: false,
        }
    }
}

/// Why settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An interval is out of bounds.
    #[error("BFD {field} of {interval:?} is not between 10 ms and 60 s")]
    Interval {
        /// Which.
        field: &'static str,
        /// What was asked for.
        interval: Duration,
    },
    /// With a multiplier of 1 the loss of a single packet would end the session.
    #[error("BFD multiplier {0} is not between 2 and 255")]
    Multiplier(u8),
    /// No packet can arrive with TTL 0, and TTL 255 means a neighbour on the same link.
    #[error(
        "BFD minimum TTL {0} is not between 1 and 254; for a neighbor on the same link leave it out"
    )]
    MinimumTtl(u8),
}

// What a timer of an ordinary kernel can still keep, and the longest that routers accept.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;

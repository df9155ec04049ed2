//! BFD Control packets: the mandatory section and the header of the authentication section.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       My Discriminator                        |
//! |                      Your Discriminator                       |
//! |                    Desired Min TX Interval                    |
//! |                   Required Min RX Interval                    |
//! |                 Required Min Echo RX Interval                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::fmt;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use crate::wire::{NoRoom, Reader, Truncated, Writer, wire_enum};

/// The mandatory section of a BFD Control packet (RFC 5880 section 4.1).
///
/// Values that no valid packet holds (a zero multiplier or own discriminator) cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Why the sender's session last changed state.
    pub diagnostic: Diagnostic,
    /// The state of the sender's session.
    pub state: State,
    /// P, F, C, D; the A bit is derived from the authentication section when a packet is written.
    pub flags: Flags,
    /// How many packets in a row may be missing before the receiver declares the session down.
    pub multiplier: NonZeroU8,
    /// The sender's name for the session.
    pub my_discriminator: NonZeroU32,
    /// The receiver's name for the session; `None` (zero on the wire) while unknown.
    pub your_discriminator: Option<NonZeroU32>,
    /// The shortest interval at which the sender would like to transmit; whole microseconds.
    pub desired_min_tx: Duration,
    /// The shortest interval at which the sender can receive; zero: it wants no periodic packets.
    pub required_min_rx: Duration,
    /// The shortest interval at which the sender can receive Echo packets; zero: it wants none.
    pub required_min_echo_rx: Duration,
}

/// A packet as it came: the mandatory section, and the octets that an authentication covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The mandatory section.
    pub packet: Packet,
    /// As many octets of the payload as the Length field says, from the first on.
    pub octets: &'a [u8],
    /// The authentication section: what follows the mandatory section when the A bit is set.
    pub auth: Option<&'a [u8]>,
}

impl Packet {
    /// Octets of the mandatory section.
    pub const LENGTH: usize = 24;

    /// Reads a UDP payload, with the rules of RFC 5880 section 6.8.6 that need no session, in their
    /// order. Octets after the Length field's end are ignored.
    pub fn decode(payload: &[u8]) -> Result<Received<'_>, DecodeError> {
        let mut reader = Reader::new(payload);
        let (first, second) = (reader.u8()?, reader.u8()?);
        let (multiplier, length) = (reader.u8()?, usize::from(reader.u8()?));
        let version = first >> 5;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let flags = Flags(second & Flags::ALL);
        let has_auth = flags.contains(Flags::AUTHENTICATION);
        let shortest = if has_auth {
            LENGTH_WITH_AUTH
        } else {
            Self::LENGTH
        };
        if length < shortest {
            return Err(DecodeError::Length { length, shortest });
        }
        let octets = payload.get(..length).ok_or_else(|| Truncated {
            missing: length.saturating_sub(payload.len()),
        })?;
        let multiplier = NonZeroU8::new(multiplier).ok_or(DecodeError::NoMultiplier)?;
        if flags.contains(Flags::MULTIPOINT) {
            return Err(DecodeError::Multipoint);
        }
        let my_discriminator =
            NonZeroU32::new(reader.u32()?).ok_or(DecodeError::NoDiscriminator)?;
        let your_discriminator = NonZeroU32::new(reader.u32()?);
        let state = State::from_bits(second >> 6);
        if your_discriminator.is_none() && !matches!(state, State::Down | State::AdminDown) {
            return Err(DecodeError::NotAddressed(state));
        }
        let mut interval = || reader.u32().map(|us| Duration::from_micros(us.into()));
        let packet = Self {
            diagnostic: Diagnostic::from(first & 0x1f),
            state,
            flags: flags.without(Flags::AUTHENTICATION),
            multiplier,
            my_discriminator,
            your_discriminator,
            desired_min_tx: interval()?,
            required_min_rx: interval()?,
            required_min_echo_rx: interval()?,
        };
        let auth = octets.get(Self::LENGTH..).filter(|_| has_auth);
        Ok(Received {
            packet,
            octets,
            auth,
        })
    }

    /// Writes the mandatory section of a packet whose authentication section is `auth` octets long
    /// (zero: none). Intervals beyond 71 minutes, the longest that fits, are written as that.
    pub fn emit(&self, auth: u8, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        let flags = if auth == 0 {
            self.flags.without(Flags::AUTHENTICATION)
        } else {
            self.flags.with(Flags::AUTHENTICATION)
        };
        out.octets(&[
            VERSION << 5 | u8::from(self.diagnostic) & 0x1f,
            self.state.bits() << 6 | flags.0,
            self.multiplier.get(),
            LENGTH_ON_WIRE.saturating_add(auth),
        ])?;
        out.u32(self.my_discriminator.get())?;
        out.u32(self.your_discriminator.map_or(0, NonZeroU32::get))?;
        for interval in [
            self.desired_min_tx,
            self.required_min_rx,
            self.required_min_echo_rx,
        ] {
            out.u32(u32::try_from(interval.as_micros()).unwrap_or(u32::MAX))?;
        }
        Ok(())
    }
}

/// The state of a session (RFC 5880 section 6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum State {
    /// Held down by an administrator; no statement about the path.
    AdminDown,
    /// The session is down, or was just created.
    #[default]
    Down,
    /// The neighbour is heard, but does not hear us yet.
    Init,
    /// Both hear each other.
    Up,
}

impl State {
    const fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::AdminDown,
            1 => Self::Down,
            2 => Self::Init,
            _ => Self::Up,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::AdminDown => 0,
            Self::Down => 1,
            Self::Init => 2,
            Self::Up => 3,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AdminDown => "AdminDown",
            Self::Down => "Down",
            Self::Init => "Init",
            Self::Up => "Up",
        })
    }
}

wire_enum! {
    /// Why a session last changed state (RFC 5880 section 4.1).
    pub enum Diagnostic(u8) {
        /// Nothing to tell.
        None = 0,
        /// The neighbour was not heard for the detection time.
        ControlDetectionTimeExpired = 1,
        /// The neighbour's Echo packets stopped coming back.
        EchoFunctionFailed = 2,
        /// The neighbour said that its session is down.
        NeighborSignaledSessionDown = 3,
        /// The forwarding plane was reset; what it did before cannot be relied on.
        ForwardingPlaneReset = 4,
        /// Something else reported that the path is down.
        PathDown = 5,
        /// A concatenated path is down.
        ConcatenatedPathDown = 6,
        /// An administrator holds the session down.
        AdministrativelyDown = 7,
        /// A concatenated path is down, in the other direction.
        ReverseConcatenatedPathDown = 8,
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::None => "no diagnostic",
            Self::ControlDetectionTimeExpired => "control detection time expired",
            Self::EchoFunctionFailed => "echo function failed",
            Self::NeighborSignaledSessionDown => "neighbor signaled session down",
            Self::ForwardingPlaneReset => "forwarding plane reset",
            Self::PathDown => "path down",
            Self::ConcatenatedPathDown => "concatenated path down",
            Self::AdministrativelyDown => "administratively down",
            Self::ReverseConcatenatedPathDown => "reverse concatenated path down",
            Self::Unknown(code) => return write!(f, "diagnostic {code}"),
        };
        f.write_str(name)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Diagnostic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Diagnostic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("{words:?} is no BFD diagnostic"));
        // Five bits on the wire.
        let mut all = (0..32).map(Self::from);
        all.find(|it| it.to_string() == words).ok_or_else(unknown)
    }
}

/// The one-bit fields of the second octet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// P: the sender wants an answer with F.
    pub const POLL: Self = Self(0x20);
    /// F: the answer to P.
    pub const FINAL: Self = Self(0x10);
    /// C: the sender's BFD goes on when its control plane stops.
    pub const CONTROL_PLANE_INDEPENDENT: Self = Self(0x08);
    /// A: an authentication section follows.
    pub const AUTHENTICATION: Self = Self(0x04);
    /// D: the sender wants no periodic packets while both sides are up.
    pub const DEMAND: Self = Self(0x02);
    /// M: reserved for point-to-multipoint; never set.
    pub const MULTIPOINT: Self = Self(0x01);
    const ALL: u8 = 0x3f;

    /// Are all flags of `other` set here?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags but those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Why a payload is discarded before a session is looked for (RFC 5880 section 6.8.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another version of the protocol.
    #[error("BFD version {0} is not 1")]
    Version(u8),
    /// The Length field says less than the sections take that the packet claims to have.
    #[error("BFD packet says it is {length} octets long, less than {shortest}")]
    Length {
        /// What the field says.
        length: usize,
        /// What it must say at least.
        shortest: usize,
    },
    /// The payload ends before the Length field says.
    #[error("BFD packet {0}")]
    Truncated(#[from] Truncated),
    /// The detection multiplier is zero.
    #[error("BFD packet has a detection multiplier of zero")]
    NoMultiplier,
    /// The multipoint bit is set.
    #[error("BFD packet is for point-to-multipoint")]
    Multipoint,
    /// My Discriminator is zero.
    #[error("BFD packet names no session of its sender")]
    NoDiscriminator,
    /// Your Discriminator is zero in a state that can only be reached by hearing us.
    #[error("BFD packet in state {0} names no session of ours")]
    NotAddressed(State),
}

const VERSION: u8 = 1;
const LENGTH_ON_WIRE: u8 = 24;
// With at least the type and length of an authentication section.
const LENGTH_WITH_AUTH: usize = 26;

#[cfg(test)]
mod tests;

//! Which neighbours are watched: the whole set, checked at the door.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::bfd::{Hops, Settings, SettingsError};

/// A neighbour to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The neighbour's address, of either family.
    pub peer: IpAddr,
    /// Our address; `None`: whichever the routing table chooses. Required when routers lie between
    /// and this host has several addresses that the neighbour could take for the session's.
    pub local: Option<IpAddr>,
    /// The interface by name; `None`: any. Link-local neighbours need it.
    pub interface: Option<String>,
    /// How.
    pub settings: Settings,
    /// Hold the session in `AdminDown`: the neighbour is told that nothing is wrong.
    pub is_admin_down: bool,
}

impl Target {
    /// What the session of this target is called in status and events.
    pub fn id(&self) -> SessionId {
        SessionId {
            peer: self.peer,
            local: self.local,
            interface: self.interface.clone(),
            hops: match self.settings.multihop {
                None => Hops::Single,
                Some(_) => Hops::Multiple,
            },
        }
    }
}

/// Between whom a session runs: what must be the same for two targets to be one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionId {
    /// The neighbour's address.
    pub peer: IpAddr,
    /// Our address, if it was chosen.
    pub local: Option<IpAddr>,
    /// The interface, if it was chosen.
    pub interface: Option<String>,
    /// Whether routers lie between.
    pub hops: Hops,
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.peer)?;
        if let Some(interface) = &self.interface {
            write!(f, "%{interface}")?;
        }
        if let Some(local) = self.local {
            write!(f, " from {local}")?;
        }
        match self.hops {
            Hops::Single => Ok(()),
            Hops::Multiple => f.write_str(" (multihop)"),
        }
    }
}

/// Why a set of targets was not taken over. The previous set stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// Settings of a target are out of bounds.
    #[error("BFD with {session}: {source}")]
    Settings {
        /// Which.
        session: SessionId,
        /// Which setting, and its bounds.
        source: SettingsError,
    },
    /// A link-local address is on every link.
    #[error("BFD with {session}: a link-local neighbor needs an interface; name it")]
    NoInterface {
        /// Which.
        session: SessionId,
    },
    /// Our address and the neighbour's are of different families.
    #[error("BFD with {session}: both addresses must be of one family")]
    Families {
        /// Which.
        session: SessionId,
    },
    /// Two targets mean the same session and want it otherwise.
    #[error("BFD with {session} is asked for twice with different settings; make them equal")]
    Contradiction {
        /// Which.
        session: SessionId,
    },
    /// The thread has ended.
    #[error("BFD has ended ({reason}); start it again")]
    Ended {
        /// Why it ended.
        reason: String,
    },
}

/// A checked set of targets.
pub(super) type Desired = BTreeMap<SessionId, Wanted>;

/// How a session is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) settings: Settings,
    pub(super) is_admin_down: bool,
}

/// Checks `targets`; equal ones are one.
pub(super) fn check(targets: Vec<Target>) -> Result<Desired, SetError> {
    let mut desired = Desired::new();
    for target in targets {
        let session = target.id();
        if let Err(source) = target.settings.validate() {
            return Err(SetError::Settings { session, source });
        }
        let is_link_local =
            matches!(target.peer, IpAddr::V6(address) if address.is_unicast_link_local());
        if is_link_local && target.interface.is_none() {
            return Err(SetError::NoInterface { session });
        }
        if target
            .local
            .is_some_and(|local| local.is_ipv4() != target.peer.is_ipv4())
        {
            return Err(SetError::Families { session });
        }
        let wanted = Wanted {
            settings: target.settings,
            is_admin_down: target.is_admin_down,
        };
        if desired.get(&session).is_some_and(|other| *other != wanted) {
            return Err(SetError::Contradiction { session });
        }
        desired.insert(session, wanted);
    }
    Ok(desired)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(peer: &str) -> Target {
        Target {
            peer: peer.parse().unwrap(),
            local: None,
            interface: None,
            settings: Settings::default(),
            is_admin_down: false,
        }
    }

    #[test]
    fn equal_targets_are_one_session_and_contradictions_are_refused() {
        let one = target("192.0.2.1");
        assert_eq!(check(vec![one.clone(), one.clone()]).unwrap().len(), 1);
        let mut other = one.clone();
        other.settings.multiplier = 5;
        let error = check(vec![one.clone(), other]).unwrap_err();
        assert!(matches!(error, SetError::Contradiction { .. }), "{error}");
        let mut far = one.clone();
        far.settings.multihop = Some(250);
        assert_eq!(check(vec![one, far]).unwrap().len(), 2);
    }

    #[test]
    fn errors_name_the_session_and_what_to_change() {
        let mut nervous = target("192.0.2.1");
        nervous.settings.multiplier = 1;
        let mut mixed = target("192.0.2.1");
        mixed.local = Some("2001:db8::1".parse().unwrap());
        for (target, words) in [
            (nervous, "192.0.2.1: BFD multiplier 1"),
            (target("fe80::1"), "fe80::1: a link-local neighbor needs"),
            (mixed, "192.0.2.1 from 2001:db8::1: both addresses"),
        ] {
            let error = check(vec![target]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

//! Names inside the machine: of Services, of the objects that hold records, of moments.

use std::fmt;
use std::sync::Arc;

use openelb_ipam::OwnerKey;

use super::Kind;
use crate::names;

/// A Service as a record names it: `namespace/name`. Cloning copies a pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(Arc<str>);

impl Key {
    pub(super) fn new(namespace: &str, name: &str) -> Self {
        Self(format!("{namespace}/{name}").into())
    }

    /// The Service of a record; `None` when the text names none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        let key = OwnerKey::new(names::SERVICE_OWNER_KIND, namespace, name).ok()?;
        let is_plain = !namespace.is_empty() && !key.name().contains('/');
        is_plain.then(|| Self(text.into()))
    }

    /// The Service of an owner in the ledger of addresses.
    pub(super) fn of(owner: &OwnerKey) -> Option<Self> {
        let is_service = owner.kind() == names::SERVICE_OWNER_KIND;
        is_service.then(|| Self::new(owner.namespace(), owner.name()))
    }

    pub(super) fn namespace(&self) -> &str {
        self.0
            .split_once('/')
            .map_or("", |(namespace, _)| namespace)
    }

    pub(super) fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The owner in the ledger of addresses; `None` for names that no API server lets through.
    pub(super) fn owner(&self) -> Option<OwnerKey> {
        OwnerKey::new(names::SERVICE_OWNER_KIND, self.namespace(), self.name()).ok()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object that holds records: an Eip or a block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LedgerId {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
}

impl LedgerId {
    pub(super) fn eip(name: impl Into<Arc<str>>) -> Self {
        Self {
            kind: Kind::Eip,
            name: name.into(),
        }
    }

    pub(super) fn block(name: impl Into<Arc<str>>) -> Self {
        Self {
            kind: Kind::Block,
            name: name.into(),
        }
    }
}

/// What a request or a timer is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Ledger(LedgerId),
    Service(Key),
    /// All who wait: what they are told may be true no more.
    Waiting,
}

/// A place in the order of all that this machine saw and did. 0 is before everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(pub(super) u64);

/// Whether a version of an object is older than another one.
///
/// An API server counts versions upwards over all its objects, and since KEP-5504 clients may rely on
/// it. What is no number is never older.
pub(crate) fn is_older(version: &str, than: &str) -> bool {
    let numbers = version.parse::<u64>().ok().zip(than.parse::<u64>().ok());
    numbers.is_some_and(|(version, than)| version < than)
}

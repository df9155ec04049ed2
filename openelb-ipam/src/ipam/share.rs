//! Who may share an address: MetalLB's rules.
//!
//! Sharers have the same key, the same backend, and no port in common. A lone owner changes its key
//! in place. An empty key never shares.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::Ipam;
use super::choose::Ask;
use super::owners::{PoolIndex, Slot};
use super::refusal::ShareRefusal;
use crate::request::Sharing;

/// Whether the asker may be at an address beside those who are; else who stands in the way, and why.
pub(super) fn check(
    ipam: &Ipam,
    sharing: &Sharing,
    claims: &[Slot],
    wanted: Option<&Sharing>,
    ask: &Ask<'_>,
) -> Result<(), (Slot, ShareRefusal)> {
    let others = || {
        claims
            .iter()
            .copied()
            .filter(|slot| Some(*slot) != ask.slot)
    };
    let Some(first) = others().next() else {
        return Ok(());
    };
    let why = match wanted {
        None => Some(ShareRefusal::NoKey),
        Some(wanted) if wanted.key != sharing.key => Some(ShareRefusal::OtherKey),
        Some(wanted) if wanted.backend != sharing.backend => Some(ShareRefusal::OtherBackend),
        Some(_) => None,
    };
    if let Some(why) = why {
        return Err((first, why));
    }
    let clash = others().find_map(|slot| {
        let port = ipam.owners.get(slot)?.ports().clash(&ask.request.ports)?;
        Some((slot, ShareRefusal::Port(port)))
    });
    clash.map_or(Ok(()), Err)
}

impl Ipam {
    /// The sharing that the request asks for in a pool: its own, or the one that the pool gives to
    /// all owners of a namespace who say nothing about it. An empty key says: with nobody.
    pub(super) fn sharing_in<'a>(
        &self,
        ask: &Ask<'a>,
        pool: PoolIndex,
    ) -> Option<Cow<'a, Sharing>> {
        if let Some(own) = &ask.request.sharing {
            return (!own.key.is_empty()).then_some(Cow::Borrowed(own));
        }
        let state = self.pools.get(usize::from(pool))?;
        let is_shared = state.pool.spec().share_pinned;
        is_shared.then(|| Cow::Owned(Sharing::of_namespace(ask.owner.key.namespace())))
    }
}

/// Whether a pool gave this sharing to the owners of a namespace: its key is for no one's eyes.
pub(super) fn is_of_namespace(sharing: &Sharing) -> bool {
    sharing.key.starts_with(NAMESPACE_MARK)
}

impl Sharing {
    /// The sharing of all owners of a namespace in a pool with
    /// [`share_pinned`](crate::PoolSpec::share_pinned): what the row of such an owner says when it
    /// has no key of its own, for front ends that make rows out of records of another form.
    ///
    /// ```
    /// # use openelb_ipam::Sharing;
    /// assert_ne!(Sharing::of_namespace("shop"), Sharing::new("shop"));
    /// ```
    pub fn of_namespace(namespace: &str) -> Self {
        Self {
            key: format!("{NAMESPACE_MARK}{namespace}"),
            backend: String::new(),
        }
    }
}

/// A control character keeps such keys apart from all that users write.
const NAMESPACE_MARK: char = '\u{1f}';

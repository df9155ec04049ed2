//! What an UPDATE says, in words that neither decoder chose.

/// How grave the gravest fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disposition {
    Accept,
    Discard,
    Withdraw,
}

/// Routes and attributes as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) withdrawn: Vec<String>,
    /// Prefixes with their next hops.
    pub(crate) announced: Vec<String>,
    pub(crate) as_path: String,
    pub(crate) origin: Option<u8>,
    pub(crate) med: Option<u32>,
    pub(crate) local_pref: Option<u32>,
    pub(crate) communities: Vec<u32>,
    pub(crate) large_communities: Vec<(u32, u32, u32)>,
    pub(crate) extended_communities: Vec<u64>,
}

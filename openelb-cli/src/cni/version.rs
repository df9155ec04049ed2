//! Versions of the CNI specification, and what each of them knows.

use std::fmt;

/// A version of the CNI specification that this plugin speaks, in the order in which they appeared.
///
/// ```
/// use openelb_cli::cni::Version;
///
/// assert_eq!(Version::read("1.1.0"), Some(Version::V1_1_0));
/// assert!(Version::V0_4_0 < Version::V1_0_0);
/// assert_eq!(Version::read("2.0.0"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.1.0: one address of each family, under `ip4` and `ip6`.
    V0_1_0,
    /// 0.2.0: as 0.1.0, with VERSION.
    V0_2_0,
    /// 0.3.0: any number of addresses, under `ips`.
    V0_3_0,
    /// 0.3.1: as 0.3.0.
    V0_3_1,
    /// 0.4.0: CHECK.
    V0_4_0,
    /// 1.0.0: addresses no longer carry their family.
    V1_0_0,
    /// 1.1.0: GC, STATUS and more about routes.
    V1_1_0,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] = [
        Self::V0_1_0,
        Self::V0_2_0,
        Self::V0_3_0,
        Self::V0_3_1,
        Self::V0_4_0,
        Self::V1_0_0,
        Self::V1_1_0,
    ];

    /// The newest version.
    pub const NEWEST: Self = Self::V1_1_0;

    /// The version with this name.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == text)
    }

    /// As it is written in `cniVersion`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

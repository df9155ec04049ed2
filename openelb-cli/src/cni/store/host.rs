//! Which boot of which machine this is, and the mark that a boot leaves on a directory.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A boot of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// A hash of the kernel's boot ID.
    pub boot: u64,
    /// A hash of the machine's own ID; a data directory may be shared between machines.
    pub machine: u64,
}

impl Host {
    /// This machine, now. Without a boot ID (no `/proc`) every start counts as the same boot.
    pub fn here() -> Self {
        let boot = fs::read(BOOT_ID).unwrap_or_default();
        let machine = fs::read(MACHINE_ID).or_else(|_| fs::read(HOST_NAME));
        Self {
            boot: hash(&[boot.trim_ascii()]),
            machine: hash(&[machine.unwrap_or_default().trim_ascii()]),
        }
    }
}

/// The modification time that a directory is left with, to the nanosecond.
///
/// The microseconds of a mark are a hash of the boot, its nanoseconds zero. Whoever creates or removes a file afterwards, and
/// whoever was killed before it set the mark, leaves the directory with another time. So an equal mark
/// proves that nothing happened since, and a mark of an earlier boot that nothing happened in this one,
/// whatever clock the machine came up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seconds: u64,
    pub(crate) nanoseconds: u32,
}

impl Mark {
    /// What a directory shows.
    pub(crate) fn of(modified: SystemTime) -> Self {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        }
    }

    /// This second's mark of a boot: people who list the directory see the true time.
    pub(crate) fn of_boot(self, boot: u64) -> Self {
        let hashed = hash(&[&boot.to_le_bytes(), &self.seconds.to_le_bytes()]);
        Self {
            seconds: self.seconds,
            nanoseconds: u32::try_from(hashed % 1_000_000).unwrap_or_default() * 1000,
        }
    }

    /// Whether this is the mark of some second of that boot.
    pub(crate) fn is_of_boot(self, boot: u64) -> bool {
        self == self.of_boot(boot)
    }

    pub(crate) fn time(self) -> SystemTime {
        UNIX_EPOCH + Duration::new(self.seconds, self.nanoseconds)
    }
}

/// FNV-1a with 64 bits: the same in every build, since its values are on the disk. Parts do not run together.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().chain(&[0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const MACHINE_ID: &str = "/etc/machine-id";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

//! An address file: named by the address, holding who has it, in host-local's form.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::OFlag;

use super::host::hash;
use crate::cni::invocation::Attachment;

/// What an address file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// `containerID CR LF ifname`.
    Attachment {
        container: String,
        interface: String,
    },
    /// A container ID alone, as host-local wrote it before 2019; or a word that a person wrote.
    Container(String),
    /// Nothing that names a container: kept free of containers by a person, or not even a file.
    Nobody,
}

impl Holder {
    /// Reads the content of a file.
    pub(crate) fn read(content: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(content) else {
            return Self::Nobody;
        };
        let text = text.trim();
        match text.split_once(LINE_END) {
            Some((container, interface)) => Self::Attachment {
                container: container.to_owned(),
                interface: interface.to_owned(),
            },
            None if text.is_empty() => Self::Nobody,
            None => Self::Container(text.to_owned()),
        }
    }

    /// What ADD writes.
    pub(crate) fn text(attachment: &Attachment) -> String {
        format!(
            "{}{LINE_END}{}",
            attachment.container(),
            attachment.interface()
        )
    }

    /// The key in the index; `None` for nobody.
    pub(crate) fn key(&self) -> Option<u64> {
        match self {
            Self::Attachment {
                container,
                interface,
            } => Some(key(container, Some(interface))),
            Self::Container(container) => Some(key(container, None)),
            Self::Nobody => None,
        }
    }

    /// Whether DEL of the attachment frees this, an old file of its container included.
    pub(crate) fn is(&self, attachment: &Attachment) -> bool {
        match self {
            Self::Attachment {
                container,
                interface,
            } => container == attachment.container() && interface == attachment.interface(),
            Self::Container(container) => container == attachment.container(),
            Self::Nobody => false,
        }
    }
}

/// The keys under which an attachment's addresses stand in the index: its own, and that of old files.
pub(crate) fn keys(attachment: &Attachment) -> [u64; 2] {
    let container = attachment.container();
    [
        key(container, Some(attachment.interface())),
        key(container, None),
    ]
}

/// What is in the address file at a path, and when its inode last changed; `None` when there is none.
///
/// Links are not followed and devices not waited for: whatever they are, the address is not free.
pub(crate) fn read_file(path: &Path) -> io::Result<Option<(Holder, Option<SystemTime>)>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if path.is_symlink() || error.raw_os_error() == Some(nix::libc::ENXIO) => {
            return Ok(Some((Holder::Nobody, None)));
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LONGEST_CONTENT {
        return Ok(Some((Holder::Nobody, None)));
    }
    let mut content = Vec::with_capacity(128);
    file.take(LONGEST_CONTENT).read_to_end(&mut content)?;
    Ok(Some((Holder::read(&content), changed(&metadata))))
}

/// The address that a file name stands for, in the one spelling that ADD writes.
pub(crate) fn address_of(name: &str) -> Option<IpAddr> {
    name.parse::<IpAddr>().ok()
}

/// When the inode last changed, which no program can set.
pub(super) fn changed(metadata: &Metadata) -> Option<SystemTime> {
    let seconds = u64::try_from(metadata.ctime()).ok()?;
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).ok()?;
    Some(UNIX_EPOCH + Duration::new(seconds, nanoseconds))
}

fn key(container: &str, interface: Option<&str>) -> u64 {
    match interface {
        Some(interface) => hash(&[container.as_bytes(), interface.as_bytes()]),
        None => hash(&[container.as_bytes()]),
    }
}

const LINE_END: &str = "\r\n";
/// A container ID and an interface name are at most 1,041 bytes.
const LONGEST_CONTENT: u64 = 4096;

//! What the kernel counts about segments whose MD5 signature was wrong, missing or not expected.

use std::fs;
use std::io;

/// Segments dropped since the network namespace was made, of all its connections together. The
/// kernel drops them without a word to either program, so only these numbers tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignatureCounters {
    /// Signed with another key than ours.
    pub(crate) wrong: u64,
    /// Not signed, although we have a key.
    pub(crate) missing: u64,
    /// Signed, although we have no key.
    pub(crate) unexpected: u64,
}

impl SignatureCounters {
    /// The numbers of the calling thread's network namespace: one file of some 4 KiB, some 20 us.
    pub(crate) fn read() -> io::Result<Self> {
        // `/proc/net` would be that of the process's first thread.
        fs::read_to_string("/proc/thread-self/net/netstat").map(|text| Self::parse(&text))
    }

    /// How many more than `earlier`.
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self {
            wrong: self.wrong.saturating_sub(earlier.wrong),
            missing: self.missing.saturating_sub(earlier.missing),
            unexpected: self.unexpected.saturating_sub(earlier.unexpected),
        }
    }

    /// All together.
    pub(crate) const fn total(self) -> u64 {
        self.wrong + self.missing + self.unexpected
    }

    /// The file is made of pairs of lines: names, then numbers, each behind the table's name. A
    /// kernel without MD5 signatures does not have the names: then nothing was counted.
    fn parse(text: &str) -> Self {
        let mut counters = Self::default();
        let mut lines = text.lines();
        while let (Some(names), Some(numbers)) = (lines.next(), lines.next()) {
            if !names.starts_with("TcpExt:") {
                continue;
            }
            for (name, number) in names.split_whitespace().zip(numbers.split_whitespace()) {
                let number = number.parse().unwrap_or(0);
                match name {
                    "TCPMD5Failure" => counters.wrong = number,
                    "TCPMD5NotFound" => counters.missing = number,
                    "TCPMD5Unexpected" => counters.unexpected = number,
                    _ => {}
                }
            }
        }
        counters
    }
}

#[cfg(test)]
mod tests;

//! How many packets have come in on each interface (`/proc/net/dev`).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

/// The kernel's counters of received packets, read anew each time.
///
/// Of the thread's own network namespace, unlike `/sys/class/net`, which shows that of whoever
/// mounted it. Takes no capability. Some 20 us with ten interfaces.
#[derive(Debug)]
pub(crate) struct Receptions {
    file: File,
    text: String,
}

impl Receptions {
    /// Opens the counters of the calling thread's network namespace.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            file: File::open(PATH)?,
            text: String::new(),
        })
    }

    /// Reads them. What an earlier reading said stays when it fails.
    pub(crate) fn read(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.text.clear();
        self.file.read_to_string(&mut self.text).map(drop)
    }

    /// How many packets had come in on `interface` when they were last read.
    pub(crate) fn of(&self, interface: &str) -> Option<u64> {
        self.text.lines().find_map(|line| count(line, interface))
    }
}

/// A line is the name, a colon, the octets and the packets that came in, and more.
fn count(line: &str, interface: &str) -> Option<u64> {
    let (name, numbers) = line.split_once(':')?;
    if name.trim_start() != interface {
        return None;
    }
    numbers.split_whitespace().nth(1)?.parse().ok()
}

const PATH: &str = "/proc/thread-self/net/dev";

#[cfg(test)]
mod tests;

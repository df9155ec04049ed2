//! Notices that a configuration file changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// The files of a configuration, as they were when somebody looked.
#[derive(Debug)]
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    known: Vec<Option<Stamp>>,
}

impl Files {
    /// Looks at the files. Call it before reading them, so that no change is lost in between.
    pub(crate) fn look(paths: &[PathBuf]) -> Self {
        Self {
            paths: paths.to_vec(),
            known: stamps(paths),
        }
    }

    /// The files.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Calls `changed` whenever one of the files was written or replaced, looked at once a second.
    ///
    /// Looking at the files themselves also sees a replaced symbolic link, which is how mounted
    /// configuration maps change and what a watch on a directory misses.
    pub(super) async fn watch(mut self, changed: impl Fn()) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = stamps(&self.paths);
            if now != self.known {
                self.known = now;
                changed();
            }
        }
    }
}

/// What tells two versions of a file apart without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| {
        let found = fs::metadata(path).ok()?;
        let modified = (found.mtime(), found.mtime_nsec());
        Some(Stamp {
            inode: found.ino(),
            size: found.size(),
            modified,
        })
    };
    paths.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::stamps;

    #[test]
    fn writing_replacing_and_removing_a_file_each_change_its_stamp() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let paths = [path.clone()];
        let absent = stamps(&paths);
        fs::write(&path, "one").unwrap();
        let written = stamps(&paths);
        assert_ne!(absent, written);
        assert_eq!(written, stamps(&paths));

        let other = directory.path().join("b.yaml");
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &path).unwrap();
        let replaced = stamps(&paths);
        assert_ne!(written, replaced);
        fs::remove_file(&path).unwrap();
        assert_eq!(stamps(&paths), absent);
    }
}

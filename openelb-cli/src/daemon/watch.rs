//! Notices that a configuration file changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// The files of a configuration, as they were when somebody looked. Clones look together.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    known: Arc<Mutex<Vec<Option<Stamp>>>>,
}

impl Files {
    /// Looks at the files. Call it before reading them, so that no change is lost in between.
    pub(crate) fn look(paths: &[PathBuf]) -> Self {
        Self {
            paths: paths.to_vec(),
            known: Arc::new(Mutex::new(stamps(paths))),
        }
    }

    /// The files.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Looks again and says whether anything changed since somebody looked last.
    pub(super) fn look_again(&self) -> bool {
        let now = stamps(&self.paths);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_changed = *known != now;
        *known = now;
        is_changed
    }

    /// Calls `changed` whenever one of the files was written or replaced, looked at once a second.
    ///
    /// Looking at the files themselves also sees a replaced symbolic link, which is how mounted
    /// configuration maps change and what a watch on a directory misses.
    pub(super) async fn watch(self, changed: impl Fn()) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.look_again() {
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

    use super::Files;

    #[test]
    fn writing_replacing_and_removing_a_file_are_each_noticed_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let files = Files::look(std::slice::from_ref(&path));
        assert!(!files.look_again());
        fs::write(&path, "one").unwrap();
        assert!(files.look_again());
        assert!(!files.clone().look_again(), "a clone looks with it");

        let other = directory.path().join("b.yaml");
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(files.look_again());
        fs::remove_file(&path).unwrap();
        assert!(files.look_again());
        assert!(!files.look_again());
    }
}

//! Every cut of the power leaves a state that existed, and never loses what was acknowledged.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::{Batch, DirectoryLock, LockError, MemoryStore, RedbStore, Store, StoreError, Stored};

/// One thing that reached the storage.
#[derive(Debug, Clone)]
enum Op {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
    /// The commit to this generation returned to its caller.
    Acknowledged(u64),
}

/// A file in memory that keeps a record of everything that happened to it.
#[derive(Debug, Clone, Default)]
struct Recorder {
    bytes: Arc<Mutex<Vec<u8>>>,
    ops: Arc<Mutex<Vec<Op>>>,
    /// Writes fail from this many operations on.
    fails_after: Option<usize>,
}

impl Recorder {
    fn with(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Arc::new(Mutex::new(bytes)),
            ..Self::default()
        }
    }

    fn record(&self, op: Op) -> io::Result<()> {
        let mut ops = self.ops.lock().unwrap();
        if self.fails_after.is_some_and(|limit| ops.len() >= limit) {
            return Err(io::Error::other("no space left on device"));
        }
        apply(&mut self.bytes.lock().unwrap(), &op);
        ops.push(op);
        Ok(())
    }
}

impl StorageBackend for Recorder {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let bytes = self.bytes.lock().unwrap();
        let found = bytes
            .get(start..start + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.record(Op::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.record(Op::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.record(Op::Write(offset, data.to_vec()))
    }
}

fn apply(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Write(offset, data) => {
            let start = usize::try_from(*offset).unwrap();
            if bytes.len() < start + data.len() {
                bytes.resize(start + data.len(), 0);
            }
            bytes[start..start + data.len()].copy_from_slice(data);
        }
        Op::SetLen(len) => bytes.resize(usize::try_from(*len).unwrap(), 0),
        Op::Sync | Op::Acknowledged(_) => {}
    }
}

/// How the last operation before the cut, and those not yet synced, end up on the disk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Everything written arrived: the process was killed.
    Kill,
    /// Nothing since the last sync arrived.
    Drop,
    /// The last write arrived in half.
    Truncate,
    /// The last write arrived with one bit turned over.
    BitFlip,
}

fn image_after(ops: &[Op], fault: Fault) -> Vec<u8> {
    let synced = ops
        .iter()
        .rposition(|op| matches!(op, Op::Sync))
        .map_or(0, |index| index + 1);
    let kept = if fault == Fault::Drop {
        &ops[..synced]
    } else {
        ops
    };
    let mut bytes = Vec::new();
    for (index, op) in kept.iter().enumerate() {
        let is_last = index + 1 == kept.len();
        match (op, fault) {
            (Op::Write(offset, data), Fault::Truncate) if is_last => {
                apply(
                    &mut bytes,
                    &Op::Write(*offset, data[..data.len() / 2].to_vec()),
                );
            }
            (Op::Write(offset, data), Fault::BitFlip) if is_last => {
                let mut data = data.clone();
                let middle = data.len() / 2;
                data[middle] ^= 0x10;
                apply(&mut bytes, &Op::Write(*offset, data));
            }
            _ => apply(&mut bytes, op),
        }
    }
    bytes
}

fn batch(from: u64, puts: &[(&str, &str)], deletes: &[&str]) -> Batch {
    Batch {
        from,
        to: from + 1,
        puts: puts
            .iter()
            .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .collect(),
        deletes: deletes.iter().map(|key| key.as_bytes().to_vec()).collect(),
    }
}

/// Five commits: rows appear, change and vanish.
fn story() -> Vec<Batch> {
    let long = "x".repeat(9_000);
    vec![
        batch(0, &[("a", "1"), ("b", "1"), ("c", "1")], &[]),
        batch(1, &[("b", "2"), ("big", &long)], &["a"]),
        batch(2, &[("a", "3"), ("d", "3")], &[]),
        batch(3, &[], &["big", "c"]),
        batch(4, &[("e", "5")], &["b"]),
    ]
}

/// The rows after each number of commits.
fn states() -> Vec<Stored> {
    let mut rows = BTreeMap::new();
    let mut states = vec![Stored::default()];
    for batch in story() {
        for key in &batch.deletes {
            rows.remove(key);
        }
        rows.extend(batch.puts);
        states.push(Stored {
            generation: batch.to,
            rows: rows.clone().into_iter().collect(),
        });
    }
    states
}

fn recorded_story() -> Vec<Op> {
    let storage = Recorder::default();
    let mut store = RedbStore::with_backend(storage.clone()).unwrap();
    for batch in story() {
        store.commit(&batch).unwrap();
        storage.record(Op::Acknowledged(batch.to)).unwrap();
    }
    drop(store);
    storage.ops.lock().unwrap().clone()
}

fn acknowledged(ops: &[Op]) -> u64 {
    let generation = |op: &Op| match op {
        Op::Acknowledged(generation) => Some(*generation),
        _ => None,
    };
    ops.iter().filter_map(generation).max().unwrap_or(0)
}

fn reopened(image: Vec<u8>) -> Result<Stored, StoreError> {
    RedbStore::with_backend(Recorder::with(image))?.load()
}

#[test]
fn a_cut_at_any_write_leaves_a_committed_state_with_everything_acknowledged() {
    let (ops, states) = (recorded_story(), states());
    let mut opened = 0;
    for cut in 1..=ops.len() {
        for fault in [Fault::Kill, Fault::Drop, Fault::Truncate, Fault::BitFlip] {
            let seen = &ops[..cut];
            let stored = match reopened(image_after(seen, fault)) {
                Ok(stored) => stored,
                // Before the first sync there is no file yet that could be read.
                Err(_) if acknowledged(seen) == 0 => continue,
                // A disk that turns bits is told apart from one that loses writes, and is no
                // reason to guess.
                Err(_) if fault == Fault::BitFlip => continue,
                Err(error) => panic!("cut after {cut} operations, {fault:?}: {error}"),
            };
            opened += 1;
            assert!(
                states.contains(&stored),
                "cut {cut}, {fault:?}: a state that never existed"
            );
            assert!(
                stored.generation >= acknowledged(seen),
                "cut {cut}, {fault:?}: lost a commit"
            );
        }
    }
    assert!(
        opened > ops.len(),
        "the cuts must not all end in errors: {opened} of {}",
        ops.len()
    );
}

#[test]
fn a_bit_turned_over_anywhere_in_the_file_is_harmless_or_an_error() {
    let (ops, states) = (recorded_story(), states());
    let whole = image_after(&ops, Fault::Kill);
    let last = states.last().unwrap();
    let mut refused = 0;
    // Every 509th byte (a prime, so that all places within a page come up) of the used part.
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for index in (0..used).step_by(509) {
        let mut image = whole.clone();
        image[index] ^= 0x04;
        match reopened(image) {
            Ok(stored) => assert_eq!(&stored, last, "byte {index} changed what was read"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "no damage was noticed at all");
}

#[test]
fn a_failed_commit_makes_the_store_read_only_and_keeps_what_was_there() {
    let recorder = Recorder::default();
    let mut store = RedbStore::with_backend(recorder.clone()).unwrap();
    let batches = story();
    store.commit(&batches[0]).unwrap();
    drop(store);

    let image = recorder.bytes.lock().unwrap().clone();
    let mut failing = Recorder::with(image.clone());
    failing.fails_after = Some(8);
    let Ok(mut store) = RedbStore::with_backend(failing.clone()) else {
        panic!("opening a clean file needs fewer writes than that");
    };
    let failed = batches[1..]
        .iter()
        .find_map(|batch| store.commit(batch).err());
    assert!(matches!(failed, Some(StoreError::Commit(_))), "{failed:?}");
    assert!(matches!(
        store.commit(&batches[1]),
        Err(StoreError::ReadOnly)
    ));

    drop(store);
    let found = failing.bytes.lock().unwrap().clone();
    assert!(states().contains(&reopened(found).unwrap()));
}

#[test]
fn both_stores_tell_the_same_story() {
    let recorder = Recorder::default();
    let stores: [Box<dyn Store>; 2] = [
        Box::new(RedbStore::with_backend(recorder).unwrap()),
        Box::new(MemoryStore::default()),
    ];
    for mut store in stores {
        for (batch, before) in story().iter().zip(states()) {
            assert_eq!(store.load().unwrap(), before);
            store.commit(batch).unwrap();
        }
        assert_eq!(&store.load().unwrap(), states().last().unwrap());
        let stale = store.commit(&story()[0]);
        assert!(
            matches!(stale, Err(StoreError::Stale { stored: 5, from: 0 })),
            "{stale:?}"
        );
    }
}

#[test]
fn a_store_on_disk_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    assert!(!RedbStore::exists(directory.path()));
    let mut store = RedbStore::open(directory.path()).unwrap();
    store.commit(&story()[0]).unwrap();
    drop(store);
    assert!(RedbStore::exists(directory.path()));
    assert_eq!(
        RedbStore::open(directory.path()).unwrap().load().unwrap(),
        states()[1]
    );
}

#[test]
fn a_creation_that_was_cut_short_does_not_stand_in_the_way() {
    let (ops, directory) = (recorded_story(), tempfile::tempdir().unwrap());
    let first_sync = ops.iter().position(|op| matches!(op, Op::Sync)).unwrap();
    for cut in 0..=first_sync + 1 {
        let half = image_after(&ops[..cut], Fault::Truncate);
        std::fs::write(directory.path().join("state.redb.new"), half).unwrap();
        assert!(!RedbStore::exists(directory.path()), "not yet a store");
        let mut store = RedbStore::open(directory.path()).unwrap();
        assert_eq!(store.load().unwrap(), Stored::default());
        drop(store);
        std::fs::remove_file(directory.path().join("state.redb")).unwrap();
    }
}

#[test]
fn a_directory_has_one_owner_and_the_second_learns_who() {
    let directory = tempfile::tempdir().unwrap();
    let lock = DirectoryLock::create(directory.path(), "openelb run").unwrap();
    let error = DirectoryLock::take(directory.path(), "openelb ip").unwrap_err();
    let expected = format!("in use by pid {} (openelb run)", std::process::id());
    assert!(error.to_string().ends_with(&expected), "{error}");
    drop(lock);
    DirectoryLock::take(directory.path(), "openelb ip").unwrap();
}

#[test]
fn a_directory_that_is_not_there_is_said_to_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("gone");
    assert!(matches!(
        DirectoryLock::take(&missing, "x"),
        Err(LockError::Missing(_))
    ));
}

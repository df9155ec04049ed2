//! What this machine can do at best, measured in the same run as everything else.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::fill::SplitMix;
use crate::meter::{batched, repeated};

/// Nanoseconds of the machine's own primitives.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// A load that depends on the one before, in the first-level cache (4 KiB).
    pub l1: f64,
    /// The same in 1 MiB.
    pub mebibyte: f64,
    /// The same in 256 MiB: memory and address translation.
    pub dram: f64,
    /// Locking and unlocking a mutex that nobody else wants.
    pub mutex: f64,
    /// One `fdatasync` after a write of 64 bytes; `None` where no file could be made.
    pub fdatasync: Option<f64>,
}

impl Floor {
    /// On the virtual machine that the goals were set for (2 vCPU Intel Xeon, 2 MiB L2, virtio disk).
    pub const REFERENCE: Self = Self {
        l1: 1.4,
        mebibyte: 7.0,
        // 140 to 350 were seen there.
        dram: 245.0,
        mutex: 28.0,
        fdatasync: Some(127_000.0),
    };

    /// Measures; takes about two seconds. The file for `fdatasync` is made in `folder`.
    pub fn measure(folder: &Path) -> Self {
        let mutex = Mutex::new(0_u64);
        Self {
            l1: chase(1 << 10),
            mebibyte: chase(1 << 18),
            dram: chase(1 << 26),
            mutex: repeated(BUDGET, || {
                if let Ok(mut value) = mutex.lock() {
                    *value += 1;
                }
            }),
            fdatasync: fdatasync(folder),
        }
    }
}

/// A dependent load among `count` 4-byte cells that form one random cycle.
fn chase(count: u32) -> f64 {
    let mut order: Vec<u32> = (0..count).collect();
    SplitMix::new(7).shuffle(&mut order);
    let mut next = vec![0_u32; count as usize];
    for pair in order.windows(2) {
        if let [from, to] = pair
            && let Some(cell) = next.get_mut(*from as usize)
        {
            *cell = *to;
        }
    }
    if let (Some(first), Some(last)) = (order.first(), order.last())
        && let Some(cell) = next.get_mut(*last as usize)
    {
        *cell = *first;
    }
    let mut at = 0;
    let steps = 1_000;
    repeated(BUDGET, || {
        for _ in 0..steps {
            at = next.get(at as usize).copied().unwrap_or(0);
        }
        black_box(at)
    }) / f64::from(steps)
}

fn fdatasync(folder: &Path) -> Option<f64> {
    let path = folder.join(format!("floor-{}", std::process::id()));
    let mut file = File::create(&path).ok()?;
    let took = batched(
        BUDGET,
        1,
        &mut file,
        |file| {
            let written = file.write_all(&[0; 64]).and_then(|()| file.sync_data());
            black_box(written.is_ok());
        },
        |_| {},
    );
    std::fs::remove_file(&path).ok()?;
    Some(took)
}

const BUDGET: Duration = Duration::from_millis(200);

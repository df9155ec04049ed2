//! What the kernel has counted about this process and its threads.

use std::time::Duration;

/// Processor time that the I/O thread of the only running announcer has used.
pub(crate) fn io_thread_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let is_io = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "openelb-io")
    };
    let task = tasks.map(|task| task.unwrap().path()).find(is_io).unwrap();
    // The first number of schedstat: nanoseconds on a processor.
    let text = std::fs::read_to_string(task.join("schedstat")).unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Processor time that it has used since `before`.
pub(crate) fn io_thread_time_since(before: Duration) -> Duration {
    io_thread_time().saturating_sub(before)
}

/// Resident memory of this process in octets that nobody else shares.
pub(crate) fn private_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let kilobytes = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (kilobytes("Private_Clean:") + kilobytes("Private_Dirty:")) * 1024
}

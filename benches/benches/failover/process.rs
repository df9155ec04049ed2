//! A program on a node, with everything that it says and all of its children.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use openelb_benches::meter::clock;

use super::world::Host;

/// A running program; killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Children of its that were killed with it. Nobody else may be there to collect them.
    orphans: Vec<Pid>,
    pub(crate) journal: Journal,
}

/// The lines that a program has said, with the instants.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<(Instant, String)>>>);

impl Process {
    /// Starts a command line on `host`.
    pub(crate) fn start(host: &Host, line: &str) -> Self {
        // `ip netns exec` becomes the program, so that its process is the child.
        let mut child = Command::new("ip")
            .args(["netns", "exec", &host.namespace])
            .args(line.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let journal = Journal::default();
        let output = child.stdout.take().unwrap();
        journal.follow(|| output);
        Self {
            child,
            orphans: Vec::new(),
            journal,
        }
    }

    /// Says a line to it.
    pub(crate) fn say(&mut self, line: &str) {
        // One that has ended hears nothing; its silence is what is measured then.
        let mut input = self.child.stdin.as_ref().unwrap();
        drop(writeln!(input, "{line}"));
    }

    /// Sends a signal to it and to its children, the parents first.
    pub(crate) fn signal(&self, signal: Signal) {
        for member in self.family() {
            let _ = kill(process(member), signal);
        }
    }

    /// Asks it alone to end.
    pub(crate) fn terminate(&mut self) {
        let _ = kill(process(self.child.id()), Signal::SIGTERM);
    }

    /// Ends it and its children at once, without waiting for that.
    pub(crate) fn kill(&mut self) {
        let children = self.family().into_iter().skip(1);
        self.orphans.extend(children.map(process));
        self.signal(Signal::SIGKILL);
    }

    /// Ends it and its children, and waits until nothing is left of them.
    pub(crate) fn end(&mut self) {
        self.kill();
        drop(self.child.wait());
        for orphan in self.orphans.drain(..) {
            let _ = waitpid(orphan, None);
        }
    }

    /// Processor time that its threads, and those of its children, have used.
    pub(crate) fn processor_time(&self) -> Duration {
        let tasks = self.family().into_iter().flat_map(|process| {
            let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
            tasks.into_iter().flatten().flatten()
        });
        tasks.map(|task| on_processor(&task.path())).sum()
    }

    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(process) = family.get(next) {
            let path = format!("/proc/{process}/task/{process}/children");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            family.extend(
                text.split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
            next += 1;
        }
        family
    }
}

/// Makes this program the parent of all orphans among its descendants.
pub(crate) fn adopt_orphans() {
    nix::sys::prctl::set_child_subreaper(true).unwrap();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl Journal {
    /// Notes every line that `open` has to say, from a thread of its own that opens it.
    pub(crate) fn follow<R: Read>(&self, open: impl FnOnce() -> R + Send + 'static) {
        let lines = Arc::clone(&self.0);
        std::thread::spawn(move || {
            for line in BufReader::new(open()).lines().map_while(Result::ok) {
                lines.lock().unwrap().push((clock(), line));
            }
        });
    }

    /// How many lines since `start` satisfy `wanted`.
    pub(crate) fn count(&self, start: Instant, wanted: impl Fn(&str) -> bool) -> usize {
        let lines = self.0.lock().unwrap();
        let recent = lines.iter().filter(|(at, _)| *at >= start);
        recent.filter(|(_, line)| wanted(line)).count()
    }
}

fn process(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed())
}

/// The first number of schedstat: nanoseconds on a processor.
fn on_processor(task: &std::path::Path) -> Duration {
    let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanos = text.split_whitespace().next().unwrap_or("0");
    Duration::from_nanos(nanos.parse().unwrap_or_default())
}

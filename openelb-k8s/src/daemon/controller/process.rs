//! The loop of the controller and what it owns.

use std::pin::pin;
use std::time::Duration;

use openelb_ipam::Time;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::feed::{Fed, Feeds};
use super::latency::Latency;
use super::pods::Pods;
use super::prefixes::Prefixes;
use super::writes::{Done, Writes};
use crate::client::{Leadership, Recorder, Writer};
use crate::conflict::Conflicts;
use crate::controller::{Input, Machine, Occurrence, Output, Settings};
use crate::daemon::args::ControllerArgs;
use crate::daemon::clock::Clock;
use crate::daemon::http::{Question, Questions};
use crate::daemon::metrics::{Metrics, Present};

/// The machine, and everything around it.
pub(super) struct Process {
    machine: Machine,
    writes: Writes,
    metrics: Metrics,
    feeds: Feeds,
    latency: Latency,
    recorder: Recorder,
    prefixes: Prefixes,
    conflicts: Conflicts,
    leadership: Leadership,
    pods: Pods,
    /// What the machine was told last.
    leads: bool,
    clock: Clock,
}

impl Process {
    pub(super) fn new(
        settings: Settings,
        args: &ControllerArgs,
        writer: Writer,
        recorder: Recorder,
        leadership: Leadership,
        pods: Pods,
    ) -> Self {
        Self {
            machine: Machine::new(settings),
            prefixes: Prefixes::new(writer.clone(), recorder.clone()),
            conflicts: Conflicts::default(),
            leads: false,
            writes: Writes::new(writer, args.concurrent_writes),
            metrics: Metrics::new(args.openelb_metric_names),
            feeds: Feeds::default(),
            latency: Latency::default(),
            recorder,
            leadership,
            pods,
            clock: Clock::start(),
        }
    }

    /// Runs until it is told to stop. A controller that does not lead learns everything all the same,
    /// so that it can go on at once when it does.
    pub(super) async fn run(
        mut self,
        mut fed: mpsc::Receiver<Fed>,
        mut asked: Questions,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        self.pods.lead(self.leadership.leads());
        loop {
            self.follow();
            self.carry_out();
            let wakes = [
                self.machine.poll_timeout(),
                self.prefixes.poll_timeout(),
                self.conflicts.poll_timeout(),
            ];
            let wake = wakes.into_iter().flatten().min();
            // Every arm is cancel-safe: queues, signals and a join set keep what they have.
            tokio::select! {
                biased;
                () = &mut stop => break,
                leads = self.leadership.changed() => {
                    tracing::info!(leads, "leadership changed");
                    self.pods.lead(leads);
                }
                done = self.writes.next() => self.answered(done),
                done = self.prefixes.next() => self.prefixes.answered(done, self.clock.now()),
                Some(question) = asked.recv() => self.answer(question),
                Some(told) = fed.recv() => {
                    self.learn(told);
                    // What came together is decided together: one write of the ledger for all of it.
                    for _ in 0..BATCH {
                        let Ok(told) = fed.try_recv() else { break };
                        self.learn(told);
                    }
                }
                () = until(self.clock, wake) => self.machine.handle_timeout(self.clock.now()),
            }
        }
        self.end().await;
    }

    /// Takes prefixes and conflicts as far as they go now. The machine does not lead before it knows them: it would
    /// take addresses that follow one for lost.
    fn follow(&mut self) {
        if let Some(view) = self.prefixes.step(self.clock.now()) {
            self.input(Input::Prefixes(Box::new(view)));
        }
        if let Some(view) = self.conflicts.step(self.clock.now()) {
            self.input(Input::Conflicts(view));
        }
        let leads = self.leadership.leads() && self.prefixes.is_synced();
        if leads != self.leads {
            self.leads = leads;
            self.prefixes.lead(leads);
            self.input(Input::Leading(leads));
        }
    }

    /// Hands what the machine wants to those who do it.
    fn carry_out(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Write(write) => self.writes.push(write),
                Output::Happened(occurrence) => self.happened(occurrence),
            }
        }
        self.writes.start();
    }

    fn happened(&self, occurrence: Occurrence) {
        let Occurrence { about, note, .. } = &occurrence;
        let (namespace, name) = (&about.namespace, &about.name);
        let (kind, reason) = (about.kind, occurrence.reason);
        if occurrence.is_warning {
            self.metrics.warned(reason);
            tracing::warn!(?kind, namespace, name, reason, "{note}");
        } else {
            tracing::info!(?kind, namespace, name, reason, "{note}");
        }
        self.recorder.record(occurrence.into());
    }

    fn learn(&mut self, told: Fed) {
        match told {
            Fed::Input(input) => {
                // The first list is of Services that wait since before this process was there.
                if self.feeds.missing().is_empty() {
                    self.latency.learn(&input);
                }
                self.feeds.learn(&input);
                if let Input::Unreadable { kind, .. } = &input {
                    self.metrics.unreadable(*kind);
                }
                self.input(input);
            }
            Fed::Interrupted(kind) => self.metrics.interrupted(kind),
            Fed::Prefixes(news) => {
                self.prefixes
                    .learn(news, &mut self.conflicts, self.clock.now());
            }
        }
    }

    fn answered(&mut self, done: Done) {
        self.metrics.wrote(done.kind, done.outcome_word());
        if let Some(wait) = self.latency.answered(&done) {
            self.metrics.served_after(wait);
        }
        let Done { id, outcome, .. } = done;
        self.input(Input::Written { id, outcome });
    }

    fn answer(&self, question: Question) {
        // Whoever asked may have gone: then there is nobody to answer.
        match question {
            Question::Healthy(answer) => drop(answer.send(())),
            Question::Ready(answer) => drop(answer.send(self.feeds.missing())),
            Question::Pools(answer) => {
                let pools = self.machine.ipam().pools();
                drop(answer.send(pools.map(|pool| pool.spec().clone()).collect()));
            }
            Question::Metrics(answer) => {
                let page = self.metrics.page(&Present {
                    ipam: self.machine.ipam(),
                    pods: self.pods.standing(),
                    leads: self.leadership.leads(),
                    dropped_events: self.recorder.dropped(),
                    prefixes: self.prefixes.objects().collect(),
                    view: self.prefixes.view(),
                    now: self.clock.now(),
                });
                drop(answer.send(page));
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.machine.handle_input(input, self.clock.now());
    }

    /// Lets writes that are under way end, then gives the Lease up. What had not begun is left to
    /// the next leader, who finds it undone.
    async fn end(mut self) {
        tracing::info!("told to stop");
        let ending = async { while self.writes.next_begun().await.is_some() {} };
        if timeout(LONGEST_END, ending).await.is_err() {
            tracing::warn!("writes under way are left; the next leader finds what became of them");
        }
        self.leadership.release().await;
    }
}

async fn until(clock: Clock, wake: Option<Time>) {
    match wake {
        Some(wake) => sleep(wake - clock.now()).await,
        None => std::future::pending().await,
    }
}

/// Inputs that are decided together at most; answers and pages are looked after in between.
const BATCH: usize = 512;

/// As long as a write may take: with the Lease it fits in the 30 s that a pod has.
const LONGEST_END: Duration = Duration::from_secs(12);

//! A cluster that goes through a scenario, watched by the judge.

mod act;
mod build;

use super::journal::Journal;
use super::judge::{Figures, Judge, Violation};
use super::scenario::{Fault, Scenario};
use crate::ownership::{Group, Machine, NodeId, Shard};
use crate::sim::{HostId, Network};
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
    /// What the run came close to.
    pub figures: Figures,
    /// What happened, one line each; empty unless asked for.
    pub journal: Vec<String>,
}

/// The nodes and clients of a [`Scenario`], in a network of their own.
#[derive(Debug)]
pub struct Cluster<'a> {
    scenario: &'a Scenario,
    network: Network,
    nodes: Vec<Node>,
    clients: Vec<HostId>,
    holdings: BTreeMap<Shard, Vec<IpAddr>>,
    judge: Judge,
    journal: Option<Journal>,
}

#[derive(Debug)]
struct Node {
    host: HostId,
    name: NodeId,
    groups: Vec<Group>,
    boot: u64,
}

impl<'a> Cluster<'a> {
    /// Runs a scenario until its end or the first violation.
    pub fn run(scenario: &'a Scenario) -> Verdict {
        Self::new(scenario, None).finish()
    }

    /// The same, and writes down what happens.
    pub fn explain(scenario: &'a Scenario) -> Verdict {
        Self::new(scenario, Some(Journal::default())).finish()
    }

    fn finish(mut self) -> Verdict {
        let mut at = Time::ZERO;
        for step in &self.scenario.steps {
            at += step.after;
            self.pass(at);
            self.befall(step.fault);
        }
        self.pass(at + self.scenario.quiet);
        let now = self.network.now();
        self.judge.finish(now);
        self.judge.judge_clients(&self.network, &self.clients);
        Verdict {
            violation: self.judge.violation().cloned(),
            figures: self.judge.figures(),
            journal: self.journal.map(Journal::into_lines).unwrap_or_default(),
        }
    }

    /// Lets time pass, event by event, unless an invariant was violated already.
    fn pass(&mut self, end: Time) {
        while self.judge.violation().is_none() && self.network.step(end) {
            self.look();
        }
    }

    /// Judges what has happened since the last look.
    fn look(&mut self) {
        let now = self.network.now();
        let silent = self.judge.advance(now);
        if let Some(journal) = &mut self.journal {
            journal.changes(&silent);
        }
        for record in self.network.take_trace() {
            let change = self.judge.observe(&record, &self.network);
            if let Some(journal) = &mut self.journal {
                journal.changes(change.as_slice());
                let node = self.nodes.iter().position(|node| node.host == record.host);
                if let Some(node) = node {
                    let machine = self.network.ownership(record.host);
                    let owns = |machine: &Machine| {
                        self.holdings.keys().filter(|it| machine.owns(**it)).count()
                    };
                    journal.record(
                        node,
                        &record,
                        machine.map(|it| (owns(it), it.valid_until())),
                    );
                }
            }
        }
        self.judge.judge_ceded(&self.network, &self.clients);
        if let (Some(journal), Some(violation)) = (&mut self.journal, self.judge.violation()) {
            journal.line(now, &format!("!!! {violation}"));
        }
    }

    fn befall(&mut self, fault: Fault) {
        let now = self.network.now();
        if self.judge.violation().is_some() {
            return;
        }
        self.judge.advance(now);
        self.judge.fault(fault, now);
        if let Some(journal) = &mut self.journal {
            journal.line(now, &format!("--- {fault}"));
        }
        self.act(fault);
        self.look();
        self.judge.refresh(&self.network);
    }

    fn hosts(&self) -> Vec<HostId> {
        let nodes = self.nodes.iter().map(|node| node.host);
        nodes.chain(self.clients.iter().copied()).collect()
    }
}

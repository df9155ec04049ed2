//! Controllers, a server, users, and everything that goes wrong between them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use openelb_ipam::Time;
use openelb_k8s::node_cidrs::{Change, Input, Kind, Machine, Outcome, Output, Write, WriteId};

use crate::dice::Dice;
use crate::judge::Judge;
use crate::server::{Honesty, Server, annotated, network, node};

struct Controller {
    machine: Machine,
    queues: BTreeMap<Kind, VecDeque<Input>>,
    requests: Vec<Write>,
    answers: Vec<(WriteId, Outcome)>,
    is_leading: bool,
}

pub(crate) struct World {
    dice: Dice,
    server: Server,
    controllers: Vec<Controller>,
    judge: Judge,
    now: Time,
    /// Requests whose sender gave up, and which arrive all the same.
    late: Vec<Change>,
    pub(crate) journal: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, honesty: Honesty) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            server: Server {
                honesty,
                ..Server::default()
            },
            controllers: Vec::new(),
            judge: Judge::default(),
            now: Time(1_800_000_000_000),
            late: Vec::new(),
            journal: Vec::new(),
        };
        world.server.put_network(network(&RANGES));
        for name in &NAMES[..2] {
            world.server.put_node(node(name, &[]));
        }
        for _ in 0..2 + world.dice.below(2) {
            let controller = world.start_controller();
            world.controllers.push(controller);
        }
        world.spread();
        world
    }

    fn start_controller(&mut self) -> Controller {
        let mut controller = Controller {
            machine: Machine::new(self.dice.next()),
            queues: BTreeMap::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            is_leading: true,
        };
        for kind in Kind::ALL {
            relist(&self.server, &mut controller, kind);
        }
        let machine = &mut controller.machine;
        machine.handle_input(Input::Leading(true), self.now);
        controller
    }

    /// Runs to the end: accidents, then peace, then a start of all from nothing, which writes nothing.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for step in 0..STEPS {
            self.step()?;
            if step % 90 == 89 {
                self.rest()?;
            }
        }
        self.rest()?;
        self.tell("all controllers start again");
        let writes = self.server.writes;
        let count = self.controllers.len();
        self.controllers.clear();
        for _ in 0..count {
            let controller = self.start_controller();
            self.controllers.push(controller);
        }
        self.rest()?;
        if self.server.writes != writes {
            return Err("5: a write in an unchanged world".to_owned());
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        let at = self.dice.below(self.controllers.len());
        match self.dice.below(32) {
            0..=3 => self.act(),
            4..=15 => self.deliver(at),
            16..=23 => return self.carry_out(at, true),
            24..=27 => self.answer(at),
            28 => {
                let pause = *self.dice.pick(&[1, 50, 300, 1_000, 40_000]);
                self.pass(Duration::from_millis(pause));
            }
            29 => {
                let kind = *self.dice.pick(&Kind::ALL);
                self.tell(&format!("{at} lost its watch of {kind:?}"));
                relist(&self.server, &mut self.controllers[at], kind);
            }
            30 => return self.late(),
            _ => self.upset(at),
        }
        Ok(())
    }

    /// Something that users, kubelets and other controllers do.
    fn act(&mut self) {
        let name = *self.dice.pick(&NAMES);
        let is_there = self.server.nodes.contains_key(name);
        let story = match self.dice.below(8) {
            0..=2 if !is_there => {
                self.server.put_node(node(name, &[]));
                format!("{name} comes")
            }
            3 if !is_there => {
                let cidr = *self
                    .dice
                    .pick(&["10.0.2.0/24", "10.0.3.0/24", "10.9.9.0/24"]);
                self.judge.foreign.insert(cidr.parse().unwrap());
                self.server.put_node(node(name, &[cidr]));
                format!("{name} comes with {cidr}")
            }
            4 if !is_there => {
                let cidrs = "10.0.1.0/24,fd00:0:0:2::/64";
                self.judge.foreign.extend(
                    cidrs
                        .split(',')
                        .map(|it| it.parse::<ipnet::IpNet>().unwrap()),
                );
                self.server.put_node(annotated(name, cidrs));
                format!("{name} comes with an annotation")
            }
            5 | 6 if is_there => {
                self.server.delete_node(name);
                format!("{name} goes")
            }
            7 if is_there => {
                let mut node = self.server.nodes[name].clone();
                let labels = &mut node.metadata.labels;
                labels.insert("touched".to_owned(), self.now.0.to_string());
                self.server.put_node(node);
                format!("{name} is touched")
            }
            _ => return,
        };
        self.tell(&format!("user: {story}"));
        self.spread();
    }

    /// A crash, or an election.
    fn upset(&mut self, at: usize) {
        if self.dice.is_one_in(2) {
            self.tell(&format!("{at} crashes"));
            let requests = std::mem::take(&mut self.controllers[at].requests);
            self.late
                .extend(requests.into_iter().map(|write| write.what));
            self.controllers[at] = self.start_controller();
            return;
        }
        let controller = &mut self.controllers[at];
        controller.is_leading = !controller.is_leading;
        let is_leading = controller.is_leading;
        controller
            .machine
            .handle_input(Input::Leading(is_leading), self.now);
        self.tell(&format!("{at} leads: {is_leading}"));
        self.pump(at);
    }

    fn deliver(&mut self, at: usize) {
        let kind = *self.dice.pick(&Kind::ALL);
        for _ in 0..=self.dice.below(4) {
            self.deliver_one(at, kind);
        }
    }

    fn deliver_one(&mut self, at: usize, kind: Kind) -> bool {
        let controller = &mut self.controllers[at];
        let Some(input) = controller.queues.entry(kind).or_default().pop_front() else {
            return false;
        };
        controller.machine.handle_input(input, self.now);
        self.pump(at);
        true
    }

    /// A request reaches the server, or not.
    fn carry_out(&mut self, at: usize, with_faults: bool) -> Result<(), String> {
        let count = self.controllers[at].requests.len();
        if count == 0 {
            return Ok(());
        }
        let index = self.dice.below(count);
        let write = self.controllers[at].requests.swap_remove(index);
        let fate = if with_faults { self.dice.below(16) } else { 15 };
        let outcome = match fate {
            0 => Outcome::Conflict,
            1 => Outcome::Unknown,
            2 => {
                self.late.push(write.what.clone());
                Outcome::Unknown
            }
            3 => {
                self.execute(&format!("{at}"), &write.what)?;
                Outcome::Unknown
            }
            _ => self.execute(&format!("{at}"), &write.what)?,
        };
        self.controllers[at].answers.push((write.id, outcome));
        Ok(())
    }

    fn late(&mut self) -> Result<(), String> {
        if self.late.is_empty() {
            return Ok(());
        }
        let index = self.dice.below(self.late.len());
        let change = self.late.swap_remove(index);
        self.execute("late", &change).map(|_| ())
    }

    fn execute(&mut self, who: &str, change: &Change) -> Result<Outcome, String> {
        let network = self.server.network.clone().unwrap_or_default();
        let nodes = self.server.nodes.clone();
        let outcome = self.server.execute(change);
        self.tell(&format!("{who} {} -> {}", brief(change), word(&outcome)));
        self.spread();
        self.judge
            .judge(change, (&network.status, &nodes), &self.server)?;
        Ok(outcome)
    }

    fn answer(&mut self, at: usize) {
        let controller = &mut self.controllers[at];
        if controller.answers.is_empty() {
            return;
        }
        let index = self.dice.below(controller.answers.len());
        let (id, outcome) = controller.answers.swap_remove(index);
        let input = Input::Written { id, outcome };
        controller.machine.handle_input(input, self.now);
        self.pump(at);
    }

    fn pass(&mut self, pause: Duration) {
        self.now = self.now + pause;
        for at in 0..self.controllers.len() {
            self.controllers[at].machine.handle_timeout(self.now);
            self.pump(at);
        }
    }

    /// Takes what a machine wants done.
    fn pump(&mut self, at: usize) {
        while let Some(output) = self.controllers[at].machine.poll_output() {
            match output {
                Output::Write(write) => self.controllers[at].requests.push(write),
                Output::Happened(it) => {
                    self.tell(&format!("{at} tells {:?}: {}", it.about, it.note));
                }
            }
        }
    }

    /// Everything arrives, nothing goes wrong, until nobody wants anything more.
    fn rest(&mut self) -> Result<(), String> {
        self.tell("peace");
        for at in 0..self.controllers.len() {
            self.controllers[at].is_leading = true;
            let machine = &mut self.controllers[at].machine;
            machine.handle_input(Input::Leading(true), self.now);
            self.pump(at);
        }
        for _ in 0..2_000 {
            while !self.late.is_empty() {
                self.late()?;
            }
            if self.is_busy()? {
                continue;
            }
            let controllers = self.controllers.iter();
            let timeouts = controllers.filter_map(|it| it.machine.poll_timeout());
            let Some(at) = timeouts.min() else {
                self.tell("rest");
                return self.judge.judge_rest(&self.server);
            };
            self.pass(at - self.now + Duration::from_millis(1));
        }
        Err("there is no end".to_owned())
    }

    fn is_busy(&mut self) -> Result<bool, String> {
        let mut is_busy = false;
        for at in 0..self.controllers.len() {
            for kind in Kind::ALL {
                while self.deliver_one(at, kind) {
                    is_busy = true;
                }
            }
            while !self.controllers[at].requests.is_empty() {
                is_busy = true;
                self.carry_out(at, false)?;
            }
            while !self.controllers[at].answers.is_empty() {
                is_busy = true;
                self.answer(at);
            }
        }
        Ok(is_busy)
    }

    /// Tells all watchers what happened.
    fn spread(&mut self) {
        for (kind, event) in std::mem::take(&mut self.server.events) {
            for controller in &mut self.controllers {
                let queue = controller.queues.entry(kind).or_default();
                queue.push_back(event.clone());
            }
        }
    }

    fn tell(&mut self, story: &str) {
        self.journal.push(story.to_owned());
    }
}

/// A watch begins anew: what was under way on it is lost, the list comes instead.
fn relist(server: &Server, controller: &mut Controller, kind: Kind) {
    let queue = controller.queues.entry(kind).or_default();
    queue.clear();
    queue.push_back(Input::Restart(kind));
    queue.extend(server.list(kind));
    queue.push_back(Input::Synced(kind));
}

fn brief(change: &Change) -> String {
    match change {
        Change::Status {
            resource_version,
            status,
        } => format!(
            "status@{resource_version} {:?} {:?}",
            status.used, status.uids
        ),
        Change::Node { name, uid, cidrs } => format!("node {name} ({uid}) {cidrs:?}"),
        other => format!("{other:?}"),
    }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Found(_) => "Found".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Room for four nodes: with five, one waits.
const RANGES: [&str; 2] = ["10.0.0.0/22", "fd00::/62"];
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const STEPS: usize = 270;

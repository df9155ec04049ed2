//! Controllers, a server, users, and everything that goes wrong between them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::Time;
use openelb_k8s::cluster::{Ingress, IpFamily, Namespace};
use openelb_k8s::controller::{
    Change, Input, Kind, Machine, Outcome, Output, Settings, Write, WriteId,
};

use crate::dice::Dice;
use crate::judge::{Judge, shown};
use crate::objects::{default_pool, service};
use crate::server::Server;
use crate::station::{Stations, Stray};
use crate::user;

/// What kind of world it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) compares_versions: bool,
    /// Whether controllers hear that their records are written before these are.
    pub(crate) confirms_early: bool,
    /// Acts and accidents of one interleaving.
    pub(crate) steps: usize,
    /// Whether it tells its story.
    pub(crate) is_told: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            compares_versions: true,
            confirms_early: false,
            steps: 220,
            is_told: false,
        }
    }
}

struct Controller {
    machine: Machine,
    queues: BTreeMap<Kind, VecDeque<Input>>,
    requests: Vec<Write>,
    answers: Vec<(WriteId, Outcome)>,
    is_leading: bool,
    /// The addresses in conflict that it was told of last.
    conflicts: BTreeMap<IpAddr, String>,
}

pub(crate) struct World {
    dice: Dice,
    server: Server,
    controllers: Vec<Controller>,
    judge: Judge,
    now: Time,
    /// Requests whose sender gave up, and which arrive all the same.
    late: Vec<Change>,
    /// In every other world.
    stations: Option<Stations>,
    journal: Vec<String>,
    cap: usize,
    is_apart: bool,
    confirms_early: bool,
    steps: usize,
    is_told: bool,
}

impl World {
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let mut dice = Dice(seed);
        let is_small = dice.is_one_in(3);
        let mut world = Self {
            server: Server {
                ignores_versions: !plan.compares_versions,
                ..Server::default()
            },
            controllers: Vec::new(),
            judge: Judge::default(),
            now: Time(1_800_000_000_000),
            late: Vec::new(),
            stations: (seed % 2 == 1).then(|| Stations::new(seed)),
            journal: Vec::new(),
            cap: if is_small { 2 } else { 8_000 },
            // With overlapping pools beyond the cap two controllers are not kept apart.
            is_apart: is_small,
            confirms_early: plan.confirms_early,
            steps: plan.steps,
            is_told: plan.is_told,
            dice,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for name in ["blue", "red"] {
            let mut namespace = Namespace::default();
            namespace.metadata.name = name.to_owned();
            self.server.put_namespace(namespace);
        }
        self.server
            .create_eip(default_pool("one", "192.0.2.1-192.0.2.6"));
        if self.dice.is_one_in(3) {
            // A gap in the records: the address is shown, and nobody wrote it down.
            let mut old = service("blue", "a", &[IpFamily::IPv4]);
            let address = "192.0.2.5";
            old.status.load_balancer.ingress.push(Ingress {
                ip: address.to_owned(),
                ..Ingress::default()
            });
            self.server.create_service(old);
            let entry = ("blue/a".to_owned(), address.parse().unwrap());
            self.judge.exempt.insert(entry);
        }
        let count = 2 + self.dice.below(2);
        for _ in 0..count {
            let controller = self.start_controller();
            self.controllers.push(controller);
        }
        self.spread();
    }

    fn start_controller(&mut self) -> Controller {
        let settings = Settings {
            cap: self.cap,
            seed: self.dice.next(),
            ..Settings::default()
        };
        let mut controller = Controller {
            machine: Machine::new(settings),
            queues: BTreeMap::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            is_leading: true,
            conflicts: BTreeMap::new(),
        };
        for kind in Kind::ALL {
            relist(&self.server, &mut controller, kind);
        }
        controller
            .machine
            .handle_input(Input::Leading(true), self.now);
        controller
    }

    /// Runs to the end: accidents, then peace, then a start of all from nothing.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for step in 0..self.steps {
            self.step()?;
            if step % 87 == 86 {
                self.rest()?;
                self.intrude();
            }
        }
        self.rest()?;
        self.tell("all controllers start again");
        let writes = self.server.writes.len();
        let count = self.controllers.len();
        self.controllers.clear();
        for _ in 0..count {
            let controller = self.start_controller();
            self.controllers.push(controller);
        }
        self.rest()?;
        match self.server.writes.get(writes) {
            Some(write) => Err(format!("L5: a write in an unchanged world: {write:?}")),
            None => Ok(()),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        self.stray();
        let at = self.dice.below(self.controllers.len());
        match self.dice.below(32) {
            0..=3 => {
                let story = user::act(
                    &mut self.server,
                    &mut self.judge,
                    &mut self.dice,
                    self.is_apart,
                );
                if !story.is_empty() {
                    self.tell(&format!("user: {story}"));
                }
                self.spread();
            }
            4..=16 => self.deliver(at),
            17..=23 => return self.carry_out(at, true),
            24..=27 => self.answer(at),
            28 => {
                let pause = *self.dice.pick(&[1, 50, 300, 1_000, 3_000, 40_000]);
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

    /// A crash, or an election.
    fn upset(&mut self, at: usize) {
        if self.dice.is_one_in(2) {
            self.tell(&format!("{at} crashes"));
            let requests = std::mem::take(&mut self.controllers[at].requests);
            self.late
                .extend(requests.into_iter().map(|write| write.what));
            self.controllers[at] = self.start_controller();
        } else {
            let controller = &mut self.controllers[at];
            controller.is_leading = !controller.is_leading;
            let input = Input::Leading(controller.is_leading);
            controller.machine.handle_input(input, self.now);
            let is_leading = controller.is_leading;
            self.tell(&format!("{at} leads: {is_leading}"));
            self.pump(at);
        }
    }

    /// Another load balancer gives an address of a pool that nobody has to a Service of its own, and
    /// every controller hears of it before anything else happens: nothing can keep those apart that
    /// choose at the same moment.
    fn intrude(&mut self) {
        let Some((key, address)) = user::intrusion(&self.server, &mut self.dice) else {
            return;
        };
        self.tell(&format!("another load balancer gives {address} to {key}"));
        self.judge.exempt.insert((key.clone(), address));
        self.server.show(&key, address);
        self.spread();
        for at in 0..self.controllers.len() {
            while self.deliver_one(at, Kind::Service) {}
        }
    }

    fn stray(&mut self) {
        let Some(stations) = &mut self.stations else {
            return;
        };
        match stations.stray(&self.server, &mut self.judge, self.controllers.len()) {
            Stray::Came(address) => self.tell(&format!("a station has {address}")),
            Stray::Heard(at) => drop(self.hear(at)),
            Stray::Nothing => {}
        }
    }

    /// A controller hears which addresses are in conflict.
    fn hear(&mut self, at: usize) -> bool {
        let stations = self.stations.as_ref();
        let view = stations.map(|it| it.view(&self.server)).unwrap_or_default();
        let controller = &mut self.controllers[at];
        if view == controller.conflicts {
            return false;
        }
        controller.conflicts = view.clone();
        let story = format!("{at} hears of conflicts: {:?}", view.keys());
        let input = Input::Conflicts(view);
        controller.machine.handle_input(input, self.now);
        self.tell(&story);
        self.pump(at);
        true
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
            _ if self.confirms_early && is_record(&write.what) => {
                self.late.push(write.what.clone());
                Outcome::Done {
                    resource_version: self.server.version.to_string(),
                }
            }
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
        if self.is_told {
            self.tell(&format!(
                "{at} {} is to hear: {}",
                write.id.0,
                word(&outcome)
            ));
        }
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
        let services = self.server.services.iter();
        let before = services
            .map(|(key, stored)| (key.clone(), shown(&stored.service)))
            .collect();
        let outcome = self.server.execute(change);
        if self.is_told {
            self.tell(&format!("{who} {} -> {}", brief(change), word(&outcome)));
        }
        self.spread();
        self.judge.judge(change, &before, &self.server)?;
        Ok(outcome)
    }

    fn answer(&mut self, at: usize) {
        let controller = &mut self.controllers[at];
        if controller.answers.is_empty() {
            return;
        }
        let index = self.dice.below(controller.answers.len());
        let (id, outcome) = controller.answers.swap_remove(index);
        controller
            .machine
            .handle_input(Input::Written { id, outcome }, self.now);
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
            if self.is_told {
                self.tell(&match &output {
                    Output::Write(write) => {
                        format!("{at} wants {} {}", write.id.0, brief(&write.what))
                    }
                    Output::Happened(it) => {
                        format!(
                            "{at} tells {}/{}: {}",
                            it.about.namespace, it.about.name, it.note
                        )
                    }
                });
            }
            if let Output::Write(write) = output {
                self.controllers[at].requests.push(write);
            }
        }
    }

    /// Everything arrives, nothing goes wrong, until nobody wants anything more.
    fn rest(&mut self) -> Result<(), String> {
        self.tell("peace");
        self.stations.iter_mut().for_each(Stations::leave);
        for at in 0..self.controllers.len() {
            self.controllers[at].is_leading = true;
            self.controllers[at]
                .machine
                .handle_input(Input::Leading(true), self.now);
            self.pump(at);
        }
        for _ in 0..4_000 {
            while !self.late.is_empty() {
                self.late()?;
            }
            if self.is_busy()? {
                continue;
            }
            let timeouts = self
                .controllers
                .iter()
                .filter_map(|it| it.machine.poll_timeout());
            let Some(at) = timeouts.min() else {
                self.tell("rest");
                return self.judge.judge_rest(&self.server);
            };
            self.pass(at - self.now + Duration::from_millis(1));
        }
        Err("L3: there is no end".to_owned())
    }

    fn is_busy(&mut self) -> Result<bool, String> {
        let mut is_busy = false;
        for at in 0..self.controllers.len() {
            is_busy |= self.hear(at);
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
                controller
                    .queues
                    .entry(kind)
                    .or_default()
                    .push_back(event.clone());
            }
        }
    }

    fn tell(&mut self, story: &str) {
        self.journal.push(story.to_owned());
    }

    /// The whole story.
    pub(crate) fn journal(&self) -> String {
        format!("{}\n{}", self.journal.join("\n"), self.minds())
    }

    /// Its last lines.
    pub(crate) fn end_of_journal(&self) -> String {
        let from = self.journal.len().saturating_sub(60);
        format!("{}\n{}", self.journal[from..].join("\n"), self.minds())
    }

    /// What every controller believes.
    fn minds(&self) -> String {
        let mut text = String::new();
        for (at, controller) in self.controllers.iter().enumerate() {
            for row in controller.machine.ipam().allocations() {
                let claims = row
                    .claims
                    .iter()
                    .map(|claim| format!("{} of {}", claim.address, claim.pool));
                let claims: Vec<_> = claims.collect();
                writeln!(
                    text,
                    "{at} believes: {} has {}",
                    row.owner.key,
                    claims.join(" and ")
                )
                .unwrap();
            }
        }
        text
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

/// Whether it writes records.
fn is_record(change: &Change) -> bool {
    matches!(change, Change::EipStatus { .. } | Change::Block { .. })
}

fn brief(change: &Change) -> String {
    match change {
        Change::EipStatus {
            name,
            resource_version,
            status,
        } => {
            let mut text = format!("Eip {name}@{resource_version} used {:?}", status.used);
            for condition in &status.conditions {
                write!(text, " {}={}", condition.kind, condition.status).unwrap();
            }
            text
        }
        Change::EipFinalizer {
            name,
            resource_version,
            finalizers,
        } => format!("Eip {name}@{resource_version} finalizers {finalizers:?}"),
        Change::Block {
            resource_version,
            block,
        } => format!(
            "block {}@{resource_version:?} used {:?}",
            block.metadata.name, block.spec.used
        ),
        Change::BlockDelete { name, .. } => format!("block {name} deleted"),
        Change::Service {
            namespace,
            name,
            apply,
        } => {
            let ingress = apply.ingress.as_ref();
            let ingress = ingress.map(|it| it.iter().map(|it| it.ip.clone()).collect::<Vec<_>>());
            let condition = apply.condition.as_ref().map(|it| &it.reason);
            format!(
                "{namespace}/{name}@{} ingress {ingress:?} finalizer {} label {:?} {condition:?}",
                apply.resource_version, apply.finalizer, apply.label
            )
        }
        Change::Read {
            kind,
            namespace,
            name,
        } => format!("read {kind:?} {namespace}/{name}"),
    }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Found(_) => "Found".to_owned(),
        other => format!("{other:?}"),
    }
}

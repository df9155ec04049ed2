//! What a fault does to the cluster.

use super::super::scenario::Fault;
use super::Cluster;
use super::build::standing;
use crate::ownership::{Group, Key, KeyRing, Settings, Standing};
use crate::random::mix;
use crate::sim::{HostId, Impairment};

impl Cluster<'_> {
    pub(super) fn act(&mut self, fault: Fault) {
        match fault {
            Fault::Start(node) => self.start(node),
            Fault::Restart { node, is_older } => self.restart(node, is_older),
            Fault::Split(side) => self.split(side),
            Fault::Heal => self.network.heal(),
            Fault::Loss(per_mille) => self.lose(per_mille),
            Fault::Forget => self.network.forget_stations(),
            Fault::Cut { from, to } => {
                let ends = self.nodes.get(from).zip(self.nodes.get(to));
                if let Some((from, to)) = ends.map(|(from, to)| (from.host, to.host)) {
                    self.network.block(from, to);
                }
            }
            Fault::Order { by, node, drain } => {
                let ends = self.nodes.get(by).zip(self.nodes.get(node));
                if let Some((by, name)) = ends.map(|(by, node)| (by.host, node.name.clone())) {
                    self.network.order_drain(by, name, drain);
                }
            }
            Fault::Exclude {
                node,
                group,
                is_excluded,
            } => self.exclude(node, group, is_excluded),
            Fault::Weigh(node, weight) => self.weigh(node, weight),
            Fault::Pause(node)
            | Fault::Resume(node)
            | Fault::Stop(node)
            | Fault::Link { node, .. }
            | Fault::Deaf(node, _)
            | Fault::Mute(node, _)
            | Fault::Drain(node, _)
            | Fault::Leave(node) => {
                if let Some(host) = self.nodes.get(node).map(|node| node.host) {
                    self.act_on(host, fault);
                }
            }
        }
    }

    fn act_on(&mut self, host: HostId, fault: Fault) {
        let network = &mut self.network;
        match fault {
            Fault::Pause(_) => network.pause(host),
            Fault::Resume(_) => network.resume(host),
            Fault::Stop(_) => network.stop(host),
            Fault::Link { up, .. } => network.set_link(host, up),
            Fault::Deaf(_, is_cut) => {
                let cable = Impairment {
                    is_cut,
                    ..self.scenario.cable
                };
                network.impair_received(host, cable);
            }
            Fault::Mute(_, is_mute) => network.mute(host, is_mute),
            Fault::Drain(_, drain) => network.drain(host, drain),
            Fault::Leave(_) => network.leave(host),
            _ => {}
        }
    }

    fn start(&mut self, node: usize) {
        let Some(started) = self.nodes.get(node) else {
            return;
        };
        let settings = Settings {
            node: started.name.clone(),
            boot: started.boot,
            timing: self.scenario.profile.timing(),
            keys: keys(self.scenario.is_signed),
            hold: self.scenario.hold,
            dwell: self.scenario.dwell,
            preempt: self.scenario.preempt,
            seed: mix(self.scenario.seed ^ u64::try_from(node).unwrap_or(0)),
            fences: None,
        };
        self.network.elect(
            started.host,
            settings,
            started.groups.clone(),
            self.holdings.clone(),
        );
    }

    fn restart(&mut self, node: usize, is_older: bool) {
        let elapsed = self.network.now().as_nanos();
        let Some(node) = self.nodes.get_mut(node) else {
            return;
        };
        node.boot = if is_older {
            node.boot / 2
        } else {
            1_000_000 + elapsed
        };
        self.network.restart(node.host, node.boot);
    }

    fn split(&mut self, side: u16) {
        let hosts = self
            .nodes
            .iter()
            .map(|node| node.host)
            .chain(self.clients.iter().copied());
        let (one, other): (Vec<_>, Vec<_>) = hosts
            .enumerate()
            .partition(|(number, _)| side & (1 << (number % 16)) != 0);
        let hosts =
            |side: Vec<(usize, HostId)>| side.into_iter().map(|(_, host)| host).collect::<Vec<_>>();
        self.network.partition(&hosts(one), &hosts(other));
    }

    fn lose(&mut self, loss_per_mille: u16) {
        let cable = Impairment {
            loss_per_mille,
            ..self.scenario.cable
        };
        for host in self.hosts() {
            self.network.impair_gently(host, cable);
        }
    }

    fn weigh(&mut self, node: usize, wanted: u16) {
        self.reconfigure(node, |_, group| {
            if let Standing::Eligible { weight, .. } = &mut group.standing {
                *weight = wanted;
            }
        });
    }

    fn exclude(&mut self, node: usize, wanted: usize, is_excluded: bool) {
        let Some(plan) = self.scenario.nodes.get(node) else {
            return;
        };
        self.reconfigure(node, |number, group| {
            if number == wanted {
                group.standing = standing(plan, is_excluded);
            }
        });
    }

    fn reconfigure(&mut self, node: usize, change: impl Fn(usize, &mut Group)) {
        let Some(node) = self.nodes.get_mut(node) else {
            return;
        };
        for (number, group) in node.groups.iter_mut().enumerate() {
            change(number, group);
        }
        self.network.set_groups(node.host, node.groups.clone());
    }
}

fn keys(is_signed: bool) -> KeyRing {
    if is_signed {
        return KeyRing::new(
            Key::new(b"a key of the simulator alone").expect("it is long enough"),
            [],
        );
    }
    KeyRing::unsigned()
}

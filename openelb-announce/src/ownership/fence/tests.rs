//! With a fence there is one owner even where nobody hears the other.

use super::*;
use crate::machine::Machine as _;
use crate::ownership::{
    Group, GroupName, Input, Key, KeyRing, Machine, NodeId, Settings, Shard, Standing,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Who holds which group until when, as seen by the node `me`.
#[derive(Default)]
struct Table {
    me: usize,
    now: Time,
    holders: BTreeMap<u16, (usize, Time)>,
    news: VecDeque<(u16, Option<Time>)>,
    /// Who goes on trying for which group.
    wanted: BTreeSet<(usize, u16)>,
}

impl Fence for Table {
    fn want(&mut self, fence: u16) {
        self.wanted.insert((self.me, fence));
        let is_free = |holder: &(usize, Time)| holder.0 == self.me || holder.1 <= self.now;
        if self.holders.get(&fence).is_none_or(is_free) {
            let until = self.now + Duration::from_secs(5);
            self.holders.insert(fence, (self.me, until));
            self.news
                .push_back((fence, Some(until - Duration::from_millis(500))));
        }
    }

    fn release(&mut self, fence: u16) {
        self.wanted.remove(&(self.me, fence));
        if self
            .holders
            .get(&fence)
            .is_some_and(|holder| holder.0 == self.me)
        {
            self.holders.remove(&fence);
        }
    }

    fn poll_permit(&mut self) -> Option<(u16, Option<Time>)> {
        self.news.pop_front()
    }
}

fn machine(number: u8) -> Machine {
    let keys = KeyRing::new(Key::new(&[7; 32]).unwrap(), []);
    let node = NodeId::new(&format!("node-{number}")).unwrap();
    let settings = Settings {
        fences: Some(4),
        ..Settings::new(node, 1, keys)
    };
    let groups = [Group {
        name: GroupName::default(),
        shards: 16,
        standing: Standing::default(),
    }];
    let mut machine = Machine::new();
    machine.handle_input(Input::Configure(&settings, &groups), Time::ZERO);
    machine.handle_input(Input::Link { up: true }, Time::ZERO);
    machine
}

/// Does what the machine wants, and tells it what the fence says.
fn serve(machine: &mut Machine, table: &mut Table) {
    loop {
        while let Some(output) = machine.poll_output() {
            carry_out(table, output);
        }
        let Some((fence, until)) = table.poll_permit() else {
            return;
        };
        machine.handle_input(Input::Permit { fence, until }, table.now);
    }
}

fn owned(machine: &Machine, now: Time) -> usize {
    let group = GroupName::default().id();
    let is_valid = machine.valid_until().is_some_and(|until| now < until);
    let shards = (0..16).filter(|index| {
        machine.owns(Shard {
            group,
            index: *index,
        })
    });
    if is_valid { shards.count() } else { 0 }
}

/// Hands what one machine sends to the other, and does what both want.
fn exchange(machines: &mut [Machine; 2], table: &mut Table) {
    let mut flying: VecDeque<(usize, std::sync::Arc<[u8]>)> = VecDeque::new();
    loop {
        for (me, machine) in machines.iter_mut().enumerate() {
            table.me = me;
            while let Some(output) = machine.poll_output() {
                if let Some(Output::Transmit(octets)) = carry_out(table, output) {
                    flying.push_back((1 - me, octets));
                }
                while let Some((fence, until)) = table.poll_permit() {
                    machine.handle_input(Input::Permit { fence, until }, table.now);
                }
            }
        }
        let Some((to, octets)) = flying.pop_front() else {
            return;
        };
        let input = Input::Datagram {
            octets: &octets,
            hop_limit: 255,
            received: table.now,
        };
        machines[to].handle_input(input, table.now);
    }
}

#[test]
fn nodes_that_hear_each_other_share_the_permits_and_leave_nothing_without_an_owner() {
    let mut machines = [machine(0), machine(1)];
    let mut table = Table::default();
    for step in 0..1000 {
        table.now = Time::ZERO + Duration::from_millis(10 * step);
        for machine in &mut machines {
            machine.handle_timeout(table.now);
        }
        exchange(&mut machines, &mut table);
        let wanted = table.wanted.clone().into_iter();
        for (me, fence) in wanted.filter(|_| step % 100 == 50) {
            table.me = me;
            table.want(fence);
            while let Some((fence, until)) = table.poll_permit() {
                machines[me].handle_input(Input::Permit { fence, until }, table.now);
            }
        }
        exchange(&mut machines, &mut table);
    }
    let shares = machines.each_ref().map(|it| owned(it, table.now));
    assert_eq!(shares[0] + shares[1], 16, "{shares:?}");
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[test]
fn two_nodes_that_do_not_hear_each_other_never_own_the_same() {
    // The first has the permits; it is frozen, and the second gets them once they are over.
    let mut machines = [machine(0), machine(1)];
    let mut table = Table::default();
    let mut most = [0, 0];
    for step in 0..2000 {
        table.now = Time::ZERO + Duration::from_millis(10 * step);
        for (me, machine) in machines.iter_mut().enumerate() {
            if me == 0 && step > 800 {
                continue;
            }
            table.me = me;
            machine.handle_timeout(table.now);
            serve(machine, &mut table);
            // Both try again and renew every second.
            for fence in (0..4).filter(|_| step % 100 == 50) {
                table.want(fence);
                serve(machine, &mut table);
            }
        }
        let now = [
            owned(&machines[0], table.now),
            owned(&machines[1], table.now),
        ];
        most = [most[0].max(now[0]), most[1].max(now[1])];
        assert!(now[0] + now[1] <= 16, "{now:?} at {}", table.now);
    }
    assert_eq!(most, [16, 16]);
}

#[test]
fn without_a_permit_nothing_is_claimed_and_one_that_ends_takes_its_shards_along() {
    let mut machine = machine(0);
    let mut now = Time::ZERO;
    let mut wanted = Vec::new();
    let mut run = |machine: &mut Machine, millis: u64| {
        let end = now + Duration::from_millis(millis);
        while let Some(at) = machine.poll_timeout().filter(|at| *at <= end) {
            now = now.max(at);
            machine.handle_timeout(now);
            while let Some(output) = machine.poll_output() {
                if let Output::WantPermit(fence) = output {
                    wanted.push(fence);
                }
            }
        }
        now = end;
        now
    };
    let now = run(&mut machine, 3000);
    assert_eq!(owned(&machine, now), 0);
    let until = now + Duration::from_secs(2);
    machine.handle_input(
        Input::Permit {
            fence: 2,
            until: Some(until),
        },
        now,
    );
    let had = owned(&machine, now);
    assert!((1..16).contains(&had), "{had}");
    assert!(machine.valid_until().is_some_and(|valid| valid <= until));
    let now = run(&mut machine, 1900);
    assert_eq!(owned(&machine, now), had);
    let now = run(&mut machine, 200);
    assert_eq!(owned(&machine, now), 0);
    // A permit that is taken away early.
    machine.handle_input(
        Input::Permit {
            fence: 2,
            until: Some(Time::MAX),
        },
        now,
    );
    assert_eq!(owned(&machine, now), had);
    machine.handle_input(
        Input::Permit {
            fence: 2,
            until: None,
        },
        now,
    );
    assert_eq!(owned(&machine, now), 0);
    wanted.sort_unstable();
    assert_eq!(wanted, [0, 1, 2, 3], "each is asked for once");
}

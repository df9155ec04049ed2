//! One kind of fault after another, and what the client noticed of each.

use std::time::{Duration, Instant};

use openelb_announce::random::Random;
use openelb_benches::meter::clock;

use super::contender::{Contender, Member};
use super::keepalived;
use super::meter::{Meter, Passage};
use super::node::ACQUIRED;
use super::world::{ADDRESSES, World};

/// What happens to the node that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Killed, the service with it.
    Death,
    /// Stopped, the service with it, and let go on after the next one has taken over.
    Freeze,
    /// Cut off from the segment with its carrier up, and plugged in again later.
    Cut,
    /// The announcer ends in the ordinary way; the host forwards on.
    Leave,
    /// Asked to hand over; it stays.
    Drain,
}

impl Fault {
    /// Is it chosen? `OPENELB_FAULT` keeps those whose name holds it, such as `Leave`.
    pub(crate) fn is_wanted(self) -> bool {
        let part = std::env::var("OPENELB_FAULT").unwrap_or_default();
        format!("{self:?}").contains(&part)
    }
}

/// What came of all repetitions, in each family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) faults: [Seen; 2],
    /// When the frozen or cut node was back.
    pub(crate) returns: [Seen; 2],
}

/// Samples of one family, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) outages: Vec<f64>,
    pub(crate) moves: Vec<f64>,
    pub(crate) lost: u32,
    /// Repetitions in which nobody took over in time.
    pub(crate) never: u32,
    /// Repetitions after which the client went on sending to a node that was no longer the owner.
    pub(crate) misled: u32,
}

/// Three nodes with a contender, and a client that watches both addresses.
pub(crate) struct Drill<'a> {
    world: &'a World,
    contender: Contender,
    members: Vec<Member>,
    meters: [Meter; 2],
    random: Random,
}

impl<'a> Drill<'a> {
    /// Starts the nodes, and waits until the client is answered.
    pub(crate) fn new(world: &'a World, contender: Contender) -> Self {
        let members = world.nodes.iter().map(|host| contender.join(world, host));
        let drill = Self {
            world,
            contender,
            members: members.collect(),
            meters: ADDRESSES.map(|address| Meter::start(&world.client, address, contender.pace())),
            random: Random::new(contender.interval().subsec_millis().into()),
        };
        for meter in &drill.meters {
            let owner = meter.settled(None, drill.patience());
            assert!(owner.is_some(), "{contender:?}: nobody answers at all");
        }
        drill
    }

    /// Repeats one fault.
    pub(crate) fn repeat(&mut self, fault: Fault, repetitions: u32) -> Outcome {
        let mut outcome = Outcome::default();
        for _ in 0..repetitions {
            self.once(fault, &mut outcome);
        }
        outcome
    }

    fn once(&mut self, fault: Fault, outcome: &mut Outcome) {
        let Some(victim) = self.await_order() else {
            outcome.faults.iter_mut().for_each(|seen| seen.never += 1);
            return;
        };
        // At any moment between two beats.
        let interval = u64::try_from(self.contender.interval().as_nanos()).unwrap();
        std::thread::sleep(Duration::from_nanos(self.random.below(interval)));
        let owners = self.meters.each_ref().map(Meter::answerer);
        let start = self.begin();
        self.strike(fault, victim);
        self.conclude(start, owners, victim, &mut outcome.faults);
        let start = self.begin();
        if self.repair(fault, victim) {
            let owners = self.meters.each_ref().map(Meter::answerer);
            std::thread::sleep(self.contender.recovery());
            for ((meter, owner), seen) in self.meters.iter().zip(owners).zip(&mut outcome.returns) {
                seen.add(meter.passage(start, owner.unwrap_or_default()));
            }
            self.ask_anew(&mut outcome.returns);
        }
    }

    fn begin(&self) -> Instant {
        self.meters.iter().for_each(Meter::forget);
        // The last answers before the fault belong to what is measured.
        std::thread::sleep(Duration::from_millis(5));
        clock()
    }

    /// Makes the client ask who has the addresses: was it sending to one that is no longer the owner?
    fn ask_anew(&self, seen: &mut [Seen; 2]) {
        let before = self.meters.each_ref().map(Meter::answerer);
        // It may fail to keep up with the kernel, which is no reason to stop.
        self.world.client.try_sh("ip neigh flush dev eth0");
        std::thread::sleep(Duration::from_millis(100));
        for ((meter, before), seen) in self.meters.iter().zip(before).zip(seen) {
            let other = meter.answerer().zip(before);
            seen.misled += u32::from(other.is_some_and(|(after, before)| after != before));
        }
    }

    /// Waits until both addresses are answered and another node could take over: the node that
    /// answers for IPv4.
    fn await_order(&mut self) -> Option<usize> {
        let patience = self.patience();
        let owner = self.meters[0].settled(None, patience)?;
        self.meters[1].settled(None, patience)?;
        let place = usize::from(owner) - 1;
        let others = self.members.iter().enumerate();
        let others = others.filter(|(other, _)| *other != place);
        let first = others.map(|(_, member)| member.joined()).min()?;
        let ready = first + self.contender.recovery();
        std::thread::sleep(ready.saturating_duration_since(clock()));
        Some(place)
    }

    fn strike(&mut self, fault: Fault, victim: usize) {
        let member = &mut self.members[victim];
        match fault {
            Fault::Death => member.die(),
            Fault::Freeze => member.freeze(),
            Fault::Cut => self.world.cut(&self.world.nodes[victim]),
            Fault::Leave => member.leave(),
            Fault::Drain => member.drain(true),
        }
    }

    /// Waits for the next owner; a family that another node owned is not counted.
    fn conclude(
        &mut self,
        start: Instant,
        owners: [Option<u8>; 2],
        victim: usize,
        seen: &mut [Seen; 2],
    ) {
        let old = self.world.nodes[victim].number;
        let patience = self.patience();
        for ((meter, owner), seen) in self.meters.iter().zip(owners).zip(seen) {
            if owner != Some(old) {
                continue;
            }
            if meter.settled(owner, patience).is_some() {
                seen.add(meter.passage(start, old));
            } else {
                seen.never += 1;
            }
        }
    }

    /// Puts the node back; true if its return is something that a client could notice.
    fn repair(&mut self, fault: Fault, victim: usize) -> bool {
        let host = &self.world.nodes[victim];
        match fault {
            Fault::Death | Fault::Leave => {
                self.members[victim].end();
                self.members[victim] = self.contender.join(self.world, host);
            }
            Fault::Freeze => self.members[victim].thaw(),
            Fault::Cut => {
                self.world.mend(host);
                self.members[victim].has_returned();
            }
            Fault::Drain => {
                self.members[victim].drain(false);
                self.members[victim].has_returned();
            }
        }
        matches!(fault, Fault::Freeze | Fault::Cut)
    }

    /// How often, since `start`, a journal says that a node became the owner of an address.
    pub(crate) fn acquired(&mut self, start: Instant) -> usize {
        self.members.iter_mut().for_each(Member::tell);
        std::thread::sleep(Duration::from_millis(200));
        let is_acquired = |line: &str| line == ACQUIRED || line.contains(keepalived::ACQUIRED);
        let journals = self.members.iter().map(|member| &member.journal);
        journals.map(|it| it.count(start, is_acquired)).sum()
    }

    fn patience(&self) -> Duration {
        self.contender.bound() * 3 + Duration::from_secs(5)
    }
}

impl Outcome {
    /// Takes over what was seen elsewhere.
    pub(crate) fn append(&mut self, other: Self) {
        let ours = self.faults.iter_mut().chain(&mut self.returns);
        for (ours, other) in ours.zip(other.faults.into_iter().chain(other.returns)) {
            ours.outages.extend(other.outages);
            ours.moves.extend(other.moves);
            ours.lost += other.lost;
            ours.never += other.never;
            ours.misled += other.misled;
        }
    }
}

impl Seen {
    /// Was nothing measured at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.outages.is_empty() && self.never == 0
    }

    fn add(&mut self, passage: Passage) {
        self.outages.push(milliseconds(passage.outage));
        self.moves.extend(passage.moved.map(milliseconds));
        self.lost += passage.lost;
    }
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

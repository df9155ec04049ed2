//! Random scenarios: everything follows from the seed.

use super::{Fault, Node, Scenario, Step};
use crate::ownership::Profile;
use crate::random::Random;
use crate::sim::{Clock, Impairment};
use std::time::Duration;

impl Scenario {
    /// The scenario of a seed: two to six nodes, and up to a dozen faults before it becomes quiet.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let profile = one_of(
            &mut random,
            &[
                Profile::Fast,
                Profile::Normal,
                Profile::Normal,
                Profile::Calm,
            ],
        );
        let nodes: Vec<_> = (0..2 + below(&mut random, 5))
            .map(|_| node(&mut random))
            .collect();
        let groups = one_of(
            &mut random,
            &[&[4_u16][..], &[1], &[3, 1], &[2, 1, 1], &[8]],
        )
        .to_vec();
        let mut scenario = Self {
            seed,
            profile,
            hold: Duration::from_secs(one_of(&mut random, &[2, 10, 30])),
            dwell: Duration::from_secs(one_of(&mut random, &[1, 10])),
            preempt: !random.chance(300),
            is_signed: random.chance(125),
            fence_after: random
                .chance(800)
                .then(|| Duration::from_millis(1 + random.below(2000))),
            nodes,
            groups,
            clients: one_of(&mut random, &[0, 1, 1, 2]),
            cable: cable(&mut random),
            steps: Vec::new(),
            quiet: Duration::ZERO,
        };
        scenario.draw_steps(&mut random);
        scenario
    }

    fn draw_steps(&mut self, random: &mut Random) {
        let timing = self.profile.timing();
        let settled = 3 * (timing.dead_after() + timing.interval());
        let together = random.chance(500);
        for node in 0..self.nodes.len() {
            let late = random.between(Duration::ZERO, timing.dead_after());
            let after = if together { Duration::ZERO } else { late };
            self.steps.push(Step {
                after,
                fault: Fault::Start(node),
            });
        }
        let mut state = State::new(self.nodes.len());
        let count = 1 + below(random, 10);
        for _ in 0..count {
            let wait = match random.below(4) {
                0 => random.between(Duration::ZERO, timing.interval() / 4),
                1 => random.between(Duration::ZERO, timing.dead_after()),
                2 => random.between(Duration::ZERO, settled),
                _ => settled + random.between(Duration::ZERO, timing.dead_after()),
            };
            let fault = state.draw(self, random);
            self.steps.push(Step { after: wait, fault });
        }
        for fault in state.mend() {
            let after = random.between(Duration::ZERO, timing.interval());
            self.steps.push(Step { after, fault });
        }
        self.quiet = settled + random.between(Duration::ZERO, settled);
        // Some histories are watched long enough to see shards move back, and clients ask again.
        if random.chance(60) {
            self.quiet += Duration::from_secs(80);
        } else if random.chance(300) {
            // Others until clients must have noticed whose an address is.
            self.quiet += Duration::from_secs(4);
        }
    }
}

/// What is amiss, so that faults come in the order in which they can.
struct State {
    nodes: Vec<Condition>,
    is_split: bool,
    is_lossy: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "troubles of their own, in any combination"
)]
#[derive(Clone, Copy, Default)]
struct Condition {
    is_paused: bool,
    is_stopped: bool,
    has_left: bool,
    is_down: bool,
    is_deaf: bool,
    is_mute: bool,
}

impl State {
    fn new(nodes: usize) -> Self {
        Self {
            nodes: vec![Condition::default(); nodes],
            is_split: false,
            is_lossy: false,
        }
    }

    fn draw(&mut self, scenario: &Scenario, random: &mut Random) -> Fault {
        let count = self.nodes.len();
        let node = below(random, count);
        let Some(condition) = self.nodes.get_mut(node) else {
            return Fault::Forget;
        };
        match random.below(32) {
            0..=5 if !condition.is_stopped => Self::freeze_or_run(condition, node),
            0..=9 => Self::kill_or_start(condition, node, random),
            10..=14 => Self::trouble_the_link(condition, node, random),
            15..=18 => self.cut_or_heal(node, scenario, random),
            19 => {
                self.is_lossy = !self.is_lossy;
                let loss = one_of(random, &[10, 50, 200]);
                Fault::Loss(if self.is_lossy { loss } else { 0 })
            }
            20 => Fault::Forget,
            21..=23 => Fault::Drain(node, random.chance(600)),
            24 => Fault::Order {
                by: below(random, count),
                node,
                drain: random.chance(500),
            },
            25 => {
                condition.has_left = true;
                Fault::Leave(node)
            }
            26..=29 => {
                let group = below(random, scenario.groups.len());
                Fault::Exclude {
                    node,
                    group,
                    is_excluded: random.chance(500),
                }
            }
            _ => Fault::Weigh(node, one_of(random, &[1, 50, 100, 200, 1000])),
        }
    }

    fn cut_or_heal(&mut self, node: usize, scenario: &Scenario, random: &mut Random) -> Fault {
        if self.is_split && random.chance(700) {
            self.is_split = false;
            return Fault::Heal;
        }
        self.is_split = true;
        let count = self.nodes.len();
        if random.chance(500) {
            let hosts = u32::try_from(count + scenario.clients).unwrap_or(16);
            let sides = random.below(1_u64 << hosts.min(15));
            return Fault::Split(u16::try_from(sides).unwrap_or(1));
        }
        let step = 1 + below(random, count - 1);
        Fault::Cut {
            from: node,
            to: (node + step) % count,
        }
    }

    fn trouble_the_link(condition: &mut Condition, node: usize, random: &mut Random) -> Fault {
        match random.below(5) {
            0 => {
                condition.is_deaf = !condition.is_deaf;
                Fault::Deaf(node, condition.is_deaf)
            }
            1 => {
                condition.is_mute = !condition.is_mute;
                Fault::Mute(node, condition.is_mute)
            }
            _ => {
                condition.is_down = !condition.is_down;
                Fault::Link {
                    node,
                    up: !condition.is_down,
                }
            }
        }
    }

    fn freeze_or_run(condition: &mut Condition, node: usize) -> Fault {
        condition.is_paused = !condition.is_paused;
        if condition.is_paused {
            Fault::Pause(node)
        } else {
            Fault::Resume(node)
        }
    }

    fn kill_or_start(condition: &mut Condition, node: usize, random: &mut Random) -> Fault {
        condition.has_left = false;
        condition.is_paused = false;
        condition.is_stopped = !condition.is_stopped && random.chance(700);
        if condition.is_stopped {
            Fault::Stop(node)
        } else {
            Fault::Restart {
                node,
                is_older: random.chance(150),
            }
        }
    }

    /// What it takes until nothing is amiss but dead, deaf and downed nodes.
    fn mend(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (node, condition) in self.nodes.iter().enumerate() {
            faults.extend(condition.is_paused.then_some(Fault::Resume(node)));
            faults.extend(condition.has_left.then_some(Fault::Stop(node)));
            faults.extend(condition.is_mute.then_some(Fault::Mute(node, false)));
        }
        faults.extend(self.is_lossy.then_some(Fault::Loss(0)));
        faults.extend(self.is_split.then_some(Fault::Heal));
        faults
    }
}

fn node(random: &mut Random) -> Node {
    let skew = i32::try_from(random.below(100_001)).unwrap_or_default() - 50_000;
    Node {
        weight: one_of(random, &[100, 100, 100, 50, 300]),
        preference: one_of(random, &[0, 0, 0, 1]),
        clock: Clock {
            offset: Duration::from_nanos(random.below(1_000_000_000_000)),
            skew_ppm: if random.chance(500) { skew } else { 0 },
        },
        excluded: if random.chance(200) {
            one_of(random, &[1, 2, 3])
        } else {
            0
        },
    }
}

fn cable(random: &mut Random) -> Impairment {
    Impairment {
        loss_per_mille: 0,
        duplicate_per_mille: one_of(random, &[0, 0, 100]),
        delay: Duration::from_micros(one_of(random, &[10, 10, 500])),
        jitter: Duration::from_micros(one_of(random, &[0, 100, 3000])),
        is_cut: false,
    }
}

fn below(random: &mut Random, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    usize::try_from(random.below(bound)).unwrap_or(0)
}

fn one_of<T: Copy>(random: &mut Random, choices: &[T]) -> T {
    let position = below(random, choices.len());
    *choices
        .get(position)
        .expect("a number below the length of a list that is not empty")
}

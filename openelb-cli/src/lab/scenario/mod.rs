//! The play: a service gets its addresses, is announced, reached, moved, and goes.

mod contest;
mod election;
mod fabric;
mod handover;
mod lifetime;
mod presence;
pub(super) mod renumbering;
pub(super) mod trouble;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::args::{LabArgs, Scene};
use super::capture::{Capture, Message};
use super::clock::{Stopwatch, micros};
use super::host::Rights;
use super::network::Network;
use super::node::Node;
use super::plan;
use super::report::{Step, StepFailure};
use super::router::Router;
use super::station::Station;
use election::Election;
use renumbering::Renumbering;
use trouble::Trouble;

/// The play on its stage.
#[derive(Debug)]
pub(crate) struct Scenario<'n> {
    network: &'n Network,
    files: &'n Path,
    nodes: Vec<Node>,
    /// What the client hears from the beginning.
    capture: Option<Capture>,
    scene: Scene,
    /// From its start all times count.
    clock: Stopwatch,
    /// The router, where there is one.
    router: Option<Router>,
    /// What the scenes of an election remember.
    election: Election,
    /// What the scene of the prefix remembers.
    renumbering: Renumbering,
    /// How many times such a scene is played.
    repeat: u32,
    /// The addresses of the service, IPv4 first; empty before they are allocated.
    pair: Vec<IpAddr>,
}

/// A step that went as expected, before it is put in time.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) summary: String,
    pub(super) details: Vec<String>,
    pub(super) facts: Value,
}

type Play = fn(&mut Scenario<'_>) -> Result<Outcome, Trouble>;

/// A step with its stable name.
type Act = (&'static str, Play);

impl<'n> Scenario<'n> {
    /// Before the first step: the network stands and nothing runs on it.
    /// Times count from the start of `clock`.
    pub(crate) fn new(
        network: &'n Network,
        files: &'n Path,
        args: &LabArgs,
        clock: Stopwatch,
    ) -> io::Result<Self> {
        let client = network
            .station(plan::CLIENT)
            .expect("the plan has a client");
        // In an election each step listens for itself: it is played many times.
        let capture = if args.scene.has_election() {
            None
        } else {
            Some(client.host.run(move || Capture::start(clock))?)
        };
        Ok(Self {
            network,
            files,
            nodes: Vec::new(),
            capture,
            scene: args.scene,
            clock,
            router: None,
            election: Election::new(args.profile()),
            renumbering: Renumbering::default(),
            repeat: args.repeat.unwrap_or(1),
            pair: Vec::new(),
        })
    }

    /// Plays the steps until one fails, telling each that went as expected. Returns those steps,
    /// and the failure if there is one. When the network is kept, the service comes back at the end.
    pub(crate) fn play(
        &mut self,
        keep: bool,
        mut tell: impl FnMut(&Step) -> io::Result<()>,
    ) -> io::Result<(Vec<Step>, Option<StepFailure>)> {
        let mut steps = Vec::new();
        let (play_of_scene, encore) = self.acts();
        let encore = encore.filter(|_| keep);
        for (name, play) in play_of_scene.into_iter().chain(encore) {
            let took = Stopwatch::start();
            let Outcome {
                summary,
                details,
                facts,
            } = match play(self) {
                Ok(outcome) => outcome,
                Err(trouble) => return Ok((steps, Some(self.failure(name, &trouble)))),
            };
            let (at_us, took_us) = (micros(self.clock.elapsed()), micros(took.elapsed()));
            let step = Step {
                name,
                at_us,
                took_us,
                summary,
                details,
                facts,
            };
            tell(&step)?;
            steps.push(step);
        }
        Ok((steps, None))
    }

    /// The steps of the scene, and the one for those who stay.
    fn acts(&self) -> (Vec<Act>, Option<Act>) {
        match self.scene {
            Scene::Layer2 => (STEPS.into(), Some(ENCORE)),
            Scene::Bgp => (fabric::BGP.into(), Some(fabric::ENCORE)),
            // The node that is left goes on.
            Scene::BgpEcmp => (fabric::ECMP.into(), None),
            Scene::PrefixChange => (renumbering::ACTS.into(), None),
            // All is as before at the end.
            scene => (election::acts(scene, self.repeat), None),
        }
    }

    /// Ends what should not be killed.
    pub(crate) fn end(mut self) {
        if let Some(router) = &mut self.router {
            router.stop();
        }
    }

    fn failure(&self, step: &'static str, trouble: &Trouble) -> StepFailure {
        let tail = |node: &Node| {
            let lines = node.last_lines(LOG_LINES).into_iter();
            let name = node.name().to_owned();
            lines
                .map(move |line| format!("{name}: {line}"))
                .collect::<Vec<_>>()
        };
        let router = self.router.iter().flat_map(|router| {
            let lines = router.last_lines(LOG_LINES).into_iter();
            lines.map(|line| format!("{}: {line}", super::fabric::TOR))
        });
        let provider = self.renumbering.provider.iter().flat_map(|provider| {
            let lines = provider.last_lines(LOG_LINES).into_iter();
            lines.map(|line| format!("{}: {line}", plan::ISP))
        });
        StepFailure {
            step,
            expected: trouble.expected(),
            seen: trouble.to_string(),
            log: {
                let nodes = self.nodes.iter().flat_map(tail);
                nodes.chain(router).chain(provider).collect()
            },
        }
    }

    fn node(&self, name: &str) -> Result<&Node, Trouble> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|node| node.name() == name)
            .ok_or_else(|| Trouble::Unexpected {
                expected: format!("a daemon on {name}"),
                seen: "none was started".to_owned(),
            })
    }

    /// Starts a daemon with this configuration, and waits until it answers.
    fn start(&mut self, name: &str, config: &str) -> Result<(), Trouble> {
        let node = self.launch(name, config)?;
        Ok(node.wait_until_it_answers()?)
    }

    /// Starts a daemon with this configuration.
    fn launch(&mut self, name: &str, config: &str) -> Result<&mut Node, Trouble> {
        let station = self.station(name);
        let is_fast = self.scene.has_election() && self.election.is_fast();
        let rights = match self.scene {
            Scene::Bgp | Scene::BgpEcmp => Rights::Speaker,
            _ if is_fast => Rights::Realtime,
            _ => Rights::NetRaw,
        };
        let node = Node::start(name, &station.host, self.files, config, rights)?;
        // Kept also when it fails to answer: its log tells why.
        Ok(self.nodes.push_mut(node))
    }

    /// How many frames of a kind the client heard from a host about an address.
    fn heard(&self, host: &str, message: Message, address: IpAddr) -> usize {
        let heard = self.capture.as_ref().map(Capture::heard);
        let heard = heard.unwrap_or_default();
        let wanted = heard.iter().filter(|sighting| {
            (sighting.message, sighting.address) == (message, address)
                && self.network.owner(sighting.from) == Some(host)
        });
        wanted.count()
    }

    /// Runs `job` on the client.
    fn on_client<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        self.station(plan::CLIENT).host.run(job)
    }

    fn station(&self, name: &str) -> &Station {
        let found = self.network.station(name);
        found.expect("the plan has every host of the play")
    }
}

/// Waits for `poll` to give a value.
pub(super) fn until<T>(
    expected: &str,
    poll: impl FnMut() -> Result<Result<T, String>, Trouble>,
) -> Result<T, Trouble> {
    within(PATIENCE, expected, poll)
}

/// Waits for `poll` to give a value, but not for ever.
fn within<T>(
    patience: Duration,
    expected: &str,
    mut poll: impl FnMut() -> Result<Result<T, String>, Trouble>,
) -> Result<T, Trouble> {
    let waited = Stopwatch::start();
    loop {
        match poll()? {
            Ok(value) => return Ok(value),
            Err(seen) if waited.elapsed() > patience => {
                let expected = format!("{expected} within {patience:?}");
                return Err(Trouble::Unexpected { expected, seen });
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}

const STEPS: [Act; 10] = [
    ("pool-defined", lifetime::define_pool),
    ("allocated", lifetime::allocate),
    ("announced", presence::announce),
    ("reached", presence::reach),
    ("repeated", lifetime::repeat),
    ("standing-by", handover::stand_by),
    ("moved", handover::hand_over),
    ("contested", contest::contest),
    ("withdrawn", lifetime::withdraw),
    ("cooling", lifetime::cool),
];

/// For those who stay: something to look at.
const ENCORE: Act = ("returned", presence::come_back);

/// No step takes a tenth of it on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(5);

/// Of each daemon, when a step fails.
const LOG_LINES: usize = 12;

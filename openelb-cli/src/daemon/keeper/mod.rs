//! The thread that owns the allocations: everybody else sends it inputs.
//!
//! Inputs that wait are taken together, carried out in memory, made durable by one commit and only
//! then answered; the network hears of them after that too.

mod confirm;
#[cfg(test)]
mod tests;

use std::thread::JoinHandle;
use std::time::Duration;

use openelb_ipam::dynamic_prefix;
use openelb_ipam::relative::PrefixName;
use openelb_ipam::{OwnerKey, Time};
use openelb_k8s::source::Runner;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::{error, info, warn};

use self::confirm::Confirmed;
use super::journal::{About, Journal};
use super::services::Services;
use super::speaker::{Conflict, News, Speaker};
use super::upstream;
use crate::clock;
use crate::config::{Config, InvalidConfig};
use crate::engine::{Answer, DrainStep, Engine, Question};
use crate::exit_code::{ExitCode, Failure};

/// Sends inputs to the thread. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    inputs: mpsc::Sender<Input>,
}

/// What the thread acts on.
#[derive(Debug)]
pub(super) enum Input {
    /// A question, and where its answer goes.
    Ask(Question, oneshot::Sender<Result<Answer, Failure>>),
    /// A configuration was read, or could not be.
    Configure(Box<Result<Config, InvalidConfig>>),
    /// A health check has a new verdict.
    Health {
        /// The service.
        owner: OwnerKey,
        /// Whether it answers.
        is_healthy: bool,
        /// Why not.
        detail: String,
    },
    /// Withdraw everything and end.
    Stop,
}

impl Keeper {
    /// Starts the thread.
    pub(super) fn start(
        engine: Engine,
        services: Services,
        speaker: Speaker,
        mut upstreams: Runner,
        news: mpsc::Receiver<News>,
    ) -> Result<(Self, Thread), Failure> {
        let failed =
            |error| Failure::new(ExitCode::Failed, format!("cannot start a thread: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(failed)?;
        let (sender, inputs) = mpsc::channel(QUEUE);
        upstreams.want(upstream::wanted(services.prefixes()));
        let state = Keeping::new(engine, services, speaker, upstreams);
        let thread = std::thread::Builder::new()
            .name("openelb-keeper".to_owned())
            .spawn(move || runtime.block_on(state.run(inputs, news)))
            .map_err(failed)?;
        Ok((Self { inputs: sender }, thread))
    }

    /// Asks, and waits for the durable answer.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Failure> {
        let (reply, answer) = oneshot::channel();
        self.tell(Input::Ask(question, reply)).await;
        answer.await.unwrap_or_else(|_| {
            Err(
                Failure::new(ExitCode::Unreachable, "the daemon is stopping")
                    .next("ask again once it runs"),
            )
        })
    }

    /// Tells, without waiting for what comes of it. Ignored once the thread has ended.
    pub(super) async fn tell(&self, input: Input) {
        let _ = self.inputs.send(input).await;
    }

    /// Waits until the thread takes no inputs any more.
    pub(super) async fn ended(&self) {
        self.inputs.closed().await;
    }
}

/// The thread, and why it ended if nobody told it to.
pub(super) type Thread = JoinHandle<Result<(), Failure>>;

struct Keeping {
    engine: Engine,
    services: Services,
    speaker: Speaker,
    upstreams: Runner,
    /// For which allocations, services and prefixes the announcements were made last.
    announced: Option<(u64, u64, u64)>,
    /// The version of the prefixes that refused services were last tried with.
    tried: u64,
    /// Which prefixes are confirmed to be announced.
    confirmed: Confirmed,
    /// What happened to prefixes.
    journal: Journal,
    /// When the drain that another node ordered goes on to its second step.
    withdraw_at: Option<Time>,
    /// What ended by itself, and this thread with it.
    failure: Option<Failure>,
}

/// What made the thread wake.
enum Wake {
    Inputs(Vec<Input>),
    News(News),
    Deadline,
}

impl Keeping {
    fn new(engine: Engine, services: Services, speaker: Speaker, upstreams: Runner) -> Self {
        Self {
            engine,
            services,
            speaker,
            upstreams,
            announced: None,
            tried: 0,
            confirmed: Confirmed::default(),
            journal: Journal::default(),
            withdraw_at: None,
            failure: None,
        }
    }

    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut news: mpsc::Receiver<News>,
    ) -> Result<(), Failure> {
        self.finish(Vec::new(), clock::now());
        loop {
            let mut batch = Vec::new();
            // `recv_many` and `recv` lose nothing when another arm wins; the sleep is started anew.
            let wake = tokio::select! {
                count = inputs.recv_many(&mut batch, BATCH) => match count {
                    0 => break,
                    _ => Wake::Inputs(batch),
                },
                Some(told) = news.recv() => Wake::News(told),
                () = sleep(self.until_deadline(clock::now())) => Wake::Deadline,
            };
            if self.act(wake, clock::now()) == Flow::Stop {
                break;
            }
        }
        // Sources that wait for their news to be taken go on to their end.
        drop((inputs, news));
        drop(self.upstreams);
        self.speaker.stop();
        self.failure.map_or(Ok(()), Err)
    }

    fn act(&mut self, wake: Wake, now: Time) -> Flow {
        let mut replies = Vec::new();
        let mut flow = Flow::Go;
        match wake {
            Wake::Inputs(inputs) => {
                for input in inputs {
                    if self.take(input, &mut replies, now) == Flow::Stop {
                        flow = Flow::Stop;
                    }
                }
            }
            Wake::News(News::Conflict(Conflict {
                address,
                cause,
                is_lost,
            })) => {
                self.services.hear_conflict(address, &cause, now);
                let is_lost = is_lost && self.speaker.is_sole(address);
                if is_lost && self.engine.read_only().is_none() {
                    self.engine
                        .quarantine(address, now + QUARANTINE, &cause, now);
                }
            }
            Wake::News(News::Prefix { name, input }) => self.engine.hear_prefix(&name, input, now),
            Wake::News(News::Ordered { by, step }) => {
                info!("told by node {by}");
                match self.drain(step) {
                    Ok(()) if step == DrainStep::Announce => self.withdraw_at = Some(now + MOVING),
                    Ok(()) => {}
                    Err(failure) => error!(%failure, "the order was not carried out"),
                }
            }
            Wake::News(News::Ended { why }) => {
                error!(why, "the daemon ends");
                let next = "start it again; a service manager does that by itself";
                self.failure = Some(Failure::new(ExitCode::Failed, why).next(next));
                flow = Flow::Stop;
            }
            Wake::Deadline => self.go_on_draining(now),
        }
        self.finish(replies, now);
        flow
    }

    fn take(&mut self, input: Input, replies: &mut Vec<PendingReply>, now: Time) -> Flow {
        match input {
            Input::Ask(question, reply) => {
                let changes = question.changes();
                replies.push((reply, changes, self.answer(question, now)));
            }
            Input::Configure(read) => {
                self.services.configure(*read, &mut self.engine, now);
                self.upstreams
                    .want(upstream::wanted(self.services.prefixes()));
            }
            Input::Health {
                owner,
                is_healthy,
                detail,
            } => {
                self.services.hear_health(owner, is_healthy, detail);
            }
            Input::Stop => return Flow::Stop,
        }
        Flow::Go
    }

    /// Commits, answers, and hands the set of announcements over.
    fn finish(&mut self, replies: Vec<PendingReply>, now: Time) {
        if self.engine.read_only().is_none() {
            self.engine.expire(now);
            if self.tried != self.engine.prefix_version() {
                self.tried = self.engine.prefix_version();
                self.services.serve_refused(&mut self.engine, now);
            }
            self.services.serve_woken(&mut self.engine, now);
        }
        self.tell_of_prefixes();
        let committed = self.engine.commit();
        let is_lost = |(_, changes, outcome): &PendingReply| *changes && outcome.is_ok();
        if let Err(failure) = &committed
            && replies.iter().any(is_lost)
        {
            error!(%failure, "nothing was acknowledged");
        }
        for (reply, changes, outcome) in replies {
            let outcome = match (&committed, changes) {
                (Err(failure), true) => Err(failure.clone()),
                _ => outcome,
            };
            // Whoever asked may be gone; the answer is durable and will be the same again.
            let _ = reply.send(outcome);
        }
        // What is not durable is not announced: after a restart it could belong to somebody else.
        let prefixes = self.engine.prefix_version();
        let version = (self.engine.generation(), self.services.version(), prefixes);
        if committed.is_ok() && self.announced != Some(version) {
            self.announced = Some(version);
            self.speaker.announce(self.services.wanted(&self.engine));
            self.speaker.announce_routes(
                self.services.bgp(),
                self.services.routes(&self.engine),
                self.services.is_settled(),
            );
        }
        self.confirm(now);
    }

    /// Logs and notes what happened to the prefixes.
    fn tell_of_prefixes(&mut self) {
        for (name, event) in self.engine.take_prefix_events() {
            let text = format!("prefix {name}: {event}");
            match event {
                dynamic_prefix::Event::Degraded { .. } | dynamic_prefix::Event::Refused { .. } => {
                    warn!("{text}");
                }
                _ => info!("{text}"),
            }
            self.note_prefix(&name, text);
        }
        for overlap in self.engine.take_prefix_overlaps() {
            let text = format!("prefix {overlap}");
            warn!("{text}");
            self.note_prefix(&overlap.name, text);
        }
    }

    fn note_prefix(&mut self, name: &PrefixName, text: String) {
        let about = About {
            prefix: Some(name.to_string()),
            ..About::default()
        };
        self.journal.note(about, text);
    }

    fn drain(&mut self, step: DrainStep) -> Result<(), Failure> {
        self.withdraw_at = None;
        self.speaker.drain(step)
    }

    /// Nobody else takes the second step of a drain that another node ordered: it hears of the links
    /// alone.
    fn go_on_draining(&mut self, now: Time) {
        if self.withdraw_at.is_some_and(|at| at <= now)
            && let Err(failure) = self.drain(DrainStep::Withdraw)
        {
            error!(%failure, "the routes were not withdrawn");
        }
    }

    fn until_deadline(&self, now: Time) -> Duration {
        let deadline = self.engine.next_deadline().into_iter();
        let deadline = deadline.chain(self.withdraw_at).min();
        let patience = self.confirmed.patience().unwrap_or(IDLE);
        deadline.map_or(patience, |deadline| (deadline - now).min(patience))
    }

    fn answer(&mut self, question: Question, now: Time) -> Result<Answer, Failure> {
        match question {
            Question::Status => Ok(Answer::Status(Box::new(self.services.status(
                &self.engine,
                &self.speaker,
                now,
            )))),
            Question::Bgp => Ok(Answer::Bgp(Box::new(self.speaker.bgp().report()))),
            Question::BgpRoutes { peer, received } => {
                let routes = self.speaker.bgp().routes(peer.as_deref(), received);
                routes.map(Answer::BgpRoutes).ok_or_else(|| {
                    let peer = peer.unwrap_or_default();
                    Failure::new(ExitCode::NotFound, format!("there is no BGP peer `{peer}`"))
                        .next("see `openelb bgp peers`")
                })
            }
            Question::BgpEvents { from } => Ok(Answer::BgpEvents(self.speaker.bgp().events(from))),
            Question::Election => Ok(Answer::Election(Box::new(
                self.speaker.election().unwrap_or_default(),
            ))),
            Question::PrefixEvents { from } => Ok(Answer::PrefixEvents(self.journal.since(from))),
            Question::LinkEvents { from } => Ok(Answer::LinkEvents(self.speaker.events(from))),
            Question::Vrrp => Ok(Answer::Vrrp(self.speaker.vrrp().unwrap_or_default())),
            Question::Drain { step, node } => {
                match (
                    step,
                    node.as_deref().filter(|node| !self.speaker.is_called(node)),
                ) {
                    (Some(step), Some(node)) => self.speaker.order(node, step)?,
                    (Some(step), None) => self.drain(step)?,
                    (None, _) => {}
                }
                let report = self.speaker.drained(node.as_deref())?;
                Ok(Answer::Drain(Box::new(report)))
            }
            Question::Apply { .. } => Err(Failure::new(
                ExitCode::Busy,
                "the daemon takes its pools from its configuration",
            )
            .next("edit the configuration file; it is reloaded by itself")),
            Question::Release { ref owners } => {
                self.services.check_release(owners)?;
                self.engine.answer(question, now)
            }
            Question::Explain { owner, request } => {
                let request = request.or_else(|| self.services.request(&owner).map(Box::new));
                let explained = self
                    .engine
                    .answer(Question::Explain { owner, request }, now)?;
                Ok(self.services.explain_announcement(explained, &self.speaker))
            }
            other => self.engine.answer(other, now),
        }
    }
}

type PendingReply = (
    oneshot::Sender<Result<Answer, Failure>>,
    bool,
    Result<Answer, Failure>,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Go,
    Stop,
}

/// Inputs that may wait; senders wait when there are more.
const QUEUE: usize = 1_024;

/// Inputs carried out between two commits. A commit of 64 rows costs about twice one of a single row,
/// so bigger groups gain little and make the first wait for the last.
const BATCH: usize = 256;

/// A conflict keeps everybody away from the address for so long: long enough for the other station
/// to be found, short enough that a passing mistake heals itself.
const QUARANTINE: Duration = Duration::from_mins(5);

/// How long routers get to move to other paths when another node ordered the drain: what
/// `openelb drain` waits by default.
const MOVING: Duration = Duration::from_secs(30);

/// An upper bound for one sleep; waking without a reason is harmless.
const IDLE: Duration = Duration::from_hours(1);

//! The speaker of a node: watches in, announcements and sessions out, a record of both back.
//!
//! One loop owns what is known. It says nothing before every kind was listed once; from then on it
//! goes on with what it knows, whether the API server answers or not. Changes that come together are
//! carried out together.

mod cni;
mod feed;
mod forwarding;
mod host;
mod metrics;
mod mirror;
mod network;
mod report;
mod reporter;

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use jiff::Timestamp;
use openelb_announce::bgp::peer::Stop as BgpStop;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tracing::{info, warn};

use self::mirror::{Mirror, News};
use self::network::{Network, Sight};
use self::report::Report;
use self::reporter::Writers;
use super::args::{Args, Command, OnStop, SpeakerArgs};
use super::http::{Pages, Question, Questions};
use super::stop::Stop;
use super::upstream::{Upstream, wanted};
use super::{Failure, clock};
use crate::api::{Condition, NodeAnnouncementStatus};
use crate::client::{Client, Writer, connect};
use crate::prefix::Source;
use crate::source::Wanted;
use crate::speaker::record::{MOST_SHOWN, Record, Seen, Shown, conf_status, peer_status};
use crate::speaker::{Desired, Me, desired};

/// Speaks until it is told to stop, and then hands over.
pub(super) async fn run(args: &Args, speaker: &SpeakerArgs) -> Result<(), Failure> {
    // First of all: both take capabilities, and the latter gives them up for everything that starts
    // after it.
    let upstream = Upstream::start();
    let network = network().map_err(Failure::Runtime)?;
    let mut stop = Stop::listen().map_err(Failure::Runtime)?;
    let client = connect(&args.place()).await?;
    let (pages, questions) = Pages::new();
    if let Some(address) = speaker.metrics_addr.0 {
        pages.serve(address, "--metrics-addr").await?;
    }
    let stopped = async move { stop.told().await };
    let speaking = (upstream, network);
    follow(args, speaker, speaking, client, questions, stopped).await
}

/// What `openelb-k8s ARGUMENTS` does as the speaker, by a client that is there already and until
/// `stop` is done. Nothing is served: health and metrics are the process's.
///
/// It takes the calling thread's capabilities, and gives them up for it as for all that it starts.
pub async fn speak(
    arguments: &[&str],
    client: Client,
    stop: impl Future<Output = ()>,
) -> Result<(), clap::Error> {
    let args = Args::try_parse_from(arguments)?;
    let Command::Speaker(speaker) = &args.command else {
        return Err(clap::Error::new(ErrorKind::InvalidSubcommand));
    };
    let upstream = Upstream::start();
    let network = network().map_err(|error| clap::Error::raw(ErrorKind::Io, error))?;
    let (_pages, questions) = Pages::new();
    let speaking = (upstream, network);
    let followed = follow(&args, speaker, speaking, client, questions, stop).await;
    followed.map_err(|failure| clap::Error::raw(ErrorKind::Io, failure))
}

fn network() -> std::io::Result<Network> {
    Network::start(clock::now().0.saturating_mul(NANOSECONDS))
}

async fn follow(
    args: &Args,
    speaker: &SpeakerArgs,
    (upstream, network): (Upstream, Network),
    client: Client,
    mut questions: Questions,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut stop = pin!(stop);
    let mut news = feed::feed(&client, &args.namespace);
    let (reports, newest) = watch::channel(None);
    let (earlier, mut before) = oneshot::channel();
    let node = speaker.node_name.clone();
    let writers = Writers {
        own: Writer::new(client.clone(), report::manager(&node), WIDTH),
        for_all: Writer::new(client, report::FOR_ALL, WIDTH),
    };
    tokio::spawn(reporter::write(writers, node, earlier, newest));
    let mut speaking = Speaking::new(speaker, upstream, network, reports);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        let due = speaking.due;
        // Every arm gives back what it took, or takes nothing before it wins.
        tokio::select! {
            Some(first) = news.recv() => speaking.hear(first, &mut news),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => speaking.decide(),
            _ = ticks.tick() => match speaking.network.noted.ended.get() {
                None => speaking.look(),
                Some(why) => break Some(why.clone()),
            },
            () = speaking.upstream.changed() => speaking.hear_upstream(),
            Some(question) = questions.recv() => speaking.answer(question),
            Ok(status) = &mut before, if speaking.record.is_none() => speaking.go_on(&status),
            () = &mut stop => break None,
        }
    };
    speaking.end(speaker).await;
    ended.map_or(Ok(()), |why| Err(Failure::Ended(why)))
}

struct Speaking {
    me: Me,
    mirror: Mirror,
    upstream: Upstream,
    network: Network,
    desired: Desired,
    /// `None` until it is known what a former life wrote.
    record: Option<Record>,
    shown: Shown,
    reports: watch::Sender<Option<Report>>,
    /// When what was heard is to be acted upon.
    due: Option<Instant>,
    /// Ticks since the network was looked at.
    idle: u32,
    has_begun: bool,
    /// Metrics have `OpenELB`'s names as well.
    has_former_names: bool,
    conditions: Vec<Condition>,
    /// Why the CNI configuration is not as it should be.
    cni_trouble: Option<String>,
}

impl Speaking {
    fn new(
        speaker: &SpeakerArgs,
        upstream: Upstream,
        network: Network,
        reports: watch::Sender<Option<Report>>,
    ) -> Self {
        Self {
            me: Me {
                node: speaker.node_name.clone(),
                class: speaker.load_balancer_class.clone(),
                ignores_exclude_label: speaker.ignore_exclude_label,
            },
            mirror: Mirror::new(),
            upstream,
            network,
            desired: Desired::default(),
            record: None,
            shown: Shown::default(),
            reports,
            due: None,
            idle: 0,
            has_begun: false,
            has_former_names: speaker.openelb_metric_names,
            conditions: Vec::new(),
            cni_trouble: None,
        }
    }

    /// Takes in what waits. What belongs together comes together, so it is acted upon a moment later.
    fn hear(&mut self, first: News, rest: &mut mpsc::Receiver<News>) {
        let mut is_changed = self.mirror.take(first);
        for _ in 0..BATCH {
            let Ok(news) = rest.try_recv() else {
                break;
            };
            is_changed |= self.mirror.take(news);
        }
        if is_changed && self.due.is_none() {
            self.due = Some(Instant::now() + DEBOUNCE);
        }
    }

    fn decide(&mut self) {
        self.due = None;
        // What is missing from half a list is not gone.
        if !self.mirror.missing().is_empty() {
            return;
        }
        let desired = desired(&self.mirror.cluster, &self.me, &self.mirror.shelf);
        for problem in desired
            .problems
            .iter()
            .filter(|it| !self.desired.problems.contains(it))
        {
            warn!("{problem}");
        }
        if !self.has_begun {
            info!(
                node = self.me.node,
                addresses = desired.rows.len(),
                "every kind was listed: announcing"
            );
            self.has_begun = true;
        }
        self.network.put_in_force(&desired);
        self.upstream.want(self.sources());
        self.desired = desired;
        self.look_now();
    }

    /// The sources of prefixes that this node reads.
    fn sources(&self) -> Wanted {
        let cluster = &self.mirror.cluster;
        let node = cluster.nodes.get(&self.me.node);
        let mine = cluster.prefixes.values().filter(|prefix| {
            let selector = prefix.spec.node_selector.as_ref();
            selector.is_none_or(|it| node.is_some_and(|node| it.matches(&node.metadata.labels)))
        });
        wanted(mine, Source::is_of_node)
    }

    fn hear_upstream(&mut self) {
        if self.has_begun {
            self.look_now();
        }
    }

    /// Looks when something happened, and from time to time in any case.
    fn look(&mut self) {
        self.idle += 1;
        let is_stirred = self.network.noted.is_stirred.swap(false, Ordering::Relaxed);
        if self.has_begun && (is_stirred || self.idle >= IDLE_TICKS) {
            self.look_now();
        }
    }

    fn look_now(&mut self) {
        self.idle = 0;
        self.configure_cni();
        let Some(record) = &mut self.record else {
            return;
        };
        let sight = self.network.look();
        let seen = Seen {
            addresses: sight.addresses.clone(),
            peers: sight.bgp.peers.clone(),
            left_out: sight.left_out(),
        };
        let now = Timestamp::now();
        self.shown = record.show(&self.desired, &seen, &seconds(now));
        let report = self.report(&sight, now);
        self.reports.send_if_modified(|current| {
            let is_new = current.as_ref() != Some(&report);
            if is_new {
                *current = Some(report);
            }
            is_new
        });
    }

    /// Whoever edited the file may have taken the node's prefixes out.
    fn configure_cni(&mut self) {
        let (pods, cidrs) = (&self.desired.pods, self.desired.pods.cidrs());
        let Some(path) = pods.cni.as_ref().filter(|_| !cidrs.is_empty()) else {
            self.cni_trouble = None;
            return;
        };
        match cni::write(path, &cidrs) {
            Ok(false) => self.cni_trouble = None,
            Ok(true) => {
                info!(path = %path.display(), "the CNI configuration has the pod CIDRs of the node");
                self.cni_trouble = None;
            }
            Err(trouble) => {
                if self.cni_trouble.as_ref() != Some(&trouble) {
                    warn!("{trouble}");
                }
                self.cni_trouble = Some(trouble);
            }
        }
    }

    fn report(&mut self, sight: &Sight, now: Timestamp) -> Report {
        let (cluster, node) = (&self.mirror.cluster, &self.me.node);
        let config = self.desired.bgp.config.as_ref();
        let settings = |name: &str| {
            let mut peers = config.into_iter().flat_map(|config| &config.peers);
            let peer = peers.find(|peer| peer.name.as_str() == name);
            peer.map(|peer| &peer.settings)
        };
        // Neighbours of a group have no object of their own.
        let own = sight.bgp.peers.iter().filter(|peer| peer.group.is_none());
        let peers = own.filter_map(|peer| {
            let name = peer.name.as_str();
            let before = cluster
                .bgp_peers
                .get(name)?
                .status
                .nodes_peer_status
                .get(node);
            Some((
                name.to_owned(),
                peer_status(peer, settings(name), before, now),
            ))
        });
        let mut report = Report {
            uid: cluster
                .nodes
                .get(node)
                .and_then(|it| it.metadata.uid.clone())
                .unwrap_or_default(),
            conf: config.map(conf_status),
            peers: peers.collect(),
            unseen: report::unseen(cluster, node),
            ..Report::default()
        };
        let speaks = report::speaks_for_all(cluster, node);
        report.cleanup = report::cleanup(cluster, node, &report, speaks);
        if speaks {
            let problems = &self.desired.problems;
            report.conditions = report::conditions(cluster, problems, &seconds(now));
        }
        let mut troubles = self.network.troubles(sight);
        troubles.extend(self.desired.pods.troubles());
        troubles.extend(self.cni_trouble.clone());
        troubles.extend(host::strict_arp_problem(Path::new("/")).filter(|_| self.is_on_links()));
        self.conditions = conditions(&troubles, &self.shown, &self.conditions, &seconds(now));
        report.record = NodeAnnouncementStatus {
            addresses: self.shown.addresses.clone(),
            prefixes: self.upstream.said(),
            conditions: self.conditions.clone(),
        };
        report
    }

    fn is_on_links(&self) -> bool {
        !self.desired.link.announcements.is_empty()
    }

    /// Goes on with what a former life wrote.
    fn go_on(&mut self, status: &NodeAnnouncementStatus) {
        self.record = Some(Record::continued(status));
        self.conditions.clone_from(&status.conditions);
        if self.has_begun {
            self.look_now();
        }
    }

    fn answer(&mut self, question: Question) {
        // Whoever asked may have gone.
        match question {
            // Only the controller's webhook asks: dropping the answer says that nothing is known.
            Question::Pools(answer) => drop(answer),
            Question::Healthy(answer) => drop(answer.send(())),
            Question::Ready(answer) => {
                let missing = self.mirror.missing();
                drop(answer.send(missing.into_iter().map(str::to_owned).collect()));
            }
            Question::Metrics(answer) => {
                let page = metrics::page(&metrics::Present {
                    shown: &self.shown,
                    sight: &self.network.look(),
                    noted: &self.network.noted,
                    problems: &self.desired.problems,
                    pods: &self.desired.pods,
                    interrupted: &self.mirror.interrupted(),
                    former_names: self.has_former_names.then_some(&*self.me.node),
                });
                drop(answer.send(page));
            }
        }
    }

    /// Hands over, withdraws and ends. Nothing is answered for before somebody else does, as far as
    /// there is anybody.
    async fn end(mut self, speaker: &SpeakerArgs) {
        info!(on_stop = ?speaker.on_stop, "handing over");
        let stop = match speaker.on_stop {
            OnStop::Keep => BgpStop::Upgrade,
            OnStop::Drain => {
                self.network.drain();
                // Routers take the other paths within this time; nobody says when they did.
                let patience = Instant::now() + speaker.drain_time;
                let has_session = self.network.has_session();
                while Instant::now() < patience && (has_session || !self.network.is_handed_over()) {
                    sleep(GLANCE).await;
                }
                self.network.withdraw();
                BgpStop::Removal
            }
        };
        self.network.stop(&stop);
        info!("everything is handed over or withdrawn");
    }
}

/// What is said about the speaker itself, with the times of what has not changed.
fn conditions(
    troubles: &[String],
    shown: &Shown,
    before: &[Condition],
    now: &str,
) -> Vec<Condition> {
    let is_well = troubles.is_empty();
    let mut found = vec![Condition {
        kind: "Announcing".to_owned(),
        status: if is_well { "True" } else { "False" }.to_owned(),
        reason: if is_well { "AsDesired" } else { "Trouble" }.to_owned(),
        message: troubles
            .iter()
            .take(MOST_TROUBLES)
            .cloned()
            .collect::<Vec<_>>()
            .join(". "),
        ..Condition::default()
    }];
    if shown.total() > MOST_SHOWN {
        found.push(Condition {
            kind: "Complete".to_owned(),
            status: "False".to_owned(),
            reason: "TooMany".to_owned(),
            message: format!(
                "{} of {} addresses are shown",
                shown.addresses.len(),
                shown.total()
            ),
            ..Condition::default()
        });
    }
    for condition in &mut found {
        let same = |it: &&Condition| it.kind == condition.kind && it.status == condition.status;
        let since = before.iter().find(same).map(|it| &*it.last_transition_time);
        since
            .unwrap_or(now)
            .clone_into(&mut condition.last_transition_time);
    }
    found
}

/// RFC 3339 in whole seconds, as Kubernetes writes times.
fn seconds(now: Timestamp) -> String {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    now.to_string()
}

/// Allocations count in milliseconds, elections in nanoseconds.
const NANOSECONDS: u64 = 1_000_000;

/// A service and its slices, or a rollout's endpoints, come within some tens of milliseconds.
const DEBOUNCE: Duration = Duration::from_millis(100);

const BATCH: usize = 1_024;

const TICK: Duration = Duration::from_secs(1);

const IDLE_TICKS: u32 = 15;

/// How often it is looked whether others have taken over.
const GLANCE: Duration = Duration::from_millis(20);

/// Statuses are small and rare.
const WIDTH: usize = 2;

const MOST_TROUBLES: usize = 8;

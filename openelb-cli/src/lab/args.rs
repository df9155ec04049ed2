//! What was typed after `openelb lab`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum as _;

use super::kubernetes;
use super::plan::{CLIENT, CLIENT_2, ISP, NODE_A, NODE_B, NODE_C, STRANGER};

/// The arguments of `openelb lab`.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that is typed or not"
)]
pub(crate) struct LabArgs {
    /// What to show
    #[arg(value_enum, default_value_t = Scene::Layer2)]
    pub(crate) scene: Scene,

    /// What to play in the cluster: cluster only, without a name all
    #[arg(value_enum)]
    pub(crate) plays: Vec<Play>,

    /// Play everything in the cluster: cluster only
    #[arg(long, conflicts_with = "plays")]
    pub(crate) all: bool,

    /// The program of controller and speaker: cluster only, without it the one beside this program
    #[arg(long, value_name = "FILE")]
    pub(crate) openelb_k8s: Option<PathBuf>,

    /// Leave the network and its daemons running at the end, and say how to enter the hosts;
    /// Ctrl-C removes everything
    #[arg(long)]
    pub(crate) keep: bool,

    /// How soon a dead node is replaced: failover, drain, split and freeze only
    #[arg(long, value_enum)]
    pub(crate) profile: Option<Profile>,

    /// Play it so many times and print p50, p99 and the most of what the client lost: failover,
    /// drain, split and freeze only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) repeat: Option<u32>,

    /// Play no scenario: obey one JSON request a line on standard input, one JSON answer a line
    /// on standard output
    #[arg(long, conflicts_with_all = ["keep", "scene", "profile", "repeat"])]
    pub(crate) script: bool,

    /// Be this user inside the user namespace, not root, with the lab's rights all the same
    #[arg(long, hide = true, value_name = "UID", default_value_t = 0)]
    pub(crate) user: u32,

    /// Where the lab keeps its files. Given by the outer process to the one that it starts inside
    /// the namespaces, never by a person.
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) inside: Option<PathBuf>,

    /// Whether the namespaces were made without a user namespace; given like `inside`.
    #[arg(long, hide = true, requires = "inside")]
    pub(crate) privileged: bool,
}

impl LabArgs {
    /// The profile of the election.
    pub(crate) fn profile(&self) -> Profile {
        self.profile.unwrap_or_default()
    }

    /// The first option typed that this scene knows nothing of.
    pub(crate) fn idle_option(&self) -> Option<&'static str> {
        let of_election = !self.scene.has_election();
        let of_cluster = self.scene != Scene::Cluster;
        let typed = [
            ("--profile", of_election && self.profile.is_some()),
            ("--repeat", of_election && self.repeat.is_some()),
            ("the name of a play", of_cluster && !self.plays.is_empty()),
            ("--all", of_cluster && self.all),
            (
                "--openelb-k8s",
                !self.scene.is_cluster() && self.openelb_k8s.is_some(),
            ),
            ("--keep", self.scene.is_cluster() && self.keep),
        ];
        let first = typed.into_iter().find(|(_, is_idle)| *is_idle);
        first.map(|(name, _)| name)
    }

    /// What is played in the cluster.
    pub(crate) fn plays(&self) -> &[Play] {
        if self.scene == Scene::PodRoutes {
            &[Play::PodRoutes]
        } else if self.plays.is_empty() {
            Play::value_variants()
        } else {
            &self.plays
        }
    }

    /// Whether its daemons need a real-time thread.
    pub(crate) fn needs_realtime(&self) -> bool {
        self.scene.has_election() && self.profile() == Profile::Fast
    }
}

/// What a lab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scene {
    /// A service on one link: allocated, announced with ARP and NDP, moved without loss, withdrawn
    #[value(name = "layer2")]
    Layer2,
    /// A node announces a service to a router (FRR); the client reaches it through the router
    Bgp,
    /// Two nodes announce one service to a router, which spreads over both; one is restarted, one
    /// dies
    BgpEcmp,
    /// Three nodes share six services; the one that the client is served by loses its power, and
    /// comes back
    Failover,
    /// Three nodes share six services; the one that the client is served by is drained, and taken
    /// back into service
    Drain,
    /// Three nodes share six services; their switch falls in two, with a client on either side, and
    /// is whole again
    Split,
    /// Three nodes share six services; the daemon that the client is served by is frozen, replaced,
    /// and goes on
    Freeze,
    /// A provider's router (radvd) changes the prefix while a client downloads; the service follows, and
    /// the old address is served for a while
    PrefixChange,
    /// A Kubernetes cluster without kubelets: control plane, kube-proxy, FRR, our controller and
    /// speakers
    Cluster,
    /// Such a cluster's nodes get prefixes for their pods and tell each other and a router; pods of
    /// both families reach each other while a speaker restarts, and a node leaves and comes back
    PodRoutes,
}

/// What is played in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Play {
    /// A service of both families is announced with ARP and NDP, reached and released
    Layer2,
    /// The router spreads over three nodes; one of them is drained and comes back
    BgpEcmp,
    /// A service is announced by a virtual router
    Vip,
    /// A service in the order of its families, reduced to one and restored
    DualStack,
    /// Only nodes with a ready pod attract traffic; the pod moves
    EtpLocal,
    /// The node that answers loses its power
    Failover,
    /// The speaker that answers is told to stop
    Drain,
    /// A pool has one address for two services
    PoolExhausted,
    /// Objects as OpenELB wrote them are taken over under traffic
    UpgradeFromOpenelb,
    /// Two controllers both act, and one is killed
    ControllerSplitBrain,
    /// The API server is away while the node that answers dies
    ApiServerOutage,
    /// Nodes get prefixes for their pods, tell each other, and pods reach each other
    PodRoutes,
}

/// How soon a dead node is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// A beat each second, dead after 3.3 s
    Calm,
    /// A beat each 333 ms, dead after 1 s
    #[default]
    Normal,
    /// A beat each 100 ms, dead after 300 ms; only with real-time priority, so as root
    Fast,
}

impl Profile {
    /// Its name in a `Layer2Conf`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calm => "Calm",
            Self::Normal => "Normal",
            Self::Fast => "Fast",
        }
    }

    /// The time from one beat to the next.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_millis(match self {
            Self::Calm => 1_000,
            Self::Normal => 333,
            Self::Fast => 100,
        })
    }

    /// The time without a beat after which a node is dead.
    pub(crate) fn dead_after(self) -> Duration {
        Duration::from_millis(match self {
            Self::Calm => 3_300,
            Self::Normal => 1_000,
            Self::Fast => 300,
        })
    }
}

impl Scene {
    /// Whether it needs FRR, which changes its user and so needs more rights than a user namespace
    /// has.
    pub(crate) fn has_router(self) -> bool {
        matches!(
            self,
            Self::Bgp | Self::BgpEcmp | Self::Cluster | Self::PodRoutes
        )
    }

    /// Whether it is a Kubernetes cluster.
    pub(crate) fn is_cluster(self) -> bool {
        matches!(self, Self::Cluster | Self::PodRoutes)
    }

    /// Whether its nodes agree on who answers.
    pub(crate) fn has_election(self) -> bool {
        !self.has_router() && !matches!(self, Self::Layer2 | Self::PrefixChange)
    }

    /// How it is typed.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Layer2 => "openelb lab",
            Self::Bgp => "openelb lab bgp",
            Self::BgpEcmp => "openelb lab bgp-ecmp",
            Self::Failover => "openelb lab failover",
            Self::Drain => "openelb lab drain",
            Self::Split => "openelb lab split",
            Self::Freeze => "openelb lab freeze",
            Self::PrefixChange => "openelb lab prefix-change",
            Self::Cluster => "openelb lab cluster",
            Self::PodRoutes => "openelb lab pod-routes",
        }
    }

    /// The hosts that run the daemon.
    pub(crate) fn nodes(self) -> &'static [&'static str] {
        match self {
            Self::Layer2 | Self::BgpEcmp => &[NODE_A, NODE_B],
            Self::Bgp | Self::PrefixChange => &[NODE_A],
            Self::Failover | Self::Drain | Self::Split | Self::Freeze => &[NODE_A, NODE_B, NODE_C],
            Self::Cluster | Self::PodRoutes => &kubernetes::NODES,
        }
    }

    /// All hosts of a scene without a router.
    pub(crate) fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Layer2 | Self::Bgp | Self::BgpEcmp | Self::Cluster | Self::PodRoutes => {
                &[CLIENT, NODE_A, NODE_B, STRANGER]
            }
            Self::Failover | Self::Drain | Self::Freeze => &[CLIENT, NODE_A, NODE_B, NODE_C],
            Self::PrefixChange => &[CLIENT, ISP, NODE_A],
            Self::Split => &[CLIENT, CLIENT_2, NODE_A, NODE_B, NODE_C],
        }
    }
}

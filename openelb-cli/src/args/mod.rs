//! Exactly what was typed; what was meant is decided by the commands.

mod bgp;
mod cluster;
mod doctor;
mod import;
mod link;
mod manifests;
mod prefix;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use self::bgp::{BgpMonitorArgs, BgpPeerArgs, BgpRoutesArgs, BgpVerb};
pub(crate) use self::cluster::ClusterArgs;
pub(crate) use self::doctor::DoctorVerb;
pub(crate) use self::import::{ImportArgs, ImportOrigin};
pub(crate) use self::link::{DrainArgs, L2Verb, MonitorArgs, OwnersArgs, VrrpShowArgs, VrrpVerb};
pub(crate) use self::manifests::{ManifestsArgs, SpeakerProtocol};
pub(crate) use self::prefix::{PrefixExplainArgs, PrefixVerb, PrefixWatchArgs};
use crate::address::Address;
use crate::lab::args::LabArgs;
use crate::output::Format;

/// Decide which address belongs to whom, and tell the network where it lives.
#[derive(Debug, Parser)]
#[command(
    name = "openelb",
    version,
    propagate_version = true,
    after_help = "Start with `openelb lab`: it allocates, announces and moves an address between \
                  two virtual hosts.\nExit codes: 0 done, 1 failed, 2 usage, 3 invalid input, \
                  4 refused, 5 not found, 6 busy, 7 not permitted, 8 read-only store, \
                  9 no daemon, 10 changes planned, 11 problems found."
)]
pub(crate) struct Args {
    /// How answers are written.
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub(crate) output: Format,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the standalone daemon in the foreground.
    Run(RunArgs),
    /// Check configuration files without touching anything.
    Validate(FilesArgs),
    /// Show and plan address pools.
    #[command(subcommand)]
    Pool(PoolVerb),
    /// Allocate, release and look up addresses.
    #[command(subcommand)]
    Ip(IpVerb),
    /// Say why an owner has the address it has, or has none.
    #[command(
        after_help = "Examples:\n  openelb explain shop/web\n  openelb explain 192.0.2.7\n  \
                            openelb explain svc/web -n shop --context production"
    )]
    Explain(ExplainArgs),
    /// Look for what is wrong with the objects of a running cluster, and say what to do.
    #[command(subcommand)]
    Doctor(DoctorVerb),
    /// Show pools, services, announcements and problems of the running daemon on one screen.
    Status(StatusArgs),
    /// Look at the BGP peers and routes of the running daemon, and at what is wrong with them.
    #[command(subcommand)]
    Bgp(BgpVerb),
    /// See which node of a link answers for which address, and watch it change.
    #[command(subcommand)]
    L2(L2Verb),
    /// Look at the virtual routers of the running daemon.
    #[command(subcommand)]
    Vrrp(VrrpVerb),
    /// Look at the prefixes that addresses follow, and at why they are what they are.
    #[command(subcommand)]
    Prefix(PrefixVerb),
    /// Take a node out of service without losing traffic.
    #[command(
        after_help = "Layer 2 addresses are handed over to the other nodes of the link, virtual \
                            routers are given up (priority 0), and BGP peers are asked to prefer \
                            other paths (GRACEFUL_SHUTDOWN, RFC 8326); after --wait every route is \
                            withdrawn. The sessions stay.\n\nExamples:\n  openelb drain && \
                            systemctl stop openelb\n  openelb drain --wait 2m\n  openelb drain \
                            node-b\n  openelb drain --undo"
    )]
    Drain(DrainArgs),
    /// Announce addresses from the foreground, without a configuration, until Ctrl-C.
    #[command(
        after_help = "Examples:\n  openelb announce 192.0.2.10 --dev eth0\n  openelb announce \
                            192.0.2.10 2001:db8::10 --peer 192.0.2.1 --as 65000 --peer-as 65001"
    )]
    Announce(AnnounceArgs),
    /// Watch it work: two nodes and a client in a virtual network on this machine.
    Lab(LabArgs),
    /// Write everything that an installation in a cluster consists of, as YAML.
    #[command(
        after_help = "Examples:\n  openelb manifests | kubectl apply --server-side -f -\n  \
                            openelb manifests --protocols bgp --monitoring > openelb.yaml\n  \
                            openelb manifests --uninstall-steps"
    )]
    Manifests(ManifestsArgs),
    /// Make pools and peers out of the objects of OpenELB or MetalLB, and say what is lost.
    #[command(
        after_help = "What is lost is told on standard error, and makes the exit status 11.\n\n\
                            Examples:\n  kubectl get -A -o yaml ipaddresspools,l2advertisements,services \
                            | openelb import metallb -\n  openelb import metallb --live > openelb.yaml\n  \
                            openelb import openelb eips.yaml services.yaml --strict"
    )]
    Import(ImportArgs),
    /// Write the completion script of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual: one page to standard output, or one file per verb with --dir.
    Man(ManArgs),
}

/// Where the state lives and where the daemon listens.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct PlaceArgs {
    /// Directory that holds the allocations.
    #[arg(
        long,
        value_name = "DIR",
        env = "OPENELB_STATE_DIR",
        default_value = "/var/lib/openelb"
    )]
    pub(crate) state_dir: PathBuf,
    /// Control socket of the daemon [default: DIR/control.sock].
    #[arg(long, value_name = "PATH", env = "OPENELB_SOCKET")]
    pub(crate) socket: Option<PathBuf>,
}

/// `openelb run`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// YAML file with documents of kind Eip, Service, `DynamicPrefix`, `BgpConf` or `BgpPeer`; several
    /// are read as one.
    #[arg(required = true, value_name = "CONFIG")]
    pub(crate) config: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Address of /metrics and /healthz; `off` for none.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7480", value_parser = parse_metrics)]
    pub(crate) metrics: Listen,
    /// Allocate, but send nothing to the network: needs no privilege.
    #[arg(long)]
    pub(crate) no_announce: bool,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Load, plan, print the plan and exit; nothing is written or sent.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How log lines are written to standard error.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// Which log lines are written, such as `info` or `openelb=debug`.
    #[arg(
        long,
        value_name = "FILTER",
        env = "OPENELB_LOG",
        default_value = "info"
    )]
    pub(crate) log: String,
}

/// Where an HTTP server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Nowhere.
    Off,
    /// At this address and port.
    At(SocketAddr),
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Files to read.
#[derive(Debug, ClapArgs)]
pub(crate) struct FilesArgs {
    /// YAML files; several are read as one.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

/// What is said of this machine.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct NodeArgs {
    /// Name of this machine, unique among the nodes of its links [default: its host name].
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Label of this machine for `nodeSelector` and racks, such as openelb.kubesphere.io/rack=a;
    /// once per label.
    #[arg(long = "node-label", value_name = "KEY=VALUE", value_parser = parse_label)]
    pub(crate) labels: Vec<(String, String)>,
}

/// `openelb pool …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PoolVerb {
    /// List the pools with their use.
    Ls(PlaceArgs),
    /// Show one pool: ranges, rules, use and fragmentation.
    Show(PoolNameArgs),
    /// Draw which parts of a pool are used.
    Map(PoolMapArgs),
    /// Show what a configuration would change: kept, orphaned and moved allocations.
    Plan(PoolPlanArgs),
}

/// A pool by name.
#[derive(Debug, ClapArgs)]
pub(crate) struct PoolNameArgs {
    /// Name of the pool.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb pool map`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PoolMapArgs {
    #[command(flatten)]
    pub(crate) pool: PoolNameArgs,
    /// Cells in a row.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=512))]
    pub(crate) width: u16,
}

/// `openelb pool plan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PoolPlanArgs {
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Apply the plan to the state directory; a running daemon takes its own configuration only.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Exit with 10 when something would change.
    #[arg(long)]
    pub(crate) exit_code: bool,
}

/// `openelb ip …`.
#[derive(Debug, Subcommand)]
pub(crate) enum IpVerb {
    /// Allocate for an owner; the same request again gives the same address.
    Alloc(AllocArgs),
    /// Release what owners hold.
    Release(ReleaseArgs),
    /// Keep an address from being handed out until it is released.
    Reserve(ReserveArgs),
    /// List who holds what.
    Ls(ListArgs),
    /// Say who holds an address, since when and in which pool.
    Whois(WhoisArgs),
}

/// `openelb ip alloc`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AllocArgs {
    /// NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME.
    #[arg(required_unless_present = "from_file")]
    pub(crate) owner: Option<String>,
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    /// Allocate for OWNER-1 to OWNER-N in one request.
    #[arg(long, value_name = "N", conflicts_with_all = ["from_file", "address"])]
    pub(crate) count: Option<u32>,
    /// Allocate for every owner in a file, one a line; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["owner", "address"])]
    pub(crate) from_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// What an owner asks for.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct WishArgs {
    /// From this pool only.
    #[arg(long)]
    pub(crate) pool: Option<String>,
    /// Exactly this address; once per family. `home/::10`, or `::10` where only one prefix has it,
    /// follows a prefix.
    #[arg(long, value_name = "ADDR")]
    pub(crate) address: Vec<Address>,
    /// Families, in order [default: the one that a pool offers].
    #[arg(long, value_enum, value_name = "FAMILIES")]
    pub(crate) families: Option<Families>,
    /// Share the address with owners of the same key and other ports.
    #[arg(long, value_name = "KEY", requires = "port")]
    pub(crate) sharing_key: Option<String>,
    /// Ports used, such as tcp/80; needed for sharing.
    #[arg(long, value_name = "PROTOCOL/PORT")]
    pub(crate) port: Vec<String>,
}

/// Families asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Families {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Both or nothing, IPv4 first.
    Dual,
    /// Both where both exist, else the one that does.
    Prefer,
}

/// `openelb ip release`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReleaseArgs {
    /// Owners, as for `ip alloc`.
    #[arg(required_unless_present = "from_file")]
    pub(crate) owner: Vec<String>,
    /// Release every owner in a file, one a line; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "owner")]
    pub(crate) from_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb ip reserve`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReserveArgs {
    /// The address to keep, also as `home/::10`.
    pub(crate) address: Address,
    /// Why, shown by `whois`; a name, as it becomes the owner reservation/default/NAME.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb ip ls`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// Only this pool.
    #[arg(long)]
    pub(crate) pool: Option<String>,
    /// Only this namespace.
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb ip whois`.
#[derive(Debug, ClapArgs)]
pub(crate) struct WhoisArgs {
    /// The address, also as `home/::10`.
    pub(crate) address: Address,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb explain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// svc/NAME in a cluster; or NAMESPACE/NAME of a service, any other owner as for `ip alloc`, or an
    /// address. As `kubectl openelb` every NAME is one in a cluster.
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Namespace of svc/NAME [default: default].
    #[arg(long, short, value_name = "NAMESPACE", help_heading = "Cluster")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `openelb status`.
#[derive(Debug, ClapArgs)]
pub(crate) struct StatusArgs {
    /// Show again whenever something changed, until Ctrl-C.
    #[arg(long, short)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb announce`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AnnounceArgs {
    /// Addresses to announce.
    #[arg(required = true, value_name = "ADDR")]
    pub(crate) address: Vec<IpAddr>,
    /// By ARP and NDP on an interface: name, glob, prefix, `can_reach:ADDR` or all.
    #[arg(
        long,
        value_name = "IF",
        required_unless_present = "peer",
        conflicts_with = "peer"
    )]
    pub(crate) dev: Option<String>,
    /// By BGP to this router: an address, or with its interface `fe80::1%eth0`; once per router.
    #[arg(long, value_name = "ADDRESS", requires = "asn")]
    pub(crate) peer: Vec<String>,
    /// Our AS.
    #[arg(long = "as", value_name = "AS", requires = "peer")]
    pub(crate) asn: Option<u32>,
    /// The AS of the routers [default: any but ours].
    #[arg(long, value_name = "AS", requires = "peer")]
    pub(crate) peer_as: Option<u32>,
    /// Port of the routers.
    #[arg(long, value_name = "PORT", default_value_t = 179)]
    pub(crate) peer_port: u16,
    /// File whose first line is the TCP-MD5 password of the routers.
    #[arg(long, value_name = "FILE", requires = "peer")]
    pub(crate) password_file: Option<PathBuf>,
    /// Community to send, such as 65000:100 or large:64500:1:2; once per community.
    #[arg(long, value_name = "COMMUNITY", requires = "peer")]
    pub(crate) community: Vec<String>,
    /// The routers may be several hops away.
    #[arg(long, requires = "peer")]
    pub(crate) multihop: bool,
    /// Stop after this long, such as 10s or 5m, instead of at Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) duration: Option<std::time::Duration>,
    /// Announce at once, without looking first whether somebody else has the address.
    #[arg(long)]
    pub(crate) no_probe: bool,
}

/// `openelb completions`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `openelb man`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Write one page per verb into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

fn parse_metrics(text: &str) -> Result<Listen, String> {
    if text == "off" {
        return Ok(Listen::Off);
    }
    text.parse().map(Listen::At).map_err(|_| {
        "not ADDRESS:PORT such as 127.0.0.1:7480 or [::1]:7480; `off` for none".to_owned()
    })
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| "not KEY=VALUE such as zone=a".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| duration.try_into().ok())
        .ok_or_else(|| "not a duration such as 10s, 5m or 1h30m".to_owned())
}

//! `openelb announce --peer`: by BGP.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use openelb_announce::announcer::speaker::{Event, Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::config::Config;
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::route::{Route, aggregate};
use openelb_k8s::api::{Advertisement, BgpConf, BgpPeer, EbgpMultihop, Eip, EipBgp};
use openelb_k8s::bgp::{self, Material, PasswordSource, Problem};

use crate::args::AnnounceArgs;
use crate::config;
use crate::daemon;
use crate::exit_code::{ExitCode, Failure};
use crate::output;

pub(super) fn run(args: &AnnounceArgs) -> Result<ExitCode, Failure> {
    let node = config::this_node(None, &[]);
    let (config, routes) = meant(args, &node)?;
    let peers = config.peers.len();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(ExitCode::Failed, format!("cannot speak BGP: {error}"))
    };
    let speaker = Speaker::start(SpeakerOptions::default()).map_err(|error| failed(&error))?;
    daemon::give_up_capabilities()?;
    let speaker = Arc::new(speaker);
    let weak = Arc::downgrade(&speaker);
    let narrator = std::thread::spawn(move || narrate(&weak));
    let wanted = SpeakerConfig::from(config);
    speaker.configure(wanted).map_err(|error| failed(&error))?;
    let told = speaker.announce(routes).and_then(|()| speaker.synced());
    told.map_err(|error| failed(&error))?;
    super::wait(args.duration)?;
    let established = established(&speaker);
    match Arc::try_unwrap(speaker) {
        Ok(speaker) => speaker.stop(Stop::Removal),
        // The narrator holds it for a moment longer; then its sessions end with it.
        Err(shared) => {
            drop(shared.withdraw_all());
            drop(shared);
        }
    }
    // A thread that panicked has said so on standard error.
    let _ = narrator.join();
    if established == peers {
        return Ok(ExitCode::Success);
    }
    let message = format!("{established} of {peers} peers heard of it");
    Err(Failure::new(ExitCode::Refused, message)
        .next("see the lines above for what came in between"))
}

/// The speaker and its routes, by the same rules as for objects in files.
fn meant(args: &AnnounceArgs, node: &bgp::Node) -> Result<(Config, Vec<Route>), Failure> {
    let mut conf = BgpConf::new(args.asn.unwrap_or_default());
    // An ad hoc speaker must not take the port of one that runs already.
    conf.spec.listen_port = -1;
    let peers: Vec<BgpPeer> = args.peer.iter().map(|remote| peer(args, remote)).collect();
    let meant = bgp::speaker(Some(&conf), &peers, node, &Files);
    refuse(&meant.problems)?;
    let mut eip = Eip::new("announce", addresses(args));
    eip.spec.bgp = Some(EipBgp {
        advertisements: vec![Advertisement {
            communities: args.community.clone(),
            ..Advertisement::default()
        }],
        ..EipBgp::default()
    });
    let ways = bgp::pool_routes(&eip, &BTreeMap::new(), node, &[]);
    refuse(&ways.problems)?;
    let ways = ways.advertisements;
    let routes = aggregate(args.address.iter().map(|at| (*at, &ways[..])), &node.name);
    let config = meant
        .config
        .ok_or_else(|| Failure::new(ExitCode::Invalid, "no speaker"))?;
    Ok((config, routes))
}

fn peer(args: &AnnounceArgs, remote: &str) -> BgpPeer {
    let mut peer = BgpPeer::new(remote, remote, args.peer_as.unwrap_or_default());
    if args.peer_as.is_none() {
        let conf = peer.spec.conf.get_or_insert_default();
        conf.peer_as_type = Some(openelb_k8s::api::PeerAsType::External);
    }
    let transport = peer.spec.transport.get_or_insert_default();
    transport.remote_port = args.peer_port.into();
    peer.spec.ebgp_multihop = args.multihop.then_some(EbgpMultihop {
        enabled: true,
        multihop_ttl: 0,
    });
    if let Some(file) = &args.password_file {
        peer.spec.auth_password_file = file.to_string_lossy().into_owned();
    }
    peer
}

fn addresses(args: &AnnounceArgs) -> String {
    let addresses: Vec<_> = args.address.iter().map(IpAddr::to_string).collect();
    addresses.join(",")
}

/// The first error, with the option it is about.
fn refuse(problems: &[Problem]) -> Result<(), Failure> {
    let Some(problem) = problems.iter().find(|problem| problem.is_error()) else {
        return Ok(());
    };
    let option = match problem.key.as_str() {
        "spec.as" => "--as",
        "spec.conf.neighborAddress" => "--peer",
        "spec.conf.peerAs" => "--peer-as",
        "spec.authPasswordFile" => "--password-file",
        "spec.ebgpMultihop" => "--multihop",
        key if key.contains("communities") => "--community",
        _ => "the request",
    };
    let message = format!("{option}: {}", problem.message);
    Err(Failure::new(ExitCode::Invalid, message).next(&problem.next))
}

struct Files;

impl Material for Files {
    fn password(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::File(path) => config::first_line(path),
            PasswordSource::Secret { .. } => Err("there are no Secrets here".to_owned()),
        }
    }

    fn policy(&self, _: &str) -> Result<String, String> {
        Err("there are no policies here".to_owned())
    }
}

fn established(speaker: &Speaker) -> usize {
    let status = speaker.status().unwrap_or_default();
    let peers = status.peers.iter();
    peers.filter(|peer| peer.session.is_some()).count()
}

/// Tells what happens, until the speaker is gone.
fn narrate(speaker: &Weak<Speaker>) {
    while let Some(speaker) = speaker.upgrade() {
        if let Ok(event) = speaker.event(PAUSE) {
            // Nobody reads any more: the addresses are announced all the same.
            if output::print_text(&line(&event)).is_err() {
                return;
            }
        }
    }
}

fn line(event: &Event) -> String {
    format!("{event}\n")
}

/// How long the narrator may outlive the speaker.
const PAUSE: Duration = Duration::from_millis(100);

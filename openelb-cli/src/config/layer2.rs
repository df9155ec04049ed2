//! `Layer2Conf` and the wishes of pools about nodes into the election of this node.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use openelb_k8s::api::{Eip, Layer2Conf, Profile, Protocol};
use openelb_k8s::bgp::PasswordSource;
use openelb_k8s::layer2::{self, Election, Keys};
use openelb_k8s::names;
use openelb_k8s::problem::Problem;

use super::bgp::first_line;
use super::diagnostic::Diagnostic;
use super::file::Written;
use super::service::{Announce, Service};
use super::{PoolConfig, ServiceConfig};

/// The election; `None` without a usable `Layer2Conf`, or when it says `Sole`.
pub(super) fn election(
    confs: &[Written<Layer2Conf>],
    eips: &[Written<Eip>],
    node: &str,
    remarks: &mut Vec<Diagnostic>,
) -> Option<Election> {
    for other in confs.iter().filter(|conf| !is_default(conf)) {
        let message = format!("Layer2Conf `{}` is not used", other.object.metadata.name);
        let help = "name it `default`: it is the only one that counts";
        let remark = other.remark("metadata.name", message).help(help);
        remarks.push(remark.warning());
    }
    let conf = confs.iter().find(|conf| is_default(conf));
    let object = conf.map(with_paths);
    let pools: Vec<Eip> = eips.iter().map(|eip| eip.object.clone()).collect();
    let meant = layer2::election(object.as_ref(), &pools, node, &Files);
    // Where the object could not be read, nothing is said of what its absence means.
    let is_misread = remarks.iter().any(|remark| {
        let object = remark.object.as_deref().unwrap_or_default();
        remark.is_error() && object.starts_with(names::LAYER2_CONF_KIND)
    });
    for problem in meant.problems {
        if conf.is_none() && is_misread {
            continue;
        }
        remarks.extend(remark(conf, eips, problem));
    }
    if let (Some(conf), Some(object)) = (conf, &object) {
        check_readers(conf, object, remarks);
        check_rights(conf, meant.election.as_ref(), remarks);
    }
    meant.election
}

/// What is odd about services whose addresses several nodes have.
pub(super) fn check_services(
    election: Option<&Election>,
    pools: &[PoolConfig],
    services: &[(&Written<Service>, ServiceConfig)],
    remarks: &mut Vec<Diagnostic>,
) {
    let is_common = |pool: &PoolConfig| match pool.protocol {
        Protocol::Layer2 => election.is_some(),
        Protocol::Vip => true,
        Protocol::Bgp | Protocol::None => false,
    };
    // A service that names no pool may be served from any.
    let may_be_common = |service: &ServiceConfig| {
        let name = service.request.pool.as_ref();
        let mut pools = pools
            .iter()
            .filter(|pool| name.is_none_or(|name| pool.spec.name == *name));
        service.announce != Announce::Never && pools.any(is_common)
    };
    let mut unpinned = Vec::new();
    for (written, service) in services
        .iter()
        .filter(|(_, service)| may_be_common(service))
    {
        if service.announce == Announce::Standby && election.is_some() {
            let message = "the nodes elect who announces, and may elect one that says Standby";
            let help = "write `Always`; to keep nodes out, list the others in \
                        `spec.layer2.nodes` of the Eip";
            let remark = written.remark("spec.announce", message).help(help);
            remarks.push(remark.warning());
        }
        if service.request.addresses.is_empty() {
            unpinned.push(*written);
        }
    }
    // Once for all: with hundreds of services it is one thing to decide.
    if let Some(first) = unpinned.first() {
        let others = match unpinned.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more like it)"),
        };
        let message = format!(
            "every node allocates by itself, so nodes may give it different addresses{others}"
        );
        let help = "pin it with `addresses:`";
        remarks.push(first.remark("spec", message).help(help).warning());
    }
}

/// The keys of the standalone daemon are files.
struct Files;

impl Keys for Files {
    fn key(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::File(path) => first_line(path),
            PasswordSource::Secret { name, .. } => Err(format!(
                "this daemon reads no Kubernetes Secret such as `{name}`; use keyFile"
            )),
        }
    }
}

fn is_default(conf: &Written<Layer2Conf>) -> bool {
    conf.object.metadata.name == names::DEFAULT_LAYER2_CONF
}

/// Relative paths start at the file they are written in.
fn with_paths(conf: &Written<Layer2Conf>) -> Layer2Conf {
    let mut object = conf.object.clone();
    let spec = &mut object.spec;
    for path in std::iter::once(&mut spec.key_file).chain(&mut spec.previous_key_files) {
        if !path.is_empty() {
            *path = conf.resolve(path).to_string_lossy().into_owned();
        }
    }
    object
}

fn remark(
    conf: Option<&Written<Layer2Conf>>,
    eips: &[Written<Eip>],
    problem: Problem,
) -> Option<Diagnostic> {
    let is_error = problem.is_error();
    let (key, message) = (&problem.key, &problem.message);
    let remark = if problem.kind == names::LAYER2_CONF_KIND {
        conf?.remark(key, message)
    } else {
        let named = |eip: &&Written<Eip>| eip.object.metadata.name == problem.name;
        eips.iter().find(named)?.remark(key, message)
    };
    let remark = remark.help(problem.next);
    Some(if is_error { remark } else { remark.warning() })
}

/// A key that others may read is no secret, and whoever has it can take every address.
fn check_readers(conf: &Written<Layer2Conf>, object: &Layer2Conf, remarks: &mut Vec<Diagnostic>) {
    let spec = &object.spec;
    let previous = spec.previous_key_files.iter().enumerate();
    let previous = previous.map(|(at, path)| (format!("spec.previousKeyFiles[{at}]"), path));
    let files = std::iter::once(("spec.keyFile".to_owned(), &spec.key_file)).chain(previous);
    for (key, path) in files {
        // What cannot be read at all was told already.
        let Ok(found) = fs::metadata(Path::new(path)) else {
            continue;
        };
        let mode = found.mode() & 0o777;
        if mode & 0o077 != 0 {
            let message = format!("others than its owner may read or write {path} (mode {mode:o})");
            let help = format!("chmod 600 {path}");
            remarks.push(conf.remark(&key, message).help(help).warning());
        }
    }
}

/// The daemon itself refuses what it may not do; whoever validates may be somebody else.
fn check_rights(
    conf: &Written<Layer2Conf>,
    election: Option<&Election>,
    remarks: &mut Vec<Diagnostic>,
) {
    let is_fast = election.is_some_and(|election| election.profile == Profile::Fast);
    if is_fast && !may_be_realtime() {
        let message = "profile Fast needs a real-time thread, which this user may not have";
        let help = "give the daemon CAP_SYS_NICE, or `LimitRTPRIO=50` in its systemd unit, or \
                    write `profile: Normal`: dead after 1 s instead of 0.3 s";
        remarks.push(conf.remark("spec.profile", message).help(help).warning());
    }
}

fn may_be_realtime() -> bool {
    let has_capability = caps::has_cap(
        None,
        caps::CapSet::Effective,
        caps::Capability::CAP_SYS_NICE,
    );
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_RTPRIO);
    has_capability.unwrap_or(false) || limit.is_ok_and(|(soft, _)| soft > 0)
}

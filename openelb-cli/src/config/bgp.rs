//! `BgpConf`, `BgpPeer` and policies into the configuration of the speaker.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use openelb_announce::bfd;
use openelb_announce::bgp::config::Config;
use openelb_announce::bgp::route::{Advertisement, PeerName};
use openelb_k8s::api::{self, BgpConf, BgpPeer, Eip};
use openelb_k8s::bgp::{self, Material, Node, PasswordSource, Problem};
use openelb_k8s::names;

use super::diagnostic::Diagnostic;
use super::file::{ConfigMap, Written};

/// The speaker as configured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BgpConfig {
    /// Itself and its peers.
    pub(crate) speaker: Config,
    /// Failure detection, by peer.
    pub(crate) bfd: BTreeMap<PeerName, bfd::Settings>,
    /// The node that it is for.
    pub(crate) node: String,
}

/// The objects about BGP.
pub(super) struct Objects<'a> {
    pub(super) speakers: &'a [Written<BgpConf>],
    pub(super) peers: &'a [Written<BgpPeer>],
    pub(super) config_maps: &'a [Written<ConfigMap>],
    pub(super) node: &'a Node,
}

impl Objects<'_> {
    /// The speaker; `None` without a usable `BgpConf`.
    pub(super) fn speaker(&self, remarks: &mut Vec<Diagnostic>) -> Option<BgpConfig> {
        for other in self.speakers.iter().filter(|conf| !is_default(conf)) {
            let message = format!("BgpConf `{}` is not used", other.object.metadata.name);
            let help = "name it `default`: it is the only one that counts";
            let remark = other.remark("metadata.name", message).help(help);
            remarks.push(remark.warning());
        }
        let conf = self.speakers.iter().find(|conf| is_default(conf));
        let peers: Vec<BgpPeer> = self.peers.iter().map(with_path).collect();
        let conf_object = conf.map(|conf| &conf.object);
        let meant = bgp::speaker(conf_object, &peers, self.node, self);
        for problem in meant.problems {
            remarks.extend(self.remark(conf, problem));
        }
        Some(BgpConfig {
            speaker: meant.config?,
            bfd: meant.bfd,
            node: self.node.name.clone(),
        })
    }

    /// How the addresses of a pool become routes.
    pub(super) fn advertisements(
        &self,
        eip: &Written<Eip>,
        remarks: &mut Vec<Diagnostic>,
    ) -> Vec<Advertisement> {
        if eip.object.spec.protocol != api::Protocol::Bgp {
            if eip.object.spec.bgp.is_some() {
                let message = "ignored: the pool is not announced by BGP";
                let help = "remove it, or write `protocol: bgp`";
                remarks.push(eip.remark("spec.bgp", message).help(help).warning());
            }
            return Vec::new();
        }
        let conf = self.speakers.iter().find(|conf| is_default(conf));
        let Some(conf) = conf else {
            let message = "no BgpConf: the addresses are only allocated";
            let help = "add a BgpConf named `default` and a BgpPeer, or write `protocol: layer2` \
                        with an `interface`, or `protocol: none` to keep it so";
            remarks.push(eip.remark("spec.protocol", message).help(help).warning());
            return Vec::new();
        };
        let aliases = &conf.object.spec.communities;
        let routes = bgp::pool_routes(&eip.object, aliases, self.node, &[]);
        for problem in routes.problems {
            remarks.push(remark(eip, problem));
        }
        self.check_names(eip, remarks);
        routes.advertisements
    }

    /// A name that no peer has announces nothing to anybody: nearly always a slip.
    fn check_names(&self, eip: &Written<Eip>, remarks: &mut Vec<Diagnostic>) {
        let ways = eip
            .object
            .spec
            .bgp
            .iter()
            .flat_map(|bgp| &bgp.advertisements);
        for (index, way) in ways.enumerate() {
            for (at, name) in way.peers.iter().enumerate() {
                if !self
                    .peers
                    .iter()
                    .any(|peer| peer.object.metadata.name == *name)
                {
                    let key = format!("spec.bgp.advertisements[{index}].peers[{at}]");
                    let message = format!("there is no BgpPeer `{name}`: nobody hears of it");
                    let help = "add the BgpPeer or correct the name";
                    remarks.push(eip.remark(&key, message).help(help).warning());
                }
            }
        }
    }

    fn remark(&self, conf: Option<&Written<BgpConf>>, problem: Problem) -> Option<Diagnostic> {
        if problem.kind == names::BGP_CONF_KIND {
            return conf.map(|conf| remark(conf, problem));
        }
        // Of two objects with one name the last is meant: the first one stands for itself.
        let named = |peer: &&Written<BgpPeer>| peer.object.metadata.name == problem.name;
        let peer = self.peers.iter().rfind(named)?;
        Some(remark(peer, problem))
    }
}

impl Material for Objects<'_> {
    fn password(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::File(path) => first_line(path),
            PasswordSource::Secret { name, .. } => Err(format!(
                "this daemon reads no Kubernetes Secret such as `{name}`; use authPasswordFile"
            )),
        }
    }

    fn policy(&self, name: &str) -> Result<String, String> {
        let named = |map: &&Written<ConfigMap>| map.object.metadata.name == name;
        let map = self.config_maps.iter().find(named);
        let map = map.ok_or_else(|| format!("there is no ConfigMap `{name}`"))?;
        let text = map.object.data.get(names::POLICY_KEY).cloned();
        text.ok_or_else(|| format!("ConfigMap `{name}` has no key `{}`", names::POLICY_KEY))
    }
}

fn is_default(conf: &Written<BgpConf>) -> bool {
    conf.object.metadata.name == names::DEFAULT_BGP_CONF
}

fn remark<T>(written: &Written<T>, problem: Problem) -> Diagnostic {
    let is_error = problem.is_error();
    let remark = written
        .remark(&problem.key, problem.message)
        .help(problem.next);
    if is_error { remark } else { remark.warning() }
}

/// Relative paths start at the file they are written in.
fn with_path(peer: &Written<BgpPeer>) -> BgpPeer {
    let mut object = peer.object.clone();
    let resolve = |path: &mut String| {
        if !path.is_empty() {
            *path = peer.resolve(path).to_string_lossy().into_owned();
        }
    };
    resolve(&mut object.spec.auth_password_file);
    let auth = object.spec.bfd.as_mut().and_then(|bfd| bfd.auth.as_mut());
    if let Some(auth) = auth {
        resolve(&mut auth.key_file);
    }
    object
}

/// The first line of a file, without its end: editors add one that nobody means.
pub(crate) fn first_line(path: &str) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let mut octets = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut octets)
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let line = octets
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(format!("the first line of {path} is empty"));
    }
    Ok(line.to_vec())
}

/// Far above the 80 octets of a key, so that one that is too long is told as such.
const LONGEST: u64 = 4_096;

//! The network configuration on standard input: host-local's keys, read as host-local reads them.

mod arguments;
mod node;
mod ranges;
mod route;

use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::{Map, Value};

pub use self::ranges::{Ranges, Span};
pub use self::route::Route;

use self::node::Object;
use super::error::{Code, Error};
use super::invocation::{Arguments, Attachment, excerpt, is_name};
use super::version::Version;

/// A configuration of which only that much was read that DEL needs: a broken range must not keep an address.
#[derive(Clone, Debug)]
pub struct Network {
    version: Version,
    place: Place,
    document: Map<String, Value>,
}

/// Where the leases of a network are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder of all networks.
    pub data_dir: PathBuf,
    /// The network's name: letters, digits, `_`, `.` and `-`, hence a file name.
    pub network: String,
}

/// What to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// Every container gets one address of each.
    pub sets: Vec<Ranges>,
    /// Handed to the container's plugin as they are.
    pub routes: Vec<Route>,
    /// A file in the form of `/etc/resolv.conf` whose content goes into the answer.
    pub resolv_conf: Option<PathBuf>,
    /// The addresses that this container asks for, none twice.
    pub requested: Vec<IpAddr>,
}

impl Network {
    /// Reads what every command needs.
    ///
    /// ```
    /// use openelb_cli::cni::{Network, Version};
    ///
    /// let network = Network::read(br#"{
    ///     "cniVersion": "1.0.0", "name": "pods", "type": "bridge",
    ///     "ipam": {"type": "openelb-cni", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}
    /// }"#)?;
    /// assert_eq!(network.version(), Version::V1_0_0);
    /// let addressing = network.addressing(&Default::default())?;
    /// assert_eq!(addressing.sets.len(), 2);
    /// # Ok::<(), openelb_cli::cni::Error>(())
    /// ```
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let document: Value = serde_json::from_slice(bytes).map_err(|error| {
            Error::new(
                Code::Decode,
                format!("the network configuration is not JSON: {error}"),
            )
            .next("mend the file of the network, usually in /etc/cni/net.d")
        })?;
        let Value::Object(document) = document else {
            return Err(
                Error::new(Code::Decode, "the network configuration is no JSON object")
                    .next("mend the file of the network, usually in /etc/cni/net.d"),
            );
        };
        let root = Object::root(&document);
        let version = read_version(&root)?;
        let place = read_place(&root)?;
        Ok(Self {
            version,
            place,
            document,
        })
    }

    /// The version that the configuration asks for; 0.1.0 when it asks for none, as the specification has it.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Where the leases are.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Refuses a command that the configuration's version does not have.
    pub(crate) fn require(&self, command: &str, since: Version) -> Result<(), Error> {
        if self.version >= since {
            return Ok(());
        }
        let fact = format!(
            "version {} of the specification has no {command}",
            self.version
        );
        Err(Error::new(Code::Version, fact).next(format!("set cniVersion to {since} or newer")))
    }

    /// Reads what to hand out, and what the container asks for.
    pub fn addressing(&self, arguments: &Arguments) -> Result<Addressing, Error> {
        let root = Object::root(&self.document);
        let ipam = root.object("ipam")?.ok_or_else(without_ipam)?;
        let runtime = root.object("runtimeConfig")?;
        let sets = read_sets(&ipam, runtime.as_ref(), self.version)?;
        Ok(Addressing {
            sets,
            routes: route::read(&ipam)?,
            resolv_conf: ipam.text("resolvConf")?.map(PathBuf::from),
            requested: arguments::requested(&root, runtime.as_ref(), arguments)?,
        })
    }

    /// The addresses of the result of an earlier ADD, as it was handed back; none when there is no such result.
    pub(crate) fn previous_addresses(&self) -> Result<Vec<IpAddr>, Error> {
        let root = Object::root(&self.document);
        let Some(previous) = root.object("prevResult")? else {
            return Ok(Vec::new());
        };
        let mut addresses = Vec::new();
        for ip in previous.list("ips")? {
            let ip = ip.object()?;
            let Some(node) = ip.field("address") else {
                continue;
            };
            let text = node.text()?;
            let host = text.split('/').next().unwrap_or_default();
            let address = host.parse::<IpAddr>().map_err(|_| {
                node.refuse(
                    format!("`{}` is no address", excerpt(text)),
                    "hand back the result of ADD as it was",
                )
            })?;
            addresses.push(address.to_canonical());
        }
        Ok(addresses)
    }

    /// The attachments that GC must leave alone.
    ///
    /// Without the key nothing is freed: a caller that forgot it would otherwise free everything.
    pub fn valid_attachments(&self) -> Result<Vec<Attachment>, Error> {
        let root = Object::root(&self.document);
        // The second name stood in drafts of the specification; libcni still sends both.
        let list = root
            .field("cni.dev/valid-attachments")
            .or_else(|| root.field("cni.dev/attachments"));
        let Some(list) = list else {
            return Err(Error::new(
                Code::Configuration,
                "GC needs the key cni.dev/valid-attachments",
            )
            .next("name every attachment that is still in use; an empty list frees everything"));
        };
        let read = |node: &node::Node<'_>| {
            let object = node.object()?;
            let (container, interface) = (object.text("containerID")?, object.text("ifname")?);
            let attachment =
                Attachment::new(container.unwrap_or_default(), interface.unwrap_or_default());
            attachment.map_err(|error| {
                node.refuse(
                    error.message(),
                    "hand over containerID and ifname as ADD had them",
                )
            })
        };
        list.list()?.iter().map(read).collect()
    }
}

fn read_version(root: &Object<'_>) -> Result<Version, Error> {
    let Some(text) = root.text("cniVersion")? else {
        return Ok(Version::V0_1_0);
    };
    Version::read(text).ok_or_else(|| {
        let known: Vec<_> = Version::ALL.iter().map(|version| version.name()).collect();
        Error::new(
            Code::Version,
            format!("cniVersion `{}` is not known", excerpt(text)),
        )
        .next(format!("this plugin speaks {}", known.join(", ")))
    })
}

fn read_place(root: &Object<'_>) -> Result<Place, Error> {
    let network = root.text("name")?.ok_or_else(|| {
        Error::new(Code::Configuration, "the network has no name")
            .next("give the configuration a `name`: the leases are kept under it")
    })?;
    if !is_name(network) || network.len() > LONGEST_NAME {
        return Err(
            Error::new(Code::Configuration, format!("`{}` is no name of a network", excerpt(network))).next(
                "it has to start with a letter or digit and hold letters, digits, `_`, `.` and `-` only",
            ),
        );
    }
    let ipam = root.object("ipam")?.ok_or_else(without_ipam)?;
    let data_dir = ipam.text("dataDir")?.unwrap_or(DATA_DIR);
    Ok(Place {
        data_dir: PathBuf::from(data_dir),
        network: network.to_owned(),
    })
}

fn without_ipam() -> Error {
    Error::new(
        Code::Configuration,
        "the network configuration has no `ipam`",
    )
    .next("this plugin hands out addresses: its settings stand under `ipam`")
}

/// host-local's order: the runtime's ranges, the range in `ipam` itself, `ipam.ranges`.
fn read_sets(
    ipam: &Object<'_>,
    runtime: Option<&Object<'_>>,
    version: Version,
) -> Result<Vec<Ranges>, Error> {
    let mut sets = Vec::new();
    if let Some(runtime) = runtime {
        for set in runtime.list("ipRanges")? {
            sets.push(Ranges::read(&set)?);
        }
    }
    if ipam.field("subnet").is_some() {
        sets.push(Ranges::of_one(Span::read(ipam)?));
    }
    for set in ipam.list("ranges")? {
        sets.push(Ranges::read(&set)?);
    }
    if sets.is_empty() {
        return Err(Error::new(Code::Configuration, "ipam names no addresses")
            .next("give it a `subnet`, or `ranges`: a list of lists of ranges"));
    }
    Ranges::check_disjoint(&sets)?;
    for family in openelb_ipam::Family::ALL {
        let count = sets.iter().filter(|set| set.family() == family).count();
        if count > 1 && version < Version::V0_3_0 {
            let fact = format!(
                "version {version} of the specification has one {family} address, ipam names {count}"
            );
            return Err(
                Error::new(Code::Configuration, fact).next("set cniVersion to 0.3.0 or newer")
            );
        }
    }
    Ok(sets)
}

/// Where host-local keeps its leases.
const DATA_DIR: &str = "/var/lib/cni/networks";
/// The longest file name of every Linux file system.
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests;

//! What the nodes of an election are given: the same services, the same settings and the same key.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::args::Profile;
use super::plan::{self, NAMESPACE, PORT};

/// The services, each with an address of either family: the first is the one that clients ask.
pub(crate) fn services() -> impl Iterator<Item = (String, [IpAddr; 2])> {
    (1..=SERVICES).map(|number| (format!("web-{number}"), pair(number)))
}

/// The addresses of the service that clients ask, IPv4 first.
pub(crate) fn watched() -> [IpAddr; 2] {
    pair(1)
}

/// The addresses of all services.
pub(crate) fn addresses() -> Vec<IpAddr> {
    services().flat_map(|(_, pair)| pair).collect()
}

/// How long a node must have been back before it is given addresses again. The default of half a
/// minute would only make a lab long: three times what finds a node dead is still far longer than
/// a node takes to start, so that waiting shows.
pub(crate) fn hold(profile: Profile) -> Duration {
    3 * profile.dead_after()
}

/// How long an address stays at least where it came to.
pub(crate) fn dwell(profile: Profile) -> Duration {
    profile.dead_after()
}

/// Makes the key that the nodes sign with: 32 octets that nobody knows, in a file for its owner.
pub(crate) fn make_key(files: &Path) -> io::Result<()> {
    let mut octets = [0_u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    let mut key = String::with_capacity(2 * octets.len() + 1);
    for octet in octets {
        write!(key, "{octet:02x}").expect("writing to memory cannot fail");
    }
    let path = files.join(KEY);
    fs::write(&path, format!("{key}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
}

/// The configuration of every node.
pub(crate) fn configuration(profile: Profile, key: &Path) -> String {
    let (hold, dwell) = (hold(profile).as_millis(), dwell(profile).as_millis());
    let mut text = format!(
        "{}---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Layer2Conf\n\
         metadata: {{name: default}}\n\
         spec:\n  \
           profile: {}\n  \
           keyFile: {:?}\n  \
           hold: {hold}ms\n  \
           dwell: {dwell}ms\n  \
           shards: {SHARDS}\n",
        plan::pool_only(),
        profile.name(),
        key.display().to_string(),
    );
    for (name, addresses) in services() {
        write!(
            text,
            "---\n\
             apiVersion: openelb.io/v1\n\
             kind: Service\n\
             metadata: {{namespace: {NAMESPACE}, name: {name}}}\n\
             spec:\n  \
               ipFamilyPolicy: RequireDualStack\n  \
               addresses: {addresses:?}\n  \
               ports: [{{name: http, protocol: TCP, port: {PORT}}}]\n",
        )
        .expect("writing to memory cannot fail");
    }
    text
}

fn pair(number: u8) -> [IpAddr; 2] {
    [
        Ipv4Addr::new(192, 0, 2, 240 + number).into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xf0 + u16::from(number)).into(),
    ]
}

/// Enough for as many services. A node that is back gets one with each beat, used or not: all of the
/// default 256 would take half a minute.
const SHARDS: u16 = 16;

/// The name of the key's file.
pub(crate) const KEY: &str = "beats.key";

/// Enough that three nodes have some each, nearly always.
const SERVICES: u8 = 6;

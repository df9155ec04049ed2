//! FRR's `bgpd` as a receiver, asked over its own socket every few milliseconds.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use openelb_benches::meter::clock;

use super::contender::identity;
use super::world::{ANNOUNCER, Process, World};
use openelb_benches::shell::sh;

/// A running `bgpd` that installs nothing, and `zebra`, which tells it what link-local next hops are on.
pub(crate) struct Frr {
    _bgpd: Process,
    _zebra: Process,
    socket: String,
}

/// When a session was up, and when it had all its routes.
#[derive(Clone, Copy)]
pub(crate) struct Received {
    pub(crate) established: Instant,
    pub(crate) complete: Instant,
}

impl Frr {
    /// Whether it is installed.
    pub(crate) fn is_installed() -> bool {
        std::path::Path::new(BGPD).exists()
    }

    /// Starts it as receiver [`NUMBER`], which dials the announcer and sends it nothing back: the
    /// echo of a hundred thousand routes would keep some announcers busy.
    pub(crate) fn start(world: &World) -> Self {
        let me = identity(NUMBER);
        let directory = world.path("frr");
        drop(std::fs::remove_dir_all(&directory));
        std::fs::create_dir_all(&directory).unwrap();
        let text = format!(
            "router bgp {}\n bgp router-id 10.255.0.4\n no bgp ebgp-requires-policy\n \
             no bgp default ipv4-unicast\n no bgp network import-check\n \
             neighbor {ANNOUNCER} remote-as external\n neighbor {ANNOUNCER} timers connect 1\n \
             neighbor {ANNOUNCER} update-source {}\n address-family ipv6 unicast\n  \
             neighbor {ANNOUNCER} activate\n  neighbor {ANNOUNCER} route-map nothing out\n \
             exit-address-family\nroute-map nothing deny 1\n",
            me.asn, me.address
        );
        std::fs::write(format!("{directory}/bgpd.conf"), text).unwrap();
        sh(&format!("chown -R frr:frr {directory}"));
        sh(&format!(
            "chmod 755 {directory} {}",
            world.directory.display()
        ));
        let common = |name: &str| {
            format!(
                "-P 0 -A 127.0.0.1 -z {directory}/zserv.api -i {directory}/{name}.pid \
                 --vty_socket {directory} --log stdout"
            )
        };
        let host = &world.receiver;
        let line = format!("{ZEBRA} {} -s 90000000 -f /dev/null", common("zebra"));
        let zebra = host.spawn(&line, &world.path("zebra.log"));
        // Without its socket `bgpd` tries again only after ten seconds.
        while UnixStream::connect(format!("{directory}/zserv.api")).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let (common, address) = (common("bgpd"), me.address);
        let line = format!("{BGPD} {common} -n -l {address} -f {directory}/bgpd.conf");
        Self {
            _bgpd: host.spawn(&line, &world.path("bgpd.log")),
            _zebra: zebra,
            socket: format!("{directory}/bgpd.vty"),
        }
    }

    /// Waits until it has received `routes` routes; `None` at the end of `patience`.
    pub(crate) fn wait(&self, routes: u64, patience: Duration) -> Option<Received> {
        let end = clock() + patience;
        let mut established = None;
        while clock() < end {
            let (is_up, received) = self.ask().unwrap_or_default();
            let now = clock();
            if is_up {
                let established = *established.get_or_insert(now);
                if received >= routes {
                    return Some(Received {
                        established,
                        complete: now,
                    });
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// Whether the session is up, and how many routes came.
    fn ask(&self) -> Option<(bool, u64)> {
        let mut socket = UnixStream::connect(&self.socket).ok()?;
        socket
            .write_all(b"show bgp ipv6 unicast summary json\0")
            .ok()?;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        // The answer ends with three zero octets and a status.
        while !answer.iter().rev().skip(1).take(3).eq([0_u8; 3].iter()) {
            let read = socket.read(&mut buffer).ok().filter(|read| *read > 0)?;
            answer.extend_from_slice(&buffer[..read]);
        }
        let text = String::from_utf8_lossy(&answer);
        let (_, rest) = text.split_once("\"pfxRcd\":")?;
        let digits = rest.split(|letter: char| !letter.is_ascii_digit());
        let received = digits.into_iter().next()?.parse().ok()?;
        Some((text.contains("\"state\":\"Established\""), received))
    }
}

/// Which receiver it is.
pub(crate) const NUMBER: u16 = 4;
const BGPD: &str = "/usr/lib/frr/bgpd";
const ZEBRA: &str = "/usr/lib/frr/zebra";

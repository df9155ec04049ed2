//! `GoBGP`, BIRD and `ExaBGP` as Debian has them, each loaded with the routes in its own way.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::endpoint::{Identity, Injector, Sink};
use super::routes::{address, messages_of};
use super::world::{ANNOUNCER, Process, World, receiver};

/// The program that announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    GoBgp,
    Bird,
    ExaBgp,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::GoBgp, Self::Bird, Self::ExaBgp];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GoBgp => "GoBGP",
            Self::Bird => "BIRD",
            Self::ExaBgp => "ExaBGP",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::GoBgp => "gobgpd",
            Self::Bird => "bird",
            Self::ExaBgp => "exabgp",
        }
    }

    /// Whether it is installed.
    pub(crate) fn is_installed(self) -> bool {
        let found = std::process::Command::new("which")
            .arg(self.program())
            .output();
        found.is_ok_and(|output| output.status.success())
    }
}

/// A running announcer with its routes loaded, and a way to add one.
pub(crate) struct Contender<'w> {
    pub(crate) kind: Kind,
    world: &'w World,
    pub(crate) process: Process,
    injector: Option<Injector>,
}

impl<'w> Contender<'w> {
    /// Starts `kind` with `count` routes for the receivers 1 to `peers`.
    pub(crate) fn start(kind: Kind, world: &'w World, count: u32, peers: u16) -> Self {
        let (line, injector) = match kind {
            Kind::GoBgp => (gobgp(world, peers), true),
            Kind::Bird => (bird(world, count, peers), false),
            Kind::ExaBgp => (exabgp(world, count, peers), false),
        };
        let process = world.announcer.spawn(&line, &world.path(kind.name()));
        let mut contender = Self {
            kind,
            world,
            process,
            injector: None,
        };
        if injector {
            contender.feed(count);
        }
        contender
    }

    /// The session of receiver `number`; `GoBGP` and BIRD are dialled, `ExaBGP` dials.
    pub(crate) fn sink(&self, number: u16) -> Sink {
        let me = identity(number);
        match self.kind {
            Kind::ExaBgp => Sink::listen(&self.world.receiver, me),
            Kind::GoBgp | Kind::Bird => Sink::dial(&self.world.receiver, me, ANNOUNCER),
        }
    }

    /// Adds the route with this number in the program's own way.
    pub(crate) fn add(&mut self, number: u32) {
        let address = address(number);
        match self.kind {
            Kind::GoBgp => self.inject(&messages_of(number..number + 1, injector_address())),
            Kind::Bird => {
                let path = self.world.path("bird.routes");
                let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
                writeln!(file, "route {address}/128 blackhole;").unwrap();
                let control = self.world.path("bird.ctl");
                self.world
                    .announcer
                    .sh(&format!("birdc -s {control} configure"));
            }
            Kind::ExaBgp => {
                let path = self.world.path("exabgp.fifo");
                let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                writeln!(pipe, "announce route {address}/128 next-hop {ANNOUNCER}").unwrap();
            }
        }
    }

    /// Gives `GoBGP` its routes over a BGP session, which loses none, and waits until it has them.
    fn feed(&mut self, count: u32) {
        let me = Identity {
            address: injector_address().into(),
            asn: 64_514,
        };
        self.injector = Some(Injector::dial(&self.world.receiver, me, ANNOUNCER));
        self.inject(&messages_of(0..count, injector_address()));
        let wanted = format!("Path: {count}");
        let has_all = || {
            let summary = self.world.announcer.ask("gobgp global rib summary -a ipv6");
            summary.is_some_and(|summary| summary.contains(&wanted))
        };
        while !has_all() {
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn inject(&mut self, messages: &[u8]) {
        if let Some(injector) = &mut self.injector {
            injector.send(messages);
        }
    }
}

/// Who receiver `number` is.
pub(crate) fn identity(number: u16) -> Identity {
    Identity {
        address: receiver(number),
        asn: 64_600 + u32::from(number),
    }
}

const fn injector_address() -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 9)
}

fn gobgp(world: &World, peers: u16) -> String {
    let mut text = format!(
        "[global.config]\nas = 64512\nrouter-id = \"10.0.0.1\"\nport = 179\n\
         local-address-list = [\"{ANNOUNCER}\"]\n"
    );
    let receivers =
        (1..=peers).map(|number| (identity(number).address.to_string(), identity(number).asn));
    let injector = (injector_address().to_string(), 64_514);
    for (address, asn) in receivers.chain([injector]) {
        write!(
            text,
            "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{address}\"\npeer-as = {asn}\n\
             [neighbors.transport.config]\npassive-mode = true\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv6-unicast\"\n"
        )
        .unwrap();
    }
    let path = world.write("gobgpd.toml", &text);
    format!("gobgpd -f {path} --api-hosts=127.0.0.1:50051 --pprof-disable -p")
}

fn bird(world: &World, count: u32, peers: u16) -> String {
    let mut routes = String::new();
    for number in 0..count {
        writeln!(routes, "route {}/128 blackhole;", address(number)).unwrap();
    }
    let routes = world.write("bird.routes", &routes);
    let mut text = format!(
        "router id 10.0.0.1;\nprotocol device {{}}\n\
         protocol static {{\n ipv6;\ninclude \"{routes}\";\n}}\n"
    );
    for number in 1..=peers {
        let Identity { address, asn } = identity(number);
        write!(
            text,
            "protocol bgp peer{number} {{\n local {ANNOUNCER} as 64512;\n \
             neighbor {address} as {asn};\n passive;\n \
             ipv6 {{ import none; export all; next hop self; }};\n}}\n"
        )
        .unwrap();
    }
    let path = world.write("bird.conf", &text);
    let control = world.path("bird.ctl");
    format!("bird -f -c {path} -s {control}")
}

fn exabgp(world: &World, count: u32, peers: u16) -> String {
    let mut routes = String::new();
    for number in 0..count {
        writeln!(
            routes,
            "   unicast {}/128 next-hop {ANNOUNCER};",
            address(number)
        )
        .unwrap();
    }
    let pipe = world.path("exabgp.fifo");
    drop(std::fs::remove_file(&pipe));
    openelb_benches::shell::sh(&format!("mkfifo {pipe}"));
    let script = world.write("exabgp.sh", &format!("#!/bin/sh\nexec cat <>{pipe}\n"));
    openelb_benches::shell::sh(&format!("chmod 700 {script}"));
    let mut text = format!("process changes {{\n run {script};\n encoder text;\n}}\n");
    for number in 1..=peers {
        let Identity { address, asn } = identity(number);
        write!(
            text,
            "neighbor {address} {{\n router-id 10.0.0.1;\n local-address {ANNOUNCER};\n \
             local-as 64512;\n peer-as {asn};\n family {{ ipv6 unicast; }}\n \
             api {{ processes [ changes ]; }}\n announce {{ ipv6 {{\n{routes} }} }}\n}}\n"
        )
        .unwrap();
    }
    let path = world.write("exabgp.conf", &text);
    format!(
        "env exabgp.daemon.user=root exabgp.log.level=ERR exabgp.api.ack=false \
         exabgp.daemon.drop=false exabgp {path}"
    )
}

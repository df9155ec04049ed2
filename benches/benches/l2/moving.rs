//! How long an address takes from one host to another, with a client that never stops sending.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use openelb_announce::announcer::{Announcer, Options};

use super::asker::now;
use super::table::{Goal, Table};
use super::world::{Host, World, on_eth0};

/// Adds the gap of planned moves and what was lost in them.
pub(crate) fn measure(world: &World, table: &mut Table) {
    for address in ["192.0.2.200", "2001:db8::200"] {
        let address: IpAddr = address.parse().unwrap();
        let stop = AtomicBool::new(false);
        let (mut gaps, lost) = std::thread::scope(|scope| {
            for host in [&world.node, &world.other] {
                let socket = serve(host, address);
                let stop = &stop;
                scope.spawn(move || echo(&socket, host.number, stop));
            }
            let outcome = moves(world, address);
            stop.store(true, Ordering::Relaxed);
            outcome
        });
        gaps.sort_by(f64::total_cmp);
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let median = gaps.get(gaps.len() / 2).copied().unwrap_or(f64::NAN);
        let what = format!("{family} planned move, announce to first reply, median");
        table.add(&what, "ms", median, None, Goal::AtMost(5.0));
        let longest = gaps.last().copied().unwrap_or(f64::NAN);
        table.add(
            &format!("{family} planned move, longest"),
            "ms",
            longest,
            None,
            Goal::None,
        );
        let what = format!("{family} datagrams lost in {MOVES} moves");
        table.add(&what, "of all", lost, None, Goal::AtMost(0.5));
    }
}

fn serve(host: &Host, address: IpAddr) -> UdpSocket {
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    host.sh(&format!("ip {family} route add local {address} dev lo"));
    let socket = host.run(|| UdpSocket::bind(SocketAddr::new(address, 7000)).unwrap());
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    socket
}

fn echo(socket: &UdpSocket, number: u8, stop: &AtomicBool) {
    let mut buffer = [0; 4];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((_, client)) = socket.recv_from(&mut buffer) {
            drop(socket.send_to(&[number], client));
        }
    }
}

/// Moves the address to and fro; the gap of each move in milliseconds, and the datagrams lost.
fn moves(world: &World, address: IpAddr) -> (Vec<f64>, f64) {
    let hosts = [&world.node, &world.other];
    let announcers = hosts.map(|host| host.announcer(Options::default()));
    let any = if address.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = world.client.run(|| UdpSocket::bind(any).unwrap());
    socket.connect(SocketAddr::new(address, 7000)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let [first, _] = &announcers;
    first.announce(on_eth0([address])).unwrap();
    let mut gaps = Vec::new();
    let mut lost = 0.0;
    until_answered_by(&socket, world.node.number, &mut lost);
    lost = 0.0;
    for turn in 0..MOVES {
        let [one, other] = &announcers;
        let (leaving, arriving, number) = match turn % 2 {
            0 => (one, other, world.other.number),
            _ => (other, one, world.node.number),
        };
        gaps.push(move_once(
            [leaving, arriving],
            number,
            &socket,
            address,
            &mut lost,
        ));
    }
    (gaps, lost)
}

fn move_once(
    [leaving, arriving]: [&Announcer; 2],
    number: u8,
    socket: &UdpSocket,
    address: IpAddr,
    lost: &mut f64,
) -> f64 {
    leaving.announce(Vec::new()).unwrap();
    leaving.status();
    let start = now();
    arriving.announce(on_eth0([address])).unwrap();
    until_answered_by(socket, number, lost);
    let gap = (now() - start).as_secs_f64() * 1e3;
    // Some more, so that the client's cache is settled before the next move.
    for _ in 0..20 {
        ask(socket, lost);
    }
    gap
}

fn until_answered_by(socket: &UdpSocket, number: u8, lost: &mut f64) {
    while ask(socket, lost) != Some(number) {}
}

/// Sends one datagram and waits for its answer: who gave it.
fn ask(socket: &UdpSocket, lost: &mut f64) -> Option<u8> {
    let mut answer = [0];
    let answered = socket
        .send(b"?")
        .and_then(|_| socket.recv(&mut answer))
        .is_ok();
    if !answered {
        *lost += 1.0;
    }
    answered.then_some(answer).map(|[number]| number)
}

const MOVES: usize = 20;

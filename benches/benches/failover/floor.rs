//! The packets of an election and nothing else: what the machine charges a node that neither signs,
//! reads nor decides anything.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use openelb_announce::ownership::Profile;
use openelb_benches::meter::clock;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

/// Sends and throws away packets of both families at the pace of a profile, for ever.
pub(crate) fn exchange(profile: Profile) {
    let ends = [end_v4(), end_v6()];
    let interval = profile.timing().interval();
    let mut due = clock() + interval;
    let mut room = [0; 1500];
    loop {
        let wait = due.saturating_duration_since(clock()) + Duration::from_millis(1);
        let wait = PollTimeout::try_from(wait).unwrap();
        let mut sockets = ends
            .each_ref()
            .map(|(socket, _)| PollFd::new(socket.as_fd(), PollFlags::POLLIN));
        poll(&mut sockets, wait).unwrap();
        for (socket, _) in &ends {
            while socket.recv_from(&mut room).is_ok() {}
        }
        if clock() >= due {
            due += interval;
            for (socket, group) in &ends {
                socket.send_to(&[0; BEAT], group).unwrap();
            }
        }
    }
}

fn end_v4() -> (UdpSocket, SocketAddr) {
    let group = Ipv4Addr::new(224, 0, 0, 254);
    let socket = socket(Domain::IPV4);
    socket.set_multicast_loop_v4(false).unwrap();
    let link = InterfaceIndexOrAddress::Index(link());
    socket.join_multicast_v4_n(&group, &link).unwrap();
    bound(
        socket,
        (Ipv4Addr::UNSPECIFIED, PORT).into(),
        (group, PORT).into(),
    )
}

fn end_v6() -> (UdpSocket, SocketAddr) {
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x114);
    let socket = socket(Domain::IPV6);
    socket.set_only_v6(true).unwrap();
    socket.set_multicast_loop_v6(false).unwrap();
    socket.set_multicast_if_v6(link()).unwrap();
    socket.join_multicast_v6(&group, link()).unwrap();
    bound(
        socket,
        (Ipv6Addr::UNSPECIFIED, PORT).into(),
        (group, PORT).into(),
    )
}

fn socket(domain: Domain) -> Socket {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.bind_device(Some(b"eth0")).unwrap();
    socket
}

fn bound(socket: Socket, here: SocketAddr, group: SocketAddr) -> (UdpSocket, SocketAddr) {
    socket.bind(&here.into()).unwrap();
    (socket.into(), group)
}

fn link() -> u32 {
    let text = std::fs::read_to_string("/sys/class/net/eth0/ifindex").unwrap();
    text.trim().parse().unwrap()
}

/// As long as a beat of three nodes.
const BEAT: usize = 200;
/// Nobody else's.
const PORT: u16 = 7009;

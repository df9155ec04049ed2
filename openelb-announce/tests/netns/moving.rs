//! An address moves from one host to another under traffic, without losing any.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::announcing::{announced, on, start};
use super::capture::Capture;
use super::world::{Host, eventually, with_root_and_hosts};

/// Lets `host` serve `address`, which no interface has, and answer each datagram with its own number.
fn serve<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    host: &Host,
    address: &str,
    stop: &'scope AtomicBool,
) {
    host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv6.ip_nonlocal_bind=1");
    let family = if address.contains(':') { "-6" } else { "-4" };
    host.sh(&format!("ip {family} route add local {address} dev lo"));
    let number = host.number;
    let target = std::net::SocketAddr::new(address.parse().unwrap(), 7000);
    let socket = host.run(|| UdpSocket::bind(target).unwrap());
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    scope.spawn(move || {
        let mut request = [0; 4];
        while !stop.load(Ordering::Relaxed) {
            if let Ok((4, client)) = socket.recv_from(&mut request) {
                let [a, b, c, d] = request;
                socket.send_to(&[a, b, c, d, number], client).unwrap();
            }
        }
    });
}

/// Who answered each request, by its number.
struct Answers(Vec<Option<u8>>);

impl Answers {
    /// Sends one request and takes in what has been answered by now.
    fn ask(&mut self, socket: &UdpSocket) {
        let number = u32::try_from(self.0.len()).unwrap();
        socket.send(&number.to_be_bytes()).unwrap();
        self.0.push(None);
        self.take_in(socket);
    }

    fn take_in(&mut self, socket: &UdpSocket) {
        let mut answer = [0; 5];
        while let Ok(5) = socket.recv(&mut answer) {
            let [a, b, c, d, host] = answer;
            self.0[u32::from_be_bytes([a, b, c, d]) as usize] = Some(host);
        }
    }

    fn by(&self, host: u8) -> usize {
        self.0
            .iter()
            .filter(|answer| **answer == Some(host))
            .count()
    }

    fn missing(&self) -> usize {
        self.0.iter().filter(|answer| answer.is_none()).count()
    }
}

fn moves_without_loss([old, new, client]: &[Host; 3], address: &str) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        serve(scope, old, address, &stop);
        serve(scope, new, address, &stop);
        let capture = Capture::start(client, "arp or icmp6 or udp port 7000");
        move_under_traffic([old, new, client], address);
        stop.store(true, Ordering::Relaxed);
        check_sequence(&capture, [old, new], address);
    });
}

fn move_under_traffic([old, new, client]: [&Host; 3], address: &str) {
    let leaving = announced(old, &[address]);
    let arriving = start(new);
    let any = if address.contains(':') {
        "[::]:0"
    } else {
        "0.0.0.0:0"
    };
    let socket = client.run(|| UdpSocket::bind(any).unwrap());
    socket
        .connect((address.parse::<std::net::IpAddr>().unwrap(), 7000))
        .unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut answers = Answers(Vec::new());
    let mut ask_until = |what: &str, done: &dyn Fn(&Answers) -> bool| {
        eventually(what, || {
            for _ in 0..10 {
                answers.ask(&socket);
                std::thread::sleep(Duration::from_millis(1));
            }
            done(&answers)
        });
    };
    ask_until("the old host answers", &|answers| answers.by(1) >= 100);
    // Silent first, then the other: at no time do both answer for the address.
    leaving.announce(Vec::new()).unwrap();
    assert!(leaving.status().is_empty());
    arriving.announce(on("eth0", &[address])).unwrap();
    ask_until("the new host answers", &|answers| answers.by(2) >= 100);
    eventually("every request was answered", || {
        answers.take_in(&socket);
        answers.missing() == 0
    });
}

/// From the new host's first announcement on, the old one says nothing, and datagrams follow.
fn check_sequence(capture: &Capture, [old, new]: [&Host; 2], address: &str) {
    let resolution = if address.contains(':') {
        format!("icmpv6.nd.na.target_address == {address}")
    } else {
        format!("arp.src.proto_ipv4 == {address}")
    };
    let time = |filter: String| -> Option<f64> {
        let frames = capture.frames(&filter, &["frame.time_epoch"]);
        frames.first().map(|fields| fields[0].parse().unwrap())
    };
    let announced = time(format!("{resolution} && eth.src == {}", new.mac("eth0"))).unwrap();
    let answered = time(format!("udp && eth.src == {}", new.mac("eth0"))).unwrap();
    assert!(answered >= announced);
    let late = format!(
        "{resolution} && eth.src == {} && frame.time_epoch > {announced:.9}",
        old.mac("eth0")
    );
    assert_eq!(capture.count(&late), 0);
    eprintln!(
        "moved in {:.3} ms without loss",
        (answered - announced) * 1000.0
    );
}

#[test]
fn an_ipv4_address_moves_between_two_hosts_without_losing_a_datagram() {
    with_root_and_hosts(|_, hosts| moves_without_loss(&hosts, "192.0.2.100"));
}

#[test]
fn an_ipv6_address_moves_between_two_hosts_without_losing_a_datagram() {
    with_root_and_hosts(|_, hosts| moves_without_loss(&hosts, "2001:db8::100"));
}

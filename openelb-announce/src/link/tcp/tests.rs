//! Tests of the sockets of BGP sessions, on the loopback interface.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use ipnet::IpNet;

use super::*;

const BOTH_FAMILIES: [&str; 2] = ["127.0.0.1", "::1"];

#[test]
fn a_session_comes_up_with_equal_keys_in_both_families() {
    for host in BOTH_FAMILIES {
        let listener = listener(host, &[(host, b"secret")]);
        let (mut near, mut far) = connected(&listener, Some(b"secret")).unwrap();
        near.write_all(b"open").unwrap();
        let mut heard = [0; 4];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"open");
    }
}

#[test]
fn no_session_comes_up_with_another_key_or_none() {
    for host in BOTH_FAMILIES {
        let listener = listener(host, &[(host, b"secret")]);
        assert!(connected(&listener, Some(b"Secret")).is_none());
        assert!(connected(&listener, None).is_none());
    }
}

#[test]
fn a_key_of_a_prefix_counts_for_each_address_in_it_but_a_longer_prefix_wins() {
    let cases = [
        ("127.0.0.1", ["127.0.0.0/8", "127.0.0.1"]),
        ("::1", ["::/64", "::1"]),
    ];
    for (host, [prefix, longer]) in cases {
        let keys: [(&str, &[u8]); 2] = [(prefix, b"everybody"), (longer, b"one")];
        let both = listener(host, &keys);
        let [wide, _] = keys;
        let only_prefix = listener(host, &[wide]);
        assert!(connected(&only_prefix, Some(b"everybody")).is_some());
        assert!(connected(&only_prefix, Some(b"one")).is_none());
        assert!(connected(&both, Some(b"one")).is_some());
        assert!(connected(&both, Some(b"everybody")).is_none());
    }
}

#[test]
fn a_key_changes_under_a_listener_and_accepted_sessions_keep_theirs() {
    for host in BOTH_FAMILIES {
        let listener = listener(host, &[(host, b"old")]);
        let (mut near, mut far) = connected(&listener, Some(b"old")).unwrap();
        let socket = SockRefOwned::of(&listener);
        set_key(&socket, &scope(host), b"new").unwrap();
        assert!(connected(&listener, Some(b"old")).is_none());
        assert!(connected(&listener, Some(b"new")).is_some());
        near.write_all(b"still here").unwrap();
        let mut heard = [0; 10];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"still here");
        clear_key(&socket, &scope(host)).unwrap();
        assert!(connected(&listener, None).is_some());
        clear_key(&socket, &scope(host)).unwrap();
    }
}

#[test]
fn keys_of_the_other_family_are_not_for_this_listener() {
    let listening = listen(
        "[::1]:0".parse().unwrap(),
        [(&scope("127.0.0.1"), &b"x"[..])],
    )
    .unwrap();
    assert!(listening.refused.is_empty());
}

#[test]
fn a_password_must_have_1_to_80_octets() {
    let socket = stream("127.0.0.1:0".parse().unwrap()).unwrap();
    for length in [0, 81] {
        let error = set_key(&socket, &scope("127.0.0.1"), &vec![b'x'; length]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("a TCP MD5 password has 1 to 80 octets, not {length}")
        );
    }
    set_key(&socket, &scope("127.0.0.1"), &[b'x'; 80]).unwrap();
}

#[test]
fn segments_with_too_small_a_hop_limit_do_not_count() {
    for host in BOTH_FAMILIES {
        let listener = listener(host, &[]);
        let far = SessionOptions {
            hop_limit: Some(254),
            ..SessionOptions::default()
        };
        let near = SessionOptions {
            hop_limit: Some(255),
            minimum_hop_limit: Some(minimum_hop_limit(1)),
            ..SessionOptions::default()
        };
        // The listener answers with 255, so a checking neighbour comes up.
        let (mut checking, plain) = connected_with(&listener, None, near).unwrap();
        // What the other side sends with 254 never arrives; with 255 it does.
        far.apply(&SockRefOwned::of(&plain), plain.peer_addr().unwrap().ip())
            .unwrap();
        (&plain).write_all(b"x").unwrap();
        checking
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let mut heard = [0];
        assert!(checking.read(&mut heard).is_err());
        near.apply(&SockRefOwned::of(&plain), plain.peer_addr().unwrap().ip())
            .unwrap();
        checking.set_read_timeout(None).unwrap();
        checking.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"x");
    }
}

#[test]
fn the_minimum_hop_limit_is_255_on_the_link_and_one_less_for_each_hop() {
    let limits = [1, 2, 10, 254, 255].map(minimum_hop_limit);
    assert_eq!(limits, [255, 254, 246, 2, 1]);
    assert_eq!(minimum_hop_limit(0), 255);
}

#[test]
fn options_reach_the_socket_in_both_families() {
    for host in BOTH_FAMILIES {
        let remote = SocketAddr::new(host.parse().unwrap(), 179);
        let options = SessionOptions {
            hop_limit: Some(7),
            minimum_hop_limit: None,
            maximum_segment: Some(1000),
            user_timeout: Some(Duration::from_secs(90)),
            mtu_discovery: Some(false),
        };
        let socket = dial(remote, None, options).prepare().unwrap();
        let limit = if remote.is_ipv4() {
            assert_eq!(socket.tos_v4().unwrap(), 0xc0);
            socket.ttl_v4().unwrap()
        } else {
            assert_eq!(socket.tclass_v6().unwrap(), 0xc0);
            socket.unicast_hops_v6().unwrap()
        };
        assert_eq!(limit, 7);
        assert_eq!(socket.tcp_user_timeout().unwrap(), options.user_timeout);
        assert!(socket.tcp_nodelay().unwrap());
    }
}

#[test]
fn the_source_and_the_local_port_are_those_asked_for() {
    let listener = listener("127.0.0.1", &[]);
    let free = TcpListener::bind("127.0.0.9:0").unwrap();
    let local = free.local_addr().unwrap();
    drop(free);
    let mut dial = dial(
        listener.local_addr().unwrap(),
        None,
        SessionOptions::default(),
    );
    dial.source = Some(local.ip());
    dial.local_port = local.port();
    let near = connect(&dial).unwrap();
    assert_eq!(near.local_addr().unwrap(), local);
}

#[test]
fn a_taken_port_is_refused_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let holder = TcpListener::bind(taken.unwrap()).unwrap();
    let address = holder.local_addr().unwrap();
    let error = listen(address, []).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("binding to {address}: ")),
        "{error}"
    );
    assert!(error.contains("another program listens there"), "{error}");
}

#[test]
fn an_address_that_no_interface_has_is_refused_with_words() {
    let error = listen("192.0.2.77:0".parse().unwrap(), []).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no interface has this address yet")
    );
    let mut dial = dial(
        "127.0.0.1:9".parse().unwrap(),
        None,
        SessionOptions::default(),
    );
    dial.source = Some("192.0.2.77".parse().unwrap());
    assert!(matches!(dial.prepare(), Err(OpenError::Bind { .. })));
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    let mut dial = dial(
        "127.0.0.1:9".parse().unwrap(),
        None,
        SessionOptions::default(),
    );
    dial.interface = Some("nowhere0");
    let error = dial.prepare().unwrap_err().to_string();
    assert!(
        error.starts_with("binding to interface nowhere0: "),
        "{error}"
    );
}

fn listener(host: &str, keys: &[(&str, &[u8])]) -> TcpListener {
    let keys: Vec<_> = keys.iter().map(|(net, key)| (scope(net), *key)).collect();
    let address = SocketAddr::new(host.parse().unwrap(), 0);
    let listening = listen(address, keys.iter().map(|(scope, key)| (scope, *key))).unwrap();
    assert!(listening.refused.is_empty(), "{:?}", listening.refused);
    listening.socket.set_nonblocking(false).unwrap();
    listening.socket.into()
}

fn scope(text: &str) -> KeyScope {
    match text.parse::<IpNet>() {
        Ok(net) => KeyScope::prefix(net),
        Err(_) => KeyScope::host(text.parse().unwrap()),
    }
}

fn dial(remote: SocketAddr, key: Option<&[u8]>, options: SessionOptions) -> Dial<'_> {
    Dial {
        remote,
        source: None,
        local_port: 0,
        interface: None,
        key,
        options,
    }
}

/// Both ends of a connection, or nothing when none comes up in the time of a first retransmission.
fn connected(listener: &TcpListener, key: Option<&[u8]>) -> Option<(TcpStream, TcpStream)> {
    connected_with(listener, key, SessionOptions::default())
}

fn connected_with(
    listener: &TcpListener,
    key: Option<&[u8]>,
    options: SessionOptions,
) -> Option<(TcpStream, TcpStream)> {
    let near = connect(&dial(listener.local_addr().unwrap(), key, options))?;
    let (far, _) = listener.accept().unwrap();
    Some((near, far))
}

fn connect(dial: &Dial<'_>) -> Option<TcpStream> {
    let socket = dial.prepare().unwrap();
    socket.set_nonblocking(false).unwrap();
    let patience = Duration::from_millis(400);
    socket.connect_timeout(&dial.remote.into(), patience).ok()?;
    socket.set_nonblocking(false).unwrap();
    Some(socket.into())
}

/// A second descriptor of the same socket.
struct SockRefOwned(Socket);

impl SockRefOwned {
    fn of(socket: &impl std::os::fd::AsFd) -> Self {
        Self(socket.as_fd().try_clone_to_owned().unwrap().into())
    }
}

impl std::ops::Deref for SockRefOwned {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

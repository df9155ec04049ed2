//! What tshark, which shares no code with us, reads in advertisements that we write.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot run its second opinion has failed"
)]

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::process::Command;

use openelb_announce::vrrp::packet::{Head, Path};
use openelb_announce::vrrp::{ChecksumForm, Family, Interval, Version, Vrid};

#[test]
fn tshark_finds_our_advertisements_well_formed() {
    let v4 = many(Family::Ipv4, 255);
    let v6 = many(Family::Ipv6, 90);
    let cases = [
        (Version::V3, 255, 4095, v4.clone()),
        (Version::V3, 0, 1, v4.iter().take(1).copied().collect()),
        (Version::V3, 100, 100, v6.iter().take(2).copied().collect()),
        (Version::V3, 1, 10, v6),
        (Version::V2, 254, 25_500, v4.clone()),
        (Version::V2, 100, 100, v4.iter().take(3).copied().collect()),
    ];
    let packets = cases
        .iter()
        .map(|(version, priority, centiseconds, addresses)| {
            packet(*version, *priority, *centiseconds, addresses)
        });
    let read = tshark(&packets.collect::<Vec<_>>());
    assert_eq!(read.len(), cases.len());
    for (line, (version, priority, centiseconds, addresses)) in read.iter().zip(&cases) {
        let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let (list, count) = (list.join(","), addresses.len());
        let interval = match version {
            Version::V2 => centiseconds / 100,
            Version::V3 => *centiseconds,
        };
        // Checksum status 1 is good; expert messages and malformed marks are absent.
        let expected = format!("{version}|1|51|{priority}|{count}|{interval}|1|{list}|");
        assert_eq!(*line, expected);
    }
}

/// tshark 4.0 knows the checksum of RFC 5798 alone, as keepalived and FRR do: the form of RFC 9568 is
/// another one to it.
#[test]
fn tshark_takes_the_form_without_the_pseudo_header_for_another_one() {
    let addresses = many(Family::Ipv4, 1);
    let mut packet = packet(Version::V3, 100, 100, &addresses);
    let path = path(Family::Ipv4);
    let plain = head(Version::V3, 100, 100).encode(&addresses, path, ChecksumForm::Plain);
    packet.truncate(20);
    packet.extend_from_slice(&plain);
    let read = tshark(&[packet]);
    assert!(read.first().unwrap().contains("|0|192.0.2.0|"), "{read:?}");
}

fn head(version: Version, priority: u8, centiseconds: u16) -> Head {
    Head {
        version,
        vrid: Vrid::new(51).unwrap(),
        priority,
        interval: Interval::from_centiseconds(centiseconds).unwrap(),
    }
}

fn path(family: Family) -> Path {
    let source = match family {
        Family::Ipv4 => IpAddr::from([192, 0, 2, 1]),
        Family::Ipv6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1]),
    };
    Path {
        source,
        destination: family.group(),
    }
}

fn many(family: Family, count: u8) -> Vec<IpAddr> {
    let address = |last: u8| match family {
        Family::Ipv4 => IpAddr::from([192, 0, 2, last]),
        Family::Ipv6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 1, u16::from(last)]),
    };
    (0..count).map(address).collect()
}

/// An IP packet around an advertisement.
fn packet(version: Version, priority: u8, centiseconds: u16, addresses: &[IpAddr]) -> Vec<u8> {
    let path = path(Family::of(*addresses.first().unwrap()));
    let head = head(version, priority, centiseconds);
    let message = head.encode(addresses, path, ChecksumForm::PseudoHeader);
    let length = u16::try_from(message.len()).unwrap();
    let mut packet = Vec::new();
    match (path.source, path.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            packet.extend([0x45, 0xc0]);
            packet.extend((length + 20).to_be_bytes());
            // No identification, no fragments, TTL 255, protocol 112, no checksum of the header.
            packet.extend([0, 0, 0, 0, 255, 112, 0, 0]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(length.to_be_bytes());
            packet.extend([112, 255]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
        }
        _ => unreachable!("both are of one family"),
    }
    packet.extend_from_slice(&message);
    packet
}

/// One line for each packet: the fields, with `|` between them.
fn tshark(packets: &[Vec<u8>]) -> Vec<String> {
    let name = format!("openelb-vrrp-{}-{}.pcap", std::process::id(), packets.len());
    let path = std::env::temp_dir().join(name);
    let mut file = fs::File::create(&path).unwrap();
    // Version 2.4, link type 101: packets begin with the IP header.
    file.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        .unwrap();
    file.write_all(&[0, 0, 1, 0, 101, 0, 0, 0]).unwrap();
    for packet in packets {
        let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
        file.write_all(&[0; 8]).unwrap();
        file.write_all(&[length, length].concat()).unwrap();
        file.write_all(packet).unwrap();
    }
    drop(file);
    let mut command = Command::new("tshark");
    command.args(["-r"]).arg(&path);
    command.args(["-T", "fields", "-E", "separator=|"]);
    for field in [
        "vrrp.version",
        "vrrp.type",
        "vrrp.virt_rtr_id",
        "vrrp.prio",
        "vrrp.addr_count",
        "vrrp.adver_int",
        "vrrp.short_adver_int",
        "vrrp.checksum.status",
        "vrrp.ip_addr",
        "vrrp.ipv6_addr",
        "_ws.malformed",
    ] {
        command.args(["-e", field]);
    }
    let answer = command
        .output()
        .expect("tshark gives the second opinion; install it");
    fs::remove_file(&path).unwrap();
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let text = String::from_utf8(answer.stdout).unwrap();
    // Of interval and addresses one of two fields is filled.
    text.lines().map(|line| line.replace("||", "|")).collect()
}

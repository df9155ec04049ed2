//! Any octets as VRRP advertisement: no panic, what is accepted is written back as it came, and a
//! virtual router in any state survives it without believing what came from beyond the link.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::vrrp::packet::{HOP_LIMIT, Path};
use openelb_announce::vrrp::{
    Advert, ChecksumForm, Family, Input, Machine, Settings, State, Version,
};
use openelb_announce::wire::checksum::Checksum;
use openelb_announce::wire::ip::NextHeader;
use openelb_announce::{Machine as _, Time};
use std::net::IpAddr;

fuzz_target!(|input: &[u8]| {
    // The first octet says around which addresses, and whether a checksum is made for the rest: by
    // guessing, one message in 65,536 would have a good one.
    let [how, octets @ ..] = input else { return };
    let path = path(how & 1 == 0);
    let mut octets = octets.to_vec();
    match how >> 1 & 3 {
        1 => seal(&mut octets, path, false),
        2 => seal(&mut octets, path, true),
        _ => {}
    }
    let Ok(advert) = Advert::decode(&octets, path) else {
        return;
    };
    written_back(&octets, path, &advert);
    survived(&octets, path, &advert);
});

fn written_back(octets: &[u8], path: Path, advert: &Advert<'_>) {
    let addresses: Vec<IpAddr> = advert.addresses.iter().collect();
    let most = path.family().most_addresses();
    if addresses.len() > most {
        return;
    }
    let form = advert.form.unwrap_or(ChecksumForm::Plain);
    let written = advert.head.encode(&addresses, path, form);
    let again = Advert::decode(&written, path).expect("it wrote an advertisement");
    assert_eq!(
        (again.head, again.addresses),
        (advert.head, advert.addresses)
    );
    // Reserved bits, authentication data and what follows the last field are not kept.
    let listed = 8..8 + addresses.len() * path.family().octets();
    assert_eq!(written[..4], octets[..4]);
    assert_eq!(written[listed.clone()], octets[listed]);
}

fn survived(octets: &[u8], path: Path, advert: &Advert<'_>) {
    let addresses: &[&str] = match path.family() {
        Family::Ipv4 => &["192.0.2.10"],
        Family::Ipv6 => &["fe80::10", "2001:db8::10"],
    };
    let addresses = addresses.iter().map(|it| it.parse().expect("an address"));
    let settings = Settings {
        version: advert.head.version,
        listen_before_use: false,
        ..Settings::new(advert.head.vrid, addresses.collect())
    };
    let is_valid = settings.validate().is_ok();
    assert!(is_valid || advert.head.version == Version::V2);
    let primary = Some(ours(path.family()));
    for wakes in 0..2 {
        let mut machine = Machine::new();
        machine.handle_input(Input::Configure(settings.clone()), Time::ZERO);
        machine.handle_input(Input::Link { up: true, primary }, Time::ZERO);
        for _ in 0..wakes {
            let at = machine.poll_timeout().unwrap_or(Time::ZERO);
            machine.handle_timeout(at);
        }
        let now = machine.poll_timeout().unwrap_or(Time::ZERO);
        let before = machine.state();
        for hop_limit in [254, HOP_LIMIT] {
            machine.handle_input(
                Input::Packet {
                    octets,
                    source: path.source,
                    destination: path.destination,
                    hop_limit,
                    received: now,
                },
                now,
            );
            assert!(hop_limit == HOP_LIMIT || machine.state() == before);
        }
        assert!(machine.state() != State::Active || before == State::Active);
        while machine.poll_output().is_some() {}
    }
}

/// Where our own machine sends from.
fn ours(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::from([192, 0, 2, 5]),
        Family::Ipv6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 5]),
    }
}

/// The addresses of the captures among the seeds.
fn path(is_v4: bool) -> Path {
    let (source, family): (IpAddr, _) = if is_v4 {
        (IpAddr::from([192, 0, 2, 1]), Family::Ipv4)
    } else {
        let source = [0xfe80, 0, 0, 0, 0xe874, 0xe2ff, 0xfe0c, 0xa335];
        (IpAddr::from(source), Family::Ipv6)
    };
    Path {
        source,
        destination: family.group(),
    }
}

/// Makes the checksum good for the length that the octets claim to have.
fn seal(octets: &mut [u8], path: Path, is_pseudo: bool) {
    let [first, _, _, count, _, _, sum @ ..] = octets else {
        return;
    };
    let [high, low, ..] = sum else { return };
    (*high, *low) = (0, 0);
    let trailer = if *first >> 4 == 2 { 8 } else { 0 };
    let length = 8 + usize::from(*count) * path.family().octets() + trailer;
    let Some(covered) = octets.get(..length) else {
        return;
    };
    let mut checksum = match (path.source, path.destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            Checksum::of_ipv6(source, destination, NextHeader::Vrrp, length)
        }
        (IpAddr::V4(source), IpAddr::V4(destination)) if is_pseudo => {
            let mut checksum = Checksum::default();
            checksum.add(&source.octets());
            checksum.add(&destination.octets());
            checksum.add(&[0, 112]);
            checksum.add(&u16::try_from(length).expect("below 1,100").to_be_bytes());
            checksum
        }
        _ => Checksum::default(),
    };
    checksum.add(covered);
    octets[6..8].copy_from_slice(&checksum.value().to_be_bytes());
}

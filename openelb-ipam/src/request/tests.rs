use super::*;

fn ports(text: &[&str]) -> PortSet {
    text.iter()
        .map(|port| port.parse::<Port>().unwrap())
        .collect()
}

#[test]
fn equal_ports_of_different_protocols_do_not_clash() {
    assert_eq!(ports(&["TCP/53"]).clash(&ports(&["UDP/53"])), None);
    assert_eq!(
        ports(&["TCP/80", "TCP/443"]).clash(&ports(&["TCP/443"])),
        "TCP/443".parse().ok()
    );
}

#[test]
fn the_wildcard_clashes_with_everything_but_nothing_at_all() {
    assert!(PortSet::All.clash(&PortSet::All).is_some());
    assert!(PortSet::All.clash(&ports(&["TCP/80"])).is_some());
    assert_eq!(PortSet::All.clash(&ports(&[])), None);
}

#[test]
fn an_empty_family_list_means_any_family() {
    let wanted = Request::default().wanted().unwrap();
    assert!(wanted.either);
    assert!(wanted.order().eq([Family::V4, Family::V6]));
}

#[test]
fn a_pinned_address_decides_the_family_of_an_open_request() {
    let wanted = Request::default()
        .pin("2001:db8::1".parse().unwrap())
        .wanted()
        .unwrap();
    assert!(wanted.order().eq([Family::V6]));
    let both = Request::default().pin("2001:db8::1".parse().unwrap());
    let wanted = both.pin("192.0.2.1".parse().unwrap()).wanted().unwrap();
    assert!(wanted.order().eq([Family::V6, Family::V4]));
    assert!(wanted.is_all_or_nothing);
}

#[test]
fn contradictions_between_pins_and_families_are_named() {
    let v4: IpAddr = "192.0.2.1".parse().unwrap();
    let two = Request::default().pin(v4).pin("192.0.2.2".parse().unwrap());
    assert!(matches!(
        two.wanted(),
        Err(InvalidRequest::TwoOfOneFamily(..))
    ));
    let three = Request::dual_stack()
        .pin(v4)
        .pin("::1".parse().unwrap())
        .pin(v4);
    assert_eq!(three.wanted(), Err(InvalidRequest::TooManyAddresses(3)));
    let wrong = Request::single(Family::V6).pin(v4);
    assert_eq!(wrong.wanted(), Err(InvalidRequest::FamilyNotWanted(v4)));
    let mut half = Request::single(Family::V6);
    half.policy = FamilyPolicy::RequireDualStack;
    assert_eq!(
        half.wanted(),
        Err(InvalidRequest::OneFamilyOfTwo(Family::V6))
    );
}

#[test]
fn addresses_as_users_write_them_are_canonicalised_or_refused() {
    let address = parse_addresses("2001:0db8:0000::0007").unwrap();
    assert_eq!(address.first().unwrap().to_string(), "2001:db8::7");
    for text in [
        "",
        "abc",
        "10.0.0.300",
        "010.0.0.1",
        "10.0.0.1,",
        "::ffff:10.0.0.1",
    ] {
        assert!(parse_addresses(text).is_err(), "{text:?}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_request_reads_its_own_json_and_ports_in_any_order() {
    let request = Request::prefer_dual_stack()
        .pin("192.0.2.1".parse().unwrap())
        .share(Sharing::new("k"), ports(&["UDP/53", "TCP/80"]));
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
    let loose: PortSet = serde_json::from_str(r#"{"some":["UDP/53","TCP/80","UDP/53"]}"#).unwrap();
    assert_eq!(loose, request.ports);
}

//! What we write, they read; and what they write of it again, we read as it was.

use openelb_announce::bgp::message::{
    AddPathMode, AttributeBlock, Capability, ErrorCode, Framer, GracefulRestart, LIMIT, LongLived,
    MessageKind, Notification, Open, RefreshKind, RouteRefresh, write_announcements,
    write_end_of_rib, write_withdrawals,
};
use openelb_announce::bgp::{
    AsPath, Asn, Attributes, Community, Family, LargeCommunity, NextHop, Nlri, Prefix,
};

use crate::theirs;

/// Their reading of a message, written again.
fn through_them(message: &[u8]) -> Vec<u8> {
    let read = rustbgpd_wire::decode_message(&mut message.to_vec().into(), 4096).unwrap();
    rustbgpd_wire::encode_message(&read).unwrap().to_vec()
}

/// The body of the one message in these octets, of this kind.
fn body(octets: &[u8], kind: MessageKind) -> Vec<u8> {
    let mut framer = Framer::new();
    framer.feed(octets);
    let message = framer.next_message().unwrap().unwrap();
    assert_eq!(message.kind, kind);
    message.body.to_vec()
}

#[test]
fn an_open_with_every_capability_that_we_offer_comes_back_as_it_was() {
    let families = Family::ALL;
    let open = Open::new(
        Asn(4_200_000_000),
        90,
        "10.255.0.1".parse().unwrap(),
        vec![
            Capability::multi_protocol(Family::Ipv4Unicast),
            Capability::multi_protocol(Family::Ipv6Unicast),
            Capability::RouteRefresh,
            Capability::EnhancedRouteRefresh,
            Capability::ExtendedMessage,
            Capability::v6_next_hops_for_v4(),
            Capability::FourOctetAs(Asn(4_200_000_000)),
            Capability::GracefulRestart(GracefulRestart {
                restarting: true,
                notification: true,
                time: 120,
                families: families.map(|family| (family, true)).into(),
            }),
            Capability::LongLived(
                families
                    .map(|family| LongLived {
                        family,
                        forwarding: true,
                        time: 86_400,
                    })
                    .into(),
            ),
            Capability::AddPath(families.map(|family| (family, AddPathMode::Send)).into()),
        ],
    );
    let mut written = Vec::new();
    open.write(&mut written);
    let back = through_them(&written);
    assert_eq!(Open::decode(&body(&back, MessageKind::Open)), Ok(open));
}

#[test]
fn notifications_and_refreshes_come_back_as_they_were() {
    let stop = Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN).with_communication("later");
    let reset = Notification::with_data(ErrorCode::HARD_RESET, &[6, 3]);
    for notification in [stop, reset] {
        let mut written = Vec::new();
        notification.write(&mut written);
        let back = body(&through_them(&written), MessageKind::Notification);
        assert_eq!(Notification::decode(&back), Some(notification));
    }
    for kind in [RefreshKind::Request, RefreshKind::Begin, RefreshKind::End] {
        let refresh = RouteRefresh::new(Family::Ipv6Unicast, kind);
        let mut written = Vec::new();
        refresh.write(&mut written);
        let back = body(&through_them(&written), MessageKind::RouteRefresh);
        assert_eq!(RouteRefresh::decode(&back), Ok(refresh));
    }
}

#[test]
fn routes_that_we_announce_and_withdraw_are_read_with_their_attributes() {
    let attributes = Attributes {
        as_path: AsPath::sequence([Asn(64_512), Asn(4_200_000_000)]),
        med: Some(7),
        communities: [Community::GRACEFUL_SHUTDOWN].into_iter().collect(),
        large_communities: ["64500:1:2".parse::<LargeCommunity>().unwrap()]
            .into_iter()
            .collect(),
        ..Attributes::default()
    };
    for (next_hop, routes) in [
        (
            NextHop::v4([192, 0, 2, 1].into()),
            ["203.0.113.1/32", "198.51.100.0/24"],
        ),
        (
            NextHop::v6("2001:db8::1".parse().unwrap()),
            ["2001:db8:f::1/128", "2001:db8:e::/48"],
        ),
    ] {
        let next_hop = next_hop.unwrap();
        let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
        let prefixes = routes.map(|route| route.parse::<Prefix>().unwrap());
        let nlri = || prefixes.into_iter().map(Nlri::from);
        let mut written = Vec::new();
        write_announcements(&mut written, LIMIT, &block, &mut nlri()).unwrap();
        let (_, reading) = theirs::read(&body(&written, MessageKind::Update), true, true).unwrap();
        let expected = routes.map(|route| format!("{route} via {}", next_hop.address()));
        assert_eq!(reading.announced, expected);
        assert_eq!(reading.as_path, "64512 4200000000");
        assert_eq!(
            (reading.med, reading.communities),
            (Some(7), vec![0xffff_0000])
        );
        assert_eq!(reading.large_communities, [(64_500, 1, 2)]);

        let mut written = Vec::new();
        write_withdrawals(&mut written, LIMIT, next_hop.family(), &mut nlri()).unwrap();
        let (_, reading) = theirs::read(&body(&written, MessageKind::Update), true, true).unwrap();
        assert_eq!(reading.withdrawn, routes);

        let mut written = Vec::new();
        write_end_of_rib(&mut written, next_hop.family());
        let end = body(&written, MessageKind::Update);
        let (_, reading) = theirs::read(&end, true, true).unwrap();
        assert!(reading.withdrawn.is_empty() && reading.announced.is_empty());
    }
}

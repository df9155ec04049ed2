use super::{GatewayError, GatewayV4, GatewayV6, Route};
use std::net::Ipv6Addr;

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[test]
fn an_ipv4_address_in_ipv6_form_is_no_gateway() {
    for text in ["::ffff:192.0.2.1", "::", "::1", "ff02::1"] {
        let refused = GatewayError::NotUnicast(v6(text));
        assert_eq!(GatewayV6::global(v6(text)), Err(refused), "{text}");
    }
}

#[test]
fn a_link_local_gateway_has_its_interface_and_no_other_has_one() {
    let refused = GatewayError::NoInterface(v6("fe80::1"));
    assert_eq!(GatewayV6::global(v6("fe80::1")), Err(refused));
    let refused = GatewayError::NotLinkLocal(v6("2001:db8::1"));
    assert_eq!(
        GatewayV6::link_local(v6("2001:db8::1"), "eth0"),
        Err(refused)
    );
    let gateway = GatewayV6::link_local(v6("fe80::1"), "eth0").unwrap();
    assert_eq!(gateway.interface(), Some("eth0"));
}

#[test]
fn a_route_shows_every_gateway_once_and_in_order() {
    let direct = GatewayV4::V4([192, 0, 2, 1].into());
    let unnumbered = GatewayV6::link_local(v6("fe80::1"), "eth0").unwrap();
    let gateways = [GatewayV4::V6(unnumbered), direct.clone(), direct];
    let route = Route::v4("10.244.1.7/24".parse().unwrap(), gateways);
    assert_eq!(
        route.to_string(),
        "10.244.1.0/24 via 192.0.2.1, fe80::1%eth0"
    );
}

#[test]
fn a_route_without_gateway_says_that_it_leads_nowhere() {
    let route = Route::v6("2001:db8::/64".parse().unwrap(), []);
    assert_eq!(route.to_string(), "2001:db8::/64 via nobody");
}

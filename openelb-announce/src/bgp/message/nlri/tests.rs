//! Tests of runs of NLRI.

use super::{NlriField, fill};
use crate::bgp::message::tests::hex;
use crate::bgp::{Family, Nlri, Prefix};

fn read(family: Family, add_path: bool, octets: &str) -> Option<Vec<String>> {
    let octets = hex(octets);
    let field = NlriField::checked(family, add_path, &octets)?;
    Some(field.into_iter().map(|one| one.to_string()).collect())
}

fn nlri(text: &str) -> Nlri {
    text.parse::<Prefix>().unwrap().into()
}

#[test]
fn prefixes_of_every_length_are_read() {
    assert_eq!(
        read(
            Family::Ipv4Unicast,
            false,
            "00 18 c00002 20 c0000201 09 0a80"
        )
        .unwrap(),
        ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "10.128.0.0/9"]
    );
    assert_eq!(
        read(
            Family::Ipv6Unicast,
            false,
            "00 20 20010db8 80 20010db8000000000000000000000001"
        )
        .unwrap(),
        ["::/0", "2001:db8::/32", "2001:db8::1/128"]
    );
}

#[test]
fn bits_behind_the_length_are_cleared() {
    assert_eq!(
        read(Family::Ipv4Unicast, false, "09 0aff").unwrap(),
        ["10.128.0.0/9"]
    );
}

#[test]
fn a_path_identifier_stands_before_each_prefix() {
    assert_eq!(
        read(
            Family::Ipv4Unicast,
            true,
            "00000007 20 c0000201 00000008 00"
        )
        .unwrap(),
        ["192.0.2.1/32 path 7", "0.0.0.0/0 path 8"]
    );
}

#[test]
fn a_length_beyond_the_family_or_the_field_makes_all_of_it_untrusted() {
    assert_eq!(read(Family::Ipv4Unicast, false, "21 c000020100"), None);
    assert_eq!(read(Family::Ipv4Unicast, false, "20 c00002"), None);
    assert_eq!(read(Family::Ipv4Unicast, false, "18 c00002 20"), None);
    assert_eq!(
        read(
            Family::Ipv6Unicast,
            false,
            "81 00000000000000000000000000000000 00"
        ),
        None
    );
    assert_eq!(read(Family::Ipv4Unicast, true, "000000 20 c0000201"), None);
    assert_eq!(read(Family::Ipv4Unicast, true, "00000001"), None);
}

#[test]
fn an_empty_field_holds_nothing() {
    let field = NlriField::empty(Family::Ipv6Unicast);
    assert!(field.is_empty());
    assert_eq!(field.into_iter().next(), None);
    assert_eq!(read(Family::Ipv6Unicast, false, "").unwrap().len(), 0);
}

#[test]
fn a_route_of_another_family_or_kind_is_given_back() {
    let mut field = [0; 64];
    let mut mixed = [nlri("192.0.2.1"), nlri("2001:db8::1")].into_iter();
    assert_eq!(
        fill(&mut field, Family::Ipv4Unicast, &mut mixed),
        Err(nlri("2001:db8::1"))
    );
    let with_path = Nlri {
        path_id: Some(1),
        ..nlri("192.0.2.2")
    };
    let mut mixed = [nlri("192.0.2.1"), with_path].into_iter();
    assert_eq!(
        fill(&mut field, Family::Ipv4Unicast, &mut mixed),
        Err(with_path)
    );
}

#[test]
fn a_field_is_filled_while_the_longest_route_fits_and_the_rest_stays_in_the_iterator() {
    let mut field = [0xa5; 13];
    let mut routes = (0..9).map(|last| nlri(&format!("192.0.2.{last}")));
    assert_eq!(
        fill(&mut field, Family::Ipv4Unicast, &mut routes),
        Ok((2, 10))
    );
    assert_eq!(field[10..], [0xa5; 3]);
    assert_eq!(routes.len(), 7);
}

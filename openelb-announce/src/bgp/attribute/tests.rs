//! Tests of the attributes.

use super::{Attributes, Origin};

#[test]
fn every_origin_survives_the_wire_and_the_text() {
    for origin in [Origin::Igp, Origin::Egp, Origin::Incomplete] {
        assert_eq!(Origin::from_wire(origin.to_wire()), Some(origin));
        assert_eq!(origin.to_string().parse(), Ok(origin));
    }
    assert_eq!(Origin::from_wire(3), None);
    assert!("IGP".parse::<Origin>().is_err());
}

#[test]
fn attributes_of_a_new_route_say_only_that_it_is_internal() {
    let attributes = Attributes::default();
    assert_eq!(attributes.origin, Origin::Igp);
    assert!(attributes.as_path.is_empty());
    assert_eq!((attributes.med, attributes.local_pref), (None, None));
}

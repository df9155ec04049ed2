//! Names are checked, and their numbers never change.

use super::*;

#[test]
fn a_name_is_short_and_plain() {
    assert_eq!(
        NodeId::new("n-1.Example_x").unwrap().to_string(),
        "n-1.Example_x"
    );
    assert_eq!(NodeId::new(""), Err(NodeIdError::Length(0)));
    assert_eq!(NodeId::new(&"n".repeat(64)), Err(NodeIdError::Length(64)));
    assert!(NodeId::new(&"n".repeat(63)).is_ok());
    assert_eq!(NodeId::new("näh"), Err(NodeIdError::Character('ä')));
    assert_eq!("a b".parse::<NodeId>(), Err(NodeIdError::Character(' ')));
}

#[test]
fn numbers_of_names_are_the_same_for_ever() {
    // Other nodes, perhaps of another release, compute the same ones.
    assert_eq!(hash(b""), 0xf52a_15e9_a9b5_e89b);
    assert_eq!(hash(b"node-1"), NodeId::new("node-1").unwrap().key().0);
    assert_eq!(GroupName::default().id(), GroupName::new("default").id());
    assert_eq!(format!("{}", GroupName::default().id()).len(), 16);
}

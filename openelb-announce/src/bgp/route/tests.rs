use super::{PeerName, PeerSelection};

#[test]
fn all_peers_are_selected_unless_some_are_named() {
    let (leaf, spine) = (PeerName::from("leaf"), PeerName::from("spine"));
    let named: PeerSelection = ["leaf"].into_iter().collect();
    assert!(PeerSelection::All.selects(&spine));
    assert!(named.selects(&leaf) && !named.selects(&spine));
}

#[test]
fn a_name_that_no_peer_has_selects_nobody() {
    let nobody: PeerSelection = Vec::<PeerName>::new().into_iter().collect();
    let unknown: PeerSelection = ["lef"].into_iter().collect();
    let leaf = PeerName::from("leaf");
    assert!(!nobody.selects(&leaf) && !unknown.selects(&leaf));
}

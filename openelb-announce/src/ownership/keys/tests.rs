//! Who holds the key signs, who does not is refused, and keys can be replaced.

use super::*;

fn key(octet: u8) -> Key {
    Key::new(&[octet; 32]).unwrap()
}

#[test]
fn a_short_secret_is_refused_with_a_way_to_make_a_longer_one() {
    let refused = Key::new(&[1; 15]).unwrap_err();
    assert!(refused.to_string().contains("openssl rand"));
    assert!(Key::new(&[1; 16]).is_ok());
    assert!(Key::new(&[1; 1000]).is_ok());
}

#[test]
fn a_signature_fits_its_octets_and_its_key_alone() {
    let ring = KeyRing::new(key(1), []);
    let signature = ring.sign(b"beat");
    assert_eq!(ring.verify(ring.signer(), b"beat", &signature), Ok(()));
    let other = ring.verify(ring.signer(), b"bear", &signature);
    assert_eq!(other, Err(KeyRefusal::Signature));
    for place in 0..SIGNATURE {
        let mut wrong = signature;
        wrong[place] ^= 1;
        assert!(ring.verify(ring.signer(), b"beat", &wrong).is_err());
    }
    assert!(ring.verify(ring.signer(), b"beat", &[]).is_err());
    let stranger = KeyRing::new(key(2), []);
    let refused = stranger.verify(ring.signer(), b"beat", &signature);
    assert_eq!(refused, Err(KeyRefusal::Unknown));
    let refused = stranger.verify(stranger.signer(), b"beat", &signature);
    assert_eq!(refused, Err(KeyRefusal::Signature));
}

#[test]
fn a_key_is_replaced_in_three_rounds_without_an_interruption() {
    let old = || KeyRing::new(key(1), []);
    let added = || KeyRing::new(key(1), [key(2)]);
    let moved = || KeyRing::new(key(2), [key(1)]);
    let new = || KeyRing::new(key(2), []);
    // While a round is under way both of its sides hear each other.
    for (before, after) in [(old(), added()), (added(), moved()), (moved(), new())] {
        for (from, to) in [(&before, &after), (&after, &before)] {
            let signature = from.sign(b"beat");
            assert_eq!(to.verify(from.signer(), b"beat", &signature), Ok(()));
        }
    }
}

#[test]
fn without_a_key_only_what_is_not_signed_is_accepted() {
    let open = KeyRing::unsigned();
    assert_eq!(open.verify(0, b"beat", &open.sign(b"beat")), Ok(()));
    let ring = KeyRing::new(key(1), []);
    assert!(
        open.verify(ring.signer(), b"beat", &ring.sign(b"beat"))
            .is_err()
    );
    assert!(ring.verify(0, b"beat", &open.sign(b"beat")).is_err());
}

#[test]
fn a_key_does_not_show_its_secret() {
    let shown = format!(
        "{:?}",
        KeyRing::new(Key::new(b"sixteen-letters!").unwrap(), [])
    );
    assert!(!shown.contains("sixteen"), "{shown}");
}

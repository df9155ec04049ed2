use alloc::string::ToString;

use super::*;

#[test]
fn a_key_keeps_its_three_parts_through_text() {
    for text in ["service/default/web", "node//worker-1", "vip/a/b/c"] {
        let key: OwnerKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let again = OwnerKey::new(key.kind(), key.namespace(), key.name()).unwrap();
        assert_eq!(again, key);
    }
}

#[test]
fn a_key_without_kind_or_name_is_refused_with_what_to_write() {
    for text in ["", "web", "a/b", "/b/c", "a/b/"] {
        let error = text.parse::<OwnerKey>().unwrap_err().to_string();
        assert!(error.contains("kind/namespace/name"), "{text:?}: {error}");
    }
}

#[test]
fn a_key_with_blanks_or_of_endless_length_is_refused() {
    assert!(matches!(
        "a/b/c d".parse::<OwnerKey>(),
        Err(ParseOwnerKeyError::Blank(_))
    ));
    assert!(matches!(
        "a/b/c\n".parse::<OwnerKey>(),
        Err(ParseOwnerKeyError::Blank(_))
    ));
    let long = "x".repeat(OwnerKey::MAX_LEN);
    assert!(matches!(
        OwnerKey::new("a", "b", &long),
        Err(ParseOwnerKeyError::TooLong(_))
    ));
}

#[test]
fn namespaces_and_kinds_cannot_smuggle_a_separator() {
    assert!(matches!(
        OwnerKey::new("a/b", "", "c"),
        Err(ParseOwnerKeyError::Slash(_))
    ));
    assert!(matches!(
        OwnerKey::new("a", "b/c", "d"),
        Err(ParseOwnerKeyError::Slash(_))
    ));
}

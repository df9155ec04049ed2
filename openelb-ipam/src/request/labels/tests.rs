use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use proptest::prelude::*;

use super::Labels;

proptest! {
    /// Few keys, so that they meet.
    #[test]
    fn labels_are_what_a_tree_of_the_same_edits_is(
        start in prop::collection::vec(("[a-d]", "[x-z]"), 0..6),
        edits in prop::collection::vec(("[a-d]", prop::option::of("[x-z]")), 0..12),
    ) {
        let mut tree: BTreeMap<String, String> = start.iter().cloned().collect();
        let mut labels: Labels = start.into_iter().collect();
        for (key, value) in edits {
            if let Some(value) = value {
                let before = labels.insert(key.as_str(), value.as_str());
                prop_assert_eq!(before.map(String::from), tree.insert(key, value));
            } else {
                prop_assert_eq!(labels.remove(&key).map(String::from), tree.remove(&key));
            }
            let both = labels.iter().eq(tree.iter().map(|(key, value)| (&**key, &**value)));
            prop_assert!(both, "{labels:?} beside {tree:?}");
            prop_assert_eq!(labels.len(), tree.len());
        }
        for key in ["a", "b", "c", "d", "e"] {
            prop_assert_eq!(labels.get(key), tree.get(key).map(String::as_str));
            prop_assert_eq!(labels.contains_key(key), tree.contains_key(key));
        }
        prop_assert_eq!(format!("{labels:?}"), format!("{tree:?}"));
    }
}

#[cfg(feature = "serde")]
#[test]
fn labels_are_a_json_object_and_nothing_else() {
    let labels: Labels = serde_json::from_str(r#"{"b": "2", "a": "0", "a": "1"}"#).unwrap();
    assert_eq!(labels, Labels::from([("a", "1"), ("b", "2")]));
    assert_eq!(
        serde_json::to_string(&labels).unwrap(),
        r#"{"a":"1","b":"2"}"#
    );
    for text in ["[]", r#"{"a": 1}"#, r#"{"a": null}"#, "null"] {
        let error = serde_json::from_str::<Labels>(text);
        assert!(error.is_err(), "{text}");
    }
}

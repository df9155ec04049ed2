//! The definitions beside OpenELB's fields, and beside what an API server wants of a schema.

use serde_json::Value;

use super::definitions;

const FIELDS: &str = include_str!("../../tests/data/openelb-0.6-fields.txt");

fn definition(kind: &str) -> Value {
    let of_kind = |definition: &Value| definition["spec"]["names"]["kind"] == kind;
    definitions().into_iter().find(of_kind).unwrap()
}

fn schema(kind: &str, version: &str) -> Value {
    let definition = definition(kind);
    let versions = definition["spec"]["versions"].as_array().unwrap();
    let version = versions.iter().find(|entry| entry["name"] == version);
    version.unwrap()["schema"]["openAPIV3Schema"].clone()
}

fn field(schema: &Value, path: &str) -> Option<Value> {
    let mut schema = schema.clone();
    for step in path.split('.') {
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        schema = schema["properties"][name].clone();
        if step.ends_with("[]") {
            schema = schema["items"].clone();
        }
        if step.ends_with("{}") {
            schema = schema["additionalProperties"].clone();
        }
    }
    schema.is_object().then_some(schema)
}

/// Calls `look` with every schema of every definition, and where it is.
fn every_schema(look: &mut dyn FnMut(&str, &Value)) {
    fn walk(at: &str, schema: &Value, look: &mut dyn FnMut(&str, &Value)) {
        look(at, schema);
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            walk(&format!("{at}.{name}"), schema, look);
        }
        for (keyword, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
            if schema[keyword].is_object() {
                walk(&format!("{at}{mark}"), &schema[keyword], look);
            }
        }
    }
    for definition in definitions() {
        for version in definition["spec"]["versions"].as_array().unwrap() {
            let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
            walk(kind, &version["schema"]["openAPIV3Schema"], look);
        }
    }
}

#[test]
fn records_are_one_value_to_field_managers() {
    for (kind, path) in [
        ("Eip", "status.used"),
        ("AddressBlock", "spec.used"),
        ("PodNetwork", "status.used"),
        ("PodNetwork", "status.uids"),
    ] {
        let records = field(&schema(kind, "v1alpha2"), path).unwrap();
        assert_eq!(records["x-kubernetes-map-type"], "atomic", "{kind}.{path}");
    }
}

#[test]
fn every_field_of_openelb_is_there_with_its_name_and_type() {
    let lines = FIELDS.lines().filter(|line| !line.starts_with('#'));
    let mut seen = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, version, path, expected] = words[..] else {
            panic!("not a line of four words: {line}");
        };
        let found = field(&schema(kind, version), path).unwrap_or_else(|| panic!("no {line}"));
        let (kind, format) = expected.split_once('/').unwrap_or((expected, ""));
        assert_eq!(found["type"], kind, "{line}");
        let ours = match found["format"].as_str().unwrap_or_default() {
            // An API server would refuse what OpenELB's own type holds.
            "int64" if found["maximum"] == u32::MAX => "int32",
            ours => ours,
        };
        assert_eq!(ours, format, "{line}");
        seen += 1;
    }
    assert!(seen > 150, "the list of fields is cut: {seen}");
}

#[test]
fn every_schema_is_structural_and_has_no_null_and_no_defaults() {
    let known = [
        "additionalProperties",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "properties",
        "required",
        "type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-validations",
    ];
    every_schema(&mut |at, schema| {
        assert!(schema["type"].is_string(), "{at} has no type: {schema}");
        for keyword in schema.as_object().unwrap().keys() {
            assert!(known.contains(&keyword.as_str()), "{at}: {keyword}");
        }
        let words = schema["enum"].as_array();
        assert!(
            words.is_none_or(|words| words.iter().all(Value::is_string)),
            "{at}"
        );
    });
}

#[test]
fn every_field_of_a_specification_is_explained() {
    every_schema(&mut |at, schema| {
        let is_ours = at.contains(".spec.") && !at.ends_with("[]") && !at.ends_with("{}");
        let is_explained = schema["description"].is_string();
        let is_earlier = ["config", "addPaths", "usingPortForward", "routerID", "port"]
            .iter()
            .any(|name| at.contains(&format!(".spec.{name}")));
        let is_selector = at.contains("elector");
        assert!(
            is_explained || !is_ours || is_earlier || is_selector,
            "{at}"
        );
    });
}

#[test]
fn descriptions_carry_no_marks_of_rustdoc() {
    every_schema(&mut |at, schema| {
        let text = schema["description"].as_str().unwrap_or_default();
        assert!(!text.contains('`') && !text.contains("]("), "{at}: {text}");
        let is_rust = ["names::", "super::", "Self::"]
            .iter()
            .any(|path| text.contains(path));
        assert!(!is_rust, "{at} names a Rust path: {text}");
    });
}

#[test]
fn words_of_an_enumeration_are_those_that_the_types_read() {
    let protocol = field(&schema("Eip", "v1alpha2"), "spec.protocol").unwrap();
    let words: Vec<&str> = protocol["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(words, ["bgp", "layer2", "vip", "none", ""]);
    for word in words {
        serde_json::from_value::<crate::api::Protocol>(word.into()).unwrap();
    }
}

#[test]
fn openelb_words_stay_free_where_openelb_took_any() {
    let schema = schema("BgpPeer", "v1alpha2");
    for path in [
        "spec.conf.removePrivateAs",
        "spec.afiSafis[].config.family.afi",
        "status.nodesPeerStatus{}.peerState.sessionState",
        "status.nodesPeerStatus{}.peerState.adminState",
    ] {
        assert!(field(&schema, path).unwrap()["enum"].is_null(), "{path}");
    }
}

#[test]
fn v1alpha1_has_every_field_of_v1alpha2_so_that_writing_there_loses_nothing() {
    fn fields(schema: &Value, at: &str, found: &mut Vec<String>) {
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            found.push(format!("{at}.{name}"));
            fields(schema, &format!("{at}.{name}"), found);
        }
    }
    for kind in ["Eip", "BgpConf", "BgpPeer"] {
        let (mut earlier, mut stored) = (Vec::new(), Vec::new());
        fields(&schema(kind, "v1alpha1"), kind, &mut earlier);
        fields(&schema(kind, "v1alpha2"), kind, &mut stored);
        let lost: Vec<_> = stored
            .iter()
            .filter(|field| !earlier.contains(field))
            .collect();
        assert_eq!(lost, Vec::<&String>::new());
    }
}

#[test]
fn versions_subresources_columns_and_categories_are_openelbs_and_ours() {
    let eip = definition("Eip");
    let versions = eip["spec"]["versions"].as_array().unwrap();
    let flags = |version: &Value| {
        let name = version["name"].as_str().unwrap().to_owned();
        (name, version["served"] == true, version["storage"] == true)
    };
    let found: Vec<_> = versions.iter().map(flags).collect();
    let expected = [
        ("v1alpha1".to_owned(), true, false),
        ("v1alpha2".to_owned(), true, true),
    ];
    assert_eq!(found, expected);
    let columns = versions[1]["additionalPrinterColumns"].as_array().unwrap();
    let columns: Vec<_> = columns
        .iter()
        .take(3)
        .map(|column| column["jsonPath"].as_str().unwrap())
        .collect();
    assert_eq!(
        columns,
        [".spec.address", ".status.usage", ".status.poolSize"]
    );
    assert_eq!(eip["spec"]["names"]["categories"][0], "networking");
    for kind in ["Eip", "BgpConf", "BgpPeer"] {
        for version in definition(kind)["spec"]["versions"].as_array().unwrap() {
            assert!(version["subresources"]["status"].is_object(), "{kind}");
        }
    }
}

#[test]
fn conditions_are_one_entry_a_type() {
    for kind in [
        "Eip",
        "BgpConf",
        "BgpPeer",
        "Layer2Conf",
        "DynamicPrefix",
        "NodeAnnouncement",
        "PodNetwork",
    ] {
        let conditions = field(&schema(kind, "v1alpha2"), "status.conditions").unwrap();
        assert_eq!(conditions["x-kubernetes-list-type"], "map", "{kind}");
        assert_eq!(
            conditions["x-kubernetes-list-map-keys"][0], "type",
            "{kind}"
        );
    }
}

#[test]
fn an_as_number_of_four_octets_fits() {
    for (kind, path) in [("BgpConf", "spec.as"), ("BgpPeer", "spec.conf.peerAs")] {
        let field = field(&schema(kind, "v1alpha2"), path).unwrap();
        assert_eq!(field["maximum"], u32::MAX, "{kind} {path}");
    }
}

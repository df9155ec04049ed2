use serde_json::Value;

use super::*;

#[test]
fn the_version_is_told_in_the_version_of_the_question() {
    let answer = versions(br#"{"cniVersion": "0.4.0"}"#);
    assert_eq!(answer["cniVersion"], "0.4.0");
    assert_eq!(
        answer["supportedVersions"].as_array().map(Vec::len),
        Some(7)
    );
    assert_eq!(versions(b"")["cniVersion"], "1.1.0");
}

#[test]
fn an_error_has_the_fields_of_the_specification() {
    let json = Error::new(Code::Io, "cannot write x")
        .next("free space")
        .to_json(Version::V0_4_0);
    let text = json.to_string();
    let again: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(again["cniVersion"], "0.4.0");
    assert_eq!(again["code"], 5);
    assert_eq!(again["msg"], "cannot write x");
    assert_eq!(again["details"], "free space");
}

#[test]
fn commands_are_refused_in_versions_that_lack_them() {
    for (version, invocation) in [
        (
            "0.3.1",
            Invocation::Check(Attachment::new("a", "b").unwrap(), Arguments::default()),
        ),
        ("1.0.0", Invocation::Gc),
        ("1.0.0", Invocation::Status),
    ] {
        let text = format!(
            r#"{{"cniVersion": "{version}", "name": "n", "ipam": {{"subnet": "10.1.0.0/24"}}}}"#
        );
        let (error, told) = run(
            &invocation,
            text.as_bytes(),
            Host {
                boot: 1,
                machine: 1,
            },
        )
        .unwrap_err();
        assert_eq!((error.code(), told.name()), (Code::Version, version));
    }
}

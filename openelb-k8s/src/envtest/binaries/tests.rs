use super::*;

#[test]
fn each_module_file_names_its_version_of_kubernetes() {
    for release in [Release::Current, Release::Oldest] {
        let version = release.version();
        let minor = version
            .strip_prefix("v1.")
            .and_then(|rest| rest.split('.').next());
        assert!(
            minor.is_some_and(|minor| minor.parse::<u32>().is_ok()),
            "{version}"
        );
    }
    assert_ne!(Release::Current.version(), Release::Oldest.version());
}

#[test]
fn a_program_that_is_missing_is_named_with_where_it_was_searched_and_how_to_get_it() {
    let nowhere = Binaries {
        folders: vec![PathBuf::from("/nonexistent")],
    };
    let missing = nowhere
        .require(API_SERVER, Release::Oldest)
        .unwrap_err()
        .to_string();
    for part in [
        "kube-apiserver",
        Release::Oldest.version(),
        "/nonexistent",
        "make envtest",
    ] {
        assert!(missing.contains(part), "{missing}");
    }
}

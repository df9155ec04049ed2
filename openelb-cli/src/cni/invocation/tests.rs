use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Invocation, Error> {
    let found = |name: &str| variables.iter().find(|(key, _)| *key == name);
    Invocation::read(|name| found(name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn every_command_is_read_with_what_it_needs() {
    let all = [
        ("CNI_CONTAINERID", "8f2c"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_NETNS", "/run/ns"),
        ("CNI_ARGS", "IP=::1"),
    ];
    let with = |command| read(&[&[("CNI_COMMAND", command)], &all[..]].concat()).unwrap();
    let pod = Attachment::new("8f2c", "eth0").unwrap();
    let arguments = Arguments("IP=::1".into());
    assert_eq!(with("ADD"), Invocation::Add(pod.clone(), arguments.clone()));
    assert_eq!(with("CHECK"), Invocation::Check(pod.clone(), arguments));
    assert_eq!(with("DEL"), Invocation::Del(pod));
    assert_eq!(with("GC"), Invocation::Gc);
    assert_eq!(with("STATUS"), Invocation::Status);
    assert_eq!(with("VERSION"), Invocation::Version);
}

#[test]
fn a_namespace_is_needed_to_add_and_not_to_delete() {
    let of = |command| {
        [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", "a"),
            ("CNI_IFNAME", "eth0"),
        ]
    };
    let error = read(&of("ADD")).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::Environment, "ADD needs CNI_NETNS")
    );
    assert!(read(&of("DEL")).is_ok());
}

#[test]
fn commands_that_are_missing_or_unknown_are_faults_of_the_environment() {
    for variables in [&[][..], &[("CNI_COMMAND", "")], &[("CNI_COMMAND", "FLY")]] {
        assert_eq!(read(variables).unwrap_err().code(), Code::Environment);
    }
}

#[test]
fn names_that_could_leave_a_folder_or_a_line_are_refused() {
    for container in [
        "", ".", "..", "../x", "-a", "_a", "a/b", "a b", "a\n", "ä", "a\r\nb", "a\0",
    ] {
        assert!(Attachment::new(container, "eth0").is_err(), "{container:?}");
    }
    for interface in [
        "",
        ".",
        "..",
        "a/b",
        "a:b",
        "a b",
        "a\r\n",
        "sixteen_letters_",
        "a\0",
    ] {
        assert!(Attachment::new("a", interface).is_err(), "{interface:?}");
    }
    assert!(Attachment::new(&"a".repeat(1024), "fifteen_letters").is_ok());
    assert!(Attachment::new(&"a".repeat(1025), "eth0").is_err());
    assert!(Attachment::new("0A.b_c-d", "eth0.5").is_ok());
}

#[test]
fn a_message_about_a_megabyte_is_not_a_megabyte() {
    let error = Attachment::new(&"/".repeat(1 << 20), "eth0").unwrap_err();
    assert!(error.to_string().len() < 500);
}

//! Tests of which key counts where.

use super::*;

#[test]
fn each_scope_has_its_own_key() {
    let keys = vec![
        key("192.0.2.1/32", None, "a"),
        key("192.0.2.0/24", None, "b"),
    ];
    let (chosen, problem) = choose(keys);
    assert_eq!(chosen.len(), 2);
    assert_eq!(problem, None);
}

#[test]
fn one_password_on_several_links_is_no_contradiction() {
    let keys = vec![
        key("fe80::/10", Some("eth0"), "a"),
        key("fe80::/10", Some("eth1"), "a"),
    ];
    assert_eq!(choose(keys).1, None);
}

#[test]
fn of_different_passwords_on_several_links_the_first_counts_and_the_others_are_named() {
    let keys = vec![
        key("fe80::/10", Some("eth0"), "a"),
        key("fe80::/10", Some("eth1"), "b"),
        key("fe80::1/128", Some("eth1"), "c"),
    ];
    let (chosen, problem) = choose(keys);
    let scope = KeyScope::prefix("fe80::/10".parse().unwrap());
    assert_eq!(chosen.get(&scope), Some(&Password::new("a").unwrap()));
    let problem = problem.unwrap();
    assert!(
        problem.starts_with("the passwords for fe80::/10%eth1 differ"),
        "{problem}"
    );
}

fn key(remote: &str, interface: Option<&str>, password: &str) -> Key {
    Key {
        remote: remote.parse().unwrap(),
        interface: interface.map(str::to_owned),
        password: Password::new(password).unwrap(),
    }
}

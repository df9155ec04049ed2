//! What a refusal advises.

use super::advice_from;

#[test]
fn the_switch_that_forbids_namespaces_is_named_with_its_cure() {
    for (name, forbids, allows) in [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user.max_user_namespaces", "0", "10000"),
    ] {
        let advice = advice_from(|asked| (asked == name).then(|| format!("{forbids}\n")));
        assert!(
            advice.contains(&format!("sysctl -w {name}={allows}")),
            "{advice}"
        );
        assert_eq!(
            advice.matches("sysctl").count(),
            1,
            "only what forbids is named: {advice}"
        );
        assert!(advice.contains("sudo openelb lab"), "{advice}");
    }
}

#[test]
fn without_a_forbidding_switch_a_sandbox_is_suspected() {
    let advice = advice_from(|_| None);
    assert!(advice.contains("--privileged"), "{advice}");
}

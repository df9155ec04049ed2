//! `openelb man`.

use crate::testenv::{Env, files};

#[test]
fn every_verb_has_a_page() {
    let env = Env::new();
    assert_eq!(env.run(&["man", "--dir", "man1"]).code, 0);
    let pages = files(&env.path("man1"));
    for page in [
        "openelb.1",
        "openelb-run.1",
        "openelb-validate.1",
        "openelb-pool.1",
        "openelb-pool-ls.1",
        "openelb-pool-show.1",
        "openelb-pool-map.1",
        "openelb-pool-plan.1",
        "openelb-ip.1",
        "openelb-ip-alloc.1",
        "openelb-ip-release.1",
        "openelb-ip-reserve.1",
        "openelb-ip-ls.1",
        "openelb-ip-whois.1",
        "openelb-explain.1",
        "openelb-doctor-leaks.1",
        "openelb-status.1",
        "openelb-announce.1",
        "openelb-lab.1",
        "openelb-completions.1",
        "openelb-man.1",
    ] {
        assert!(
            pages.contains(&page.to_owned()),
            "{page} is missing in {pages:?}"
        );
    }
    let page = std::fs::read_to_string(env.path("man1/openelb-ip-alloc.1")).unwrap();
    assert!(page.contains("NAMESPACE/NAME"), "{page}");
}

#[test]
fn without_a_directory_the_first_page_is_printed() {
    let ran = Env::new().run(&["man"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains(".TH openelb 1"), "{}", ran.out);
}

//! `openelb completions`.

use crate::testenv::Env;

#[test]
fn every_shell_gets_a_script_that_knows_the_verbs() {
    let env = Env::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = env.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{shell}");
        for verb in ["validate", "whois", "announce"] {
            assert!(ran.out.contains(verb), "{shell} lacks {verb}");
        }
    }
}

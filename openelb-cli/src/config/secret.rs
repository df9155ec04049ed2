//! Keeps passwords out of the lines that remarks show.

use super::read::did_you_mean;

/// The text with stars in place of everything that may be a password: the rest of a line after a key
/// for one, and the lines below that belong to it. Every character keeps its place.
///
/// It works on the text, so that it also holds for text that is no YAML and for misspelt keys.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut hidden: Option<Hidden> = None;
    for line in text.split_inclusive('\n') {
        let depth = line.len() - line.trim_start().len();
        let is_blank = line.trim().is_empty();
        let belongs = |hidden: &Hidden| hidden.is_open || is_blank || depth > hidden.depth;
        if let Some(above) = hidden.take().filter(belongs) {
            stars(line, &mut masked);
            let is_open = above.is_open && is_blank;
            hidden = Some(Hidden { is_open, ..above });
            continue;
        }
        let Some(start) = value_of_secret(line) else {
            masked.push_str(line);
            continue;
        };
        let (before, value) = line.split_at(start);
        masked.push_str(before);
        stars(value, &mut masked);
        let is_open = value.trim().is_empty();
        hidden = Some(Hidden { depth, is_open });
    }
    masked
}

/// A password whose value may go on below.
struct Hidden {
    /// The indentation of its key's line.
    depth: usize,
    /// Nothing of it has come yet.
    is_open: bool,
}

fn stars(text: &str, out: &mut String) {
    out.extend(
        text.chars()
            .map(|c| if c.is_whitespace() { c } else { '*' }),
    );
}

/// Where the value of the first key for a password begins.
fn value_of_secret(line: &str) -> Option<usize> {
    line.match_indices(':').find_map(|(colon, _)| {
        let before = line.get(..colon)?.trim_end();
        let before = before.trim_end_matches(['"', '\'']);
        let start = before
            .rfind(|c: char| !c.is_alphanumeric())
            .map_or(0, |at| at + 1);
        let key = before.get(start..)?;
        is_secret(key, line).then_some(colon + 1)
    })
}

fn is_secret(key: &str, line: &str) -> bool {
    match key {
        "authPasswordFile" | "authPasswordSecret" | "" => false,
        // Of VRRP: refused by name, but what stands there may be in use elsewhere.
        "authentication" | "pass" => true,
        // The key of BFD; in a selector it is the name of a label.
        "key" => !line.contains("operator") && !line.trim_start().starts_with("- "),
        _ => did_you_mean(key, ["authPassword", "password"]).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn whatever_stands_behind_a_password_s_key_is_hidden() {
        for text in [
            "    authPassword: swordfish\n",
            "    authPassword: \"sword fish",
            "conf: {peerAs: 1, authPassword: swordfish, peerGroup: a}",
            "{\"authPassword\": \"swordfish\"}",
            "    authPasword: swordfish",
            "    AuthPassword: swordfish",
            "    password: swordfish",
            "    authPassword: |\n      swordfish\n      swordfish\n",
            "    authPassword:\n    swordfish\n",
            "    authPassword: >-\n\n      swordfish\n",
            "      key: swordfish",
            "auth: {type: keyed-sha1, keyId: 1, key: swordfish}",
            "    authentication:\n      type: PASS\n      pass: swordfish\n",
            "vrrp: {vrid: 51, authentication: swordfish}",
        ] {
            let shown = masked(text);
            assert!(!shown.contains("fish"), "{text:?} shows {shown:?}");
            assert_eq!(shown.chars().count(), text.chars().count(), "columns stay");
            assert_eq!(shown.lines().count(), text.lines().count(), "lines stay");
        }
    }

    #[test]
    fn everything_else_is_shown() {
        for text in [
            "    authPasswordFile: /etc/openelb/tor.key\n",
            "    authPasswordSecret: {name: bgp}\n",
            "    - key: tier\n",
            "matchExpressions: [{key: tier, operator: Exists}]\n",
            "address: 2001:db8::1\n",
            ": :\n::\n",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn what_follows_a_password_is_shown_again() {
        let text = "  conf:\n    authPassword: swordfish\n    peerAs: 65001\n";
        assert!(masked(text).ends_with("    peerAs: 65001\n"));
    }
}

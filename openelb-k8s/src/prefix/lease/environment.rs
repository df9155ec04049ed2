//! Environments of scripts, `NAME=VALUE` a line: of dhcpcd's hooks and `dhcpcd -U`, and of odhcp6c's
//! script.

use std::collections::BTreeMap;

use openelb_ipam::Time;

use super::{Lease, LeaseError, after, prefix};

/// The variables `[new_]dhcp6_ia_pdN_prefixM` and what belongs to each.
///
/// A text without any is one without a prefix, as hooks have it when a lease has expired.
pub(super) fn dhcpcd(text: &str, written: Time) -> Result<Vec<Lease>, LeaseError> {
    let variables = variables(text);
    if !variables.contains_key("reason") && !variables.contains_key("interface") {
        return Err(LeaseError::OtherFormat {
            format: "dhcpcd",
            missing: "a reply of a server, or a line such as `interface=wan0`,",
        });
    }
    let mut leases = Vec::new();
    for (name, address) in &variables {
        // What a hook is told of the former lease has `old_` in front.
        let bare = name.strip_prefix("new_").unwrap_or(name);
        let is_prefix = bare
            .strip_prefix("dhcp6_ia_pd")
            .and_then(|rest| rest.split_once("_prefix"))
            .is_some_and(|(pd, number)| is_number(pd) && is_number(number));
        if !is_prefix {
            continue;
        }
        let number = |what: &str| {
            variables
                .get(format!("{name}_{what}").as_str())?
                .parse()
                .ok()
        };
        let net = address.parse().ok().zip(number("length"));
        let net =
            net.and_then(|(address, length): (_, u32)| prefix(address, u8::try_from(length).ok()?));
        let Some(net) = net else { continue };
        let valid = number("vltime").unwrap_or(u32::MAX);
        let preferred = number("pltime").unwrap_or(valid);
        if valid > 0 && preferred <= valid {
            leases.push(Lease {
                prefix: net,
                preferred_until: after(written, preferred),
                valid_until: after(written, valid),
            });
        }
    }
    Ok(leases)
}

/// `PREFIXES=PREFIX/LENGTH,PREFERRED,VALID[,...] ...`; without it there is none.
pub(super) fn odhcp6c(text: &str, written: Time) -> Result<Vec<Lease>, LeaseError> {
    let variables = variables(text);
    if variables.is_empty() {
        return Err(LeaseError::OtherFormat {
            format: "odhcp6c",
            missing: "a line such as `PREFIXES=2001:db8::/56,1800,3600`",
        });
    }
    let prefixes = variables.get("PREFIXES").copied().unwrap_or_default();
    Ok(prefixes
        .split_whitespace()
        .filter_map(|entry| delegated(entry, written))
        .collect())
}

fn delegated(entry: &str, written: Time) -> Option<Lease> {
    // What follows, such as `class=1` and `excluded=...` (RFC 6603), takes nothing away that is used
    // here by itself.
    let mut parts = entry.split(',');
    let (address, length) = parts.next()?.split_once('/')?;
    let (preferred, valid): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let prefix = prefix(address.parse().ok()?, length.parse().ok()?)?;
    (valid > 0 && preferred <= valid).then(|| Lease {
        prefix,
        preferred_until: after(written, preferred),
        valid_until: after(written, valid),
    })
}

/// The last value of every name, without the quotes that a shell would put around it.
fn variables(text: &str) -> BTreeMap<&str, &str> {
    let line = |line| {
        let (name, value): (&str, &str) = str::split_once(line, '=')?;
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name);
        let is_name =
            !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        is_name.then(|| (name, value.trim().trim_matches(['\'', '"'])))
    };
    text.lines().filter_map(line).collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

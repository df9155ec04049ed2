//! Addresses that a container asks for: in `CNI_ARGS`, in `args.cni.ips` and in `runtimeConfig.ips`.

use std::net::IpAddr;

use super::node::Object;
use crate::cni::error::{Code, Error};
use crate::cni::invocation::{Arguments, excerpt};

/// All of them, in that order, each once.
pub(super) fn requested(
    root: &Object<'_>,
    runtime: Option<&Object<'_>>,
    arguments: &Arguments,
) -> Result<Vec<IpAddr>, Error> {
    let mut found: Vec<IpAddr> = Vec::new();
    found.extend(of_variable(&arguments.0)?);
    if let Some(args) = root.object("args")?
        && let Some(cni) = args.object("cni")?
    {
        for node in cni.list("ips")? {
            found.extend(node.address()?);
        }
    }
    if let Some(runtime) = runtime {
        for node in runtime.list("ips")? {
            let text = node.text()?;
            let address = of_text(text);
            found.push(address.ok_or_else(|| {
                node.refuse(
                    format!("`{}` is no IP address", excerpt(text)),
                    "write it with or without its prefix length",
                )
            })?);
        }
    }
    let mut once = Vec::new();
    for address in found {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    Ok(once)
}

/// `KEY=VALUE;KEY=VALUE`. Unknown keys are a mistake unless `IgnoreUnknown=1` stands among them, which
/// container runtimes add to what they pass on.
fn of_variable(text: &str) -> Result<Option<IpAddr>, Error> {
    let (mut address, mut unknown, mut ignores) = (None, Vec::new(), false);
    for pair in text.split(';').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(wrong(&format!("`{}` is no KEY=VALUE", excerpt(pair))));
        };
        match key {
            "IP" => {
                let read = of_text(value);
                address =
                    Some(read.ok_or_else(|| {
                        wrong(&format!("IP=`{}` is no IP address", excerpt(value)))
                    })?);
            }
            "IgnoreUnknown" => ignores = is_true(value)?,
            _ => unknown.push(excerpt(key)),
        }
    }
    if !unknown.is_empty() && !ignores {
        return Err(wrong(&format!("unknown keys: {}", unknown.join(", "))));
    }
    Ok(address)
}

fn is_true(value: &str) -> Result<bool, Error> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(wrong(&format!(
            "IgnoreUnknown=`{}` is neither true nor false",
            excerpt(value)
        ))),
    }
}

/// An address with or without a prefix length, which is that of the range anyway.
fn of_text(text: &str) -> Option<IpAddr> {
    let host = match text.split_once('/') {
        Some((host, length)) if length.parse::<u8>().is_ok() => host,
        Some(_) => return None,
        None => text,
    };
    host.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

fn wrong(fact: &str) -> Error {
    Error::new(Code::Environment, format!("CNI_ARGS: {fact}"))
        .next("write IP=10.1.0.5, and IgnoreUnknown=1 when other keys are for somebody else")
}

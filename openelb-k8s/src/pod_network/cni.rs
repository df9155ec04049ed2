//! The CNI configuration of a node: its prefixes put in, everything else left as its user wrote it.

use ipnet::IpNet;
use openelb_ipam::Family;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// A file that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CniError {
    /// No JSON at all.
    #[error("the file is no JSON ({0}); correct it, or remove it to have it written anew")]
    Json(String),
    /// No plugin in it asks for addresses of its own.
    #[error(
        "the file has no plugin with `ipam` of type {}; add one, or remove the file to have it \
         written anew",
        OURS.join(" or ")
    )]
    NoIpam,
}

/// The text of a CNI configuration with the prefixes of a node, `None` when `existing` says so
/// already. Where there is no file yet, it is one with a bridge.
///
/// The first plugin whose `ipam` is `openelb-cni` or `host-local` is edited. A range of the same subnet
/// stays with everything that its user wrote into it; of another subnet only the subnet stays, since
/// gateway and bounds of the old one lie outside.
///
/// ```
/// use openelb_k8s::pod_network::cni::edited;
///
/// let cidrs = ["10.244.1.0/24".parse()?, "fd00:10:244:1::/64".parse()?];
/// let text = edited(None, &cidrs)?.unwrap();
/// assert!(text.contains("\"subnet\": \"10.244.1.0/24\""));
/// assert_eq!(edited(Some(&text), &cidrs)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn edited(existing: Option<&str>, cidrs: &[IpNet]) -> Result<Option<String>, CniError> {
    let mut document = match existing {
        Some(text) => serde_json::from_str(text).map_err(|error| CniError::Json(error.to_string())),
        None => Ok(from_nothing()),
    }?;
    let ipam = ipam(&mut document).ok_or(CniError::NoIpam)?;
    let mut is_changed = put_subnets(ipam, cidrs);
    if existing.is_none() {
        put_routes(ipam, cidrs);
        is_changed = true;
    }
    // Plain data has a text.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
    Ok(is_changed.then_some(text))
}

/// The `ipam` of the first plugin that is to have the prefixes. The file may be a list of plugins, or
/// one of them.
fn ipam(document: &mut Value) -> Option<&mut Map<String, Value>> {
    let is_ours = |plugin: &Value| {
        let kind = plugin.pointer("/ipam/type").and_then(Value::as_str);
        kind.is_some_and(|kind| OURS.contains(&kind))
    };
    if document.get("plugins").is_none() {
        let is_one = is_ours(document);
        return document.get_mut("ipam").filter(|_| is_one)?.as_object_mut();
    }
    let plugins = document.get_mut("plugins")?.as_array_mut()?;
    let plugin = plugins.iter_mut().find(|plugin| is_ours(plugin))?;
    plugin.get_mut("ipam")?.as_object_mut()
}

/// Makes the prefixes the subnets; says whether anything is different now.
fn put_subnets(ipam: &mut Map<String, Value>, cidrs: &[IpNet]) -> bool {
    let before = (ipam.get("subnet").cloned(), ipam.get("ranges").cloned());
    // The old form of one subnet, with its bounds beside it.
    if let Some(Value::String(subnet)) = ipam.get("subnet") {
        let subnet = subnet.parse::<IpNet>().ok();
        if let ([only], Some(subnet)) = (cidrs, subnet) {
            if subnet.trunc() != *only {
                for field in OF_SUBNET {
                    ipam.remove(field);
                }
                ipam.insert("subnet".to_owned(), only.to_string().into());
            }
            ipam.remove("ranges");
            return before != (ipam.get("subnet").cloned(), ipam.get("ranges").cloned());
        }
    }
    let old = written_ranges(ipam);
    let sets = cidrs.iter().map(|cidr| {
        let mut sets = old.iter().filter(|set| subnet_of(set) == Some(*cidr));
        let kept = sets.next().cloned();
        kept.unwrap_or_else(|| json!([{ "subnet": cidr.to_string() }]))
    });
    let sets: Vec<_> = sets.collect();
    for field in ["subnet"].iter().chain(&OF_SUBNET) {
        ipam.remove(*field);
    }
    ipam.insert("ranges".to_owned(), Value::Array(sets));
    before != (ipam.get("subnet").cloned(), ipam.get("ranges").cloned())
}

/// The range sets as they are, the old form of one subnet included.
fn written_ranges(ipam: &Map<String, Value>) -> Vec<Value> {
    let sets = ipam.get("ranges").and_then(Value::as_array);
    let mut sets = sets.cloned().unwrap_or_default();
    if ipam.contains_key("subnet") {
        let fields = ["subnet"].iter().chain(&OF_SUBNET);
        let fields =
            fields.filter_map(|field| Some(((*field).to_owned(), ipam.get(*field)?.clone())));
        sets.push(Value::Array(vec![Value::Object(fields.collect())]));
    }
    sets
}

/// The subnet of a set of one range; sets of several are somebody's own division of it.
fn subnet_of(set: &Value) -> Option<IpNet> {
    let subnet = set.pointer("/0/subnet")?.as_str()?.parse::<IpNet>();
    subnet.ok().map(|subnet| subnet.trunc())
}

/// Pods reach everything through the bridge.
fn put_routes(ipam: &mut Map<String, Value>, cidrs: &[IpNet]) {
    let routes = cidrs.iter().map(|cidr| {
        let any = match Family::of(cidr.addr()) {
            Family::V4 => "0.0.0.0/0",
            Family::V6 => "::/0",
        };
        json!({ "dst": any })
    });
    ipam.insert("routes".to_owned(), Value::Array(routes.collect()));
}

/// A bridge that routes, and ports of the node for pods that ask for them.
fn from_nothing() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "openelb",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "openelb0",
                "isGateway": true,
                "hairpinMode": true,
                "ipam": { "type": "openelb-cni" },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

/// The plugins of which the configuration is known; both read the same one.
const OURS: [&str; 2] = ["openelb-cni", "host-local"];

/// What lies within a subnet and goes with it.
const OF_SUBNET: [&str; 3] = ["rangeStart", "rangeEnd", "gateway"];

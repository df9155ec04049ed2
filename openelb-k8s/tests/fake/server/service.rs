//! What the server makes of a Service: defaults, cluster addresses, node ports, and its rules.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::resource::Resource;

/// Fills in what the user left open.
pub(crate) fn default(old: Option<&Value>, object: &mut Value) {
    let before = old.map_or(Value::Null, |old| old["spec"].clone());
    let Some(spec) = object["spec"].as_object_mut() else {
        return;
    };
    for (field, value) in [
        ("type", "ClusterIP"),
        ("sessionAffinity", "None"),
        ("internalTrafficPolicy", "Cluster"),
    ] {
        let known = before[field].as_str().unwrap_or(value);
        spec.entry(field).or_insert(json!(known));
    }
    if is_external(spec) {
        spec.entry("externalTrafficPolicy")
            .or_insert(json!("Cluster"));
    }
    let is_load_balancer = spec["type"] == "LoadBalancer";
    if is_load_balancer {
        spec.entry("allocateLoadBalancerNodePorts")
            .or_insert(json!(true));
    }
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let target = port["port"].clone();
        if let Some(port) = port.as_object_mut() {
            port.entry("protocol").or_insert(json!("TCP"));
            port.entry("targetPort").or_insert(target);
        }
    }
    let ingress = object["status"]["loadBalancer"]["ingress"].as_array_mut();
    for entry in ingress.into_iter().flatten().filter(|_| is_load_balancer) {
        if !entry["ip"].is_null() && entry["ipMode"].is_null() {
            entry["ipMode"] = json!("VIP");
        }
    }
    if object["status"]["loadBalancer"].is_null() {
        object["status"]["loadBalancer"] = json!({});
    }
}

/// Gives it cluster addresses and node ports that nobody else has, and takes what its type cannot
/// have.
pub(crate) fn give(old: Option<&Value>, object: &mut Value, number: u64) {
    let before = old.map_or(Value::Null, |old| old["spec"].clone());
    let Some(spec) = object["spec"].as_object_mut() else {
        return;
    };
    give_families(spec, &before, number);
    let is_load_balancer = spec["type"] == "LoadBalancer";
    if !is_external(spec) {
        spec.remove("externalTrafficPolicy");
    }
    if !is_load_balancer {
        spec.remove("allocateLoadBalancerNodePorts");
        spec.remove("loadBalancerClass");
    }
    let has_node_ports =
        is_external(spec) && spec.get("allocateLoadBalancerNodePorts") != Some(&json!(false));
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for (place, port) in ports.into_iter().flatten().enumerate() {
        let Some(port) = port.as_object_mut() else {
            continue;
        };
        let place = u64::try_from(place).unwrap_or_default();
        if has_node_ports {
            let free = 30_000 + (number * 7 + place) % 2_768;
            port.entry("nodePort").or_insert(json!(free));
        } else {
            port.remove("nodePort");
        }
    }
    if !is_load_balancer {
        object["status"]["loadBalancer"] = json!({});
    }
}

/// Refuses what breaks a rule of Services.
pub(crate) fn check(
    resource: &Resource,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), Failure> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if object["spec"]["ports"].as_array().is_none_or(Vec::is_empty)
        && object["spec"]["clusterIP"] != "None"
    {
        return Err(Failure::invalid(
            resource,
            name,
            "spec.ports",
            "FieldValueRequired",
            "Required value",
        ));
    }
    let before = old.map_or(&Value::Null, |old| &old["spec"]["loadBalancerClass"]);
    let class = &object["spec"]["loadBalancerClass"];
    let is_still = old.is_some_and(|old| old["spec"]["type"] == "LoadBalancer")
        && object["spec"]["type"] == "LoadBalancer";
    if is_still && class != before {
        let why = format!("Invalid value: {class}: may not change once set");
        return Err(Failure::invalid(
            resource,
            name,
            "spec.loadBalancerClass",
            "FieldValueInvalid",
            &why,
        ));
    }
    let ingress = object["status"]["loadBalancer"]["ingress"].as_array();
    for (place, entry) in ingress.into_iter().flatten().enumerate() {
        let Some(ip) = entry["ip"].as_str() else {
            continue;
        };
        if ip.parse::<IpAddr>().is_err() {
            let field = format!("status.loadBalancer.ingress[{place}].ip");
            let why = format!(
                "Invalid value: \"{ip}\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            );
            return Err(Failure::invalid(
                resource,
                name,
                &field,
                "FieldValueInvalid",
                &why,
            ));
        }
    }
    Ok(())
}

fn is_external(spec: &Map<String, Value>) -> bool {
    spec["type"] == "LoadBalancer" || spec["type"] == "NodePort"
}

/// Families and cluster addresses; the order of the families is the user's.
fn give_families(spec: &mut Map<String, Value>, before: &Value, number: u64) {
    if spec
        .get("clusterIP")
        .is_some_and(|address| address == "None")
        || spec["type"] == "ExternalName"
    {
        return;
    }
    let was = before["ipFamilyPolicy"].clone();
    let policy = spec.get("ipFamilyPolicy").cloned().unwrap_or(was);
    let policy = if policy.is_null() {
        json!("SingleStack")
    } else {
        policy
    };
    let given = spec
        .get("ipFamilies")
        .unwrap_or_else(|| &before["ipFamilies"])
        .as_array()
        .cloned();
    let mut families = given
        .filter(|given| !given.is_empty())
        .unwrap_or_else(|| vec![json!("IPv4")]);
    if policy == "SingleStack" {
        families.truncate(1);
    } else if families.len() == 1 {
        families.push(if families[0] == "IPv4" {
            json!("IPv6")
        } else {
            json!("IPv4")
        });
    }
    let known = before["clusterIPs"].as_array().cloned().unwrap_or_default();
    let addresses: Vec<Value> = families
        .iter()
        .map(|family| {
            let is_v6 = family == "IPv6";
            let same = known.iter().find(|known| {
                known
                    .as_str()
                    .is_some_and(|known| known.contains(':') == is_v6)
            });
            let (high, low) = (number / 250 % 250, number % 250 + 2);
            let fresh = if is_v6 {
                format!("fd00:10::{high:x}:{low:x}")
            } else {
                format!("10.96.{high}.{low}")
            };
            same.cloned().unwrap_or_else(|| json!(fresh))
        })
        .collect();
    spec.insert("ipFamilyPolicy".to_owned(), policy);
    spec.insert("ipFamilies".to_owned(), json!(families));
    spec.insert("clusterIP".to_owned(), addresses[0].clone());
    spec.insert("clusterIPs".to_owned(), json!(addresses));
}

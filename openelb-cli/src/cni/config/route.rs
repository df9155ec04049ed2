//! Routes of the configuration, which go into the answer.

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::node::{Node, Object};
use crate::cni::error::Error;
use crate::cni::invocation::excerpt;
use crate::cni::version::Version;

/// A route, checked where it is wrong most often and otherwise as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    fields: Map<String, Value>,
}

impl Route {
    /// With the fields that the version has.
    pub(crate) fn to_json(&self, version: Version) -> Value {
        let has =
            |name: &String| version >= Version::V1_1_0 || FIELDS_OF_OLD.contains(&name.as_str());
        let fields = self.fields.iter().filter(|(name, _)| has(name));
        Value::Object(
            fields
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    /// The family of its destination, which 0.2.0 and older sort by.
    pub(crate) fn is_ipv6(&self) -> bool {
        let destination = self.fields.get("dst").and_then(Value::as_str);
        destination.is_some_and(|destination| destination.contains(':'))
    }
}

/// The routes in `ipam.routes`.
pub(super) fn read(ipam: &Object<'_>) -> Result<Vec<Route>, Error> {
    ipam.list("routes")?.iter().map(read_one).collect()
}

fn read_one(node: &Node<'_>) -> Result<Route, Error> {
    let object = node.object()?;
    let next = "write a prefix such as 0.0.0.0/0 or ::/0";
    let destination = object
        .text("dst")?
        .ok_or_else(|| node.refuse("the route has no `dst`", next))?;
    let destination: IpNet = destination.parse().map_err(|_| {
        node.refuse(
            format!("`{}` is no destination", excerpt(destination)),
            next,
        )
    })?;
    let mut fields = Map::new();
    fields.insert("dst".to_owned(), destination.to_string().into());
    if let Some(gateway) = object.address("gw")? {
        fields.insert("gw".to_owned(), gateway.to_string().into());
    }
    for name in FIELDS_SINCE_1_1 {
        if let Some(field) = object.field(name) {
            let number = field.value().as_i64();
            let number =
                number.ok_or_else(|| field.refuse("is no whole number", "write a whole number"))?;
            fields.insert(name.to_owned(), number.into());
        }
    }
    Ok(Route { fields })
}

const FIELDS_OF_OLD: [&str; 2] = ["dst", "gw"];
const FIELDS_SINCE_1_1: [&str; 5] = ["mtu", "advmss", "priority", "table", "scope"];

//! metallb-dyn6: what its Helm values, its Deployment or its environment say, as a `DynamicPrefix` and
//! an entry of a pool.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use openelb_ipam::dynamic_prefix::{Derivation, Part};
use openelb_ipam::relative::RelativeRange;
use serde_json::{Map, Value};

use super::metallb;
use super::remark::Report;
use super::{Imported, Sources, identity};
use crate::api::{DynamicPrefix, Eip, HttpSource, PrefixSource, PrefixSubnet, Protocol};

pub(super) fn import(sources: &mut Sources, report: &mut Report) -> Imported {
    let is_ours = |document: &mut Value| !Said::of(document).values.is_empty();
    let documents: Vec<_> = sources.others.extract_if(.., is_ours).collect();
    let mut imported = metallb::import(sources, report);
    if documents.is_empty() {
        report.about("metallb-dyn6", "values");
        let meaning = "no value of metallb-dyn6 was found: neither `dyn6:` and `metallb:` of its chart, \
                       nor a Deployment with METALLB_DYN6_ variables";
        report.lost(
            "",
            &Value::Null,
            meaning,
            "give its values file, or its Deployment",
        );
    }
    for (index, document) in documents.iter().enumerate() {
        let name = match index {
            0 => NAME.to_owned(),
            more => format!("{NAME}-{}", more + 1),
        };
        let written = identity(document).1;
        report.about(
            "metallb-dyn6",
            if written.is_empty() {
                "values"
            } else {
                &written
            },
        );
        Said::of(document).take_over(&name, &mut imported, report);
    }
    imported
}

/// What was said, by the end of the environment variable: each with the path where it was written.
#[derive(Default)]
struct Said {
    values: BTreeMap<&'static str, (String, Value)>,
    /// Of the chart, without a meaning here.
    of_pod: Vec<String>,
}

impl Said {
    /// Nothing of a document that is about something else.
    fn of(document: &Value) -> Self {
        let mut said = Self::default();
        if identity(document).0 == "Deployment" {
            let containers = document.pointer("/spec/template/spec/containers");
            for container in containers.and_then(Value::as_array).into_iter().flatten() {
                let variables = container.get("env").and_then(Value::as_array);
                for variable in variables.into_iter().flatten() {
                    let name = variable
                        .get("name")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let value = variable.get("value").cloned().unwrap_or_default();
                    said.variable(name, value);
                }
            }
        } else if let Value::Object(fields) = document {
            said.chart(fields);
            for (name, value) in fields {
                said.variable(name, value.clone());
            }
        }
        said
    }

    fn variable(&mut self, name: &str, value: Value) {
        let Some(end) = name.strip_prefix("METALLB_DYN6_") else {
            return;
        };
        if let Some(end) = VARIABLES.into_iter().find(|known| *known == end) {
            self.values.insert(end, (name.to_owned(), value));
        }
    }

    fn chart(&mut self, fields: &Map<String, Value>) {
        let is_chart = fields.contains_key("dyn6") || fields.contains_key("metallb");
        if !is_chart || fields.contains_key("kind") {
            return;
        }
        let document = Value::Object(fields.clone());
        let is_overridden =
            document.pointer("/dyn6/subnetOverride/enabled") == Some(&Value::Bool(true));
        for (pointer, end) in VALUES {
            let is_off = pointer.starts_with("/dyn6/subnetOverride/") && !is_overridden;
            if let (Some(value), false) = (document.pointer(pointer), is_off) {
                let path = pointer.trim_start_matches('/').replace('/', ".");
                self.values.insert(end, (path, value.clone()));
            }
        }
        let others = fields
            .keys()
            .filter(|key| *key != "dyn6" && *key != "metallb");
        self.of_pod = others.cloned().collect();
    }

    fn text(&mut self, end: &str) -> Option<(String, Value, String)> {
        let (path, value) = self.values.remove(end)?;
        let text = match &value {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        (!text.is_empty() && !value.is_null()).then_some((path, value, text))
    }

    fn take_over(mut self, name: &str, imported: &mut Imported, report: &mut Report) {
        let every = self
            .text("UPDATE_INTERVAL")
            .map(|(_, _, text)| format!("{text}s"));
        let mut prefix = DynamicPrefix::new(name, vec![self.source(every, report)]);
        prefix.spec.subnet = self.subnet(report);
        let range = self.range(name, report);
        let pool = self.text("METALLB_POOL");
        if let Some((path, value, "true")) = self
            .text("DRY_RUN")
            .as_ref()
            .map(|(p, v, t)| (p, v, t.as_str()))
        {
            let next = "look at it first with `openelb prefix explain FILE --delegated PREFIX`";
            report.lost(
                path,
                value,
                "the pool was only printed, and is used now",
                next,
            );
        }
        for end in ["METALLB_NAMESPACE", "METALLB_LABEL_SELECTOR"] {
            if let Some((path, value, _)) = self.text(end) {
                let meaning = "it said which pods are deleted at a change; none is any more";
                report.note(&path, &value, meaning, "nothing");
            }
        }
        if !self.of_pod.is_empty() {
            let keys = self.of_pod.join(", ");
            let meaning = "these are of a pod that is not needed any more";
            report.note(&keys, &Value::Null, meaning, "nothing");
        }
        imported.prefixes.push(prefix);
        match (pool, range) {
            (Some((_, _, pool)), Some(range)) => add(&pool, &range, imported, report),
            (None, Some(range)) => {
                let value = Value::String(range);
                let meaning = "no pool is named that could hold the addresses";
                report.lost(
                    "METALLB_POOL",
                    &value,
                    meaning,
                    "write them into `address` of an Eip",
                );
            }
            (_, None) => {}
        }
    }

    /// One provider alone could move all addresses, so there are two that must agree.
    fn source(&mut self, every: Option<String>, report: &mut Report) -> PrefixSource {
        let written = self.text("SOURCE");
        let (path, value, text) = written.unwrap_or_else(|| {
            let default = "my-ip".to_owned();
            ("SOURCE".to_owned(), Value::Null, default)
        });
        if text == "my-ip" {
            let meaning = "one web server alone is not believed any more: a second has to agree";
            let next = "take a source of your own network instead, if a node has one: its address, \
                        Router Advertisements, or a lease";
            report.note(&path, &value, meaning, next);
        } else {
            let next = "write the source that is meant";
            report.lost(&path, &value, "metallb-dyn6 has no such source", next);
        }
        PrefixSource {
            http: Some(HttpSource {
                urls: SERVERS.map(str::to_owned).to_vec(),
                every,
                ..HttpSource::default()
            }),
            ..PrefixSource::default()
        }
    }

    /// The override, by the same rule; what it refuses is refused here, too.
    fn subnet(&mut self, report: &mut Report) -> Option<PrefixSubnet> {
        let (bits, keep) = (self.text("SUBNET_OVERRIDE"), self.text("PREFIX_LENGTH"));
        let (path, value, bits, keep) = match (bits, keep) {
            (None, None) => return None,
            (Some((path, value, bits)), Some((_, _, keep))) => (path, value, bits, keep),
            (Some((path, value, _)), None) | (None, Some((path, value, _))) => {
                let meaning =
                    "the override and the length that is kept only mean something together";
                report.lost(
                    &path,
                    &value,
                    meaning,
                    "write `subnet` with `keep` and `override`",
                );
                return None;
            }
        };
        let part = bits.parse().ok().zip(keep.parse().ok());
        let part = part.map(|(bits, keep)| Part::Override { keep, bits });
        let checked = part.ok_or_else(|| "it is no address, or no length".to_owned());
        let checked = checked.and_then(|part| {
            let derivation = Derivation { length: 64, part };
            derivation.check().map_err(|error| error.to_string())
        });
        if let Err(why) = checked {
            report.lost(
                &path,
                &value,
                &why,
                "write `subnet` with `keep` and `override`",
            );
            return None;
        }
        Some(PrefixSubnet {
            keep: keep.parse().ok(),
            override_bits: Some(bits),
            ..PrefixSubnet::default()
        })
    }

    /// The entry of a pool.
    fn range(&mut self, name: &str, report: &mut Report) -> Option<String> {
        let (path, value, text) = self.text("HOST_RANGE")?;
        let entry = format!("{name}/{text}");
        match entry.parse::<RelativeRange>() {
            Ok(_) => Some(entry),
            Err(error) => {
                report.lost(
                    &path,
                    &value,
                    &error.to_string(),
                    "write the range as ::1000-::1fff",
                );
                None
            }
        }
    }
}

/// Puts the entry in the place of the addresses that metallb-dyn6 wrote into the pool.
fn add(pool: &str, range: &str, imported: &mut Imported, report: &mut Report) {
    let Some(eip) = imported
        .eips
        .iter_mut()
        .find(|eip| eip.metadata.name == pool)
    else {
        let mut eip = Eip::new(pool, range);
        eip.spec.protocol = Protocol::None;
        eip.spec.auto_assign = Some(true);
        let meaning = "the IPAddressPool itself was not given: nothing is known of its IPv4 addresses and \
                       of how it is announced";
        let next = "give it and its advertisements in the same import, or write `protocol` and \
                    `interface` yourself";
        report.note(
            "metallb.pool",
            &Value::String(pool.to_owned()),
            meaning,
            next,
        );
        return imported.eips.push(eip);
    };
    let entries = eip.spec.address.split(',').map(str::trim);
    let kept: Vec<_> = entries
        .filter(|entry| !entry.contains(':') && !entry.is_empty())
        .collect();
    let address = kept
        .into_iter()
        .chain([range])
        .collect::<Vec<_>>()
        .join(", ");
    let before = Value::String(std::mem::replace(&mut eip.spec.address, address));
    let meaning = "its IPv6 addresses are replaced by those that follow the prefix; metallb-dyn6 had \
                   written them";
    report.note(
        "metallb.pool",
        &before,
        meaning,
        "add others again, if there were any",
    );
}

/// How the prefix is called.
const NAME: &str = "home";

/// Both answer with the address alone, over IPv6 alone.
const SERVERS: [&str; 2] = ["https://api6.my-ip.io/v2/ip.txt", "https://api6.ipify.org"];

const VARIABLES: [&str; 9] = [
    "SOURCE",
    "SUBNET_OVERRIDE",
    "PREFIX_LENGTH",
    "HOST_RANGE",
    "UPDATE_INTERVAL",
    "DRY_RUN",
    "METALLB_NAMESPACE",
    "METALLB_POOL",
    "METALLB_LABEL_SELECTOR",
];

/// Where the chart has them.
const VALUES: [(&str, &str); 7] = [
    ("/dyn6/source", "SOURCE"),
    ("/dyn6/subnetOverride/override", "SUBNET_OVERRIDE"),
    ("/dyn6/subnetOverride/prefixLength", "PREFIX_LENGTH"),
    ("/dyn6/updateInterval", "UPDATE_INTERVAL"),
    ("/metallb/hostRange", "HOST_RANGE"),
    ("/metallb/pool", "METALLB_POOL"),
    ("/metallb/podsLabelSelector", "METALLB_LABEL_SELECTOR"),
];

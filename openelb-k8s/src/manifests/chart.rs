//! The Helm chart: the same objects, with holes where `values.yaml` has a say.
//!
//! The values, their schema and the notes are written by hand, in `deploy/chart/`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::yaml::document;
use super::{Options, Part, folder, part_of, yaml};
use crate::crd::put;

/// Path within `deploy/` to the text of the file.
pub(super) fn files() -> BTreeMap<String, String> {
    let options = Options {
        namespace: "{{ .Release.Namespace }}".to_owned(),
        image: "HOLE_image".to_owned(),
        ..Options::default()
    };
    let mut files = BTreeMap::new();
    let mut file = |path: &str, text: &str| {
        files.insert(format!("chart/{path}"), text.to_owned());
    };
    for part in Part::ALL {
        let objects = part_of(*part, &options);
        match part {
            // Helm installs what is in `crds` before all else and never removes it: neither pools
            // nor allocations go with the release.
            Part::Definitions => file("crds/definitions.yaml", &written(&yaml(&objects))),
            // `--create-namespace` makes it; NOTES tell of its labels.
            Part::Namespace => {}
            _ => file(
                &format!("templates/{}", part.file()),
                &template(*part, objects),
            ),
        }
    }
    file("Chart.yaml", &written(&document(&chart())));
    files
}

fn written(text: &str) -> String {
    format!("{}{text}", folder::HEADER)
}

fn chart() -> Value {
    json!({
        "apiVersion": "v2",
        "name": "openelb",
        "description": "LoadBalancer addresses for Kubernetes: allocated, and announced over ARP, \
                        NDP, BGP or VRRP",
        "type": "application",
        "version": env!("CARGO_PKG_VERSION"),
        "appVersion": env!("CARGO_PKG_VERSION"),
        "kubeVersion": ">= 1.33.0-0",
        "home": "https://github.com/openelb/openelb",
        "annotations": { "artifacthub.io/license": "Apache-2.0" },
    })
}

/// A part as a template: its holes filled from the values, and all of it under its condition.
fn template(part: Part, mut objects: Vec<Value>) -> String {
    objects.iter_mut().for_each(cut);
    let text = fill(&shielded(&yaml(&objects)));
    let text = written(&text);
    let condition = match part {
        Part::Monitoring => "monitoring",
        Part::Webhook => "webhook",
        Part::Network => "networkPolicy",
        _ => return text,
    };
    format!("{{{{- if .Values.{condition}.enabled }}}}\n{text}{{{{- end }}}}\n")
}

/// Makes the holes of a workload.
fn cut(object: &mut Value) {
    let is_controller = object["kind"] == "Deployment";
    if !is_controller && object["kind"] != "DaemonSet" {
        return;
    }
    let component = if is_controller {
        "controller"
    } else {
        "speaker"
    };
    let hole = |field: &str| format!("HOLE_{component}_{field}");
    if is_controller && let Some(spec) = object.get_mut("spec") {
        put(spec, "replicas", hole("replicas"));
    }
    let pod = "/spec/template/spec";
    if let Some(pod) = object.pointer_mut(pod) {
        for field in ["nodeSelector", "priorityClassName", "tolerations"] {
            put(pod, field, hole(field));
        }
        put(pod, "imagePullSecrets", "HOLE_imagePullSecrets");
        if !is_controller {
            put(pod, "volumes", hole("volumes"));
        }
    }
    let container = "/spec/template/spec/containers/0";
    if let Some(container) = object.pointer_mut(container) {
        put(container, "args", hole("args"));
        put(container, "imagePullPolicy", "HOLE_imagePullPolicy");
        put(container, "resources", hole("resources"));
        if !is_controller {
            put(container, "volumeMounts", hole("volumeMounts"));
        }
    }
    let capabilities = "/spec/template/spec/containers/0/securityContext/capabilities";
    if !is_controller && let Some(capabilities) = object.pointer_mut(capabilities) {
        put(capabilities, "add", hole("capabilities"));
    }
}

/// Braces of alerts are Prometheus', not Helm's.
fn shielded(text: &str) -> String {
    let mut pieces = text.split("{{ $");
    let mut shielded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (inner, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        shielded.extend(["{{ `{{ $", inner, "}}` }}", rest]);
    }
    shielded
}

/// Writes the expression of each hole where the hole is, indented as far as its key.
fn fill(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let Some((key, hole)) = line.split_once(": HOLE_") else {
            return format!("{line}\n");
        };
        let column = key.len() - key.trim_start_matches([' ', '-']).len();
        let expression = HOLES.iter().find(|(name, _)| *name == hole);
        let expression = expression.map_or_else(
            || format!(".Values.{}", hole.replace('_', ".")),
            |(_, expression)| (*expression).to_owned(),
        );
        let indent = column + 2;
        format!("{key}: {{{{- toYaml ({expression}) | nindent {indent} }}}}\n")
    });
    lines.collect()
}

/// Holes that are more than the value of their name.
const HOLES: &[(&str, &str)] = &[
    (
        "image",
        "printf \"%s:%s\" .Values.image.repository (.Values.image.tag | default (printf \"v%s\" \
         .Chart.AppVersion))",
    ),
    ("imagePullPolicy", ".Values.image.pullPolicy"),
    ("imagePullSecrets", ".Values.image.pullSecrets"),
    (
        "controller_args",
        "concat (list \"controller\") (ternary (list \"--webhook\") list .Values.webhook.enabled) \
         .Values.controller.extraArgs",
    ),
    (
        "speaker_args",
        "concat (list \"speaker\") .Values.speaker.extraArgs",
    ),
    (
        "speaker_volumes",
        "ternary (list (dict \"name\" \"cni\" \"hostPath\" (dict \"path\" \"/etc/cni/net.d\" \
         \"type\" \"DirectoryOrCreate\"))) list .Values.speaker.pods",
    ),
    (
        "speaker_volumeMounts",
        "ternary (list (dict \"name\" \"cni\" \"mountPath\" \"/etc/cni/net.d\")) list \
         .Values.speaker.pods",
    ),
    (
        "speaker_capabilities",
        "concat (ternary (list \"NET_ADMIN\") list (or .Values.speaker.vip \
         .Values.speaker.pods)) (ternary (list \
         \"NET_BIND_SERVICE\") list .Values.speaker.bgp) (ternary (list \"NET_RAW\") list (or \
         .Values.speaker.layer2 .Values.speaker.vip)) (list \"SYS_NICE\")",
    ),
];

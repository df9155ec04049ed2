//! YAML files into typed objects, each with the places of its keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openelb_k8s::api::{BgpConf, BgpPeer, DynamicPrefix, Eip, Layer2Conf};
use openelb_k8s::names;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::diagnostic::{Diagnostic, Place};
use super::node::{Node, Value};
use super::read::{self, did_you_mean};
use super::secret;
use super::service::{Metadata, Service};

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it came from.
    pub(super) path: PathBuf,
    /// The whole text, for showing: passwords are stars.
    pub(super) text: String,
}

/// A `ConfigMap`, of which only the texts matter here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMap {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    /// Its name.
    pub(super) metadata: Metadata,
    /// Texts by key.
    #[serde(default)]
    pub(super) data: BTreeMap<String, String>,
}

/// An object and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    /// The object.
    pub(super) object: T,
    /// `Kind/name` for messages.
    pub(super) label: String,
    source: Arc<Source>,
    node: Node,
}

impl<T> Written<T> {
    /// A remark about the value at a key path such as `spec.address`.
    pub(super) fn remark(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::file(&self.source.path, message)
            .at(self.node.nearest(key).place, &self.source.text)
            .about(Some(self.label.clone()), key)
    }

    /// A path that was written in the object: relative ones start at its file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let folder = self.source.path.parent().unwrap_or_else(|| Path::new(""));
        folder.join(path)
    }

    /// Where it was written, as `FILE:LINE`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.source.path.display(), self.node.place.line)
    }
}

/// The objects of some files, in order.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) eips: Vec<Written<Eip>>,
    pub(super) services: Vec<Written<Service>>,
    pub(super) speakers: Vec<Written<BgpConf>>,
    pub(super) peers: Vec<Written<BgpPeer>>,
    pub(super) config_maps: Vec<Written<ConfigMap>>,
    pub(super) elections: Vec<Written<Layer2Conf>>,
    pub(super) prefixes: Vec<Written<DynamicPrefix>>,
    pub(super) remarks: Vec<Diagnostic>,
}

/// Reads every file; what cannot be read is a remark, the rest is still looked at.
pub(super) fn read_files(paths: &[PathBuf]) -> Documents {
    let mut documents = Documents::default();
    for path in paths {
        match read_bounded(path) {
            Ok(text) => documents.add(path, &text),
            Err(message) => documents
                .remarks
                .push(Diagnostic::file(path, message).help("name a YAML file that you may read")),
        }
    }
    documents
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path)
        .map_err(|error| format!("cannot read the file: {error}"))?
        .len();
    if size > MAX_FILE_BYTES {
        return Err(format!(
            "the file holds {size} bytes; at most {MAX_FILE_BYTES} are read"
        ));
    }
    fs::read_to_string(path).map_err(|error| format!("cannot read the file: {error}"))
}

impl Documents {
    fn add(&mut self, path: &Path, text: &str) {
        let source = Arc::new(Source {
            path: path.to_owned(),
            text: secret::masked(text),
        });
        let nodes: Vec<Node> = match serde_saphyr::from_multiple(text) {
            Ok(nodes) => nodes,
            Err(error) => return self.remarks.push(syntax_error(&source, &error)),
        };
        for node in nodes {
            if node.value != Value::Null {
                self.add_document(&source, node);
            }
        }
    }

    fn add_document(&mut self, source: &Arc<Source>, node: Node) {
        let word = |key| {
            node.field(key)
                .and_then(Node::text)
                .unwrap_or_default()
                .to_owned()
        };
        let (api_version, kind) = (word("apiVersion"), word("kind"));
        match (api_version.as_str(), kind.as_str()) {
            (names::EIP_API_VERSION, names::EIP_KIND) => {
                let read = self.typed(source, node);
                self.eips.extend(read);
            }
            (names::STANDALONE_API_VERSION, names::SERVICE_KIND) => {
                let read = self.typed(source, node);
                self.services.extend(read);
            }
            (names::BGP_API_VERSION, names::BGP_CONF_KIND) => {
                let read = self.typed(source, node);
                self.speakers.extend(read);
            }
            (names::BGP_API_VERSION, names::BGP_PEER_KIND) => {
                let read = self.typed(source, node);
                self.peers.extend(read);
            }
            (names::LAYER2_API_VERSION, names::LAYER2_CONF_KIND) => {
                let read = self.typed(source, node);
                self.elections.extend(read);
            }
            (names::DYNAMIC_PREFIX_API_VERSION, names::DYNAMIC_PREFIX_KIND) => {
                let read = self.typed(source, node);
                self.prefixes.extend(read);
            }
            (names::CONFIG_MAP_API_VERSION, names::CONFIG_MAP_KIND) => {
                let read = self.typed(source, node);
                self.config_maps.extend(read);
            }
            _ => self
                .remarks
                .push(unknown_kind(source, &node, &api_version, &kind)),
        }
    }

    fn typed<T: DeserializeOwned>(
        &mut self,
        source: &Arc<Source>,
        node: Node,
    ) -> Option<Written<T>> {
        let label = label(&node);
        let (object, issues) = read::read(&node);
        self.remarks.extend(issues.into_iter().map(|issue| {
            let remark = Diagnostic::file(&source.path, issue.message)
                .at(issue.place, &source.text)
                .about(Some(label.clone()), issue.key);
            match issue.help {
                Some(help) => remark.help(help),
                None => remark,
            }
        }));
        Some(Written {
            object: object?,
            label,
            source: Arc::clone(source),
            node,
        })
    }
}

fn label(node: &Node) -> String {
    let kind = node.field("kind").and_then(Node::text).unwrap_or("object");
    let metadata = node.field("metadata");
    let word = |key| {
        metadata
            .and_then(|node| node.field(key))
            .and_then(Node::text)
    };
    match (word("namespace"), word("name")) {
        (Some(namespace), Some(name)) => format!("{kind}/{namespace}/{name}"),
        (None, Some(name)) => format!("{kind}/{name}"),
        _ => kind.to_owned(),
    }
}

fn syntax_error(source: &Source, error: &serde_saphyr::Error) -> Diagnostic {
    // Only the fact: the place is shown below it, and advice for programmers helps nobody here.
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split_once(" at line ").map_or(line, |(fact, _)| fact);
    let message = line
        .split_once(", set ")
        .map_or(line, |(fact, _)| fact)
        .to_owned();
    let remark = Diagnostic::file(&source.path, message);
    let Some(at) = error.location() else {
        return remark;
    };
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let place = Place {
        line: number(at.line()),
        column: number(at.column()),
        width: 1,
    };
    remark
        .at(place, &source.text)
        .help("correct the YAML here; nothing after it was looked at")
}

fn unknown_kind(source: &Source, node: &Node, api_version: &str, kind: &str) -> Diagnostic {
    let key = if node.field("kind").is_none() {
        "kind"
    } else if KINDS.iter().any(|(_, known)| *known == kind) {
        "apiVersion"
    } else {
        "kind"
    };
    let message = match (&node.value, kind, api_version) {
        (Value::Map(_), "", _) => "the document has no `kind`".to_owned(),
        (Value::Map(_), _, "") => format!("the document of kind `{kind}` has no `apiVersion`"),
        (Value::Map(_), ..) => format!("unknown kind `{kind}` of `{api_version}`"),
        _ => format!("expected an object, found {}", node.kind()),
    };
    let same_kind = KINDS.iter().find(|(_, known)| *known == kind);
    let help = match same_kind {
        Some((version, _)) => format!("write `apiVersion: {version}`"),
        None => match did_you_mean(kind, KINDS.iter().map(|(_, known)| *known)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => KINDS
                .map(|(version, kind)| format!("`{kind}` of `{version}`"))
                .join(" or "),
        },
    };
    Diagnostic::file(&source.path, message)
        .at(node.nearest(key).place, &source.text)
        .about(None, key)
        .help(help)
}

/// Far above any configuration a person or generator writes (100,000 services are about 30 MB), far
/// below what would hurt a daemon that reloads it.
const MAX_FILE_BYTES: u64 = 64 << 20;

const KINDS: [(&str, &str); 7] = [
    (names::EIP_API_VERSION, names::EIP_KIND),
    (names::STANDALONE_API_VERSION, names::SERVICE_KIND),
    (names::BGP_API_VERSION, names::BGP_CONF_KIND),
    (names::BGP_API_VERSION, names::BGP_PEER_KIND),
    (names::LAYER2_API_VERSION, names::LAYER2_CONF_KIND),
    (
        names::DYNAMIC_PREFIX_API_VERSION,
        names::DYNAMIC_PREFIX_KIND,
    ),
    (names::CONFIG_MAP_API_VERSION, names::CONFIG_MAP_KIND),
];

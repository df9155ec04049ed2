//! A request as it comes over HTTP, and what it asks for.

use std::collections::BTreeMap;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// Whether it can change an object.
    pub(crate) fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A request for objects.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// What is asked for.
    pub verb: Verb,
    /// API group of the resource; empty for the core.
    pub group: String,
    /// The resource, as in paths.
    pub plural: String,
    /// Namespace; empty for all, and for cluster-scoped kinds.
    pub namespace: String,
    /// Name; empty for a collection.
    pub name: String,
    /// `status`, or empty.
    pub subresource: String,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// Media type of the body.
    pub content_type: String,
    /// Media type wanted.
    pub accept: String,
    /// Who asks, by its `User-Agent`.
    pub agent: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the path, the query and the method; none when the path names no resource.
    pub(crate) fn read(method: &str, path: &str, query: &str) -> Option<Self> {
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, rest) = match segments.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (namespace, [plural, rest @ ..]) = (match rest {
            ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        }) else {
            return None;
        };
        let (name, subresource) = match rest {
            [] => ("", ""),
            [name] => (*name, ""),
            [name, subresource] => (*name, *subresource),
            _ => return None,
        };
        let query = parameters(query);
        Some(Self {
            verb: verb(method, name.is_empty(), &query)?,
            group: group.to_owned(),
            plural: (*plural).to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            query,
            content_type: String::new(),
            accept: String::new(),
            agent: String::new(),
            body: Vec::new(),
        })
    }

    /// A parameter of the query; empty when it is absent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Whether a parameter is `true`.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    /// Under which name what it writes is recorded.
    pub(crate) fn field_manager(&self) -> &str {
        match self.parameter("fieldManager") {
            "" => match self.agent.split('/').next() {
                Some("") | None => "unknown",
                Some(agent) => agent,
            },
            named => named,
        }
    }

    /// Whether it is a server-side apply.
    pub(crate) fn is_apply(&self) -> bool {
        self.content_type.starts_with("application/apply-patch")
    }
}

fn verb(method: &str, is_collection: bool, query: &BTreeMap<String, String>) -> Option<Verb> {
    let is_watch = query
        .get("watch")
        .is_some_and(|watch| watch == "true" || watch == "1");
    Some(match (method, is_collection) {
        ("GET", true) if is_watch => Verb::Watch,
        ("GET", true) => Verb::List,
        ("GET", false) => Verb::Get,
        ("POST", true) => Verb::Create,
        ("PUT", false) => Verb::Update,
        ("PATCH", false) => Verb::Patch,
        ("DELETE", false) => Verb::Delete,
        ("DELETE", true) => Verb::DeleteCollection,
        _ => return None,
    })
}

fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))))
        .collect()
}

/// `%2F` and its like become what they stand for.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let value = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(value.unwrap_or(*first));
        rest = match value {
            Some(_) => tail.get(2..).unwrap_or_default(),
            None => tail,
        };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

//! Label and field selectors of lists and watches.

use serde_json::Value;

/// What a list or a watch is limited to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Namespace; empty for all.
    namespace: String,
    labels: Vec<Term>,
    fields: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    Is(String, Vec<String>),
    IsNot(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`.
    pub(crate) fn new(namespace: &str, labels: &str, fields: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            labels: terms(labels),
            fields: terms(fields),
        }
    }

    /// Whether it holds `object`.
    pub(crate) fn holds(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let labels = |key: &str| metadata["labels"][key].as_str().map(str::to_owned);
        let fields = |key: &str| {
            let path = format!("/{}", key.replace('.', "/"));
            let value = object.pointer(&path).and_then(Value::as_str);
            Some(value.unwrap_or_default().to_owned())
        };
        (self.namespace.is_empty() || metadata["namespace"] == self.namespace.as_str())
            && self.labels.iter().all(|term| term.holds(labels))
            && self.fields.iter().all(|term| term.holds(fields))
    }
}

impl Term {
    fn holds(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Is(key, any) => value(key).is_some_and(|value| any.contains(&value)),
            Self::IsNot(key, none) => value(key).is_none_or(|value| !none.contains(&value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

/// `a=b,c!=d,e in (f,g),h,!i`.
fn terms(selector: &str) -> Vec<Term> {
    let mut depth = 0;
    let parts = selector.split(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(term)
        .collect()
}

fn term(part: &str) -> Term {
    let list = |values: &str| {
        let values = values.trim().trim_start_matches('(').trim_end_matches(')');
        values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect()
    };
    let key = |key: &str| key.trim().to_owned();
    if let Some((name, values)) = part.split_once(" notin ") {
        Term::IsNot(key(name), list(values))
    } else if let Some((name, values)) = part.split_once(" in ") {
        Term::Is(key(name), list(values))
    } else if let Some((name, value)) = part.split_once("!=") {
        Term::IsNot(key(name), vec![key(value)])
    } else if let Some((name, value)) = part.split_once('=') {
        Term::Is(key(name), vec![key(value.trim_start_matches('='))])
    } else if let Some(name) = part.strip_prefix('!') {
        Term::Absent(key(name))
    } else {
        Term::Exists(key(part))
    }
}

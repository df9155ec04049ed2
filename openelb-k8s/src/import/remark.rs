//! What is said about an import: what was lost, and what means something else now.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One field that was not carried over as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// How bad it is.
    pub grade: Grade,
    /// Kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Path of the field, such as `spec.serviceAllocation.priority`.
    pub path: String,
    /// Its value as JSON; stars in place of a password.
    pub value: String,
    /// What it means that it is not there, or is something else.
    pub meaning: String,
    /// What to do.
    pub next: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Something that was said is said no more.
    Lost,
    /// Nothing is lost, but something is to be known or done.
    Note,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Lost => "lost",
            Grade::Note => "note",
        };
        let (kind, name, path) = (&self.kind, &self.name, &self.path);
        write!(f, "{grade}: {kind} {name}, {path}")?;
        if !self.value.is_empty() {
            write!(f, ": {}", self.value)?;
        }
        write!(f, "\n      {}\n next: {}", self.meaning, self.next)
    }
}

/// Collects remarks, always about one object.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) remarks: Vec<Remark>,
    kind: String,
    name: String,
    /// Where the remarks about the present object begin.
    start: usize,
}

impl Report {
    /// What follows is about this object.
    pub(super) fn about(&mut self, kind: &str, name: &str) {
        kind.clone_into(&mut self.kind);
        name.clone_into(&mut self.name);
        self.start = self.remarks.len();
    }

    pub(super) fn lost(&mut self, path: &str, value: &Value, meaning: &str, next: &str) {
        self.add(Grade::Lost, path, value, meaning, next);
    }

    pub(super) fn note(&mut self, path: &str, value: &Value, meaning: &str, next: &str) {
        self.add(Grade::Note, path, value, meaning, next);
    }

    /// Whether anything of the present object was lost at this path or below.
    pub(super) fn has_lost(&self, path: &str) -> bool {
        let remarks = self.remarks.iter().skip(self.start);
        let mut lost = remarks.filter(|remark| remark.grade == Grade::Lost);
        lost.any(|remark| remark.path.starts_with(path))
    }

    fn add(&mut self, grade: Grade, path: &str, value: &Value, meaning: &str, next: &str) {
        self.remarks.push(Remark {
            grade,
            kind: self.kind.clone(),
            name: self.name.clone(),
            path: path.to_owned(),
            value: shown(path, value),
            meaning: meaning.to_owned(),
            next: next.to_owned(),
        });
    }
}

fn shown(path: &str, value: &Value) -> String {
    let field = path.rsplit('.').next().unwrap_or(path);
    match masked(field, value.clone()) {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A field's value with stars in place of every password in it. Values are as deep as the parser lets
/// them be.
fn masked(field: &str, value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if field.to_ascii_lowercase().ends_with("password") => "***".into(),
        Value::Array(items) => items.into_iter().map(|item| masked("", item)).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = masked(&name, value);
                (name, value)
            });
            fields.collect()
        }
        other => other,
    }
}

//! The fields of an object, each of which is taken or told about.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::remark::Report;

/// The fields of one mapping. Those that nobody took are told as lost when it is dropped.
pub(super) struct Fields<'r> {
    path: String,
    left: Map<String, Value>,
    pub(super) report: &'r mut Report,
}

impl<'r> Fields<'r> {
    /// The fields of a value that should be a mapping.
    pub(super) fn new(path: &str, value: Option<Value>, report: &'r mut Report) -> Self {
        let left = match value {
            Some(Value::Object(left)) => left,
            None | Some(Value::Null) => Map::new(),
            Some(other) => {
                report.lost(path, &other, "it is no mapping", "correct it");
                Map::new()
            }
        };
        Self {
            path: path.to_owned(),
            left,
            report,
        }
    }

    /// The path of a field.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// A field of a type; `None` when it is absent, or is something else, which is told.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.raw(key)?;
        let read = serde_json::from_value(value.clone());
        if read.is_err() {
            let next = "correct the value, then import again";
            self.lost(
                key,
                &value,
                "the value is of a kind that cannot be right",
                next,
            );
        }
        read.ok()
    }

    /// A field as it is.
    pub(super) fn raw(&mut self, key: &str) -> Option<Value> {
        self.left.remove(key).filter(|value| !value.is_null())
    }

    /// The fields of a mapping within.
    pub(super) fn group(&mut self, key: &str) -> Fields<'_> {
        let value = self.raw(key);
        let path = self.path(key);
        Fields::new(&path, value, self.report)
    }

    /// A field that is understood and cannot be carried over, unless absent.
    pub(super) fn lose(&mut self, key: &str, meaning: &str, next: &str) {
        if let Some(value) = self.raw(key) {
            self.lost(key, &value, meaning, next);
        }
    }

    pub(super) fn lost(&mut self, key: &str, value: &Value, meaning: &str, next: &str) {
        let path = self.path(key);
        self.report.lost(&path, value, meaning, next);
    }

    pub(super) fn note(&mut self, key: &str, value: &Value, meaning: &str, next: &str) {
        let path = self.path(key);
        self.report.note(&path, value, meaning, next);
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        let next = "see what it means, and whether this project has a field for it";
        for (key, value) in std::mem::take(&mut self.left) {
            self.lost(&key, &value, "the field is not known", next);
        }
    }
}

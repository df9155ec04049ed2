//! JSON with the names of its places, so that every refusal names the key at fault.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::cni::error::{Code, Error};
use crate::cni::invocation::excerpt;

/// A value and where it stands, such as `ipam.ranges[0][1].subnet`.
pub(super) struct Node<'a> {
    path: String,
    value: &'a Value,
}

/// An object and where it stands.
pub(super) struct Object<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    /// Refuses this value: it is not what is wanted here.
    pub(super) fn refuse(
        &self,
        why: impl std::fmt::Display,
        next: impl std::fmt::Display,
    ) -> Error {
        Error::new(Code::Configuration, format!("{}: {why}", self.path)).next(next)
    }

    pub(super) fn text(&self) -> Result<&'a str, Error> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.refuse("is no text", "write it in double quotes"))
    }

    /// An address; an empty text means none, as it does to Go's decoder.
    pub(super) fn address(&self) -> Result<Option<IpAddr>, Error> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Some(address.to_canonical())),
            Err(_) => Err(self.refuse(
                format!("`{}` is no IP address", excerpt(text)),
                "write an address such as 10.1.0.5 or fd00::5",
            )),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, Error> {
        let Some(values) = self.value.as_array() else {
            return Err(self.refuse("is no list", "write it in brackets"));
        };
        let nodes = values.iter().enumerate().map(|(at, value)| Node {
            path: format!("{}[{at}]", self.path),
            value,
        });
        Ok(nodes.collect())
    }

    pub(super) fn object(&self) -> Result<Object<'a>, Error> {
        let Some(fields) = self.value.as_object() else {
            return Err(self.refuse("is no object", "write it in braces"));
        };
        Ok(Object {
            path: self.path.clone(),
            fields,
        })
    }

    pub(super) const fn value(&self) -> &'a Value {
        self.value
    }
}

impl<'a> Object<'a> {
    pub(super) const fn root(fields: &'a Map<String, Value>) -> Self {
        Self {
            path: String::new(),
            fields,
        }
    }

    /// The field, in any case of its letters as Go's decoder reads it; `null` is no field.
    pub(super) fn field(&self, name: &str) -> Option<Node<'a>> {
        let ignoring_case = || {
            let mut fields = self.fields.iter();
            fields.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        };
        let value = self.fields.get(name).or_else(ignoring_case)?;
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        (!value.is_null()).then_some(Node { path, value })
    }

    /// The list in a field; empty without it.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Node<'a>>, Error> {
        self.field(name).map_or(Ok(Vec::new()), |node| node.list())
    }

    pub(super) fn address(&self, name: &str) -> Result<Option<IpAddr>, Error> {
        self.field(name).map_or(Ok(None), |node| node.address())
    }

    /// The text in a field; `None` without it and for an empty one.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let text = self.field(name).map(|node| node.text()).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Error> {
        self.field(name).map(|node| node.object()).transpose()
    }
}

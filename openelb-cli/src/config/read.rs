//! Reads a typed object out of a [`Node`]: reports every unknown key and every wrong value, not
//! only the first.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::diagnostic::Place;
use super::node::{Key, Node, Value};

/// One thing wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Reads `T`; `None` when a value that `T` needs is missing or wrong.
///
/// After a wrong value the reading starts over without it, so that one pass tells everything.
pub(super) fn read<T: DeserializeOwned>(node: &Node) -> (Option<T>, Vec<Issue>) {
    let mut rest = node.clone();
    let mut wrong = Vec::new();
    let mut dropped = Vec::new();
    loop {
        let unknown = RefCell::new(Vec::new());
        let reader = Reader {
            node: &rest,
            path: &Path::Root,
            unknown: &unknown,
        };
        let outcome = T::deserialize(reader);
        let error = match outcome {
            Ok(value) => {
                wrong.append(&mut unknown.into_inner());
                let usable = wrong.is_empty();
                return (usable.then_some(value), in_order(wrong));
            }
            Err(error) => error,
        };
        let place = error.place.unwrap_or(rest.place);
        // Not again when the value was wrong, or its key mistyped: that is told already.
        let is_told = |field: &str| {
            let meant = did_you_mean_help(field);
            dropped.iter().any(|name| name == field)
                || unknown
                    .borrow()
                    .iter()
                    .any(|issue: &Issue| issue.help.as_ref() == Some(&meant))
        };
        if !error.missing.is_some_and(is_told) {
            let help = error.help;
            wrong.push(Issue {
                place,
                key: error.key,
                message: error.message,
                help,
            });
        }
        let removed = if error.missing.is_some() {
            None
        } else {
            rest.remove(place)
        };
        let Some(name) = removed else {
            wrong.append(&mut unknown.into_inner());
            return (None, in_order(wrong));
        };
        dropped.push(name);
    }
}

fn in_order(mut issues: Vec<Issue>) -> Vec<Issue> {
    issues.sort_by_key(|issue| issue.place);
    issues.dedup();
    issues
}

/// The candidate that was probably meant: equal but for letter case, or few typing mistakes away.
pub(super) fn did_you_mean<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&typed, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn did_you_mean_help(name: &str) -> String {
    format!("did you mean `{name}`?")
}

enum Path<'a> {
    Root,
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Field(Path::Root, name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[derive(Debug)]
struct ReadError {
    message: String,
    help: Option<String>,
    missing: Option<&'static str>,
    place: Option<Place>,
    key: String,
}

impl ReadError {
    /// Remembers the place, unless a place further inside is known already.
    fn at(mut self, node: &Node, path: &Path<'_>) -> Self {
        if self.place.is_none() {
            self.place = Some(node.place);
            self.key = path.to_string();
        }
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        Self {
            message,
            help: None,
            missing: None,
            place: None,
            key: String::new(),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = in_words(&expected.to_string());
        let mut error = Self::custom(format_args!("expected {wanted}, found {}", shown(found)));
        if !matches!(found, Unexpected::Str(_)) && expected.to_string().contains("string") {
            error.help = Some("put the value in quotes".to_owned());
        }
        error
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        let mut error = Self::custom(format_args!("unknown value `{found}`"));
        error.help = Some(match did_you_mean(found, expected.iter().copied()) {
            Some(name) => did_you_mean_help(name),
            None => format!("write one of: {}", expected.join(", ")),
        });
        error
    }

    fn missing_field(field: &'static str) -> Self {
        let mut error = Self::custom(format_args!("the key `{field}` is missing"));
        error.help = Some(format!("add `{field}:` with its value"));
        error.missing = Some(field);
        error
    }
}

/// What serde expects, as a person would say it.
fn in_words(expected: &str) -> String {
    match expected {
        "u16" => "a number from 0 to 65535".to_owned(),
        "u32" | "u64" => "a number from 0".to_owned(),
        "i32" | "i64" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

fn shown(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Bool(value) => value.to_string(),
        other => other.to_string(),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    path: &'a Path<'a>,
    unknown: &'a RefCell<Vec<Issue>>,
}

impl Reader<'_> {
    fn note_unknown_keys(&self, fields: &'static [&'static str]) {
        let Value::Map(entries) = &self.node.value else {
            return;
        };
        let unknown = entries
            .iter()
            .filter(|(key, _)| !fields.contains(&key.text.as_str()));
        self.unknown
            .borrow_mut()
            .extend(unknown.map(|(key, _)| Issue {
                place: key.place,
                key: Path::Field(self.path, &key.text).to_string(),
                message: format!("unknown key `{}`", key.text),
                help: Some(match did_you_mean(&key.text, fields.iter().copied()) {
                    Some(name) => did_you_mean_help(name),
                    None => format!("known keys here: {}", fields.join(", ")),
                }),
            }));
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match &self.node.value {
            Value::Null => Unexpected::Other("nothing"),
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Int(value) => Unexpected::Signed(*value),
            Value::Unsigned(value) => Unexpected::Unsigned(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(value) => Unexpected::Str(value),
            Value::List(_) => Unexpected::Other("a list"),
            Value::Map(_) => Unexpected::Other("a mapping"),
        }
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let read = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_str(value),
            Value::List(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
                parent: self,
            }),
            Value::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
                parent: self,
            }),
        };
        read.map_err(|error| error.at(self.node, self.path))
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Map(_) => {
                self.note_unknown_keys(fields);
                self.visit(visitor)
            }
            _ => Err(ReadError::custom(format_args!(
                "expected a mapping ({name}), found {}",
                self.unexpected()
            ))
            .at(self.node, self.path)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let read = match &self.node.value {
            Value::Text(text) => visitor.visit_enum(Variant { name: text }),
            _ => Err(ReadError::custom(format_args!(
                "expected a word, found {}",
                self.unexpected()
            ))),
        };
        read.map_err(|error| error.at(self.node, self.path))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), ReadError> {
        Ok((seed.deserialize(self.name.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, ReadError> {
        Err(ReadError::custom("expected a mapping, found a word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::custom("expected a list, found a word"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ReadError> {
        Err(ReadError::custom("expected a mapping, found a word"))
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    parent: Reader<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let path = Path::Item(self.parent.path, index);
        seed.deserialize(Reader {
            node,
            path: &path,
            unknown: self.parent.unknown,
        })
        .map(Some)
        .map_err(|error| error.at(node, &path))
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a (Key, Node)>,
    parent: Reader<'a>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        self.value = self.rest.next();
        let Some((key, _)) = self.value else {
            return Ok(None);
        };
        seed.deserialize(key.text.as_str().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Some((key, node)) = self.value.take() else {
            return Err(ReadError::custom("a value was read before its key"));
        };
        let path = Path::Field(self.parent.path, &key.text);
        seed.deserialize(Reader {
            node,
            path: &path,
            unknown: self.parent.unknown,
        })
        .map_err(|error| error.at(node, &path))
    }
}

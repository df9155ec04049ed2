//! A JSON schema as a structural schema: the part of it that an API server takes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The structural schema of what is deserialised as `T`.
pub(super) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    shape(&mut schema);
    schema
}

/// Rewrites a schema and every schema in it.
fn shape(schema: &mut Value) {
    let Value::Object(keywords) = schema else {
        return;
    };
    for keyword in UNKNOWN_TO_SERVERS {
        keywords.remove(*keyword);
    }
    drop_null(keywords);
    join_words(keywords);
    choose_format(keywords);
    if let Some(Value::String(text)) = keywords.get_mut("description") {
        *text = plain(text);
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
        properties.values_mut().for_each(shape);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(schema) = keywords.get_mut(keyword) {
            shape(schema);
        }
    }
}

/// Go has no `null` beside a value: what is absent is left out.
fn drop_null(keywords: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = keywords.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            keywords.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = keywords.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = keywords.get_mut(choice) else {
            continue;
        };
        branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            keywords.remove(choice);
            for (keyword, value) in only {
                keywords.entry(keyword).or_insert(value);
            }
        }
    }
}

/// An enumeration whose words have comments is a choice of constants; a server wants the words in
/// one list, and people want the comments in the description.
fn join_words(keywords: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = keywords.remove("oneOf") else {
        return;
    };
    let mut words = Vec::new();
    let mut meanings = String::new();
    for branch in branches {
        let word = branch.get("const").cloned();
        let comment = branch.get("description").and_then(Value::as_str);
        if let (Some(word), Some(comment)) = (word.as_ref().and_then(Value::as_str), comment) {
            meanings.extend([" ", word, ": ", comment]);
        }
        words.extend(word);
        let listed = branch.get("enum").and_then(Value::as_array);
        words.extend(listed.into_iter().flatten().cloned());
    }
    let text = keywords.get("description").and_then(Value::as_str);
    let text = format!("{}{meanings}", text.unwrap_or_default());
    keywords.insert("description".to_owned(), Value::String(text));
    keywords.insert("type".to_owned(), "string".into());
    keywords.insert("enum".to_owned(), Value::Array(words));
}

/// The formats that OpenELB's schemas have: `int32`, and none for Go's `int`. It writes `int32` for
/// unsigned numbers of 32 bits too, which keeps an API server from taking the upper half of them, and
/// with a larger maximum from taking any: those are `int64`.
fn choose_format(keywords: &mut Map<String, Value>) {
    let Some(format) = keywords.get("format").and_then(Value::as_str) else {
        return;
    };
    let (format, largest) = match format {
        "uint8" | "uint16" | "int32" => (Some("int32"), None),
        "uint32" => (Some("int64"), Some(u32::MAX)),
        _ => (None, None),
    };
    keywords.remove("format");
    if let Some(format) = format {
        keywords.insert("format".to_owned(), format.into());
    }
    if let Some(largest) = largest {
        keywords.insert("maximum".to_owned(), largest.into());
    }
}

/// Text for `kubectl explain`, which shows it as it is.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ").replace('`', "")
}

/// Keywords that a server refuses or that would make it fill in defaults, which changes objects.
const UNKNOWN_TO_SERVERS: &[&str] = &["$schema", "default", "title", "writeOnly"];

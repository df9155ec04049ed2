//! The part of an `OpenAPI` schema that custom objects are checked against: types, required fields,
//! enumerations, bounds. Rules in CEL are the real server's business.

use serde_json::Value;

/// What is wrong with an object.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where: `spec.address`.
    pub field: String,
    /// The word of the API for it.
    pub reason: &'static str,
    /// What is said about it.
    pub why: String,
}

/// Removes the fields that the schema does not know, and fills in its defaults.
pub(crate) fn prune(value: &mut Value, schema: &Value, is_root: bool) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match value {
        Value::Object(fields) => {
            let Some(known) = schema["properties"].as_object() else {
                let each = &schema["additionalProperties"];
                fields
                    .values_mut()
                    .filter(|_| each.is_object())
                    .for_each(|value| prune(value, each, false));
                return;
            };
            let is_kept =
                |name: &str| known.contains_key(name) || (is_root && ROOT.contains(&name));
            fields.retain(|name, value| {
                is_kept(name) && (!value.is_null() || known[name]["nullable"] == true)
            });
            for (name, schema) in known {
                if !schema["default"].is_null() && !fields.contains_key(name) {
                    fields.insert(name.clone(), schema["default"].clone());
                }
                if let Some(value) = fields
                    .get_mut(name)
                    .filter(|_| !(is_root && name == "metadata"))
                {
                    prune(value, schema, false);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| prune(item, &schema["items"], false)),
        _ => {}
    }
}

/// The first thing that is wrong with `value`.
pub(crate) fn fault(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    if schema["nullable"] == true && value.is_null() {
        return None;
    }
    mistyped(value, schema, path)
        .or_else(|| unlisted(value, schema, path))
        .or_else(|| missing(value, schema, path))
        .or_else(|| out_of_bounds(value, schema, path))
        .or_else(|| below(value, schema, path))
}

fn mistyped(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    let wanted = schema["type"].as_str()?;
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = found == wanted || (wanted == "number" && found == "integer");
    let why = format!(
        "Invalid value: \"{found}\": {} in body must be of type {wanted}: \"{found}\"",
        path.trim_start_matches('.')
    );
    (!fits).then(|| new(path, "FieldValueTypeInvalid", why))
}

fn unlisted(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    let allowed = schema["enum"].as_array()?;
    let names: Vec<String> = allowed.iter().map(Value::to_string).collect();
    let why = format!(
        "Unsupported value: {value}: supported values: {}",
        names.join(", ")
    );
    (!allowed.contains(value)).then(|| new(path, "FieldValueNotSupported", why))
}

fn missing(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    let object = value.as_object()?;
    let mut required = schema["required"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str);
    let name = required.find(|name| !object.contains_key(*name))?;
    Some(new(
        &format!("{path}.{name}"),
        "FieldValueRequired",
        "Required value".to_owned(),
    ))
}

fn out_of_bounds(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    let field = path.trim_start_matches('.');
    let number = value.as_f64().unwrap_or_default();
    let least = schema["minimum"].as_f64().filter(|least| number < *least);
    let most = schema["maximum"].as_f64().filter(|most| number > *most);
    let why = match (least, most) {
        _ if !value.is_number() => return None,
        (Some(least), _) => format!("{field} in body should be greater than or equal to {least}"),
        (_, Some(most)) => format!("{field} in body should be less than or equal to {most}"),
        (None, None) => return None,
    };
    Some(new(
        path,
        "FieldValueInvalid",
        format!("Invalid value: {value}: {why}"),
    ))
}

fn below(value: &Value, schema: &Value, path: &str) -> Option<Fault> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let each = &schema["additionalProperties"];
            let schema = schema["properties"].get(name).unwrap_or(each);
            fault(value, schema, &format!("{path}.{name}"))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(place, item)| fault(item, &schema["items"], &format!("{path}[{place}]"))),
        _ => None,
    }
}

fn new(path: &str, reason: &'static str, why: String) -> Fault {
    Fault {
        field: path.trim_start_matches('.').to_owned(),
        reason,
        why,
    }
}

const ROOT: [&str; 3] = ["apiVersion", "kind", "metadata"];

//! The four ways in which a patch changes an object.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::shape::Shape;

/// A JSON merge patch (RFC 7396).
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge_patch(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A strategic merge patch: lists with elements of their own merge by them, `$patch: delete` takes
/// one out.
pub(crate) fn strategic(target: &mut Value, patch: &Value, shape: &Shape) {
    match (&mut *target, patch) {
        (Value::Object(fields), Value::Object(patch)) if shape.has_fields() => {
            for (name, value) in patch {
                if value.is_null() {
                    fields.remove(name);
                } else {
                    let field = fields.entry(name.clone()).or_insert(Value::Null);
                    strategic(field, value, shape.field(name));
                }
            }
        }
        (Value::Array(items), Value::Array(patch)) if shape.has_elements() => {
            // What is new comes first, in the order of the patch.
            let mut new = Vec::new();
            for change in patch {
                new.extend(strategic_item(items, change, shape));
            }
            items.splice(0..0, new);
        }
        (target, patch) => merge_patch(target, patch),
    }
}

/// Changes the item that `change` is about; one that is not there yet comes back.
fn strategic_item(items: &mut Vec<Value>, change: &Value, shape: &Shape) -> Option<Value> {
    let element = shape.element(change);
    let is_deletion = change["$patch"] == "delete";
    let place = items.iter().position(|item| shape.element(item) == element);
    match place {
        Some(place) if is_deletion => drop(items.remove(place)),
        Some(place) => strategic(&mut items[place], change, shape.item()),
        None if is_deletion => {}
        None => return Some(change.clone()),
    }
    None
}

/// A JSON patch (RFC 6902): `add`, `replace`, `remove` and `test`.
pub(crate) fn json_patch(target: &mut Value, patch: &Value) -> Result<(), Failure> {
    let steps = patch.as_array().ok_or_else(Failure::rejected)?;
    for step in steps {
        let place = step["path"].as_str().ok_or_else(Failure::rejected)?;
        let (parent, last) = place.rsplit_once('/').ok_or_else(Failure::rejected)?;
        let last = last.replace("~1", "/").replace("~0", "~");
        let parent = target.pointer_mut(parent).ok_or_else(Failure::rejected)?;
        let operation = step["op"].as_str().unwrap_or_default();
        json_step(parent, &last, operation, &step["value"]).ok_or_else(Failure::rejected)?;
    }
    Ok(())
}

fn json_step(parent: &mut Value, last: &str, operation: &str, value: &Value) -> Option<()> {
    match (parent, operation) {
        (Value::Object(fields), "add") => fields
            .insert(last.to_owned(), value.clone())
            .map_or(Some(()), |_| Some(())),
        (Value::Object(fields), "replace") => {
            fields.get_mut(last).map(|field| *field = value.clone())
        }
        (Value::Object(fields), "remove") => fields.remove(last).map(drop),
        (Value::Object(fields), "test") => (fields.get(last) == Some(value)).then_some(()),
        (Value::Array(items), "add") if last == "-" => {
            items.push(value.clone());
            Some(())
        }
        (Value::Array(items), operation) => {
            let place: usize = last
                .parse()
                .ok()
                .filter(|place| *place < items.len() + usize::from(operation == "add"))?;
            match operation {
                "add" => items.insert(place, value.clone()),
                "replace" => *items.get_mut(place)? = value.clone(),
                "remove" => drop(items.remove(place)),
                "test" => return (items.get(place) == Some(value)).then_some(()),
                _ => return None,
            }
            Some(())
        }
        _ => None,
    }
}

/// What `old` becomes when everything in `config` is set in it: the merge of server-side apply.
pub(crate) fn merged(old: &Value, config: &Value, shape: &Shape) -> Value {
    match (old, config) {
        (Value::Object(old), Value::Object(config)) if shape.has_fields() => {
            let mut fields = old.clone();
            for (name, value) in config {
                let before = old.get(name).unwrap_or(&Value::Null);
                fields.insert(name.clone(), merged(before, value, shape.field(name)));
            }
            Value::Object(fields)
        }
        (Value::Array(old), Value::Array(config)) if shape.has_elements() => {
            let mut items: Vec<Value> = old.clone();
            for value in config {
                let element = shape.element(value);
                match items.iter_mut().find(|item| shape.element(item) == element) {
                    Some(item) => *item = merged(item, value, shape.item()),
                    None => items.push(value.clone()),
                }
            }
            Value::Array(items)
        }
        (_, config) => config.clone(),
    }
}

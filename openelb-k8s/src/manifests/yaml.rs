//! Objects as YAML.

use serde_json::Value;
use serde_saphyr::SerializerOptions;

/// The objects as one stream of documents. Keys are in the order of the alphabet, so that equal
/// objects are equal texts.
pub fn yaml(objects: &[Value]) -> String {
    let documents = objects.iter().map(document);
    documents.collect::<Vec<_>>().join("---\n")
}

/// One object.
pub(super) fn document(object: &Value) -> String {
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, object, options())
        .expect("text, numbers, lists and maps with text keys are YAML, and memory takes them");
    text
}

/// Long lines stay as they are: people copy the rules in them.
fn options() -> SerializerOptions {
    let mut options = SerializerOptions::default();
    options.prefer_block_scalars = false;
    options
}

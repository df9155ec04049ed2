//! What the documents tell people to apply, as an API server takes it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::installation::INSTALLED;

#[test]
fn every_object_in_the_documents_is_taken_and_every_field_of_it_is_known() {
    let Some(plane) = &*INSTALLED else { return };
    let create = [
        "create",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
    ];
    let (mut taken, mut refused) = (0, Vec::new());
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let blocks = text.split("```yaml\n").skip(1);
        let blocks = blocks.filter_map(|rest| rest.split("```").next());
        for text in blocks.flat_map(|block| block.split("---\n")) {
            let object: Value = serde_saphyr::from_str(text).unwrap();
            if is_not_for_a_server(&object) {
                continue;
            }
            match plane.kubectl_with(&create, text) {
                Ok(_) => taken += 1,
                Err(why) => refused.push(format!("{}:\n{text}\n{why}", document.display())),
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(taken > 20, "{taken}");
}

/// A part of a file, or what the daemon or kustomize reads.
fn is_not_for_a_server(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    ["", "openelb.io/v1"].contains(&version) || version.starts_with("kustomize.config.k8s.io/")
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guides = fs::read_dir(root.join("docs")).unwrap();
    let guides = guides.map(|entry| entry.unwrap().path());
    guides.chain([root.join("README.md")]).collect()
}

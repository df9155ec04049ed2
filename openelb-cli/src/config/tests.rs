//! One pass tells everything that is wrong, with its place and the next step.

use std::fs;
use std::path::Path;

use openelb_k8s::bgp::Node;

use super::{Announce, Config, InvalidConfig, load};

fn loaded(yaml: &str) -> Result<Config, InvalidConfig> {
    loaded_from(tempfile::tempdir().unwrap().path(), yaml)
}

fn loaded_from(directory: &Path, yaml: &str) -> Result<Config, InvalidConfig> {
    let path = directory.join("openelb.yaml");
    fs::write(&path, yaml).unwrap();
    load(&[path], &Node::default())
}

/// What the user sees, without the directory of the file.
fn shown(yaml: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let error = loaded_from(directory.path(), yaml).expect_err("the file has an error");
    error
        .to_string()
        .replace(&format!("{}/", directory.path().display()), "")
}

const POOL: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata:
  name: edge
spec:
  address: 192.0.2.0/24, 2001:db8::/64
  protocol: layer2
  interface: eth0
  autoAssign: true
";

const SERVICE: &str = "---
apiVersion: openelb.io/v1
kind: Service
metadata:
  name: web
";

#[test]
fn a_whole_file_becomes_pools_and_services() {
    let config = loaded(&format!(
        "{POOL}{SERVICE}  namespace: shop
  labels: {{app: web}}
spec:
  ipFamilies: [IPv6, IPv4]
  addresses: [192.0.2.7]
  pool: edge
  ports: [{{port: 80}}, {{protocol: UDP, port: 53}}]
  sharingKey: blue
  announce: Standby
  healthCheck: {{protocol: HTTP, port: 8080, path: /healthz}}
"
    ))
    .unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.pools[0].interfaces, Some("eth0".parse().unwrap()));
    let service = &config.services[0];
    assert_eq!(service.owner.key.as_str(), "service/shop/web");
    assert_eq!(service.request.ports.to_string(), "TCP/80,UDP/53");
    assert_eq!(service.request.pool.as_deref(), Some("edge"));
    assert_eq!(service.announce, Announce::Standby);
    assert_eq!(service.health_check.as_ref().unwrap().failure_threshold, 3);
}

#[test]
fn an_empty_file_is_an_empty_configuration() {
    for yaml in ["", "---\n", "# nothing\n---\n---\n"] {
        let config = loaded(yaml).unwrap();
        assert!(config.pools.is_empty() && config.services.is_empty());
    }
}

#[test]
fn several_faults_of_several_documents_are_told_at_once() {
    let yaml = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata:
  name: edge
spec:
  adress: 192.0.2.0/24
  protocol: layr2
  priority: high
---
apiVersion: network.kubesphere.io/v1
kind: Eip
metadata: {name: other}
---
kind: Servce
---
apiVersion: openelb.io/v1
kind: Service
metadata: {name: web}
spec:
  pool: egde
  ports: [{port: 70000}]
";
    insta::assert_snapshot!(shown(yaml));
}

#[test]
fn faults_of_meaning_point_at_their_key() {
    let yaml = format!(
        "{POOL}---
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {{name: edge}}
spec:
  address: 198.51.100.9-198.51.100.1
  coolDown: soon
{SERVICE}spec:
  pool: egde
  addresses: [192.0.2.1, 203.0.113.1]
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv4, IPv6]
  sharingKey: blue
  healthCheck: {{protocol: HTTP, port: 0, path: healthz}}
"
    );
    insta::assert_snapshot!(shown(&yaml));
}

#[test]
fn a_syntax_error_names_line_and_column() {
    insta::assert_snapshot!(shown("kind: Eip\nmetadata: {name: [\n"));
}

#[test]
fn a_key_written_twice_is_an_error() {
    insta::assert_snapshot!(shown("kind: Eip\nkind: Eip\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(&["/nonexistent/openelb.yaml".into()], &Node::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("--> /nonexistent/openelb.yaml"), "{error}");
    assert!(error.contains("help: name a YAML file"), "{error}");
}

#[test]
fn a_pool_that_nobody_can_get_from_is_a_warning() {
    let config = loaded(&POOL.replace("  autoAssign: true\n", "")).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(
        config.warnings[0]
            .help
            .as_ref()
            .unwrap()
            .contains("autoAssign: true")
    );
}

#[test]
fn hostile_yaml_is_an_error_and_no_harm() {
    let deep = "[".repeat(100_000);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    for yaml in [
        deep.as_str(),
        bomb,
        "\u{0}",
        "? [a]\n: b\n",
        "- 1\n",
        "kind: [Eip]\n",
        "5\n",
    ] {
        assert!(loaded(yaml).is_err(), "{:?}", yaml.get(..20));
    }
}

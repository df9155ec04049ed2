//! `openelb explain`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::testenv::{Env, POOL};

const TWO_POOLS: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: blue-only}
spec: {address: 198.51.100.0/30, protocol: none, namespaces: [blue]}
---
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: named-only}
spec: {address: 203.0.113.0/24, protocol: none, autoAssign: false}
---
apiVersion: openelb.io/v1
kind: Service
metadata: {namespace: red, name: web}
";

#[test]
fn a_service_without_an_address_learns_which_pool_refused_and_why() {
    let env = Env::new();
    env.write("openelb.yaml", TWO_POOLS);
    let _daemon = env.daemon(&[]);
    let ran = env.run(&["explain", "red/web"]);
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_wish_is_explained_without_being_granted() {
    let env = Env::with_pools(TWO_POOLS);
    let ran = env.run(&["explain", "blue/web"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
    assert_eq!(
        env.run(&["explain", "red/web", "--pool", "named-only"])
            .code,
        0
    );
    assert_eq!(env.run(&["ip", "ls"]).out, "nobody holds an address\n");
}

#[test]
fn an_address_is_explained_by_its_owner() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "web"]);
    let ran = env.run(&["explain", "192.0.2.1"]);
    insta::assert_snapshot!(ran.out);
    assert_eq!(env.json(&["explain", "192.0.2.1"])["state"], "Used");
}

/// An API server that lists what it is given, and has no other kinds.
pub(crate) fn api_server(lists: Vec<(&'static str, Vec<Value>)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &lists);
        }
    });
    port
}

fn answer(mut stream: TcpStream, lists: &[(&str, Vec<Value>)]) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split([' ', '?']).nth(1).unwrap_or_default();
    let list = lists.iter().find(|(known, _)| *known == path);
    let (status, body) = match list {
        Some((_, items)) => (
            "200 OK",
            json!({"metadata": {"resourceVersion": "7"}, "items": items}),
        ),
        None => (
            "404 Not Found",
            json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}),
        ),
    };
    let body = body.to_string();
    let length = body.len();
    let head = "Content-Type: application/json\r\nConnection: close";
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}

/// `shop/web` opts in and has what the record says; `edge` is a pool of OpenELB 0.6 with that record.
pub(crate) fn cluster() -> Vec<(&'static str, Vec<Value>)> {
    let web = json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "5",
            "annotations": {"lb.kubesphere.io/v1alpha1": "openelb"},
            "finalizers": ["finalizer.lb.kubesphere.io/v1alpha1"],
        },
        "spec": {
            "type": "LoadBalancer", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"],
            "ports": [{"port": 80, "protocol": "TCP"}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}},
    });
    let edge = json!({
        "metadata": {
            "name": "edge", "resourceVersion": "6",
            "annotations": {"eip.openelb.kubesphere.io/is-default-eip": "true"},
        },
        "spec": {"address": "192.0.2.0/24", "protocol": "bgp"},
        "status": {"usage": 1, "poolSize": 256, "used": {"192.0.2.9": "shop/web"}},
    });
    vec![
        ("/api/v1/services", vec![web]),
        (
            "/api/v1/namespaces",
            vec![json!({"metadata": {"name": "shop", "resourceVersion": "1"}})],
        ),
        ("/apis/network.kubesphere.io/v1alpha2/eips", vec![edge]),
    ]
}

pub(crate) fn kubeconfig(env: &Env, port: u16) {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: 'http://127.0.0.1:{port}'}}\n\
         users:\n- name: u\n  user: {{}}\ncontexts:\n- name: test\n  context: {{cluster: c, user: u}}\n\
         current-context: nowhere\n"
    );
    env.write("kubeconfig", &text);
}

#[test]
fn a_service_of_a_cluster_is_explained_by_the_records_of_openelb_itself() {
    let env = Env::new();
    kubeconfig(&env, api_server(cluster()));
    let typed = [
        "--kubeconfig",
        "kubeconfig",
        "--context",
        "test",
        "-n",
        "shop",
    ];
    let ran = env.run(&[&["explain", "svc/web"], &typed[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.out);
    let data = env.json(&[&["explain", "svc/web"], &typed[..]].concat());
    assert_eq!(data["addresses"][0]["how"], "keeps");
    let missing = env.run(&[&["explain", "svc/none"], &typed[..]].concat());
    assert_eq!(missing.code, 5, "{missing:?}");
    assert!(
        missing
            .err
            .contains("there is no Service none in namespace shop")
    );
}

#[test]
fn without_a_cluster_the_way_to_it_is_what_is_wrong() {
    let env = Env::new();
    let ran = env.run(&["explain", "svc/web", "--kubeconfig", "none"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("kubeconfig none") && ran.err.contains("next:"),
        "{ran:?}"
    );
}

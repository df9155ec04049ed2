//! The chart as Helm itself reads it: linted, rendered beside the manifests, installed and taken away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use openelb_k8s::envtest::{ControlPlane, Release, User};
use openelb_k8s::manifests::{Options, Protocols, objects};
use openelb_k8s::names;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{built, own, skip};
use crate::installation::uninstall;

#[test]
fn the_chart_renders_to_the_manifests_whatever_the_values() {
    let Some(helm) = Helm::find() else { return };
    let all = Options {
        monitoring: true,
        webhook: true,
        protocols: Protocols {
            layer2: true,
            bgp: true,
            vip: true,
            pods: true,
        },
        ..Options::default()
    };
    let bgp_alone = Options {
        protocols: Protocols {
            layer2: false,
            bgp: true,
            vip: false,
            pods: false,
        },
        image: "registry.example.com/openelb:dev".to_owned(),
        ..Options::default()
    };
    let cases: [(&[&str], Options); 3] = [
        (&[], Options::default()),
        (
            &[
                "monitoring.enabled=true",
                "webhook.enabled=true",
                "speaker.vip=true",
                "speaker.pods=true",
            ],
            all,
        ),
        (
            &[
                "speaker.layer2=false",
                "image.repository=registry.example.com/openelb",
                "image.tag=dev",
            ],
            bgp_alone,
        ),
    ];
    for (values, options) in cases {
        let mut rendered = helm.render(values);
        // These are of the chart alone: a key that Helm makes, and who uses it.
        let election = ["Secret/openelb-layer2", "Layer2Conf/default"];
        let made = election.map(|name| rendered.remove(name).is_some());
        assert_eq!(made, [options.protocols.layer2; 2], "{values:?}");
        let mut expected = named(objects(&options));
        // This one Helm makes itself.
        expected.remove("Namespace/openelb-system");
        let names = |objects: &BTreeMap<String, Value>| objects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&rendered), names(&expected), "{values:?}");
        for (name, object) in expected {
            assert_eq!(rendered[&name], object, "{values:?}: {name}");
        }
    }
}

#[test]
fn the_chart_is_clean_and_a_value_that_it_does_not_know_is_refused() {
    let Some(helm) = Helm::find() else { return };
    helm.done(&["lint", "--strict", CHART]);
    for wrong in [
        "controller.replcas=3",
        "speaker.bgp=perhaps",
        "image.pullPolicy=Sometimes",
    ] {
        let refused = helm.run(&["template", "openelb", CHART, "--set", wrong]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{wrong}");
        let key = wrong.split('=').next().unwrap();
        let key = key.rsplit('.').next().unwrap();
        assert!(said.contains(key), "{wrong}: {said}");
    }
}

#[test]
fn a_release_is_installed_upgraded_with_its_key_and_uninstalled_with_every_pool_kept() {
    let Some(helm) = Helm::find() else { return };
    let Some(plane) = own(Release::Current) else {
        return;
    };
    let helm = helm.with_cluster(&plane);
    let release = ["openelb", CHART, "--namespace", "openelb-system"];
    helm.done(&[&["install", "--create-namespace"], &release[..]].concat());
    let key = || {
        let secret = [
            "get",
            "secret",
            "openelb-layer2",
            "-n",
            "openelb-system",
            "-o",
        ];
        plane
            .kubectl(&[&secret[..], &["jsonpath={.data.key}"]].concat())
            .unwrap()
    };
    let made = key();
    assert!(made.len() >= 44, "{made}");
    let pool = json!({
        "apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip",
        "metadata": { "name": "edge" }, "spec": { "address": "192.0.2.0/24" },
    });
    plane.apply(&pool.to_string()).unwrap();

    let more = ["--set", "webhook.enabled=true,controller.replicas=3"];
    helm.done(&[&["upgrade"], &release[..], &more].concat());
    assert_eq!(key(), made);
    let replicas = [
        "get",
        "deployment",
        "openelb-controller",
        "-n",
        "openelb-system",
        "-o",
    ];
    let replicas = [&replicas[..], &["jsonpath={.spec.replicas}"]].concat();
    assert_eq!(plane.kubectl(&replicas).unwrap(), "3");
    plane
        .kubectl(&["get", "validatingwebhookconfiguration", "openelb-admission"])
        .unwrap();

    plane.apply(&served().to_string()).unwrap();
    helm.done(&["uninstall", "openelb", "--namespace", "openelb-system"]);
    plane.kubectl(&["get", "eip", "edge"]).unwrap();
    assert_eq!(key(), made);
    let left = [
        "get",
        "deployment,daemonset",
        "-n",
        "openelb-system",
        "-o",
        "name",
    ];
    assert_eq!(plane.kubectl(&left).unwrap(), "");

    // What Helm leaves goes by the steps, and then nothing is held back.
    uninstall(&plane);
    let delete = ["delete", "service", "web", "--timeout=60s"];
    plane.kubectl(&delete).unwrap();
}

/// A Service as the controller leaves one that it served.
fn served() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "web", "namespace": "default", "finalizers": [names::SERVICE_FINALIZER] },
        "spec": { "ports": [{ "port": 80 }] },
    })
}

/// Helm, and perhaps the cluster that it speaks to.
struct Helm<'a> {
    program: PathBuf,
    home: TempDir,
    plane: Option<&'a ControlPlane>,
}

impl<'a> Helm<'a> {
    /// `None` after saying loudly that `make envtest` has not built it.
    fn find() -> Option<Self> {
        let program = built("helm");
        if !program.exists() {
            return skip(&format!("{} is not built", program.display()));
        }
        Some(Self {
            program,
            home: tempfile::tempdir().unwrap(),
            plane: None,
        })
    }

    fn with_cluster(self, plane: &'a ControlPlane) -> Self {
        let plane = Some(plane);
        Self { plane, ..self }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_remove("KUBECONFIG");
        command.env("HOME", self.home.path());
        let Some(plane) = self.plane else {
            return command.output().unwrap();
        };
        command.env("KUBECONFIG", plane.kubeconfig(User::Admin).unwrap());
        plane.netns().run(move || command.output()).unwrap()
    }

    /// The same when it must succeed: what it writes.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        let wrote = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "helm {arguments:?}: {said}{wrote}");
        wrote.into_owned()
    }

    /// The objects of the chart with these values, by kind and name.
    fn render(&self, values: &[&str]) -> BTreeMap<String, Value> {
        let values = values.join(",");
        let version = Release::Current.version();
        let text = self.done(&[
            "template",
            "openelb",
            CHART,
            "--namespace=openelb-system",
            "--include-crds",
            "--kube-version",
            version,
            "--set",
            &values,
        ]);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        named(documents.into_iter().filter(|document| !document.is_null()))
    }
}

/// Objects by kind and name, without what says nothing.
fn named(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    let objects = objects.into_iter().map(|mut object| {
        plain(&mut object);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = text(&object["metadata"]["name"]);
        (format!("{}/{name}", text(&object["kind"])), object)
    });
    objects.collect()
}

/// A list without entries is none, and the server's own policy for an image with a tag need not be said:
/// the chart has the keys all the same.
fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(plain);
            fields.retain(|key, value| {
                let is_default = key == "imagePullPolicy" && value == "IfNotPresent";
                !is_default && *value != json!([]) && !value.is_null()
            });
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/chart");

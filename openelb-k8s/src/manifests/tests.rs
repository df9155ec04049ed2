//! The files beside the objects, and the objects beside what they must not be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Options, Protocols, folder, objects, uninstall_steps, yaml};

/// Written by hand; everything else below `deploy/` is made.
const BY_HAND: [&str; 6] = [
    "Containerfile",
    "README.md",
    "chart/templates/NOTES.txt",
    "chart/templates/election.yaml",
    "chart/values.schema.json",
    "chart/values.yaml",
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn full() -> Options {
    Options {
        monitoring: true,
        webhook: true,
        ..Options::default()
    }
}

fn of_kind(kind: &str, options: &Options) -> Value {
    let mut objects = objects(options).into_iter();
    objects.find(|object| object["kind"] == kind).unwrap()
}

fn named(kind: &str, name: &str, options: &Options) -> Value {
    let mut objects = objects(options).into_iter();
    let is_it = |it: &Value| it["kind"] == kind && it["metadata"]["name"] == name;
    objects.find(is_it).unwrap()
}

fn container(kind: &str, options: &Options) -> Value {
    of_kind(kind, options)["spec"]["template"]["spec"]["containers"][0].clone()
}

/// Rules of every role of an account, as `group/resource` to verbs.
fn rights(account: &str, options: &Options) -> BTreeMap<String, Vec<String>> {
    let mut rights: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let words = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let all = objects(options);
    let is_role = |object: &&Value| matches!(object["kind"].as_str(), Some("Role" | "ClusterRole"));
    for role in all.iter().filter(is_role) {
        if role["metadata"]["labels"]["app.kubernetes.io/component"] != account {
            continue;
        }
        for rule in role["rules"].as_array().unwrap() {
            for resource in words(&rule["resources"]) {
                let key = format!("{}/{resource}", rule["apiGroups"][0].as_str().unwrap());
                rights.entry(key).or_default().extend(words(&rule["verbs"]));
            }
        }
    }
    rights
}

#[test]
fn the_files_equal_the_objects() {
    if std::env::var_os("OPENELB_WRITE").is_some() {
        for (path, text) in folder() {
            let path = deploy().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let made = folder();
    for (path, text) in &made {
        let found = fs::read_to_string(deploy().join(path)).unwrap_or_default();
        assert!(
            found == *text,
            "deploy/{path} is not what the types make: run `make deploy`"
        );
    }
    for path in files_below(&deploy()) {
        let path = path.strip_prefix(deploy()).unwrap().to_str().unwrap();
        assert!(
            made.contains_key(path) || BY_HAND.contains(&path),
            "nobody makes deploy/{path}"
        );
    }
}

#[test]
fn every_object_is_read_back_from_its_yaml_as_it_was() {
    let objects = objects(&full());
    let text = yaml(&objects);
    let documents: Vec<Value> = text
        .split("---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect();
    assert_eq!(documents, objects);
}

#[test]
fn every_object_is_of_the_namespace_or_of_the_cluster() {
    let options = Options {
        namespace: "elsewhere".to_owned(),
        ..full()
    };
    let text = yaml(&objects(&options));
    assert!(!text.contains("openelb-system"), "{text}");
    assert!(text.contains("namespace: elsewhere"));
}

#[test]
fn the_controller_passes_the_restricted_profile() {
    let pod = of_kind("Deployment", &full())["spec"]["template"]["spec"].clone();
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    let container = container("Deployment", &full())["securityContext"].clone();
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(
        container["capabilities"],
        serde_json::json!({ "drop": ["ALL"] })
    );
    assert_eq!(container["readOnlyRootFilesystem"], true);
}

#[test]
fn a_speaker_has_only_the_capabilities_of_its_protocols() {
    let capabilities = |layer2, bgp, vip| {
        let protocols = Protocols {
            layer2,
            bgp,
            vip,
            pods: false,
        };
        let options = Options {
            protocols,
            ..Options::default()
        };
        let context = container("DaemonSet", &options)["securityContext"].clone();
        assert_eq!(context["capabilities"]["drop"][0], "ALL");
        context["capabilities"]["add"].to_string()
    };
    assert_eq!(
        capabilities(true, false, false),
        r#"["NET_RAW","SYS_NICE"]"#
    );
    assert_eq!(
        capabilities(false, true, false),
        r#"["NET_BIND_SERVICE","SYS_NICE"]"#
    );
    let vip = capabilities(false, false, true);
    assert_eq!(vip, r#"["NET_ADMIN","NET_RAW","SYS_NICE"]"#);
}

#[test]
fn a_speaker_reaches_the_configuration_of_cni_only_where_it_writes_it() {
    let pods = |pods| {
        let protocols = Protocols {
            pods,
            ..Protocols::default()
        };
        let options = Options {
            protocols,
            ..Options::default()
        };
        of_kind("DaemonSet", &options)["spec"]["template"]["spec"].clone()
    };
    assert!(!pods(false).to_string().contains("hostPath"));
    let volume = &pods(true)["volumes"][0]["hostPath"]["path"];
    assert_eq!(volume, "/etc/cni/net.d");
    let context = &pods(true)["containers"][0]["securityContext"]["capabilities"]["add"];
    assert_eq!(context[0], "NET_ADMIN");
}

#[test]
fn the_controller_changes_nothing_of_a_service_but_its_status() {
    let rights = rights("controller", &Options::default());
    assert_eq!(rights["/services"], ["get", "list", "watch"]);
    assert_eq!(rights["/services/status"], ["patch"]);
    assert!(
        !rights.contains_key("/secrets"),
        "only the webhook needs one"
    );
}

#[test]
fn a_speaker_writes_statuses_and_announcements_and_nothing_else() {
    let reads = ["get", "list", "watch"];
    for (resource, verbs) in rights("speaker", &full()) {
        let writes = verbs.iter().any(|verb| !reads.contains(&verb.as_str()));
        let may = resource.ends_with("/status") || resource.ends_with("/nodeannouncements");
        assert!(may || !writes, "{resource}: {verbs:?}");
    }
}

#[test]
fn no_role_names_everything_or_all_verbs() {
    for component in ["controller", "speaker"] {
        for (resource, verbs) in rights(component, &full()) {
            let has_star = resource.contains('*') || verbs.iter().any(|verb| verb == "*");
            assert!(!has_star, "{component}: {resource} {verbs:?}");
        }
    }
}

#[test]
fn the_webhook_is_never_asked_about_services_and_refuses_nothing_when_it_is_gone() {
    let configuration = of_kind("ValidatingWebhookConfiguration", &full());
    let webhook = &configuration["webhooks"][0];
    assert_eq!(webhook["failurePolicy"], "Ignore");
    assert_eq!(webhook["rules"].to_string().matches("services").count(), 0);
    let plain = yaml(&objects(&Options::default()));
    assert!(!plain.contains("WebhookConfiguration") && !plain.contains("--webhook"));
}

#[test]
fn the_key_of_the_election_is_not_shipped() {
    let secrets = objects(&full());
    assert!(secrets.iter().all(|object| object["kind"] != "Secret"));
}

#[test]
fn uninstalling_takes_every_finalizer_off() {
    let steps = uninstall_steps(&Options::default());
    for name in [crate::names::EIP_FINALIZER, crate::names::SERVICE_FINALIZER] {
        assert!(steps.contains(name), "{name}");
    }
    let last = steps
        .rfind("kubectl delete customresourcedefinition")
        .unwrap();
    assert!(
        steps.rfind("finalizers").unwrap() < last,
        "objects would wait for ever"
    );
}

#[test]
fn every_value_of_the_chart_that_a_template_reads_is_in_its_values() {
    let values = fs::read_to_string(deploy().join("chart/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let mut seen = 0;
    for (path, text) in folder() {
        if !path.starts_with("chart/templates/") {
            continue;
        }
        for piece in text.split(".Values.").skip(1) {
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            let name = &piece[..end.unwrap_or(piece.len())];
            let pointer = format!("/{}", name.replace('.', "/"));
            assert!(values.pointer(&pointer).is_some(), "{path}: {name}");
            seen += 1;
        }
        assert!(
            !text.contains("HOLE_"),
            "{path} has a hole that nothing fills"
        );
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn what_is_applied_at_once_has_no_object_of_a_kind_that_comes_with_it() {
    for (path, text) in folder() {
        // Helm defines kinds before it reads the templates.
        let is_kept_apart = path.starts_with("chart/");
        let own = format!("apiVersion: {}/", crate::names::GROUP);
        assert!(is_kept_apart || !text.contains(&own), "{path}");
    }
}

#[test]
fn the_way_into_the_controller_is_open_for_its_pages_and_the_webhook_alone() {
    let policy = of_kind("NetworkPolicy", &full());
    let open = policy["spec"]["ingress"][0]["ports"].as_array().unwrap();
    let open: Vec<_> = open.iter().map(|port| port["port"].clone()).collect();
    let served = &container("Deployment", &full())["ports"][0]["containerPort"];
    let service = named("Service", "openelb-webhook", &full());
    let asked = &service["spec"]["ports"][0]["targetPort"];
    assert_eq!(open, [served.clone(), asked.clone()]);
    // A rule for the way out would have to know every API server.
    assert_eq!(
        policy["spec"]["policyTypes"],
        serde_json::json!(["Ingress"])
    );
}

#[test]
fn what_scrapes_a_component_finds_one_service_and_through_it_the_pods_by_their_port() {
    let options = full();
    let all = objects(&options);
    let of = |kind| all.iter().filter(move |object| object["kind"] == kind);
    for workload in ["Deployment", "DaemonSet"] {
        let pods = &of_kind(workload, &options)["spec"]["template"];
        let port = &container(workload, &options)["ports"][0];
        let name = &of_kind(workload, &options)["metadata"]["name"];
        let monitor = named("ServiceMonitor", name.as_str().unwrap(), &options);
        let (endpoints, at) = (&monitor["spec"]["endpoints"], &monitor["spec"]);
        assert_eq!(at["namespaceSelector"]["matchNames"][0], options.namespace);

        let selected = &at["selector"]["matchLabels"];
        let mut services = of("Service").filter(|it| it["metadata"]["labels"] == *selected);
        let service = &services.next().unwrap()["spec"];
        assert!(services.next().is_none(), "{name}: scraped twice");
        assert_eq!(service["clusterIP"], "None");
        assert_eq!(service["selector"], pods["metadata"]["labels"]);
        let through = &service["ports"][0];
        assert_eq!(endpoints[0]["port"], through["name"]);
        assert_eq!(through["targetPort"], port["name"]);
        assert_eq!(through["port"], port["containerPort"]);
    }
    assert_eq!(of("ServiceMonitor").count(), 2);
}

#[test]
fn the_image_is_built_from_what_there_is_and_runs_as_the_manifests_say() {
    let root = deploy().join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let image = read("openelb-k8s/deploy/Containerfile");
    let has = |line: &str| assert!(image.lines().any(|it| it == line), "{line}\n{image}");

    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    has(&format!(
        "FROM docker.io/library/rust:{channel}-alpine AS build"
    ));
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    for member in members {
        // Those that are in the folder of another come with it.
        let folder = member.as_str().unwrap().split('/').next().unwrap();
        has(&format!("COPY {folder} {folder}"));
    }
    let package: toml::Table = read("openelb-k8s/Cargo.toml").parse().unwrap();
    let program = package["bin"][0]["name"].as_str().unwrap();
    let feature = package["bin"][0]["required-features"][0].as_str().unwrap();
    let name = package["package"]["name"].as_str().unwrap();
    let built = format!("--release -p {name} --features {feature} --bin {program} ");
    assert!(image.contains(&built), "{built}\n{image}");
    has(&format!("COPY --from=build /{program} /{program}"));
    has(&format!("ENTRYPOINT [\"/{program}\"]"));

    let pod = of_kind("Deployment", &full())["spec"]["template"]["spec"].clone();
    let context = &pod["securityContext"];
    let (user, group) = (&context["runAsUser"], &context["runAsGroup"]);
    has(&format!("USER {user}:{group}"));
    // The arguments are the program's, not of a command in its place.
    for kind in ["Deployment", "DaemonSet"] {
        assert!(container(kind, &full()).get("command").is_none(), "{kind}");
    }
}

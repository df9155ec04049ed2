//! What those who operate a cluster see of the processes: probes, metrics, logs, the Lease and what
//! objects say in the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use openelb_k8s::client::{Place, connect};
use openelb_k8s::envtest::{ControlPlane, Release, User};
use openelb_k8s::explain::{gather, leaks};
use openelb_k8s::wish::Serving;
use serde_json::Value;

use crate::cluster::eventually;
use crate::controller::{pool, service};
use crate::running::{Installation, NAMESPACE};

#[test]
fn a_leader_that_is_told_to_stop_gives_its_lease_up_before_it_ends() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&["--readiness-addr=127.0.0.1:7001"]);
    eventually("the first one leads", || leader(&here.plane, 7001, 1));
    here.start_controller(&["--readiness-addr=127.0.0.1:7002"]);
    eventually("the second one is ready", || {
        (page(&here.plane, 7002, "/readyz")?.0 == 200).then_some(())
    });
    leader(&here.plane, 7002, 0).unwrap();
    here.apply(&pool("lab", "192.0.2.0/28"));
    here.apply(&service("before", ""));
    here.wait_for_addresses(1);
    assert!(holder(&here).starts_with("openelb-controller-1_"));

    let log = here.stop_controller(0);
    // It would be the first one's for 15 s more if it had not been given up.
    let holder = holder(&here);
    assert!(!holder.starts_with("openelb-controller-1_"), "{holder}");
    eventually("the second one leads", || leader(&here.plane, 7002, 1));
    here.apply(&service("after", ""));
    here.wait_for_addresses(2);

    assert!(words(&log).contains(&"told to stop".to_owned()), "{log}");
    here.assert_nothing_was_refused();
}

#[test]
fn the_controller_tells_how_it_is_and_what_it_has_given() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&["--readiness-addr=127.0.0.1:7001", "--openelb-metric-names"]);
    here.apply(&pool("lab", "192.0.2.0/28"));
    here.apply(&service("web", ""));
    here.wait_for_addresses(1);

    for probe in ["/healthz", "/readyz"] {
        let (code, text) = page(&here.plane, 7001, probe).unwrap();
        assert_eq!((code, text.as_str()), (200, "ok\n"), "{probe}");
    }
    let metrics = eventually("what was given is counted", || {
        let (_, metrics) = page(&here.plane, 7001, "/metrics")?;
        metrics
            .contains("openelb_services{state=\"allocated\"} 1.0\n")
            .then_some(metrics)
    });
    for line in [
        "openelb_pool_used_addresses{pool=\"lab\",family=\"IPv4\"} 1.0\n",
        "openelb_api_writes_total{kind=\"Service\",outcome=\"done\"} ",
        "openelb_reconcile_seconds_count ",
        // The names that OpenELB gave them.
        "\naddresses_in_use_total{eipName=\"lab\"} 1.0\n",
        "\nservices_allocated_total{eipName=\"lab\"} 1.0\n",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }

    here.kubectl("delete service web --timeout=60s");
    eventually("nothing leaks", || {
        let found = leaks_of(&here.plane);
        found.is_empty().then_some(())
    });
    here.assert_nothing_was_refused();
}

/// What a process in the namespace of the control plane answers: status code and text. `None` while
/// nobody does.
pub(crate) fn page(plane: &ControlPlane, port: u16, path: &'static str) -> Option<(u16, String)> {
    plane.netns().run(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, text) = answer.split_once("\r\n\r\n")?;
        let code = head.split(' ').nth(1)?.parse().ok()?;
        Some((code, text.to_owned()))
    })
}

/// What a process logged, one message a line, each an object of JSON with its time and level.
pub(crate) fn words(log: &str) -> Vec<String> {
    let words = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        for key in ["timestamp", "level"] {
            assert!(line[key].is_string(), "{line}");
        }
        line["message"].as_str().unwrap_or_default().to_owned()
    });
    words.collect()
}

/// Whether the controller with its pages on this port says that it leads (1) or not (0).
fn leader(plane: &ControlPlane, port: u16, leads: u8) -> Option<()> {
    let (_, metrics) = page(plane, port, "/metrics")?;
    let line = format!("openelb_leader {leads}\n");
    metrics.contains(&line).then_some(())
}

fn holder(here: &Installation) -> String {
    let lease = here.read(&format!("lease openelb-controller -n {NAMESPACE}"));
    let holder = lease["spec"]["holderIdentity"].as_str();
    holder.unwrap_or_default().to_owned()
}

/// What `openelb doctor leaks` would list.
fn leaks_of(plane: &ControlPlane) -> Vec<String> {
    let admin = Place::File(plane.kubeconfig(User::Admin).unwrap());
    plane.netns().run(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let gathered = runtime.unwrap().block_on(async {
            let client = connect(&admin).await.unwrap();
            gather(&client).await.unwrap()
        });
        let found = leaks(&gathered, &Serving::default());
        found.iter().map(ToString::to_string).collect()
    })
}

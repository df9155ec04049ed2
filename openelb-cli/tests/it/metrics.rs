//! `/metrics` and `/healthz`.

use std::collections::BTreeMap;

use crate::testenv::{Env, POOL, addresses, free_port, page};

fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn pool_metrics_are_equal_to_the_records() {
    let env = Env::new();
    env.write(
        "openelb.yaml",
        &POOL.replace("autoAssign: true", "autoAssign: true\n  coolDown: 1h"),
    );
    let at = format!("127.0.0.1:{}", free_port());
    let daemon = env.daemon(&["--metrics", &at]);
    env.run(&["ip", "alloc", "x", "--count", "7"]);
    env.run(&["ip", "release", "x-3"]);
    let held = addresses(&env.json(&["ip", "ls"])).len();

    let (code, text) = page(&at, "/metrics");
    assert_eq!(code, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = samples(&text);
    let pool = |name: &str| {
        samples[&format!("openelb_pool_{name}_addresses{{pool=\"edge\",family=\"IPv4\"}}")]
    };
    assert_eq!(pool("used"), f64::from(u32::try_from(held).unwrap()));
    assert_eq!(
        (pool("capacity"), pool("cooling"), pool("quarantined")),
        (254.0, 1.0, 0.0)
    );
    let states = ["free", "used", "reserved", "cooling", "quarantined"];
    assert_eq!(states.map(pool).iter().sum::<f64>(), pool("capacity"));
    let generation = daemon.status()["generation"].as_f64().unwrap();
    assert_eq!(samples["openelb_generation"], generation);
    assert_eq!(samples["openelb_store_read_only"], 0.0);
    assert_eq!(samples["openelb_config_loads_total"], 1.0);
}

#[test]
fn a_refused_reload_is_a_metric() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let at = format!("127.0.0.1:{}", free_port());
    let daemon = env.daemon(&["--metrics", &at]);
    let value = |name: &str| samples(&page(&at, "/metrics").1)[name];
    assert_eq!(value("openelb_config_last_reload_successful"), 1.0);
    env.write("openelb.yaml", "kind: Nonsense\n");
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    env.until("a refusal", || {
        match value("openelb_config_refusals_total") {
            0.0 => Err("none yet".to_owned()),
            _ => Ok(()),
        }
    });
    assert_eq!(value("openelb_config_last_reload_successful"), 0.0);
    assert_eq!(page(&at, "/healthz"), (200, "ok\n".to_owned()));
}

#[test]
fn a_port_in_use_is_said_before_anything_else_happens() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let ran = env.run(&["run", "openelb.yaml", "--no-announce", "--metrics", &at]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(&at) && ran.err.contains("--metrics off"),
        "{ran:?}"
    );
}

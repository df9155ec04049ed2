//! Health checks: an unhealthy service keeps its address and loses its announcement.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::testenv::{Daemon, Env, POOL, addresses, free_port};

fn config(check: &str) -> String {
    format!(
        "{POOL}---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  healthCheck: {check}\n"
    )
}

fn until_state(env: &Env, daemon: &Daemon<'_>, wanted: &str) -> Value {
    env.until(wanted, || {
        let status = daemon.status();
        if status["services"][0]["state"] == wanted {
            Ok(status)
        } else {
            Err(status["services"].to_string())
        }
    })
}

#[test]
fn a_service_that_stops_answering_keeps_its_address_and_is_announced_again_later() {
    let env = Env::new();
    let port = free_port();
    env.write(
        "openelb.yaml",
        &config(&format!(
            "{{protocol: TCP, port: {port}, intervalSeconds: 1, failureThreshold: 1}}"
        )),
    );
    let daemon = env.daemon(&[]);
    let down = until_state(&env, &daemon, "Unhealthy");
    let held = addresses(&env.json(&["ip", "ls"]));
    assert_eq!(held, ["192.0.2.1"]);
    assert!(!down["problems"].as_array().unwrap().is_empty(), "{down}");

    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    until_state(&env, &daemon, "Silent");
    drop(listener);
    until_state(&env, &daemon, "Unhealthy");
    assert_eq!(addresses(&env.json(&["ip", "ls"])), held);
}

#[test]
fn an_http_check_wants_a_good_status_not_just_a_connection() {
    let env = Env::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_good = Arc::new(AtomicBool::new(false));
    let answer = Arc::clone(&is_good);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 64];
            let read = stream.read(&mut request).unwrap_or(0);
            let is_known = request[..read].starts_with(b"GET /ready HTTP/1.1\r\n");
            let status = if is_known && answer.load(Ordering::SeqCst) {
                "200 OK"
            } else {
                "503 Busy"
            };
            // The check may have given up already.
            let _ = stream
                .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
    });
    env.write(
        "openelb.yaml",
        &config(&format!("{{protocol: HTTP, port: {port}, path: /ready, intervalSeconds: 1, failureThreshold: 1}}")),
    );
    let daemon = env.daemon(&[]);
    let status = until_state(&env, &daemon, "Unhealthy");
    let detail = status["services"][0]["detail"].as_str().unwrap().to_owned();
    env.until("the status code in the detail", || {
        let status = daemon.status();
        let seen = status["services"][0]["detail"].as_str().unwrap().to_owned();
        if seen.contains("503") {
            Ok(())
        } else {
            Err(format!("{detail}, then {seen}"))
        }
    });
    is_good.store(true, Ordering::SeqCst);
    until_state(&env, &daemon, "Silent");
}

//! Any objects and answers, in any order, to the controller's machine: it panics at nothing.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_ipam::Time;
use openelb_k8s::controller::{Input, Kind, Machine, Outcome, Output, Settings, WriteId};

/// One thing that happens. Objects are what a few bytes choose.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Restart(u8),
    Synced(u8),
    Eip {
        name: u8,
        version: u8,
        address: u8,
        used: Vec<(u8, u8)>,
        flags: u8,
    },
    EipGone(u8),
    Service {
        name: u8,
        version: u8,
        shown: Option<u8>,
        flags: u8,
    },
    ServiceGone(u8),
    Unreadable(u8, u8),
    Leading(bool),
    Conflicts(Vec<u8>),
    Answer {
        back: u8,
        outcome: u8,
        version: u8,
    },
    Pass(u16),
}

fuzz_target!(|ops: Vec<Op>| {
    let mut machine = Machine::new(Settings {
        cap: 3,
        ..Settings::default()
    });
    let (mut now, mut last) = (Time(0), 0);
    for op in ops {
        if let Op::Pass(seconds) = op {
            now = Time(now.0 + u64::from(seconds) * 100);
            machine.handle_timeout(now);
        } else if let Some(input) = input(op, last) {
            machine.handle_input(input, now);
        }
        while let Some(output) = machine.poll_output() {
            if let Output::Write(write) = output {
                last = write.id.0;
            }
        }
        assert!(machine.poll_timeout().is_none_or(|at| at.0 < u64::MAX));
    }
    assert_eq!(machine.ipam().audit(), Vec::<String>::new());
});

fn input(op: Op, last: u64) -> Option<Input> {
    let kind = |at: u8| Kind::ALL[usize::from(at) % Kind::ALL.len()];
    Some(match op {
        Op::Restart(at) => Input::Restart(kind(at)),
        Op::Synced(at) => Input::Synced(kind(at)),
        Op::Eip {
            name,
            version,
            address,
            used,
            flags,
        } => {
            let used: Vec<_> = used
                .iter()
                .map(|(at, who)| format!("\"192.0.2.{at}\":\"ns/s{}\"", who % 4))
                .collect();
            let deleted = if flags & 1 == 1 {
                ",\"deletionTimestamp\":\"x\""
            } else {
                ""
            };
            let text = format!(
                r#"{{"apiVersion":"x","kind":"Eip","metadata":{{"name":"p{}","resourceVersion":"{version}"{deleted},
                "annotations":{{"eip.openelb.kubesphere.io/is-default-eip":"true"}}}},
                "spec":{{"address":"192.0.2.{address}/{}"}},"status":{{"used":{{{}}}}}}}"#,
                name % 3,
                24 + flags % 10,
                used.join(","),
            );
            Input::Eip(serde_json::from_str(&text).ok()?)
        }
        Op::EipGone(name) => Input::EipGone(format!("p{}", name % 3)),
        Op::Service {
            name,
            version,
            shown,
            flags,
        } => {
            let ingress = shown
                .map(|at| format!("{{\"ip\":\"192.0.2.{at}\"}}"))
                .unwrap_or_default();
            let kind = if flags & 1 == 1 {
                "ClusterIP"
            } else {
                "LoadBalancer"
            };
            let text = format!(
                r#"{{"metadata":{{"namespace":"ns","name":"s{}","resourceVersion":"{version}","uid":"u{}",
                "annotations":{{"lb.kubesphere.io/v1alpha1":"openelb"}}}},
                "spec":{{"type":"{kind}","clusterIPs":["10.0.0.1"],"ipFamilies":["IPv4"],"ports":[{{"port":{}}}]}},
                "status":{{"loadBalancer":{{"ingress":[{ingress}]}}}}}}"#,
                name % 4,
                flags & 2,
                80 + flags % 3,
            );
            Input::Service(serde_json::from_str(&text).ok()?)
        }
        Op::ServiceGone(name) => Input::ServiceGone {
            namespace: "ns".to_owned(),
            name: format!("s{}", name % 4),
        },
        Op::Unreadable(at, name) => Input::Unreadable {
            kind: kind(at),
            namespace: "ns".to_owned(),
            name: format!("s{}", name % 4),
        },
        Op::Leading(is_leading) => Input::Leading(is_leading),
        Op::Conflicts(all) => {
            let all = all.into_iter().map(|at| ([192, 0, 2, at].into(), "seen".to_owned()));
            Input::Conflicts(all.collect())
        }
        Op::Answer {
            back,
            outcome,
            version,
        } => Input::Written {
            id: WriteId(last.saturating_sub(u64::from(back % 8))),
            outcome: match outcome % 7 {
                0 => Outcome::Conflict,
                1 => Outcome::NotFound,
                2 => Outcome::Exists,
                3 => Outcome::Unknown,
                4 => Outcome::Rejected {
                    status: 422,
                    reason: String::new(),
                },
                5 => Outcome::Owned {
                    manager: "manager".to_owned(),
                    field: String::new(),
                },
                _ => Outcome::Done {
                    resource_version: version.to_string(),
                },
            },
        },
        Op::Pass(_) => return None,
    })
}

//! What a machine decided comes back from the status it was written to.

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Input, Machine, Settings, Sighting};
use serde_json::{Value, json};

use super::{Leader, Step, generations, is_same, projection, state, status};
use crate::api::{DynamicPrefix, PrefixObservation};

const NOW: u64 = 1_800_000_000_123;

fn seen(prefix: &str) -> Sighting {
    Sighting {
        source: 1,
        origin: "wan0".into(),
        prefix: prefix.parse().unwrap(),
        preferred_until: None,
        valid_until: Some(Time(NOW + 86_400_000)),
    }
}

/// One that was renumbered from A to B, at the time given.
fn renumbered() -> (Machine, Time) {
    let mut machine = Machine::new(Settings::default());
    machine.handle_input(Input::Seen(seen("2001:db8:a::/64")), Time(NOW));
    machine.handle_timeout(Time(NOW));
    machine.handle_timeout(Time(NOW + 15_000));
    let Sighting {
        source,
        origin,
        prefix,
        ..
    } = seen("2001:db8:a::/64");
    machine.handle_input(
        Input::Gone {
            source,
            origin,
            prefix,
        },
        Time(NOW + 20_000),
    );
    machine.handle_input(Input::Seen(seen("2001:db8:b::/64")), Time(NOW + 20_000));
    machine.handle_timeout(Time(NOW + 20_000));
    let later = Time(NOW + 35_000);
    machine.handle_timeout(later);
    let prefix = "2001:db8:b::/64".parse().unwrap();
    machine.handle_input(Input::Announced { prefix }, later);
    machine.handle_timeout(later);
    (machine, later)
}

#[test]
fn what_was_decided_is_read_back_from_the_status_to_the_millisecond() {
    let (machine, now) = renumbered();
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status = status(&object, &machine.explain(now), Vec::new(), None, now);
    assert_eq!(&generations(&object.status), machine.generations());
    assert_eq!(state(&object.status).renumbered, 1);

    let taken_over = Machine::restore(Settings::default(), state(&object.status), now);
    assert_eq!(taken_over.generations(), machine.generations());
    let conditions: Vec<_> = object
        .status
        .conditions
        .iter()
        .map(|it| (&*it.kind, &*it.status))
        .collect();
    assert_eq!(conditions, [("Ready", "True"), ("Degraded", "False")]);
}

#[test]
fn metallb_76_both_addresses_are_shown_by_the_status_the_new_one_first() {
    let (machine, now) = renumbered();
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status = status(&object, &machine.explain(now), Vec::new(), None, now);
    let view = projection([&object]);
    let shown: Vec<_> = view
        .show(view.read("home/::1000").unwrap())
        .addresses()
        .collect();
    let texts: Vec<_> = shown.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["2001:db8:b::1000", "2001:db8:a::1000"]);
}

#[test]
fn metallb_75_a_renewed_lifetime_of_an_observation_is_no_reason_to_write() {
    let (machine, now) = renumbered();
    let object = DynamicPrefix::new("home", Vec::new());
    let observed = |until: &str| PrefixObservation {
        prefix: "2001:db8:b::/64".into(),
        valid_until: Some(until.to_owned()),
        ..PrefixObservation::default()
    };
    let with = |until| {
        status(
            &object,
            &machine.explain(now),
            vec![observed(until)],
            None,
            now,
        )
    };
    assert!(is_same(
        &with("2030-01-01T00:00:00Z"),
        &with("2031-01-01T00:00:00Z")
    ));
    assert!(!is_same(&with("2030-01-01T00:00:00Z"), &object.status));
}

#[test]
fn a_status_that_makes_no_sense_shows_nothing() {
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status.preferred = Some(crate::api::PrefixGeneration {
        prefix: "home".into(),
        ..Default::default()
    });
    assert!(generations(&object.status).is_empty());
    object.metadata.name = "not.a.label".into();
    assert!(projection([&object]).is_empty());
}

/// The controller's part, with a server that takes every write.
#[derive(Default)]
struct Desk {
    leader: Leader,
    now: u64,
    version: u64,
    writes: usize,
    told: Vec<&'static str>,
}

impl Desk {
    fn follow(source: &str) -> Self {
        let mut desk = Self {
            now: NOW,
            ..Self::default()
        };
        desk.leader.lead(true);
        desk.respecify(source);
        desk
    }

    fn respecify(&mut self, source: &str) {
        let mut object = self
            .object()
            .unwrap_or_else(|| DynamicPrefix::new("home", Vec::new()));
        object.spec = serde_json::from_value(json!({
            "sources": [serde_json::from_str::<Value>(source).unwrap()],
        }))
        .unwrap();
        self.see(object);
    }

    fn see(&mut self, object: DynamicPrefix) {
        self.leader.see(object, Time(self.now));
        self.wait(0);
    }

    fn hear(&mut self, status: &Value) {
        let node =
            json!({"apiVersion": "", "kind": "", "metadata": {"name": "n1"}, "status": status});
        self.leader.hear(serde_json::from_value(node).unwrap());
        self.wait(0);
    }

    /// Lets time pass; every write succeeds.
    fn wait(&mut self, seconds: u64) {
        let end = self.now + seconds * 1_000;
        loop {
            for step in self.leader.step(Time(self.now)) {
                match step {
                    Step::Write(object) => {
                        (self.writes, self.version) = (self.writes + 1, self.version + 1);
                        let version = Some(self.version.to_string());
                        self.leader.written(*object, version, Time(self.now));
                    }
                    Step::Happened(it) => self.told.push(it.reason),
                }
            }
            match self.leader.poll_timeout().filter(|it| it.0 <= end) {
                Some(at) if at.0 > self.now => self.now = at.0,
                _ => break,
            }
        }
        self.now = end;
    }

    fn object(&self) -> Option<DynamicPrefix> {
        self.leader.objects().next().cloned()
    }

    fn shown(&self) -> Vec<String> {
        let object = self.object().unwrap();
        let generations = generations(&object.status);
        generations.iter().map(|it| it.prefix.to_string()).collect()
    }
}

fn fixed(prefix: &str) -> String {
    json!({"static": {"prefix": prefix}}).to_string()
}

const WAN: &str = r#"{"address": {"interface": "wan0"}}"#;
const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";

#[test]
fn metallb_76_the_grace_begins_when_a_node_announces_the_new_prefix() {
    let mut desk = Desk::follow(&fixed(A));
    desk.wait(20);
    desk.respecify(&fixed(B));
    desk.wait(15);
    assert_eq!(desk.shown(), [B, A]);
    let announced = json!({"address": "2001:db8:b::1", "service": "shop/web", "eip": "one",
        "protocol": "bgp", "state": "Announced", "since": ""});
    desk.hear(&json!({"addresses": [announced]}));
    let until = desk.object().unwrap().status.deprecated[0].until.clone();
    assert!(until.is_some());
    desk.wait(3_600);
    assert_eq!(desk.shown(), [B]);
    assert_eq!(
        desk.told,
        ["PrefixDetected", "Renumbered", "Deprecated", "Withdrawn"]
    );
    let writes = desk.writes;
    desk.wait(100_000);
    assert_eq!(desk.writes, writes, "what does not change costs no write");
}

#[test]
fn metallb_77_what_a_node_sees_no_more_is_kept_and_degraded_until_its_lifetime_ends() {
    let mut desk = Desk::follow(WAN);
    let until = Time(NOW + 3_600_000).to_string();
    let sees = json!({"prefixes": [{"name": "home", "source": 0, "origin": "wan0", "prefix": A,
        "validUntil": until}]});
    desk.hear(&sees);
    desk.wait(20);
    assert_eq!(desk.shown(), [A]);
    desk.hear(&json!({}));
    desk.wait(20);
    assert_eq!(desk.shown(), [A]);
    assert_eq!(desk.told.last(), Some(&"Degraded"));
    desk.hear(&sees);
    assert_eq!(desk.told.last(), Some(&"Recovered"));

    desk.hear(&json!({"prefixes": [{"name": "home", "source": 0, "problem": "no permission"}]}));
    desk.wait(3_500);
    assert_eq!(desk.shown(), [A]);
    assert_eq!(desk.told.last(), Some(&"Degraded"));
    desk.wait(100);
    assert_eq!(desk.shown(), [""; 0], "its valid lifetime is over");
}

#[test]
fn what_nodes_say_of_sources_that_are_not_theirs_does_not_count() {
    let mut desk = Desk::follow(&fixed(A));
    desk.wait(20);
    desk.hear(&json!({"prefixes": [{"name": "home", "source": 0, "origin": "wan0", "prefix": B}]}));
    desk.hear(
        &json!({"prefixes": [{"name": "office", "source": 0, "origin": "wan0", "prefix": B}]}),
    );
    desk.wait(1_000);
    assert_eq!(desk.shown(), [A]);
}

#[test]
fn who_takes_over_goes_on_from_the_status_and_writes_nothing() {
    let mut desk = Desk::follow(&fixed(A));
    desk.wait(20);
    desk.respecify(&fixed(B));
    desk.wait(100);
    let object = desk.object().unwrap();
    let mut next = Desk {
        now: desk.now,
        ..Desk::default()
    };
    next.leader.lead(true);
    next.see(object.clone());
    next.wait(1_000);
    assert_eq!(next.object().unwrap().status, object.status);
    assert_eq!((next.writes, next.told.len()), (0, 0));
}

#[test]
fn who_does_not_lead_writes_nothing_and_shows_what_the_leader_wrote() {
    let mut desk = Desk::follow(&fixed(A));
    desk.wait(20);
    let object = desk.object().unwrap();
    let mut other = Desk::default();
    other.see(object);
    other.wait(1_000);
    assert_eq!(other.writes, 0);
    assert_eq!(other.leader.projection(), desk.leader.projection());
}

#[test]
fn a_write_that_fails_is_tried_again_and_another_leaders_word_is_taken() {
    let mut desk = Desk::follow(&fixed(A));
    desk.now += 15_000;
    let steps = desk.leader.step(Time(desk.now));
    let [.., Step::Write(object)] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    desk.leader
        .written((**object).clone(), None, Time(desk.now));
    assert!(desk.shown().is_empty(), "what was not written is not shown");
    desk.wait(3);
    assert_eq!(desk.shown(), [A]);

    let mut theirs = desk.object().unwrap();
    theirs.status.preferred.as_mut().unwrap().prefix = B.into();
    desk.see(theirs);
    assert_eq!(desk.shown(), [B], "the status is the state");
}

#[test]
fn what_a_web_server_says_to_the_controller_counts_and_a_node_has_no_say_in_it() {
    let urls = json!(["https://a.example", "https://b.example"]);
    let mut desk = Desk::follow(&json!({"http": {"urls": urls}}).to_string());
    let word = |prefix: &str| crate::api::ObservedPrefix {
        name: "home".to_owned(),
        prefix: prefix.to_owned(),
        ..crate::api::ObservedPrefix::default()
    };
    desk.hear(&json!({"prefixes": [{"name": "home", "source": 0, "prefix": A}]}));
    desk.wait(60);
    assert!(desk.shown().is_empty());
    desk.leader.hear_own(vec![word(B)]);
    desk.wait(60);
    assert_eq!(desk.shown(), [B]);

    let why = crate::api::ObservedPrefix {
        problem: "2 servers must agree".to_owned(),
        ..word("")
    };
    desk.leader.hear_own(vec![why, word(B)]);
    desk.wait(60);
    assert_eq!(
        (desk.shown(), desk.told.last()),
        (vec![B.to_owned()], Some(&"Degraded"))
    );
}

#[test]
fn a_remark_about_an_object_that_is_used_stands_beside_its_prefix() {
    let urls = json!(["http://a.example", "https://b.example"]);
    let mut desk = Desk::follow(&json!({"http": {"urls": urls}}).to_string());
    desk.leader.hear_own(vec![crate::api::ObservedPrefix {
        name: "home".to_owned(),
        prefix: A.to_owned(),
        ..crate::api::ObservedPrefix::default()
    }]);
    desk.wait(60);
    let ready = desk.object().unwrap().status.conditions[0].clone();
    assert_eq!((&*ready.status, &*ready.reason), ("True", "PrefixKnown"));
    let expected = format!("{A} is in use; DynamicPrefix home, spec.sources[0].http.urls[0]: ");
    assert!(ready.message.starts_with(&expected), "{}", ready.message);
}

#[test]
fn of_two_objects_with_one_prefix_the_later_one_says_so_and_shows_nothing_until_it_is_mended() {
    let mut desk = Desk::follow(&fixed(A));
    desk.wait(20);
    let mut annex = DynamicPrefix::new("annex", Vec::new());
    annex.spec = serde_json::from_value(json!({"sources": [{"static": {"prefix": A}}]})).unwrap();
    desk.see(annex);
    desk.wait(20);
    desk.wait(1);
    let of_annex = |desk: &Desk| {
        let mut objects = desk.leader.objects();
        objects
            .find(|it| it.metadata.name == "annex")
            .unwrap()
            .clone()
    };
    let said = |object: &DynamicPrefix| -> Vec<String> {
        let conditions = object.status.conditions.iter();
        conditions
            .map(|it| [&*it.kind, &*it.status, &*it.reason].join(" "))
            .collect()
    };
    let object = of_annex(&desk);
    assert_eq!(
        said(&object),
        ["Ready False PrefixConflict", "Degraded True PrefixConflict"]
    );
    let message = &object.status.conditions[0].message;
    assert!(
        message.contains("annex") && message.contains("home"),
        "{message}"
    );
    assert_eq!(
        desk.told,
        ["PrefixDetected", "PrefixDetected", "PrefixConflict"]
    );
    let shown = |desk: &Desk, text: &str| {
        let view = desk.leader.projection();
        view.show(view.read(text).unwrap())
            .current()
            .map(|it| it.to_string())
    };
    assert_eq!(shown(&desk, "home/::10"), Some("2001:db8:a::10".to_owned()));
    assert_eq!(shown(&desk, "annex/::10"), None);
    let writes = desk.writes;
    desk.wait(100_000);
    assert_eq!(
        (desk.writes, desk.told.len()),
        (writes, 3),
        "it is said once"
    );

    let mut annex = of_annex(&desk);
    annex.spec = serde_json::from_value(json!({"sources": [{"static": {"prefix": B}}]})).unwrap();
    desk.see(annex);
    desk.wait(20);
    assert_eq!(
        shown(&desk, "annex/::10"),
        Some("2001:db8:b::10".to_owned())
    );
}

//! A prefix that the network changes: what is announced, shown and kept meanwhile.

use std::time::Duration;

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Input as Word, Sighting};

use super::super::super::speaker::News;
use super::super::Wake;
use super::{Lab, NOW, addresses, service};
use crate::engine::ServiceState;

const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";

fn lab(services: &str) -> Lab {
    let yaml = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\nmetadata: {{name: home}}\n\
         spec: {{sources: [{{routerAdvertisement: {{interface: wan0}}}}]}}\n---\n\
         apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: edge}}\n\
         spec: {{address: 'home/::1000-::1fff, 192.0.2.0/24', protocol: layer2, interface: eth0, \
         autoAssign: true}}\n{services}"
    );
    Lab::new(&yaml, usize::MAX)
}

impl Lab {
    fn word(&mut self, input: Word, now: Time) {
        let name = "home".parse().unwrap();
        self.keeping
            .act(Wake::News(News::Prefix { name, input }), now);
    }

    fn wake(&mut self, now: Time) {
        self.keeping.act(Wake::Deadline, now);
    }

    /// Lets the network tell of a prefix until it is in use; returns when that was.
    fn learns(&mut self, prefix: &str, now: Time) -> Time {
        let sighting = Sighting {
            source: 0,
            origin: "wan0".to_owned(),
            prefix: prefix.parse().unwrap(),
            preferred_until: None,
            valid_until: Some(now + DAY),
        };
        self.word(Word::Seen(sighting), now);
        let then = now + HOLD_DOWN;
        self.wake(then);
        then
    }

    fn loses(&mut self, prefix: &str, now: Time) {
        let (origin, prefix) = ("wan0".to_owned(), prefix.parse().unwrap());
        self.word(
            Word::Gone {
                source: 0,
                origin,
                prefix,
            },
            now,
        );
    }
}

const V6: &str = "ipFamilies: [IPv6]";

#[test]
fn a_service_waits_for_its_prefix_and_is_announced_once_that_is_known() {
    let mut lab = lab(&service("web", V6));
    let status = lab.status(NOW);
    assert_eq!(status.services[0].state, ServiceState::Waiting);
    assert!(
        status.problems[0].starts_with("prefix home is not known yet"),
        "{:?}",
        status.problems
    );
    assert_eq!(lab.announced(), addresses(&[]));
    let then = lab.learns(A, NOW);
    assert_eq!(lab.announced(), addresses(&["2001:db8:a::1000"]));
    assert_eq!(lab.status(then).problems, [""; 0]);
}

#[test]
fn metallb_76_both_addresses_are_announced_in_the_grace_period_the_new_one_first_in_status() {
    let mut lab = lab(&service("web", V6));
    let then = lab.learns(A, NOW);
    let generation = lab.status(then).generation;
    lab.loses(A, then);
    let changed = lab.learns(B, then);
    assert_eq!(
        lab.announced(),
        addresses(&["2001:db8:a::1000", "2001:db8:b::1000"])
    );
    let status = lab.status(changed);
    let shown = &status.services[0].addresses[0].shown;
    let served: Vec<_> = shown.addresses().collect();
    assert_eq!(served, addresses(&["2001:db8:b::1000", "2001:db8:a::1000"]));
    // Nothing has to be waited for by a daemon that announces nothing: the grace begins at once.
    lab.wake(changed);
    lab.wake(changed + GRACE / 2);
    assert_eq!(lab.announced().len(), 2);
    let left = changed + GRACE;
    lab.wake(left);
    assert_eq!(lab.announced(), addresses(&["2001:db8:b::1000"]));
    assert_eq!(
        lab.status(left).generation,
        generation,
        "the ledger knows nothing of it"
    );
}

#[test]
fn of_two_names_with_one_prefix_the_later_one_announces_nothing_and_is_a_problem() {
    let yaml = "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\n\
         metadata: {name: annex}\nspec: {sources: [{file: {path: /run/prefix}}]}\n---\n\
         apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {name: second}\n\
         spec: {address: 'annex/::1000-::1fff', protocol: layer2, interface: eth0}\n";
    let mail = service("mail", "ipFamilies: [IPv6], pool: second");
    let mut lab = lab(&[&service("web", V6), "---\n", yaml, &mail].concat());
    let then = lab.learns(A, NOW);
    let tell = |lab: &mut Lab, prefix: &str, now: Time| {
        let name = "annex".parse().unwrap();
        let input = Word::Seen(Sighting {
            source: 0,
            origin: "file".to_owned(),
            prefix: prefix.parse().unwrap(),
            preferred_until: None,
            valid_until: None,
        });
        lab.keeping
            .act(Wake::News(News::Prefix { name, input }), now);
        lab.wake(now + HOLD_DOWN);
        now + HOLD_DOWN
    };
    let then = tell(&mut lab, "2001:db8:a::/56", then);
    assert_eq!(lab.announced(), addresses(&["2001:db8:a::1000"]));
    let status = lab.status(then);
    let problem = "prefix annex is 2001:db8:a::/64, which is also that of home";
    assert!(
        status.problems.iter().any(|it| it.starts_with(problem)),
        "{:?}",
        status.problems
    );
    let mail = status.services.iter().find(|it| it.owner.name() == "mail");
    let mail = mail.unwrap();
    assert_eq!(mail.state, ServiceState::Waiting);
    assert!(
        mail.detail.contains("that of another name"),
        "{}",
        mail.detail
    );
    let told = lab.keeping.journal.since(Some(1));
    let about = told.events.iter().filter(|it| it.text.starts_with(problem));
    assert_eq!(about.count(), 1, "it is told once");
}

#[test]
fn metallb_77_a_prefix_outlives_its_source_and_the_problem_ends_with_the_next_word() {
    let mut lab = lab(&service("web", V6));
    let then = lab.learns(A, NOW);
    let why = "no permission".to_owned();
    lab.word(Word::Failed { source: 0, why }, then);
    lab.loses(A, then);
    let later = then + Duration::from_mins(10);
    lab.wake(later);
    assert_eq!(lab.announced(), addresses(&["2001:db8:a::1000"]));
    let problems = lab.status(later).problems;
    assert!(
        problems.iter().any(|it| it.starts_with("prefix home: ")),
        "{problems:?}"
    );
    lab.word(Word::Worked { source: 0 }, later);
    let then = lab.learns(A, later);
    assert_eq!(lab.status(then).problems, [""; 0]);
}

#[test]
fn metallb_80_a_conflict_quarantines_the_host_part_and_the_next_one_is_given() {
    let mut lab = lab(&service("web", V6));
    let then = lab.learns(A, NOW);
    lab.conflict("2001:db8:a::1000", true, then);
    assert_eq!(lab.announced(), addresses(&["2001:db8:a::1001"]));
    let status = lab.status(then);
    let mut families = status.pools[0].families.iter();
    assert!(families.any(|it| it.quarantined == "1"), "{status:?}");
    let told = "02:00:00:00:00:66 uses it";
    assert!(status.problems[0].contains(told), "{:?}", status.problems);
    lab.loses(A, then);
    let changed = lab.learns(B, then);
    lab.conflict("2001:db8:a::1001", true, changed);
    let current = |lab: &Lab| lab.status(changed).services[0].addresses[0].shown.address;
    let expected = Some("2001:db8:b::1001".parse().unwrap());
    assert_eq!(
        current(&lab),
        expected,
        "what leaves anyway renumbers nobody"
    );
}

#[test]
fn a_flap_within_the_hold_down_costs_no_commit() {
    let mut lab = lab(&service("web", V6));
    let then = lab.learns(A, NOW);
    lab.wake(then);
    let commits = lab.commits();
    lab.loses(A, then);
    let sighting = |prefix: &str| Sighting {
        source: 0,
        origin: "wan0".to_owned(),
        prefix: prefix.parse().unwrap(),
        preferred_until: None,
        valid_until: Some(NOW + DAY),
    };
    lab.word(Word::Seen(sighting(B)), then);
    let soon = then + HOLD_DOWN / 2;
    lab.loses(B, soon);
    lab.word(Word::Seen(sighting(A)), soon);
    lab.wake(then + HOLD_DOWN * 2);
    assert_eq!(lab.announced(), addresses(&["2001:db8:a::1000"]));
    assert_eq!(lab.commits(), commits);
}

#[test]
fn a_pin_by_host_part_and_static_addresses_stand_beside_each_other() {
    let pinned = "ipFamilies: [IPv4, IPv6], addresses: ['::1010', 192.0.2.7]";
    let mut lab = lab(&service("web", pinned));
    assert_eq!(
        lab.announced(),
        addresses(&["192.0.2.7"]),
        "IPv4 needs no prefix"
    );
    lab.learns(A, NOW);
    assert_eq!(
        lab.announced(),
        addresses(&["192.0.2.7", "2001:db8:a::1010"])
    );
}

const HOLD_DOWN: Duration = Duration::from_secs(15);
const GRACE: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

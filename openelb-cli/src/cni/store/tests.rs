use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;
use crate::cni::config::Place;

const NOW: Host = Host {
    boot: 11,
    machine: 1,
};
const AFTER_REBOOT: Host = Host {
    boot: 12,
    machine: 1,
};
const ELSEWHERE: Host = Host {
    boot: 13,
    machine: 2,
};

/// A data directory with one network.
struct Disk {
    folder: tempfile::TempDir,
    place: Place,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            data_dir: folder.path().to_owned(),
            network: "pods".into(),
        };
        Self { folder, place }
    }

    fn open(&self) -> Store {
        Store::open(&self.place, NOW).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("pods").join(name)
    }

    fn cache(&self, name: &str) -> PathBuf {
        self.folder.path().join(".openelb-cni/pods").join(name)
    }

    /// As host-local does it: a file, and nothing else.
    fn write(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path("")).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Gives an address in an invocation of its own.
    fn add(&self, container: &str, address: &str) {
        let mut store = self.open();
        assert!(
            store.hold(&pod(container), ip(address)).unwrap(),
            "{address} is held"
        );
        store.seal();
    }

    /// What an invocation finds, without changing anything.
    fn held_by(&self, container: &str, host: Host) -> Vec<String> {
        let mut store = Store::open(&self.place, host).unwrap();
        let addresses = store.addresses_of(&pod(container)).unwrap();
        store.seal();
        addresses.iter().map(ToString::to_string).collect()
    }

    /// Whether the next invocation reads a bounded number of files.
    fn is_fresh(&self) -> bool {
        !self.open().is_changed
    }
}

fn pod(container: &str) -> Attachment {
    Attachment::new(container, "eth0").unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_is_held_is_found_by_the_next_invocation_without_reading_everything() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    disk.add("b", "10.1.0.3");
    disk.add("a", "fd00::2");
    assert!(disk.is_fresh());
    assert_eq!(disk.held_by("a", NOW), ["10.1.0.2", "fd00::2"]);
    assert_eq!(
        fs::read_to_string(disk.path("10.1.0.2")).unwrap(),
        "a\r\neth0"
    );
    let mut store = disk.open();
    store.free(&pod("a"), ip("10.1.0.2")).unwrap();
    store.seal();
    assert!(disk.is_fresh() && !disk.path("10.1.0.2").exists());
    assert_eq!(disk.held_by("a", NOW), ["fd00::2"]);
}

#[test]
fn an_address_is_held_once_even_when_the_summary_lies() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    let mut store = disk.open();
    // A file that appears while the lock is held, from somebody who takes none.
    disk.write("10.1.0.3", "z\r\neth0");
    assert!(!store.taken(Family::V4).is_taken(to_bits(ip("10.1.0.3"))));
    assert!(!store.hold(&pod("b"), ip("10.1.0.3")).unwrap());
    assert!(store.taken(Family::V4).is_taken(to_bits(ip("10.1.0.3"))));
    drop(store);
    assert_eq!(
        fs::read_to_string(disk.path("10.1.0.3")).unwrap(),
        "z\r\neth0"
    );
}

#[test]
fn host_locals_leases_are_taken_over_and_its_work_in_between_is_noticed() {
    let disk = Disk::new();
    disk.write("10.1.0.2", "a\r\neth0");
    disk.write("last_reserved_ip.0", "10.1.0.2");
    let store = disk.open();
    assert_eq!(store.last_reserved(0), Some(ip("10.1.0.2")));
    store.seal();
    assert_eq!(disk.held_by("a", NOW), ["10.1.0.2"]);
    assert!(disk.is_fresh());
    disk.write("10.1.0.3", "b\r\neth0");
    fs::remove_file(disk.path("10.1.0.2")).unwrap();
    assert!(!disk.is_fresh());
    assert_eq!(disk.held_by("a", NOW), [""; 0]);
    assert_eq!(disk.held_by("b", NOW), ["10.1.0.3"]);
}

#[test]
fn an_invocation_that_was_killed_is_noticed_and_its_draft_never_rewritten() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    // Killed after the file, before index, summary, draft and mark: nothing is sealed.
    let mut killed = disk.open();
    killed.hold(&pod("b"), ip("10.1.0.3")).unwrap();
    drop(killed);
    assert!(
        disk.cache("draft").exists(),
        "its draft is the second name of the lease"
    );
    assert!(!disk.is_fresh());
    disk.add("c", "10.1.0.4");
    assert_eq!(
        fs::read_to_string(disk.path("10.1.0.3")).unwrap(),
        "b\r\neth0"
    );
    assert_eq!(disk.held_by("b", NOW), ["10.1.0.3"]);
    assert!(disk.is_fresh() && !disk.cache("draft").exists());
}

#[test]
fn a_reboot_frees_what_containers_held_and_nothing_that_people_wrote() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    disk.write("10.1.0.9", "");
    disk.write("10.1.0.10", "printer");
    disk.add("b", "10.1.0.3");
    let mut store = Store::open(&disk.place, AFTER_REBOOT).unwrap();
    let taken = store.taken(Family::V4).taken();
    store.seal();
    assert_eq!(taken.to_u128(), Some(2), "the two that people keep free");
    assert!(disk.path("10.1.0.9").exists() && disk.path("10.1.0.10").exists());
    assert!(!disk.path("10.1.0.2").exists() && !disk.path("10.1.0.3").exists());
    assert_eq!(
        disk.held_by("a", AFTER_REBOOT),
        [""; 0],
        "the kubelet's late DEL finds nothing to do"
    );
}

#[test]
fn a_reboot_frees_nothing_that_somebody_else_may_have_given_since() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    disk.write("10.1.0.3", "b\r\neth0");
    assert_eq!(disk.held_by("a", AFTER_REBOOT), ["10.1.0.2"]);
    assert_eq!(disk.held_by("b", AFTER_REBOOT), ["10.1.0.3"]);
    // The boot after that one knows: this plugin wrote last.
    assert_eq!(
        disk.held_by(
            "b",
            Host {
                boot: 99,
                machine: 1
            }
        ),
        [""; 0]
    );
}

#[test]
fn another_machine_that_shares_the_directory_has_not_rebooted() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    assert_eq!(disk.held_by("a", ELSEWHERE), ["10.1.0.2"]);
    assert_eq!(disk.held_by("a", NOW), ["10.1.0.2"]);
}

#[test]
fn what_a_kill_left_of_the_work_after_a_reboot_is_done_by_the_next_invocation() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    disk.add("b", "10.1.0.3");
    // Killed when the first of both was freed.
    files::write_draft(&disk.cache("reboot"), "00000000000000ff").unwrap();
    fs::remove_file(disk.path("10.1.0.2")).unwrap();
    assert_eq!(disk.held_by("b", AFTER_REBOOT), [""; 0]);
    assert!(!disk.cache("reboot").exists());
    let mut store = Store::open(&disk.place, AFTER_REBOOT).unwrap();
    store.hold(&pod("c"), ip("10.1.0.2")).unwrap();
    drop(store);
    assert_eq!(
        disk.held_by("c", AFTER_REBOOT),
        ["10.1.0.2"],
        "what is given since is not freed"
    );
}

#[test]
fn links_folders_and_spellings_are_not_free_and_not_touched() {
    let disk = Disk::new();
    disk.add("z", "10.1.0.200");
    symlink("/etc/passwd", disk.path("10.1.0.2")).unwrap();
    fs::create_dir(disk.path("10.1.0.3")).unwrap();
    nix::unistd::mkfifo(&disk.path("10.1.0.4"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    disk.write("FD00:0::5", "a\r\neth0");
    disk.write("10.1.0.6", &"a".repeat(5000));
    fs::write(disk.path("10.1.0.7"), [0xff, 0xfe]).unwrap();
    let mut store = disk.open();
    for address in [
        "10.1.0.2", "10.1.0.3", "10.1.0.4", "fd00::5", "10.1.0.6", "10.1.0.7",
    ] {
        let address = ip(address);
        assert!(
            store.taken(Family::of(address)).is_taken(to_bits(address)),
            "{address}"
        );
        assert!(
            address == ip("fd00::5") || !store.hold(&pod("b"), address).unwrap(),
            "{address}"
        );
    }
    assert_eq!(store.sweep(|_, _| false).unwrap().freed, [ip("10.1.0.200")]);
    assert!(disk.path("10.1.0.2").is_symlink());
}

#[test]
fn old_files_without_an_interface_are_freed_by_del_only() {
    let disk = Disk::new();
    disk.write("10.1.0.2", "a");
    let mut store = disk.open();
    assert!(store.sweep(|_, _| false).unwrap().freed.is_empty());
    assert_eq!(store.addresses_of(&pod("a")).unwrap(), [ip("10.1.0.2")]);
    store.free(&pod("a"), ip("10.1.0.2")).unwrap();
    store.seal();
    assert!(disk.is_fresh());
    assert_eq!(disk.held_by("a", NOW), [""; 0]);
}

#[test]
fn a_sweep_frees_what_is_not_wanted() {
    let disk = Disk::new();
    for (container, address) in [("a", "10.1.0.2"), ("b", "10.1.0.3"), ("c", "fd00::3")] {
        disk.add(container, address);
    }
    let mut store = disk.open();
    let swept = store.sweep(|container, _| container == "b").unwrap();
    store.seal();
    assert_eq!(swept.freed, [ip("10.1.0.2"), ip("fd00::3")]);
    assert!(disk.is_fresh());
    assert_eq!(disk.held_by("b", NOW), ["10.1.0.3"]);
}

#[test]
fn a_lease_that_was_edited_in_place_is_read_again() {
    let disk = Disk::new();
    disk.add("a", "10.1.0.2");
    disk.write("10.1.0.2", "b\r\neth0");
    assert!(disk.is_fresh(), "the directory itself did not change");
    assert_eq!(disk.held_by("a", NOW), [""; 0]);
    assert_eq!(disk.held_by("b", NOW), ["10.1.0.2"]);
}

#[test]
fn more_addresses_than_the_index_has_room_for_make_a_larger_one() {
    let disk = Disk::new();
    let mut store = disk.open();
    for at in 0..2000_u32 {
        let address = std::net::Ipv4Addr::from_bits((10 << 24) + at);
        assert!(store.hold(&pod(&format!("c{at}")), address.into()).unwrap());
    }
    store.seal();
    disk.add("last", "fd00::1");
    assert!(disk.is_fresh());
    assert!(disk.open().summary.pages > 16);
    for at in [0, 77, 1999] {
        assert_eq!(disk.held_by(&format!("c{at}"), NOW).len(), 1);
    }
}

#[test]
fn damage_to_any_octet_of_the_cache_costs_nothing_but_time() {
    let disk = Disk::new();
    for at in 2..40 {
        disk.add(&format!("c{at}"), &format!("10.1.0.{at}"));
    }
    for name in ["summary", "attachments"] {
        let whole = fs::read(disk.cache(name)).unwrap();
        let step = (whole.len() / 40).max(1);
        for at in (0..whole.len()).step_by(step) {
            for damaged in [flip(&whole, at), whole[..at].to_vec(), zero(&whole, at)] {
                fs::write(disk.cache(name), damaged).unwrap();
                for container in ["c2", "c21", "c39"] {
                    let held = disk.held_by(container, NOW);
                    assert_eq!(
                        held,
                        [format!("10.1.0.{}", &container[1..])],
                        "{name} at {at}"
                    );
                }
            }
        }
        fs::write(disk.cache(name), &whole).unwrap();
    }
}

fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    bytes
}

fn zero(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..].fill(0);
    bytes
}

#[test]
fn a_page_reads_back_as_itself_and_as_no_other_page() {
    let mut page = Page::default();
    for at in 0..Page::CAPACITY as u64 {
        assert!(page.insert(Entry {
            key: at,
            address: ip("fd00::1")
        }));
    }
    assert!(!page.insert(Entry {
        key: 9,
        address: ip("10.0.0.1")
    }));
    let bytes = page.encode(7);
    assert_eq!(bytes.len(), Page::SIZE);
    assert_eq!(Page::decode(&bytes, 7), Some(page));
    assert_eq!(Page::decode(&bytes, 8), None);
    assert_eq!(Page::decode(&[0; Page::SIZE], 0), None);
}

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Add { container: u8, address: u8 },
    Del { container: u8 },
    Kill,
    HostLocalAdd { container: u8, address: u8 },
    HostLocalDel { address: u8 },
    Reboot,
    Keep { few: u8 },
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 0..12_u8).prop_map(|(container, address)| Step::Add { container, address }),
        3 => (0..6_u8).prop_map(|container| Step::Del { container }),
        1 => Just(Step::Kill),
        1 => (0..6_u8, 0..12_u8).prop_map(|(container, address)| Step::HostLocalAdd { container, address }),
        1 => (0..12_u8).prop_map(|address| Step::HostLocalDel { address }),
        1 => Just(Step::Reboot),
        1 => (0..6_u8).prop_map(|few| Step::Keep { few }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn index_and_files_agree_after_any_history(history in proptest::collection::vec(steps(), 1..40)) {
        let disk = Disk::new();
        let (mut host, mut model) = (NOW, BTreeSet::<(u8, u8)>::new());
        let address = |at: u8| ip(&format!("fd00::{at:x}"));
        for step in history {
            let mut store = Store::open(&disk.place, host).unwrap();
            match step {
                Step::Add { container, address: at } => {
                    let is_free = model.iter().all(|(_, held)| *held != at);
                    prop_assert_eq!(store.hold(&pod(&container.to_string()), address(at)).unwrap(), is_free);
                    if is_free { model.insert((container, at)); }
                }
                Step::Del { container } => {
                    let pod = pod(&container.to_string());
                    for address in store.addresses_of(&pod).unwrap() { store.free(&pod, address).unwrap(); }
                    model.retain(|(holder, _)| *holder != container);
                }
                Step::HostLocalAdd { container, address: at } => {
                    store.seal();
                    if model.iter().all(|(_, held)| *held != at) {
                        disk.write(&address(at).to_string(), &format!("{container}\r\neth0"));
                        model.insert((container, at));
                    }
                    continue;
                }
                Step::HostLocalDel { address: at } => {
                    store.seal();
                    let _ = fs::remove_file(disk.path(&address(at).to_string()));
                    model.retain(|(_, held)| *held != at);
                    continue;
                }
                Step::Reboot => {
                    store.seal();
                    host.boot += 1;
                    // Whoever wrote last did so through the store just now, and sealed it.
                    model.clear();
                    continue;
                }
                Step::Keep { few } => {
                    store.sweep(|container, _| container.parse::<u8>().unwrap() < few).unwrap();
                    model.retain(|(holder, _)| *holder < few);
                }
                Step::Kill => {
                    // Any half of a write: the files are there, nothing else is.
                    let _ = store.hold(&pod("9"), ip("fd00::99")).unwrap();
                    model.insert((9, 0x99));
                    drop(store);
                    continue;
                }
            }
            store.seal();
            let mut found = BTreeSet::new();
            for container in 0..10_u8 {
                for address in Store::open(&disk.place, host).unwrap().addresses_of(&pod(&container.to_string())).unwrap() {
                    found.insert((container, u8::try_from(to_bits(address) & 0xff).unwrap()));
                }
            }
            prop_assert_eq!(&found, &model);
        }
    }
}

//! Tests of running sources, on real files and local servers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::api::LeaseFormat;

/// Running sources, and their wake-ups.
struct Running {
    sources: Sources,
    wakes: Receiver<()>,
}

impl Running {
    fn start(source: Source) -> Self {
        let (sender, wakes) = channel();
        let sender = Mutex::new(sender);
        let wake = move || {
            let _ = sender.lock().unwrap().send(());
        };
        let sources = Sources::start([(0, source)], Privileges::Keep, wake).unwrap();
        Self { sources, wakes }
    }

    /// The next input, whenever it comes.
    fn next(&self) -> Input {
        loop {
            if let Some(input) = self.sources.try_recv() {
                return input;
            }
            self.wakes
                .recv_timeout(PATIENCE)
                .expect("a source that has something to say wakes its owner");
        }
    }

    /// The prefix of the next input, which is a sighting, and the second in which it ends.
    fn seen(&self) -> (String, Option<u64>) {
        match self.next() {
            Input::Seen(seen) => {
                let until = seen.valid_until.map(|until| until.0 / 1_000);
                (seen.prefix.to_string(), until)
            }
            other => panic!("{other:?}"),
        }
    }

    fn gone(&self) -> String {
        match self.next() {
            Input::Gone { prefix, .. } => prefix.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn failed(&self) -> String {
        match self.next() {
            Input::Failed { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }
}

fn file(path: &Path) -> Source {
    Source::File {
        path: Some(path.to_owned()),
    }
}

/// Replaces a file as careful programs do.
fn put(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, path).unwrap();
}

#[test]
fn a_file_is_read_at_once_and_whenever_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prefix");
    put(&path, "2001:db8:a::/56\n");
    let running = Running::start(file(&path));
    assert_eq!(running.seen(), ("2001:db8:a::/56".to_owned(), None));
    put(&path, "2001:db8:b::/56\n");
    assert_eq!(running.seen().0, "2001:db8:b::/56");
    assert_eq!(running.gone(), "2001:db8:a::/56");
    put(&path, "nonsense\n");
    assert!(
        running
            .failed()
            .contains("line 1: `nonsense` is no IPv6 prefix")
    );
    put(&path, "2001:db8:b::/56\n");
    assert_eq!(running.next(), Input::Worked { source: 0 });
}

#[test]
fn a_file_and_a_folder_that_come_later_are_found_and_one_that_goes_takes_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("run");
    let path = inner.join("prefix");
    let running = Running::start(file(&path));
    assert!(running.failed().contains("No such file"));
    fs::create_dir(&inner).unwrap();
    put(&path, "2001:db8:a::/56 valid 4294967295\n");
    assert_eq!(running.next(), Input::Worked { source: 0 });
    assert_eq!(running.seen().0, "2001:db8:a::/56");
    fs::remove_file(&path).unwrap();
    assert!(running.failed().contains("No such file"));
}

#[test]
fn rows_that_kea_adds_to_its_journal_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kea-leases6.csv");
    let text = include_str!("../../tests/data/lease/kea-leases6.csv");
    fs::write(&path, text).unwrap();
    let running = Running::start(Source::Lease {
        format: LeaseFormat::Kea,
        path: path.clone(),
        client: None,
    });
    let first = ("2001:db8:a000::/56".to_owned(), Some(1_795_303_362));
    assert_eq!(running.seen(), first);
    // It keeps the file open, and appends.
    let mut journal = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let row = text.lines().last().unwrap();
    writeln!(journal, "{}", row.replace("1795303362", "1795309999")).unwrap();
    assert_eq!(running.seen().1, Some(1_795_309_999));
    writeln!(journal, "{}", row.replace(",3600,", ",0,")).unwrap();
    assert_eq!(running.gone(), "2001:db8:a000::/56");
}

#[test]
fn a_pipe_and_a_folder_in_place_of_a_file_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [&pipe, folder.path()] {
        let running = Running::start(file(path));
        assert!(running.failed().contains("no regular file"));
    }
}

/// A web server on `[::1]` that gives these answers, the last one again and again.
fn server(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let body = answers[number.min(answers.len() - 1)];
            let length = body.len();
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = connection.write_all(text.as_bytes());
        }
    });
    url
}

fn http(urls: Vec<String>) -> Source {
    Source::Http {
        urls,
        quorum: 2,
        every: Duration::from_millis(10),
        length: 64,
    }
}

#[test]
fn two_web_servers_that_agree_are_believed_while_a_third_is_down_and_another_lies() {
    let nobody = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap();
    let running = Running::start(http(vec![
        server(&["2001:db8:a::1\n"]),
        format!("http://{nobody}/"),
        server(&["2001:db8:bad::1"]),
        server(&["2001:db8:a::2"]),
    ]));
    assert_eq!(running.seen(), ("2001:db8:a::/64".to_owned(), None));
}

#[test]
fn servers_that_change_their_answer_move_the_prefix_only_once_both_say_so() {
    let running = Running::start(http(vec![
        server(&["2001:db8:a::1", "2001:db8:a::1", "2001:db8:b::1"]),
        server(&["2001:db8:a::1", "2001:db8:b::1"]),
    ]));
    assert_eq!(running.seen().0, "2001:db8:a::/64");
    assert!(running.failed().contains("2 servers must agree"));
    assert_eq!(running.next(), Input::Worked { source: 0 });
    assert_eq!(running.seen().0, "2001:db8:b::/64");
    assert_eq!(running.gone(), "2001:db8:a::/64");
}

#[test]
fn a_page_an_ipv4_address_and_a_local_one_are_told_as_what_they_are() {
    let running = Running::start(http(vec![
        server(&["<html>log in</html>"]),
        server(&["192.0.2.1"]),
        server(&["fd00::1"]),
    ]));
    let why = running.failed();
    for said in [
        "`<html>log in</html>`",
        "an IPv4 address",
        "fd00::1, which is no global",
    ] {
        assert!(why.contains(said), "{why}");
    }
}

#[test]
fn an_endless_page_is_not_read_to_its_end() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while connection.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let running = Running::start(http(vec![url, server(&["2001:db8:a::1"])]));
    assert!(running.failed().contains("1 of 2001:db8:a::/64"));
}

#[test]
fn a_name_without_an_ipv6_address_of_anybody_is_a_failure_with_a_next_step() {
    // An address is its own answer, without any server.
    let dns = |name: &str| Source::Dns {
        name: name.to_owned(),
        every: Duration::from_mins(5),
        length: 56,
    };
    let running = Running::start(dns("2001:db8:a:ff::1"));
    assert_eq!(running.seen(), ("2001:db8:a::/56".to_owned(), None));
    for local in ["::1", "192.0.2.1", "fe80::1"] {
        let why = Running::start(dns(local)).failed();
        assert!(
            why.contains("has no IPv6 address; add an AAAA record"),
            "{why}"
        );
    }
}

/// Only ever reached by a test that fails.
const PATIENCE: Duration = Duration::from_mins(1);

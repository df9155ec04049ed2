//! Every event in every state: the whole table of RFC 4271 section 8.2.2 and what was added to it.

use super::super::*;
use super::bench::*;
use crate::bgp::config::{Liveness as Watch, Settings};
use crate::bgp::family::Family;
use crate::bgp::message::ErrorCode;
use crate::bgp::session::ConnectionId;

/// Where the events come. `Idle` has two columns: stopped, and in a pause.
const COLUMNS: [&str; 7] = [
    "stopped",
    "paused",
    "Connect",
    "Active",
    "OpenSent",
    "OpenConfirm",
    "Established",
];

/// One row an event: the state after it, by its letter, for each column.
///
/// I: Idle, C: Connect, A: Active, S: `OpenSent`, O: `OpenConfirm`, E: Established. A dot: the event
/// cannot come, since it names a connection or a timer that does not exist.
#[rustfmt::skip]
const TABLE: [(Event, &str); 30] = [
    //                       stopped paused Connect Active OpenSent OpenConfirm Established
    (Event::Start,                 "C I C A S O E"),
    (Event::Stop,                  "I I I I I I I"),
    (Event::SameSettings,          "I I C A S O E"),
    (Event::OtherSettings,         "I C C C C C C"),
    (Event::AdminDown,             "I I I I I I I"),
    (Event::DialOpened,            ". . S . . . ."),
    (Event::DialFailed,            ". . A . . . ."),
    (Event::PeerConnects,          "I I S S S O E"),
    (Event::Closed,                ". . . . A A A"),
    (Event::Open,                  ". . . . O I I"),
    (Event::OpenOfAnotherAs,       ". . . . I I I"),
    (Event::MalformedOpen,         ". . . . I I I"),
    (Event::Keepalive,             ". . . . I E E"),
    (Event::Update,                ". . . . I I E"),
    (Event::FaultyUpdate,          ". . . . I I E"),
    (Event::BrokenUpdate,          ". . . . I I I"),
    (Event::Refresh,               ". . . . I I E"),
    (Event::ShortRefresh,          ". . . . I I I"),
    (Event::Notification,          ". . . . I I I"),
    (Event::GentleNotification,    ". . . . A A A"),
    (Event::BrokenHeader,          ". . . . I I I"),
    (Event::NextTimer,             ". C C C A O E"),
    (Event::LongSilence,           ". C C C A A A"),
    (Event::Sent,                  "I I C A S O E"),
    (Event::Routes,                "I I C A S O E"),
    (Event::AskForRoutes,          "I I C A S O E"),
    (Event::LivenessUp,            "I I C A S O E"),
    (Event::LivenessDown,          "I I C A S O A"),
    (Event::AuthenticationFailed,  "I I C A S O E"),
    (Event::Stranger,              "I I C A S O E"),
];

#[derive(Clone, Copy, Debug)]
enum Event {
    Start,
    Stop,
    SameSettings,
    OtherSettings,
    AdminDown,
    DialOpened,
    DialFailed,
    PeerConnects,
    Closed,
    Open,
    OpenOfAnotherAs,
    MalformedOpen,
    Keepalive,
    Update,
    FaultyUpdate,
    BrokenUpdate,
    Refresh,
    ShortRefresh,
    Notification,
    GentleNotification,
    BrokenHeader,
    /// The timer that is due first runs out.
    NextTimer,
    /// All that happens for a hold time is that the clock goes on.
    LongSilence,
    Sent,
    Routes,
    AskForRoutes,
    LivenessUp,
    LivenessDown,
    AuthenticationFailed,
    /// Words about a connection that does not exist.
    Stranger,
}

fn settings(settings: &mut Settings) {
    settings.liveness = Some(Watch { strict: false });
    settings.timers.hold = Some(secs(90));
}

/// A peer in the state of a column, with BFD up, and the connection that is furthest.
fn in_column(column: &str) -> (Bench, ConnectionId) {
    let mut bench = Bench::stopped(neighbor(settings));
    bench.input(Input::Liveness(Liveness::Up));
    if column == "stopped" {
        return (bench, ConnectionId(0));
    }
    bench.input(Input::Start);
    let dial = bench.dialled();
    match column {
        "paused" => {
            bench.dial_through();
            bench.receive(dial, &notification(ErrorCode::BAD_PEER_AS));
        }
        "Connect" => {}
        "Active" => {
            let why = "refused".to_owned();
            bench.input(Input::OpenFailed {
                connection: dial,
                why,
            });
        }
        _ => {
            bench.dial_through();
            bench.said(dial);
        }
    }
    if column == "OpenConfirm" || column == "Established" {
        bench.receive_open(dial, &plain_open());
    }
    if column == "Established" {
        bench.receive(dial, &keepalive());
    }
    bench.said(dial);
    bench.take();
    (bench, dial)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xff; 16];
    octets.extend(u16::try_from(19 + body.len()).unwrap().to_be_bytes());
    octets.push(kind);
    octets.extend_from_slice(body);
    octets
}

fn octets_of(event: Event) -> Option<Vec<u8>> {
    let open = |change: fn(&mut crate::bgp::message::Open)| {
        let mut open = plain_open();
        change(&mut open);
        octets(|out| open.write(out))
    };
    Some(match event {
        Event::Open => open(|_| {}),
        Event::OpenOfAnotherAs => open(|it| {
            it.capabilities.clear();
            it.wire_asn = 65_000;
        }),
        Event::MalformedOpen => message(1, &[9; 10]),
        Event::Keepalive => keepalive(),
        Event::Update => end_of_rib(Family::Ipv4Unicast),
        Event::FaultyUpdate => message(2, &[0, 0, 0, 4, 0x40, 1, 1, 9, 8, 10]),
        Event::BrokenUpdate => message(2, &[0xff, 0xff, 0, 0]),
        Event::Refresh => refresh(Family::Ipv4Unicast),
        Event::ShortRefresh => message(5, &[0, 1, 1, 1, 0]),
        Event::Notification => notification(ErrorCode::ADMINISTRATIVE_SHUTDOWN),
        Event::GentleNotification => notification(ErrorCode::CONNECTION_REJECTED),
        Event::BrokenHeader => vec![0; 19],
        _ => return None,
    })
}

fn apply(bench: &mut Bench, id: ConnectionId, event: Event) {
    if let Some(octets) = octets_of(event) {
        return bench.receive(id, &octets);
    }
    let configure = |change: fn(&mut Settings)| {
        Input::Configure(Arc::new(neighbor(|it| {
            settings(it);
            change(it);
        })))
    };
    match event {
        Event::Start => bench.input(Input::Start),
        Event::Stop => bench.input(Input::Stop(Stop::Removal)),
        Event::SameSettings => bench.input(configure(|_| {})),
        Event::OtherSettings => bench.input(configure(|it| it.route_refresh = false)),
        Event::AdminDown => bench.input(configure(|it| it.admin_down = Some(String::new()))),
        Event::DialOpened => bench.opened(id, crate::bgp::session::Direction::Outgoing),
        Event::DialFailed => {
            let why = "refused".to_owned();
            bench.input(Input::OpenFailed {
                connection: id,
                why,
            });
        }
        Event::PeerConnects => drop(bench.connect()),
        Event::Closed => bench.closed(id),
        Event::NextTimer => {
            let at = bench.peer.poll_timeout().unwrap();
            bench.wait(at - bench.now);
            if bench.state() == State::OpenSent {
                bench.wait(secs(1));
            }
        }
        Event::LongSilence => {
            // Up to the hold time of the state and not further: then it is tried again.
            let hold = if bench.state() == State::OpenSent {
                240
            } else {
                90
            };
            let waits = matches!(
                bench.state(),
                State::OpenSent | State::OpenConfirm | State::Established
            );
            bench.wait(secs(if waits { hold } else { 1 }));
        }
        Event::Sent => bench.input(Input::Sent {
            connection: id,
            octets: 19,
        }),
        Event::Routes => bench.input(Input::Routes),
        Event::AskForRoutes => bench.input(Input::AskForRoutes(Family::Ipv4Unicast)),
        Event::LivenessUp => bench.input(Input::Liveness(Liveness::Up)),
        Event::LivenessDown => bench.input(Input::Liveness(Liveness::Down)),
        Event::AuthenticationFailed => bench.input(Input::AuthenticationFailed { segments: 1 }),
        Event::Stranger => {
            let stranger = ConnectionId(77);
            bench.receive(stranger, &keepalive());
            bench.closed(stranger);
        }
        other => unreachable!("{other:?} is octets"),
    }
}

fn letter(state: State) -> &'static str {
    match state {
        State::Idle => "I",
        State::Connect => "C",
        State::Active => "A",
        State::OpenSent => "S",
        State::OpenConfirm => "O",
        State::Established => "E",
    }
}

#[test]
fn every_event_in_every_state_leads_where_the_table_says() {
    let mut wrong = Vec::new();
    for (event, row) in TABLE {
        let cells: Vec<&str> = row.split(' ').collect();
        assert_eq!(cells.len(), COLUMNS.len(), "{event:?}");
        for (column, expected) in COLUMNS.into_iter().zip(cells) {
            if expected == "." {
                continue;
            }
            let (mut bench, id) = in_column(column);
            apply(&mut bench, id, event);
            let got = letter(bench.state());
            if got != expected {
                wrong.push(format!("{event:?} in {column}: {got}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_columns_are_the_states_that_they_say() {
    let states = COLUMNS.map(|column| in_column(column).0.state().to_string());
    let idle = ["Idle", "Idle"].map(str::to_owned);
    assert_eq!(states[..2], idle);
    assert_eq!(states[2..], COLUMNS[2..]);
    assert_eq!(State::ALL.map(letter).concat(), "ICASOE");
}

#[test]
fn an_event_that_leads_to_idle_for_good_leaves_no_timer() {
    for column in COLUMNS {
        for event in [Event::Stop, Event::AdminDown] {
            let (mut bench, id) = in_column(column);
            apply(&mut bench, id, event);
            assert_eq!(bench.peer.poll_timeout(), None, "{event:?} in {column}");
        }
    }
}

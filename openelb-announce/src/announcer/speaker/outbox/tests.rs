//! Tests of the queue of events.

use std::sync::mpsc::sync_channel;

use super::*;

#[test]
fn a_full_queue_loses_the_newest_events_and_says_how_many() {
    let (sender, events) = sync_channel(2);
    let mut outbox = Outbox::new(sender);
    for port in 1..=5 {
        outbox.put(listening(port));
    }
    assert_eq!(
        events.try_iter().collect::<Vec<_>>(),
        [listening(1), listening(2)]
    );
    outbox.put(listening(6));
    assert_eq!(
        events.try_iter().collect::<Vec<_>>(),
        [Event::Missed(3), listening(6)]
    );
}

#[test]
fn nobody_listening_is_no_failure() {
    let (sender, events) = sync_channel(1);
    drop(events);
    let mut outbox = Outbox::new(sender);
    outbox.put(listening(1));
    outbox.put(listening(2));
}

fn listening(port: u16) -> Event {
    Event::Listening(([192, 0, 2, 1], port).into())
}

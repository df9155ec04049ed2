//! Tests of what is left unread.

use super::*;

#[test]
fn a_whole_set_takes_the_place_of_all_unread_routes_and_of_nothing_else() {
    let mut letters = Letters::default();
    letters.push(Letter::Announce(routes(1)));
    letters.push(Letter::Change {
        routes: routes(2),
        withdrawn: Vec::new(),
    });
    letters.push(Letter::Drain(true));
    letters.push(Letter::Announce(routes(3)));
    letters.push(Letter::Synced);
    assert!(matches!(
        &letters.0[..],
        [Letter::Drain(true), Letter::Announce(set), Letter::Synced] if set.len() == 3
    ));
    letters.push(Letter::WithdrawAll);
    assert!(matches!(
        &letters.0[..],
        [Letter::Drain(true), Letter::Synced, Letter::WithdrawAll]
    ));
}

#[test]
fn changes_after_a_whole_set_keep_their_order() {
    let mut letters = Letters::default();
    letters.push(Letter::Announce(routes(2)));
    for count in [1, 2] {
        letters.push(Letter::Change {
            routes: routes(count),
            withdrawn: Vec::new(),
        });
    }
    let lengths = letters.0.iter().map(|letter| match letter {
        Letter::Announce(routes) | Letter::Change { routes, .. } => routes.len(),
        _ => 0,
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [2, 1, 2]);
}

fn routes(count: u8) -> Vec<Route> {
    let prefix = |number| Prefix::host(std::net::IpAddr::from([192, 0, 2, number]));
    (0..count).map(|number| Route::to(prefix(number))).collect()
}

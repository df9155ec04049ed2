//! Any octets as message: no panic, and what was understood means the same once written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::bgp::message::{
    AttributeBlock, Capability, DecodeContext, Framer, LIMIT, MessageKind, Notification, Open,
    RouteRefresh, Update, Verdict, capability, write_announcements, write_withdrawals,
};
use openelb_announce::bgp::{Asn, Family, FamilySet, Nlri, PerFamily};

/// The first octet chooses the session, the rest is a message with its header.
fuzz_target!(|input: &[u8]| {
    let Some((session, stream)) = input.split_first() else {
        return;
    };
    let mut framer = Framer::new();
    framer.allow_extended_messages();
    framer.feed(stream);
    while let Some(Ok(message)) = framer.next_message() {
        match message.kind {
            MessageKind::Open => open(message.body),
            MessageKind::Update => update(message.body, &context(*session)),
            MessageKind::Notification => notification(message.body),
            MessageKind::RouteRefresh => route_refresh(message.body),
            MessageKind::Keepalive | MessageKind::Unknown(_) => {}
        }
    }
});

fn context(session: u8) -> DecodeContext {
    let is = |bit: u8| session & 1 << bit != 0;
    let able = [Capability::v6_next_hops_for_v4()];
    let extended_next_hop = capability::extended_next_hop(&able, &able);
    DecodeContext {
        four_octet_as: is(0),
        families: FamilySet::new(!is(1), !is(2)),
        add_path: PerFamily {
            ipv4: is(3),
            ipv6: is(3),
        },
        extended_next_hop: extended_next_hop.filter(|_| is(4)),
        ebgp: is(5),
        first_as: is(6).then_some(Asn(64_513)),
    }
}

fn open(body: &[u8]) {
    let Ok(open) = Open::decode(body) else { return };
    let _ = (
        open.families(),
        open.graceful_restart(),
        open.is_four_octet_as(),
    );
    let mut written = Vec::new();
    open.write(&mut written);
    assert!(written.len() <= LIMIT);
    // Capabilities that one message cannot hold, or beyond their own length, are left out.
    let again = Open::decode(&written[19..]).expect("what was written can be read");
    assert_eq!(again.router_id, open.router_id);
    assert!(again.capabilities.len() <= open.capabilities.len());
}

fn notification(body: &[u8]) {
    let Some(notification) = Notification::decode(body) else {
        return;
    };
    let _ = notification.to_string();
    let mut written = Vec::new();
    notification.write(&mut written);
    let again = Notification::decode(&written[19..]).expect("what was written can be read");
    assert!(again == notification || written.len() == LIMIT);
}

fn route_refresh(body: &[u8]) {
    let Ok(refresh) = RouteRefresh::decode(body) else {
        return;
    };
    let mut written = Vec::new();
    refresh.write(&mut written);
    assert_eq!(RouteRefresh::decode(&written[19..]), Ok(refresh));
}

fn update(body: &[u8], context: &DecodeContext) {
    let Ok(update) = Update::decode(body, context) else {
        return;
    };
    let withdrawn: Vec<_> = update.withdrawn().collect();
    assert!(withdrawn.len() + update.announced().count() <= body.len());
    assert!(update.verdict() == Verdict::Accept || update.reached().is_empty());
    for fault in update.faults() {
        let _ = fault.to_string();
    }
    for family in Family::ALL {
        let of_family = withdrawn
            .iter()
            .filter(|nlri| nlri.prefix.family() == family);
        let mut routes = of_family.copied();
        let mut written = Vec::new();
        while write_withdrawals(&mut written, 65_535, family, &mut routes).expect("one family") > 0
        {
        }
    }
    announce_again(&update, context);
}

/// Announces what was announced, and finds the same in it.
fn announce_again(update: &Update<'_>, context: &DecodeContext) {
    let attributes = update.attributes();
    for reach in update.reached() {
        let block = AttributeBlock::new(&attributes, reach.next_hop, context.four_octet_as)
            .expect("attributes that were received fit");
        let routes: Vec<Nlri> = reach.nlri.into_iter().collect();
        let mut rest = routes.iter().copied();
        let mut written = Vec::new();
        let mut found = Vec::new();
        // A path of AS_SEQUENCEs may need AS4_PATH, which was not there: more than one message holds.
        while let Ok(1..) = write_announcements(&mut written, 65_535, &block, &mut rest) {
            let again =
                Update::decode(&written[19..], context).expect("what was written can be read");
            assert_eq!(again.next_hop(reach.nlri.family()), Some(reach.next_hop));
            let known = attributes.local_pref.is_none() || !context.ebgp;
            assert!(!known || again.attributes().communities == attributes.communities);
            found.extend(again.announced());
            drop(again);
            written.clear();
        }
        assert!(found.is_empty() || found == routes);
    }
}

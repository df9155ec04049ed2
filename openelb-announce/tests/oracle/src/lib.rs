//! Compares the BGP decoder of `openelb-announce` with `rustbgpd-wire`, of other authors and another
//! lineage: the same octets must mean the same to both.
//!
//! Where they differ on purpose, the tests leave it out:
//!
//! | octets | ours | theirs | because |
//! |---|---|---|---|
//! | an unknown well-known attribute | ends the session | a later check withdraws | RFC 4271 section 6.3, which RFC 7606 leaves as it is |
//! | a next hop that no traffic can be sent to; a missing attribute | withdraws while decoding | left to a later check | a caller that forgets the check must not get the route |
//! | a link-local next hop alone | accepted in every encoding met in the wild | refused by that check unless negotiated | unnumbered peers send it |
//! | IPv4 routes with an IPv6 next hop | withdrawn unless negotiated | accepted | RFC 8950 section 4 |
//! | LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST from outside | discarded while decoding | left to the session | RFC 7606 sections 7.5, 7.9 and 7.10 |
//! | confederation segments from inside | accepted | malformed | RFC 5065 section 5 asks that of outsiders only |

#[cfg(test)]
mod ours;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod theirs;
#[cfg(test)]
mod written;

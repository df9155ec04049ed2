//! The attributes of a group of routes, serialised once for any number of UPDATEs.

mod path;

use super::header;
use super::update::AttributeCode;
use crate::bgp::attribute::Attributes;
use crate::bgp::family::Family;
use crate::bgp::next_hop::NextHop;
use crate::bgp::prefix::Nlri;
use std::net::Ipv6Addr;

/// Path attributes as octets, for one kind of session: its edits made, its next hop and its width
/// of AS numbers chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributeBlock {
    family: Family,
    /// What precedes the NLRI in `MP_REACH_NLRI`, beginning with the attribute's own header; empty
    /// when the NLRI stand in the field of the UPDATE itself.
    multi_protocol: Vec<u8>,
    /// All other attributes, ascending by their code.
    others: Vec<u8>,
}

impl AttributeBlock {
    /// Serialises `attributes` with `next_hop`, whose kind says where the NLRI will stand: IPv4
    /// routes in the field of the UPDATE unless their next hop is an IPv6 one (RFC 8950).
    ///
    /// Fails when an attribute needs more than 65,535 octets, or the next hop is no address that
    /// traffic can be sent to.
    pub fn new(
        attributes: &Attributes,
        next_hop: NextHop,
        four_octet_as: bool,
    ) -> Result<Self, EncodeError> {
        let next_hop = next_hop.checked()?;
        let mut others = Vec::with_capacity(64);
        let origin = [attributes.origin.to_wire()];
        put(&mut others, WELL_KNOWN, AttributeCode::Origin, &origin)?;
        let as_path = path::encode(&attributes.as_path, four_octet_as);
        put(&mut others, WELL_KNOWN, AttributeCode::AsPath, &as_path)?;
        if let NextHop::V4(address) = next_hop {
            let address = address.octets();
            put(&mut others, WELL_KNOWN, AttributeCode::NextHop, &address)?;
        }
        put_optional(&mut others, attributes)?;
        if !four_octet_as && let Some(as4_path) = path::as4_path(&attributes.as_path) {
            put(&mut others, TRANSITIVE, AttributeCode::As4Path, &as4_path)?;
        }
        let large = attributes.large_communities.iter();
        let large: Vec<u8> = large
            .flat_map(|one| [one.global, one.local_1, one.local_2])
            .flat_map(u32::to_be_bytes)
            .collect();
        put_list(&mut others, AttributeCode::LargeCommunities, &large)?;
        Ok(Self {
            family: next_hop.family(),
            multi_protocol: multi_protocol(next_hop),
            others,
        })
    }

    /// The family of the routes that it goes with.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many octets of an UPDATE are not NLRI, the message's header included.
    pub const fn overhead(&self) -> usize {
        header::LENGTH + 4 + self.multi_protocol.len() + self.others.len()
    }

    pub(super) fn multi_protocol(&self) -> &[u8] {
        &self.multi_protocol
    }

    pub(super) fn others(&self) -> &[u8] {
        &self.others
    }
}

/// Why routes cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// An attribute is longer than any message.
    #[error("attribute {attribute} needs {octets} octets; write fewer of its values")]
    AttributeTooLong {
        /// Which one.
        attribute: AttributeCode,
        /// How many octets it needs.
        octets: usize,
    },
    /// The attributes leave no room for a route.
    #[error(
        "attributes of {overhead} octets leave no room for a route in a message of {limit}; write fewer communities"
    )]
    BlockTooLong {
        /// What an UPDATE has besides its NLRI.
        overhead: usize,
        /// What a message may have.
        limit: usize,
    },
    /// A route is not of the family of its next hop, or mixes with others in its path identifier.
    #[error("route {nlri} does not go with {family} routes of one kind in a message")]
    Misfit {
        /// The route.
        nlri: Nlri,
        /// The family of the message.
        family: Family,
    },
    /// Traffic cannot be sent to the next hop.
    #[error(transparent)]
    NextHop(#[from] crate::bgp::next_hop::NextHopError),
}

/// The optional attributes with codes below that of `AS4_PATH`.
fn put_optional(out: &mut Vec<u8>, attributes: &Attributes) -> Result<(), EncodeError> {
    if let Some(med) = attributes.med {
        let flags = OPTIONAL;
        put(
            out,
            flags,
            AttributeCode::MultiExitDiscriminator,
            &med.to_be_bytes(),
        )?;
    }
    if let Some(local_pref) = attributes.local_pref {
        let value = local_pref.to_be_bytes();
        put(out, WELL_KNOWN, AttributeCode::LocalPref, &value)?;
    }
    let standard = attributes.communities.iter();
    let standard: Vec<u8> = standard.flat_map(|one| one.0.to_be_bytes()).collect();
    put_list(out, AttributeCode::Communities, &standard)?;
    let extended = attributes.extended_communities.iter();
    let extended: Vec<u8> = extended.flat_map(|one| one.0).collect();
    put_list(out, AttributeCode::ExtendedCommunities, &extended)
}

/// An optional transitive attribute, unless it is empty.
fn put_list(out: &mut Vec<u8>, code: AttributeCode, value: &[u8]) -> Result<(), EncodeError> {
    if value.is_empty() {
        return Ok(());
    }
    put(out, TRANSITIVE, code, value)
}

fn put(out: &mut Vec<u8>, flags: u8, code: AttributeCode, value: &[u8]) -> Result<(), EncodeError> {
    let long = u16::try_from(value.len()).map_err(|_| EncodeError::AttributeTooLong {
        attribute: code,
        octets: value.len(),
    })?;
    if let Ok(short) = u8::try_from(long) {
        out.extend([flags, code.into(), short]);
    } else {
        let [high, low] = long.to_be_bytes();
        out.extend([flags | EXTENDED_LENGTH, code.into(), high, low]);
    }
    out.extend_from_slice(value);
    Ok(())
}

/// The header of `MP_REACH_NLRI` up to its NLRI (RFC 4760 section 3); its length is still zero.
fn multi_protocol(next_hop: NextHop) -> Vec<u8> {
    let family = next_hop.family();
    let addresses = match next_hop {
        NextHop::V4(_) => return Vec::new(),
        NextHop::V6ForV4(next_hop) => addresses(next_hop.as_v6()),
        NextHop::V6 { .. } | NextHop::LinkLocal(_) => addresses(next_hop),
    };
    let [high, low] = family.afi().to_be_bytes();
    let code = AttributeCode::MpReachNlri.into();
    let octets: Vec<u8> = addresses.iter().flat_map(Ipv6Addr::octets).collect();
    let length = u8::try_from(octets.len()).expect("two addresses have 32 octets");
    let mut head = vec![
        OPTIONAL | EXTENDED_LENGTH,
        code,
        0,
        0,
        high,
        low,
        family.safi(),
        length,
    ];
    head.extend(octets);
    head.push(0);
    head
}

/// The addresses in the next hop field. A link-local one alone is written twice: receivers that
/// want 32 octets take the second, FRR and BIRD both.
fn addresses(next_hop: NextHop) -> Vec<Ipv6Addr> {
    match next_hop {
        NextHop::V6 {
            global,
            link_local: Some(link_local),
        } => vec![global, link_local],
        NextHop::V6 { global, .. } => vec![global],
        NextHop::LinkLocal(address) => vec![address, address],
        NextHop::V4(_) | NextHop::V6ForV4(_) => Vec::new(),
    }
}

const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;
const TRANSITIVE: u8 = 0xc0;
const EXTENDED_LENGTH: u8 = 0x10;

#[cfg(test)]
mod tests;

//! Frames captured from Linux 6.18 on a veth pair: 02:00:5e:10:00:0a is 192.0.2.1 and 2001:db8::1,
//! 02:00:5e:10:00:0b is 192.0.2.2 and 2001:db8::2.

/// The kernel asks who has 192.0.2.2.
pub(crate) const ARP_REQUEST: &str =
    "ffffffffffff02005e10000a08060001080006040001 02005e10000ac0000201 000000000000c0000202";
/// The kernel answers that request.
pub(crate) const ARP_REPLY: &str =
    "02005e10000a02005e10000b08060001080006040002 02005e10000bc0000202 02005e10000ac0000201";
/// `arping -D` probes 192.0.2.9; it fills the target hardware address with ones.
pub(crate) const ARP_PROBE: &str =
    "ffffffffffff02005e10000b08060001080006040001 02005e10000b00000000 ffffffffffffc0000209";
/// The kernel asks who has `2001:db8::2`, with a source link-layer address option.
pub(crate) const SOLICITATION: &str = "3333ff00000202005e10000a86dd6000000000203aff \
    20010db8000000000000000000000001 ff0200000000000000000001ff000002 \
    8700be0d00000000 20010db8000000000000000000000002 010102005e10000a";
/// The kernel answers that solicitation.
pub(crate) const ADVERTISEMENT: &str = "02005e10000a02005e10000b86dd6000000000203aff \
    20010db8000000000000000000000002 20010db8000000000000000000000001 \
    88002c5860000000 20010db8000000000000000000000002 020102005e10000b";
/// Duplicate address detection for `2001:db8::2` with a nonce.
pub(crate) const DAD_SOLICITATION: &str = "3333ff00000202005e10000b86dd6000000000203aff \
    00000000000000000000000000000000 ff0200000000000000000001ff000002 \
    8700fb8000000000 20010db8000000000000000000000002 0e013bbf180eef93";

/// The octets of one of the captures above.
pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

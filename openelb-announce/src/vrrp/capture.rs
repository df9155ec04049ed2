//! Advertisements that keepalived 2.2.7 and FRR 8.4.4 sent on a veth pair, from the IP header on.

/// keepalived, version 3, VRID 51, priority 150, every 250 ms: 192.0.2.10 and 192.0.2.11.
pub(crate) const KEEPALIVED_V3: &str = "45c0002400010000ff701895c0000201e0000012 \
    3133960200191206 c000020a c000020b";
/// The same router leaves.
pub(crate) const KEEPALIVED_V3_LEAVES: &str = "45c0002400220000ff701874c0000201e0000012 \
    313300020019a806 c000020a c000020b";
/// keepalived, version 2, VRID 53, priority 148, every second: 192.0.2.13.
pub(crate) const KEEPALIVED_V2: &str = "45c0002800010000ff701891c0000201e0000012 \
    21359401000188ba c000020d 0000000000000000";
/// keepalived, version 2, VRID 54, priority 147, with the password "secret".
pub(crate) const KEEPALIVED_V2_PASSWORD: &str = "45c0002800010000ff701891c0000201e0000012 \
    2136930101014c6c c000020e 7365637265740000";
/// keepalived, IPv6, VRID 55, priority 146, every 250 ms: `fe80::10` and `2001:db8::10`.
pub(crate) const KEEPALIVED_V6: &str = "6c0f12d9002870ff \
    fe80000000000000e874e2fffe0ca335 ff020000000000000000000000000012 \
    313792020019a56d fe800000000000000000000000000010 20010db8000000000000000000000010";
/// FRR, version 3, VRID 5, priority 200, every 500 ms: 192.0.2.20.
pub(crate) const FRR_V3: &str = "45c0002067340000ff70d226c0000201e0000012 \
    3105c8010032a221 c0000214";
/// FRR, IPv6, VRID 5, priority 200, every 500 ms: `2001:db8::20`, and no link-local address.
pub(crate) const FRR_V6: &str = "6c07a549001870ff \
    fe8000000000000002005efffe000205 ff020000000000000000000000000012 \
    3105c801003279ca 20010db8000000000000000000000020";

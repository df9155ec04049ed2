use super::by_destination;
use crate::forwarding::{GatewayV4, Route};

#[test]
fn gateways_of_several_routes_to_one_destination_are_used_together() {
    let to = |gateway: [u8; 4]| {
        let gateway = GatewayV4::V4(gateway.into());
        Route::v4("10.244.1.0/24".parse().unwrap(), [gateway])
    };
    let wanted = by_destination(vec![to([192, 0, 2, 1]), to([192, 0, 2, 2])]);
    let shown: Vec<_> = wanted.values().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.244.1.0/24 via 192.0.2.1, 192.0.2.2"]);
}

//! The objects as an API server writes them.

use super::{EndpointSlice, IpFamily, Node, Service, ServiceType, TrafficPolicy, Transport};

#[test]
fn a_service_is_read_and_what_is_unknown_costs_only_itself() {
    let service: Service = serde_json::from_str(
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","uid":"u1"},
        "spec":{"type":"LoadBalancer","clusterIPs":["10.0.0.9"],"ipFamilies":["IPv6","IPv4"],"ports":[
        {"port":80,"protocol":"TCP","targetPort":"http"},{"port":9,"protocol":"QUIC"}],"externalTrafficPolicy":"Local",
        "selector":null},"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1","ipMode":"VIP"}]}}}"#,
    )
    .unwrap();
    assert_eq!(service.spec.kind, ServiceType::LoadBalancer);
    assert_eq!(service.spec.ip_families, [IpFamily::IPv6, IpFamily::IPv4]);
    assert_eq!(service.spec.external_traffic_policy, TrafficPolicy::Local);
    assert_eq!(service.spec.ports[1].protocol, Transport::Unknown);
    assert_eq!(service.status.load_balancer.ingress[0].ip, "192.0.2.1");
}

#[test]
fn an_endpoint_of_which_nothing_is_said_is_ready_and_serving() {
    let slice: EndpointSlice = serde_json::from_str(
        r#"{"metadata":{"name":"web-1","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv6",
        "endpoints":[{"addresses":["2001:db8::1"],"conditions":null},
        {"addresses":["2001:db8::2"],"conditions":{"ready":false}}]}"#,
    )
    .unwrap();
    assert_eq!(slice.service(), Some("web"));
    let serving = |at: usize| slice.endpoints[at].conditions.is_serving();
    assert!(serving(0) && !serving(1));
}

#[test]
fn a_node_tells_its_internal_addresses_in_order() {
    let node: Node = serde_json::from_str(
        r#"{"metadata":{"name":"n1"},"status":{"addresses":[{"type":"Hostname","address":"n1"},
        {"type":"InternalIP","address":"2001:db8::1"},{"type":"InternalIP","address":"192.0.2.1"}],
        "conditions":[{"type":"Ready","status":"Unknown"}]}}"#,
    )
    .unwrap();
    let addresses: Vec<_> = node.internal_addresses().map(|it| it.to_string()).collect();
    assert_eq!(addresses, ["2001:db8::1", "192.0.2.1"]);
    assert_eq!(
        (node.condition("Ready"), node.condition("x")),
        (Some(false), None)
    );
}

//! Every group, label, annotation and finalizer string that OpenELB objects carry, in one place.
//!
//! The strings are read from and written to live clusters: changing one breaks an installation that
//! is being taken over.

/// API group of [`Eip`](crate::api::Eip) and its sibling kinds.
pub const GROUP: &str = "network.kubesphere.io";

/// `apiVersion` of the stored version of an Eip.
pub const EIP_API_VERSION: &str = "network.kubesphere.io/v1alpha2";

/// `kind` of an address pool.
pub const EIP_KIND: &str = "Eip";

/// `kind` of the records of a pool that are too many for its status.
pub const ADDRESS_BLOCK_KIND: &str = "AddressBlock";

/// `kind` of what the speaker of a node announces.
pub const NODE_ANNOUNCEMENT_KIND: &str = "NodeAnnouncement";

/// `apiVersion` of the stored versions of `BgpConf` and `BgpPeer`.
pub const BGP_API_VERSION: &str = "network.kubesphere.io/v1alpha2";

/// `kind` of the speaker's configuration.
pub const BGP_CONF_KIND: &str = "BgpConf";

/// Name of the only [`BgpConf`](crate::api::BgpConf) that counts.
pub const DEFAULT_BGP_CONF: &str = "default";

/// `apiVersion` of the stored version of a `Layer2Conf`.
pub const LAYER2_API_VERSION: &str = "network.kubesphere.io/v1alpha2";

/// `kind` of the election's configuration.
pub const LAYER2_CONF_KIND: &str = "Layer2Conf";

/// Name of the only [`Layer2Conf`](crate::api::Layer2Conf) that counts.
pub const DEFAULT_LAYER2_CONF: &str = "default";

/// `apiVersion` of the stored version of a `DynamicPrefix`.
pub const DYNAMIC_PREFIX_API_VERSION: &str = "network.kubesphere.io/v1alpha2";

/// `kind` of a prefix that pools name and that the network may change.
pub const DYNAMIC_PREFIX_KIND: &str = "DynamicPrefix";

/// Secret, in the namespace of the installation, with the key that beats are signed with where no
/// `Layer2Conf` names another.
pub const LAYER2_SECRET: &str = "openelb-layer2";

/// Key of [`LAYER2_SECRET`].
pub const LAYER2_SECRET_KEY: &str = "key";

/// `kind` of the pods' addresses.
pub const POD_NETWORK_KIND: &str = "PodNetwork";

/// Name of the only [`PodNetwork`](crate::api::PodNetwork) that counts.
pub const DEFAULT_POD_NETWORK: &str = "default";

/// Annotation on a Node: its pod CIDR, as kube-router reads it. Wins over all else.
pub const POD_CIDR_ANNOTATION: &str = "kube-router.io/pod-cidr";

/// Annotation on a Node: its pod CIDRs with commas between them, as kube-router reads them. Wins over
/// `spec.podCIDRs`.
pub const POD_CIDRS_ANNOTATION: &str = "kube-router.io/pod-cidrs";

/// `kind` of a neighbour.
pub const BGP_PEER_KIND: &str = "BgpPeer";

/// Key of the `ConfigMap` that holds an export policy.
pub const POLICY_KEY: &str = "gobgp.conf";

/// `apiVersion` of a `ConfigMap`.
pub const CONFIG_MAP_API_VERSION: &str = "v1";

/// `kind` of the object that holds a policy.
pub const CONFIG_MAP_KIND: &str = "ConfigMap";

/// `apiVersion` of the standalone daemon's own kinds.
pub const STANDALONE_API_VERSION: &str = "openelb.io/v1";

/// `kind` of a service entry in a standalone configuration file.
pub const SERVICE_KIND: &str = "Service";

/// Annotation on an Eip: `"true"` (any letter case) makes it the default pool.
pub const DEFAULT_EIP_ANNOTATION: &str = "eip.openelb.kubesphere.io/is-default-eip";

/// Label on an Eip, `BgpConf` or `BgpPeer`: the object belongs to the network plugin.
pub const CNI_LABEL: &str = "openelb.kubesphere.io/cni";

/// Annotation on a Service: opts in when its value is [`OPT_IN_VALUE`].
pub const OPT_IN_ANNOTATION: &str = "lb.kubesphere.io/v1alpha1";

/// The only value of [`OPT_IN_ANNOTATION`] that opts in.
pub const OPT_IN_VALUE: &str = "openelb";

/// Annotation on a Service: the pool it asks for. The label of that name is the one that serves it.
pub const POOL_ANNOTATION: &str = "eip.openelb.kubesphere.io/v1alpha2";

/// Annotation on a Service: the address it asks for; wins over `spec.loadBalancerIP`.
pub const ADDRESS_ANNOTATION: &str = "eip.openelb.kubesphere.io/v1alpha1";

/// Label on a Service, written by the controller: the pool that serves it.
pub const POOL_LABEL: &str = "eip.openelb.kubesphere.io/v1alpha2";

/// Finalizer on an Eip while its records are in use.
pub const EIP_FINALIZER: &str = "finalizer.ipam.kubesphere.io/v1alpha1";

/// Finalizer on a Service that holds an address.
pub const SERVICE_FINALIZER: &str = "finalizer.lb.kubesphere.io/v1alpha1";

/// Label on a Node: the rack whose autonomous system number and peers apply to it.
pub const RACK_LABEL: &str = "openelb.kubesphere.io/rack";

/// Field manager of everything that the controller writes: none of [`FORMER_MANAGERS`], so that what
/// OpenELB wrote can be told from what this controller wrote.
pub const FIELD_MANAGER: &str = "openelb-k8s-controller";

/// Field managers under which OpenELB wrote: its Go client named itself after the program.
pub const FORMER_MANAGERS: [&str; 4] = [
    "controller",
    "manager",
    "openelb-controller",
    "openelb-manager",
];

/// `spec.loadBalancerClass` of the Services that are meant for this project, unless configured.
pub const LOAD_BALANCER_CLASS: &str = "openelb.io/openelb";

/// Annotation on a Service: Services of one value may share an address.
pub const SHARING_ANNOTATION: &str = "openelb.io/allow-shared-ip";

/// Annotations of MetalLB on a Service that names a pool, under its present and its former prefix.
pub const METALLB_POOL_ANNOTATIONS: [&str; 2] = [
    "metallb.io/address-pool",
    "metallb.universe.tf/address-pool",
];

/// Annotations of MetalLB on a Service that asks for addresses.
pub const METALLB_ADDRESS_ANNOTATIONS: [&str; 2] = [
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
];

/// Annotations of MetalLB on a Service that may share its address.
pub const METALLB_SHARING_ANNOTATIONS: [&str; 2] = [
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
];

/// Type of the condition on a Service, present only while something is wrong with its address.
pub const ADDRESS_ASSIGNED_CONDITION: &str = "openelb.io/AddressAssigned";

/// Error of a port in `ingress[].ports[]` whose transport protocol is not served.
pub const UNSUPPORTED_PROTOCOL_ERROR: &str = "openelb.io/UnsupportedProtocol";

/// Kind in the [`OwnerKey`](openelb_ipam::OwnerKey) of a Service.
pub const SERVICE_OWNER_KIND: &str = "service";

/// Kind in the [`OwnerKey`](openelb_ipam::OwnerKey) of an address that a Service shows without wanting
/// any from here: its namespace is the address, its name `namespace/name` of the Service.
pub const STRANGER_OWNER_KIND: &str = "stranger";

//! The objects of a running cluster, listed once. Only reads.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Origin, metallb};
use crate::client::{Client, Event, Place, Resource, Scope, Watch, Watched, connect};
pub use crate::explain::LiveError;
use crate::names;

/// The documents of a cluster for [`import`](super::import()): all objects of the origin's kinds, the
/// Services and the Namespaces; of the time when `MetalLB` had none, its `ConfigMap` in the namespace
/// `metallb-system`. A kind that the API server does not have has no objects.
pub async fn documents(origin: Origin, place: &Place) -> Result<Vec<Value>, LiveError> {
    let client = connect(place).await?;
    let mut found = Vec::new();
    list::<0>(&client, Scope::all(), &mut found).await?;
    list::<1>(&client, Scope::all(), &mut found).await?;
    match origin {
        Origin::OpenElb => {
            list::<2>(&client, Scope::all(), &mut found).await?;
            list::<3>(&client, Scope::all(), &mut found).await?;
            list::<4>(&client, Scope::all(), &mut found).await?;
        }
        Origin::MetalLb | Origin::MetalLbDyn6 => {
            list::<5>(&client, Scope::all(), &mut found).await?;
            list::<6>(&client, Scope::all(), &mut found).await?;
            list::<7>(&client, Scope::all(), &mut found).await?;
            list::<8>(&client, Scope::all(), &mut found).await?;
            list::<9>(&client, Scope::all(), &mut found).await?;
            list::<10>(&client, Scope::all(), &mut found).await?;
            let mut maps = Vec::new();
            let scope = Scope::of_namespace("metallb-system");
            list::<11>(&client, scope, &mut maps).await?;
            found.extend(maps.into_iter().filter(metallb::is_configuration));
        }
    }
    Ok(found)
}

/// An object of the kind of this number, as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct Raw<const KIND: usize>(Value);

#[expect(
    clippy::indexing_slicing,
    reason = "a number beyond the table is an error of compilation"
)]
impl<const KIND: usize> Watched for Raw<KIND> {
    const RESOURCE: Resource = KINDS[KIND];
}

async fn list<const KIND: usize>(
    client: &Client,
    scope: Scope,
    found: &mut Vec<Value>,
) -> Result<(), LiveError> {
    let start = found.len();
    let mut watch = Watch::<Raw<KIND>>::new(client.clone(), scope);
    loop {
        match watch.next().await {
            Event::Restart => found.truncate(start),
            Event::Applied(Raw(mut object)) => {
                // The items of a list do not repeat what they are.
                if let Value::Object(fields) = &mut object {
                    let resource = Raw::<KIND>::RESOURCE;
                    fields.insert("apiVersion".to_owned(), json!(resource.api_version()));
                    fields.insert("kind".to_owned(), json!(resource.kind));
                }
                found.push(object);
            }
            Event::Synced => return Ok(()),
            Event::Deleted(_) | Event::Unreadable { .. } => {}
            Event::Interrupted(interruption) if interruption.status == Some(NOT_FOUND) => {
                return Ok(());
            }
            Event::Interrupted(interruption) => {
                return Err(LiveError::List {
                    kind: Raw::<KIND>::RESOURCE.plural,
                    why: interruption.why,
                    is_forbidden: matches!(interruption.status, Some(401 | 403)),
                });
            }
        }
    }
}

const NOT_FOUND: u16 = 404;

const KINDS: [Resource; 12] = [
    resource("", "v1", "Service", "services"),
    resource("", "v1", "Namespace", "namespaces"),
    resource(names::GROUP, "v1alpha2", "Eip", "eips"),
    resource(names::GROUP, "v1alpha2", "BgpConf", "bgpconfs"),
    resource(names::GROUP, "v1alpha2", "BgpPeer", "bgppeers"),
    metallb("v1beta1", "IPAddressPool", "ipaddresspools"),
    metallb("v1beta1", "L2Advertisement", "l2advertisements"),
    metallb("v1beta1", "BGPAdvertisement", "bgpadvertisements"),
    metallb("v1beta2", "BGPPeer", "bgppeers"),
    metallb("v1beta1", "BFDProfile", "bfdprofiles"),
    metallb("v1beta1", "Community", "communities"),
    resource("", "v1", "ConfigMap", "configmaps"),
];

const fn metallb(version: &'static str, kind: &'static str, plural: &'static str) -> Resource {
    resource("metallb.io", version, kind, plural)
}

const fn resource(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Resource {
    Resource {
        group,
        version,
        kind,
        plural,
    }
}

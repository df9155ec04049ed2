//! A model of an API server: versions, compare-and-swap, ownership of a field, finalizers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_k8s::api::{AddressBlock, Eip, ObjectMeta};
use openelb_k8s::cluster::{Ingress, Namespace, Service};
use openelb_k8s::controller::{Change, Input, Kind, Object, Outcome, ServiceApply};
use openelb_k8s::names;

/// A Service with what the server knows beyond it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) service: Service,
    /// Field manager of `status.loadBalancer.ingress`.
    pub(crate) manager: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) version: u64,
    pub(crate) eips: BTreeMap<String, Eip>,
    pub(crate) blocks: BTreeMap<String, AddressBlock>,
    pub(crate) services: BTreeMap<String, Stored>,
    pub(crate) namespaces: BTreeMap<String, Namespace>,
    /// What watchers are to be told, in order.
    pub(crate) events: Vec<(Kind, Input)>,
    /// Writes that changed something.
    pub(crate) writes: Vec<Change>,
    pub(crate) ignores_versions: bool,
}

impl Server {
    fn stamp(&mut self, metadata: &mut ObjectMeta) {
        self.version += 1;
        metadata.resource_version = Some(self.version.to_string());
    }

    fn born(&mut self, metadata: &mut ObjectMeta) {
        self.stamp(metadata);
        metadata.uid = Some(format!("uid-{}", self.version));
        metadata.generation = Some(1);
        metadata.creation_timestamp =
            Some(format!("2026-01-01T00:{:02}:00Z", self.version / 60 % 60));
    }

    pub(crate) fn put_namespace(&mut self, mut namespace: Namespace) {
        self.stamp(&mut namespace.metadata);
        let name = namespace.metadata.name.clone();
        let event = Input::Namespace(Box::new(namespace.clone()));
        self.events.push((Kind::Namespace, event));
        self.namespaces.insert(name, namespace);
    }

    pub(crate) fn create_eip(&mut self, mut eip: Eip) {
        self.born(&mut eip.metadata);
        self.store_eip(eip);
    }

    /// A user's edit of the specification or metadata.
    pub(crate) fn edit_eip(&mut self, name: &str, edit: impl FnOnce(&mut Eip)) {
        let mut eip = self.eips[name].clone();
        let before = eip.clone();
        edit(&mut eip);
        if eip != before {
            eip.metadata.generation = eip.metadata.generation.map(|it| it + 1);
            self.stamp(&mut eip.metadata);
            self.store_eip(eip);
        }
    }

    fn store_eip(&mut self, eip: Eip) {
        let name = eip.metadata.name.clone();
        if eip.metadata.deletion_timestamp.is_some() && eip.metadata.finalizers.is_empty() {
            self.version += 1;
            self.eips.remove(&name);
            self.events.push((Kind::Eip, Input::EipGone(name)));
        } else {
            let event = Input::Eip(Box::new(eip.clone()));
            self.events.push((Kind::Eip, event));
            self.eips.insert(name, eip);
        }
    }

    pub(crate) fn delete_eip(&mut self, name: &str) {
        self.edit_eip(name, |eip| {
            eip.metadata.deletion_timestamp = Some("2026-01-02T00:00:00Z".to_owned());
        });
    }

    pub(crate) fn create_service(&mut self, mut service: Service) {
        self.born(&mut service.metadata);
        let manager =
            (!service.status.load_balancer.ingress.is_empty()).then(|| "controller".to_owned());
        self.store_service(Stored { service, manager });
    }

    pub(crate) fn edit_service(&mut self, key: &str, edit: impl FnOnce(&mut Service)) {
        let mut stored = self.services[key].clone();
        let before = stored.service.clone();
        edit(&mut stored.service);
        if stored.service.spec.kind != before.spec.kind {
            // The server itself drops the status of what is no load balancer any more.
            stored.service.status.load_balancer.ingress.clear();
        }
        if stored.service != before {
            let metadata = &mut stored.service.metadata;
            metadata.generation = metadata.generation.map(|it| it + 1);
            self.stamp(&mut stored.service.metadata);
            self.store_service(stored);
        }
    }

    /// Another controller writes the status of a Service.
    pub(crate) fn show(&mut self, key: &str, address: IpAddr) {
        self.edit_service(key, |it| {
            it.status.load_balancer.ingress = vec![Ingress {
                ip: address.to_string(),
                ..Ingress::default()
            }];
        });
        if let Some(stored) = self.services.get_mut(key) {
            stored.manager = Some("controller".to_owned());
        }
    }

    pub(crate) fn delete_service(&mut self, key: &str) {
        self.edit_service(key, |service| {
            service.metadata.deletion_timestamp = Some("2026-01-02T00:00:00Z".to_owned());
        });
    }

    fn store_service(&mut self, stored: Stored) {
        let metadata = &stored.service.metadata;
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        let key = format!("{namespace}/{name}");
        if metadata.deletion_timestamp.is_some() && metadata.finalizers.is_empty() {
            self.version += 1;
            self.services.remove(&key);
            let event = Input::ServiceGone { namespace, name };
            self.events.push((Kind::Service, event));
        } else {
            let event = Input::Service(Box::new(stored.service.clone()));
            self.events.push((Kind::Service, event));
            self.services.insert(key, stored);
        }
    }

    /// Everything of a kind, as a list shows it.
    pub(crate) fn list(&self, kind: Kind) -> Vec<Input> {
        match kind {
            Kind::Eip => self
                .eips
                .values()
                .cloned()
                .map(|it| Input::Eip(Box::new(it)))
                .collect(),
            Kind::Block => {
                let blocks = self.blocks.values().cloned();
                blocks.map(|it| Input::Block(Box::new(it))).collect()
            }
            Kind::Service => {
                let services = self.services.values().map(|it| it.service.clone());
                services.map(|it| Input::Service(Box::new(it))).collect()
            }
            Kind::Namespace => {
                let namespaces = self.namespaces.values().cloned();
                namespaces
                    .map(|it| Input::Namespace(Box::new(it)))
                    .collect()
            }
        }
    }

    /// Carries out a request.
    pub(crate) fn execute(&mut self, change: &Change) -> Outcome {
        let before = self.version;
        let outcome = match change {
            Change::EipStatus {
                name,
                resource_version,
                status,
            } => self.change_eip(name, resource_version, |eip| {
                eip.status = (**status).clone();
            }),
            Change::EipFinalizer {
                name,
                resource_version,
                finalizers,
            } => self.change_eip(name, resource_version, |eip| {
                eip.metadata.finalizers.clone_from(finalizers);
            }),
            Change::Block {
                resource_version,
                block,
            } => self.write_block(resource_version.as_deref(), block),
            Change::BlockDelete {
                name,
                resource_version,
            } => self.delete_block(name, resource_version),
            Change::Service {
                namespace,
                name,
                apply,
            } => self.apply(&format!("{namespace}/{name}"), apply),
            Change::Read {
                kind,
                namespace,
                name,
            } => self.read(*kind, namespace, name),
        };
        if self.version != before {
            self.writes.push(change.clone());
        }
        outcome
    }

    fn is_current(&self, metadata: &ObjectMeta, version: &str) -> bool {
        self.ignores_versions || metadata.resource_version.as_deref() == Some(version)
    }

    fn change_eip(&mut self, name: &str, version: &str, edit: impl FnOnce(&mut Eip)) -> Outcome {
        let Some(eip) = self.eips.get(name) else {
            return Outcome::NotFound;
        };
        if !self.is_current(&eip.metadata, version) {
            return Outcome::Conflict;
        }
        let mut new = eip.clone();
        edit(&mut new);
        if new != *eip {
            self.stamp(&mut new.metadata);
            let done = done(&new.metadata);
            self.store_eip(new);
            return done;
        }
        done(&new.metadata)
    }

    fn write_block(&mut self, version: Option<&str>, block: &AddressBlock) -> Outcome {
        let name = block.metadata.name.clone();
        let mut new = block.clone();
        match (self.blocks.get(&name), version) {
            (None, None) => self.born(&mut new.metadata),
            (None, Some(_)) => return Outcome::NotFound,
            (Some(_), None) => return Outcome::Exists,
            (Some(old), Some(version)) => {
                if !self.is_current(&old.metadata, version) {
                    return Outcome::Conflict;
                }
                new.metadata = old.metadata.clone();
                if new == *old {
                    return done(&new.metadata);
                }
                self.stamp(&mut new.metadata);
            }
        }
        let done = done(&new.metadata);
        let event = Input::Block(Box::new(new.clone()));
        self.events.push((Kind::Block, event));
        self.blocks.insert(name, new);
        done
    }

    fn delete_block(&mut self, name: &str, version: &str) -> Outcome {
        let Some(block) = self.blocks.get(name) else {
            return Outcome::NotFound;
        };
        if !self.is_current(&block.metadata, version) {
            return Outcome::Conflict;
        }
        self.version += 1;
        self.blocks.remove(name);
        self.events
            .push((Kind::Block, Input::BlockGone(name.to_owned())));
        Outcome::Done {
            resource_version: self.version.to_string(),
        }
    }

    fn apply(&mut self, key: &str, apply: &ServiceApply) -> Outcome {
        let Some(stored) = self.services.get(key) else {
            return Outcome::NotFound;
        };
        if stored.service.metadata.uid.as_deref() != Some(&apply.uid) {
            return Outcome::NotFound;
        }
        if !self.is_current(&stored.service.metadata, &apply.resource_version) {
            return Outcome::Conflict;
        }
        let mut new = stored.clone();
        if let Some(ingress) = &apply.ingress {
            let is_other = *ingress != new.service.status.load_balancer.ingress;
            let owner = new
                .manager
                .as_deref()
                .filter(|it| *it != names::FIELD_MANAGER);
            if let Some(manager) = owner.filter(|_| is_other && !apply.force) {
                return Outcome::Owned {
                    manager: manager.to_owned(),
                    field: ".status.loadBalancer.ingress".to_owned(),
                };
            }
            if is_other {
                new.manager = Some(names::FIELD_MANAGER.to_owned());
            }
            new.service.status.load_balancer.ingress.clone_from(ingress);
        } else if new.manager.as_deref() == Some(names::FIELD_MANAGER) {
            new.manager = None;
            new.service.status.load_balancer.ingress.clear();
        }
        let metadata = &mut new.service.metadata;
        metadata
            .finalizers
            .retain(|it| it != names::SERVICE_FINALIZER);
        if apply.finalizer {
            metadata
                .finalizers
                .push(names::SERVICE_FINALIZER.to_owned());
        }
        match &apply.label {
            Some(label) => metadata.labels.insert(names::POOL_LABEL, label.as_str()),
            None => metadata.labels.remove(names::POOL_LABEL),
        };
        let conditions = &mut new.service.status.conditions;
        conditions.retain(|it| it.kind != names::ADDRESS_ASSIGNED_CONDITION);
        conditions.extend(apply.condition.clone());
        if new.service == stored.service {
            return done(&new.service.metadata);
        }
        self.stamp(&mut new.service.metadata);
        let done = done(&new.service.metadata);
        self.store_service(new);
        done
    }

    fn read(&self, kind: Kind, namespace: &str, name: &str) -> Outcome {
        let found = match kind {
            Kind::Eip => self
                .eips
                .get(name)
                .cloned()
                .map(|it| Object::Eip(Box::new(it))),
            Kind::Block => self
                .blocks
                .get(name)
                .cloned()
                .map(|it| Object::Block(Box::new(it))),
            Kind::Service => {
                let stored = self.services.get(&format!("{namespace}/{name}"));
                stored.map(|it| Object::Service(Box::new(it.service.clone())))
            }
            Kind::Namespace => None,
        };
        found.map_or(Outcome::NotFound, Outcome::Found)
    }
}

fn done(metadata: &ObjectMeta) -> Outcome {
    Outcome::Done {
        resource_version: metadata.resource_version.clone().unwrap(),
    }
}

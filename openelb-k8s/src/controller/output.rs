//! What the machine wants done: writes, each with what makes it safe, and words for users.

use std::sync::Arc;

use crate::api::{AddressBlock, EipStatus};
use crate::cluster::{Condition, Ingress};

use super::Kind;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A request to the API server, to be answered by [`Input::Written`](super::Input::Written). The
    /// machine has at most one under way for an object; requests for different objects may run at the
    /// same time and in any order.
    Write(Write),
    /// Something that the user of an object should hear of: an Event. It is told once, never delays a
    /// write, and may be lost.
    Happened(Occurrence),
}

/// The number of a write, unique over the life of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// A request to the API server.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Its number.
    pub id: WriteId,
    /// What it does.
    pub what: Change,
}

/// What a request does. Every one that changes something carries a resource version or a uid, so that
/// it happens to the object it was made for or not at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Replaces the status of an Eip: `PUT` of the status subresource.
    EipStatus {
        /// Its name.
        name: String,
        /// The version that the status was made for.
        resource_version: String,
        /// All of the status.
        status: Box<EipStatus>,
    },
    /// Puts [`EIP_FINALIZER`](crate::names::EIP_FINALIZER) on an Eip, or takes it off.
    EipFinalizer {
        /// Its name.
        name: String,
        /// The version that the decision was made for.
        resource_version: String,
        /// All finalizers that the Eip has afterwards.
        finalizers: Vec<String>,
    },
    /// Creates a block, or replaces it.
    Block {
        /// The version to replace; `None` creates it.
        resource_version: Option<String>,
        /// All of the block but its resource version.
        block: Box<AddressBlock>,
    },
    /// Deletes a block, with the resource version as a precondition.
    BlockDelete {
        /// Its name.
        name: String,
        /// The version that the decision was made for.
        resource_version: String,
    },
    /// Makes all that is this controller's on a Service as it is said here, and nothing else.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What it is to be. The machine keeps it too, until it is answered.
        apply: Arc<ServiceApply>,
    },
    /// Reads an object past every cache: `GET` without a resource version. The answer is
    /// [`Outcome::Found`](super::Outcome::Found) or `NotFound`.
    Read {
        /// The kind; never a Namespace.
        kind: Kind,
        /// Its namespace; empty for kinds without.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// All that the controller has to say on a Service: one request on its status subresource, which lets
/// metadata through.
///
/// It holds for one version of one incarnation: with another `uid` or `resourceVersion` nothing may
/// happen. After [`Outcome::Done`](super::Outcome::Done) the Service is as it says, also where fields
/// that were to go belonged to one of [`FORMER_MANAGERS`](crate::names::FORMER_MANAGERS).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceApply {
    /// Of the Service that was seen; empty when the server gave none.
    pub uid: String,
    /// The version that was seen.
    pub resource_version: String,
    /// Whether [`SERVICE_FINALIZER`](crate::names::SERVICE_FINALIZER) is there.
    pub finalizer: bool,
    /// Value of [`POOL_LABEL`](crate::names::POOL_LABEL); `None`: there is no such label.
    pub label: Option<String>,
    /// All of `status.loadBalancer.ingress`; `None` says nothing about it and owns it no longer.
    pub ingress: Option<Vec<Ingress>>,
    /// The condition [`openelb.io/AddressAssigned`;
    /// `None`: it is not there.
    pub condition: Option<Condition>,
    /// Fields that another manager owns are taken over: only when the Service is deleted, or after
    /// [`Outcome::Owned`](super::Outcome::Owned) by one of OpenELB's own former names.
    pub force: bool,
}

/// Something that the user of an object should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is about.
    pub about: ObjectRef,
    /// Whether something is wrong.
    pub is_warning: bool,
    /// One word of a fixed set.
    pub reason: &'static str,
    /// What was being done.
    pub action: &'static str,
    /// A sentence.
    pub note: String,
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// `Service` or `Eip`.
    pub kind: Kind,
    /// Its namespace; empty for kinds without.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid; empty when the server gave none.
    pub uid: String,
}

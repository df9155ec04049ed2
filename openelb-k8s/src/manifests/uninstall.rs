//! How an installation is taken away so that every object stays deletable.

use super::{Options, access};
use crate::names;

/// The steps as a shell script with comments, to be read and then run.
///
/// Addresses stay in the status of their Services, which nobody announces any more. A finalizer of
/// ours would hold an object back once nobody is there to take it off; so the script takes each one
/// off itself, and no other finalizer.
pub fn uninstall_steps(options: &Options) -> String {
    let namespace = &options.namespace;
    let (controller, speaker) = (access::CONTROLLER, access::SPEAKER);
    let webhook = access::WEBHOOK;
    let services = take_off("services", names::SERVICE_FINALIZER);
    let conditions = take_back(names::ADDRESS_ASSIGNED_CONDITION);
    let eips = take_off("eips.network.kubesphere.io", names::EIP_FINALIZER);
    let peers = take_off("bgppeers.network.kubesphere.io", names::SERVICE_FINALIZER);
    let confs = take_off("bgpconfs.network.kubesphere.io", names::SERVICE_FINALIZER);
    format!(
        "\
# Uninstall OpenELB. Read it, then run it: openelb manifests --uninstall-steps | sh -eux

# 1. Nothing may refuse a deletion, or put a finalizer back, as an installation elsewhere would.
elsewhere=$(kubectl get deployments,daemonsets --all-namespaces -l app.kubernetes.io/name=openelb --field-selector metadata.namespace!={namespace} -o name)
[ -z \"$elsewhere\" ] || {{ echo \"not only in namespace {namespace}: give the other one with --namespace\" >&2; exit 1; }}
kubectl delete validatingwebhookconfiguration {webhook} --ignore-not-found
kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy openelb-speaker-own-node --ignore-not-found
kubectl -n {namespace} delete deployment {controller} --ignore-not-found --cascade=foreground
# The speakers ask their peers for other paths and withdraw before they end.
kubectl -n {namespace} delete daemonset {speaker} --ignore-not-found --cascade=foreground

# 2. Nothing is held back by a finalizer of ours.
{services}{eips}{confs}{peers}
# 3. Nobody would correct what is said of a Service without an address.
{conditions}
# 4. The rest; the namespace stays, with the key of the election. Deleting the definitions deletes
#    every pool and its allocations: leave the last line out to keep them for another installation.
kubectl delete clusterrolebinding,clusterrole {controller} {speaker} openelb-webhook --ignore-not-found
kubectl -n {namespace} delete all,role,rolebinding,serviceaccount,networkpolicy,poddisruptionbudget -l app.kubernetes.io/name=openelb
# What the controller made, and the objects of Prometheus' operator, where that is.
kubectl -n {namespace} delete secret/openelb-webhook lease/{controller} --ignore-not-found
for kind in $(kubectl api-resources --api-group=monitoring.coreos.com --namespaced -o name); do
  kubectl -n {namespace} delete \"$kind\" -l app.kubernetes.io/name=openelb
done
kubectl delete customresourcedefinition -l app.kubernetes.io/name=openelb
"
    )
}

/// Takes one finalizer off every object of a kind; others stay.
fn take_off(resource: &str, finalizer: &str) -> String {
    let of =
        format!("{{{{range $at, $it := .metadata.finalizers}}}}{{{{if eq $it \"{finalizer}\"}}}}");
    remove(resource, &of, "/metadata/finalizers/$at", "", finalizer)
}

/// Takes a condition out of the status of every Service; others stay.
fn take_back(condition: &str) -> String {
    let of = format!(
        "{{{{range $at, $it := .status.conditions}}}}{{{{if eq $it.type \"{condition}\"}}}}"
    );
    remove(
        "services --subresource=status",
        &of,
        "/status/conditions/$at",
        "/type",
        condition,
    )
}

/// Removes an element of a list of every object of a kind, if `tested` of it is the value even now:
/// one that moved meanwhile is not mistaken for it.
fn remove(resource: &str, of: &str, element: &str, tested: &str, value: &str) -> String {
    let kind = resource.split(' ').next().unwrap_or(resource);
    format!(
        "\
kubectl get {kind} --all-namespaces -o go-template='{{{{range .items}}}}{{{{$object := .metadata}}}}{of}\
{{{{or $object.namespace \"default\"}}}} {{{{$object.name}}}} {{{{$at}}}}{{{{\"\\n\"}}}}\
{{{{end}}}}{{{{end}}}}{{{{end}}}}' |
while read -r namespace name at; do
  kubectl -n \"$namespace\" patch {resource} \"$name\" --type=json -p=\"[\
{{\\\"op\\\":\\\"test\\\",\\\"path\\\":\\\"{element}{tested}\\\",\\\"value\\\":\\\"{value}\\\"}},\
{{\\\"op\\\":\\\"remove\\\",\\\"path\\\":\\\"{element}\\\"}}]\"
done
"
    )
}

//! `openelb explain svc/NAME`: the same of a Service in a running cluster. Only reads.

use std::io::{self, Write};
use std::path::Path;

use openelb_k8s::client::Place;
use openelb_k8s::explain::{Explanation, LiveError, live};
use openelb_k8s::wish::{Serving, Unclassed};

use crate::args::ClusterArgs;
use crate::clock;
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

/// A Service by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    namespace: String,
    name: String,
}

/// The Service of a cluster that was typed; `None` when an owner of this machine was meant.
pub(super) fn service(
    what: &str,
    typed: Option<&str>,
    is_plugin: bool,
) -> Result<Option<Named>, Failure> {
    let in_cluster = what.strip_prefix("svc/");
    let (name, namespace) = match (in_cluster, what.split_once('/')) {
        (Some(name), _) => (name, None),
        (None, Some((namespace, name))) if is_plugin => (name, Some(namespace)),
        (None, None) if is_plugin => (what, None),
        (None, _) => return Ok(None),
    };
    if name.is_empty() || name.contains('/') {
        let failure = Failure::new(ExitCode::Invalid, format!("`{what}` names no Service"));
        return Err(failure.next("write svc/NAME, and the namespace after -n"));
    }
    Ok(Some(Named {
        namespace: typed.or(namespace).unwrap_or("default").to_owned(),
        name: name.to_owned(),
    }))
}

/// Whether kubectl started the program: `kubectl openelb` runs `kubectl-openelb`.
pub(super) fn is_plugin() -> bool {
    let program = std::env::args_os().next().unwrap_or_default();
    Path::new(&program)
        .file_stem()
        .is_some_and(|stem| stem == "kubectl-openelb")
}

/// Explains a Service of a cluster.
pub(super) fn explain(
    service: &Named,
    args: &ClusterArgs,
    format: Format,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new(ExitCode::Failed, error))?;
    let (place, serving) = (place(args), serving(args));
    let asked = live(
        &place,
        &service.namespace,
        &service.name,
        &serving,
        clock::now(),
    );
    let explanation = runtime.block_on(asked).map_err(|error| failure(&error))?;
    output::print(&explanation, format)?;
    Ok(if explanation.is_served() {
        ExitCode::Success
    } else {
        ExitCode::Refused
    })
}

impl Report for Explanation {
    fn write_human(&self, out: &mut dyn Write, _: Paint) -> io::Result<()> {
        writeln!(out, "{self}")
    }
}

pub(in crate::command) fn place(args: &ClusterArgs) -> Place {
    match (&args.kubeconfig, &args.context) {
        (None, None) => Place::Found,
        (Some(file), None) => Place::File(file.clone()),
        (file, Some(name)) => Place::Context {
            file: file.clone(),
            name: name.clone(),
        },
    }
}

pub(in crate::command) fn serving(args: &ClusterArgs) -> Serving {
    let default = Serving::default();
    Serving {
        class: args.class.clone().unwrap_or(default.class),
        unclassed: if args.serve_unclassed {
            Unclassed::Always
        } else {
            default.unclassed
        },
    }
}

/// The errors end with the next step; here it stands by itself.
pub(in crate::command) fn failure(error: &LiveError) -> Failure {
    let code = match error {
        LiveError::Connect(_) => ExitCode::Invalid,
        LiveError::NotFound { .. } => ExitCode::NotFound,
        LiveError::List {
            is_forbidden: true, ..
        } => ExitCode::NotPermitted,
        LiveError::List { .. } => ExitCode::Failed,
    };
    let text = error.to_string();
    match text.rsplit_once("; ") {
        Some((fact, next)) => Failure::new(code, fact).next(next),
        None => Failure::new(code, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, service};

    fn named(what: &str, namespace: Option<&str>, is_plugin: bool) -> Option<String> {
        let Named { namespace, name } = service(what, namespace, is_plugin).unwrap()?;
        Some(format!("{namespace}/{name}"))
    }

    #[test]
    fn a_service_of_a_cluster_is_svc_name_and_everything_as_a_plugin_of_kubectl() {
        for (what, namespace, is_plugin, expected) in [
            ("svc/web", None, false, Some("default/web")),
            ("svc/web", Some("shop"), true, Some("shop/web")),
            ("shop/web", None, false, None),
            ("192.0.2.7", None, false, None),
            ("shop/web", None, true, Some("shop/web")),
            ("web", Some("shop"), true, Some("shop/web")),
        ] {
            assert_eq!(
                named(what, namespace, is_plugin).as_deref(),
                expected,
                "{what}"
            );
        }
    }

    #[test]
    fn a_name_that_no_service_has_is_refused_with_the_form() {
        for what in ["svc/", "svc/a/b"] {
            let failure = service(what, None, false).unwrap_err();
            assert!(failure.next.unwrap().contains("svc/NAME"), "{what}");
        }
    }
}

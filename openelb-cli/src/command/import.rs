//! `openelb import`: the objects of OpenELB or MetalLB as objects of this project. Only reads.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use openelb_k8s::client::Place;
use openelb_k8s::import::{self, Imported, Origin};
use openelb_k8s::manifests;
use serde_json::{Value, json};

use super::explain;
use crate::args::{ClusterArgs, ImportArgs, ImportOrigin};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

pub(super) fn run(args: &ImportArgs, format: Format) -> Result<ExitCode, Failure> {
    let origin = match args.origin {
        ImportOrigin::Openelb => Origin::OpenElb,
        ImportOrigin::Metallb => Origin::MetalLb,
        ImportOrigin::MetallbDyn6 => Origin::MetalLbDyn6,
    };
    let documents = if args.live {
        live(origin, args)?
    } else {
        read(args)?
    };
    let imported = import::import(origin, &documents);
    let is_lossy = imported.has_loss();
    report(&imported);
    if !(args.strict && is_lossy) {
        output::print_text(&written(&imported, format))?;
    }
    Ok(if is_lossy {
        ExitCode::Problems
    } else {
        ExitCode::Success
    })
}

/// The objects as `kubectl apply` takes them.
fn written(imported: &Imported, format: Format) -> String {
    let objects = imported.objects();
    match format {
        Format::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            format!("{list:#}\n")
        }
        Format::Table | Format::Yaml => manifests::yaml(&objects),
    }
}

/// On standard error, so that the objects can go into a file. Nobody is left to tell when it is closed.
fn report(imported: &Imported) {
    let mut err = io::stderr().lock();
    for remark in &imported.remarks {
        let _ = writeln!(err, "{remark}\n");
    }
    let count = |is_lost| {
        let remarks = imported.remarks.iter();
        let same = remarks.filter(|it| (it.grade == import::Grade::Lost) == is_lost);
        same.count()
    };
    let records = imported.eips.iter().map(|eip| eip.status.used.len());
    let (pools, peers) = (imported.eips.len(), imported.peers.len());
    let _ = writeln!(
        err,
        "{pools} pools, {} addresses in use, {peers} BGP peers; {} lost, {} notes",
        records.sum::<usize>(),
        count(true),
        count(false),
    );
}

fn read(args: &ImportArgs) -> Result<Vec<Value>, Failure> {
    let mut documents = Vec::new();
    for path in &args.files {
        let name = path.display();
        let text = text(path).map_err(|error| {
            let message = format!("cannot read {name}: {error}");
            Failure::new(ExitCode::Invalid, message).next("name a YAML file that you may read")
        })?;
        let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(&text, limits());
        let read = read.map_err(|error| {
            // The excerpt of the parser would show a password beside the fault.
            let message = format!("{name} is no YAML: {}", error.without_snippet());
            Failure::new(ExitCode::Invalid, message).next("correct the line")
        })?;
        documents.extend(read);
    }
    Ok(documents)
}

/// The parser's own limits are those of a configuration: the Services of a large cluster are more.
fn limits() -> serde_saphyr::Options {
    let mut options = serde_saphyr::Options::default();
    if let Some(budget) = &mut options.budget {
        budget.max_nodes = MOST_NODES;
        budget.max_events = MOST_NODES * 2;
        budget.max_documents = MOST_DOCUMENTS;
    }
    options
}

fn text(path: &Path) -> io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}

fn live(origin: Origin, args: &ImportArgs) -> Result<Vec<Value>, Failure> {
    let cluster = ClusterArgs {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        ..ClusterArgs::default()
    };
    let place: Place = explain::place(&cluster);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new(ExitCode::Failed, error))?;
    let listed = runtime.block_on(import::documents(origin, &place));
    listed.map_err(|error| explain::failure(&error))
}

/// Some 100,000 Services of 200 values each.
const MOST_NODES: usize = 20_000_000;

const MOST_DOCUMENTS: usize = 100_000;

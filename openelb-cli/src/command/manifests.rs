//! `openelb manifests`: an installation in a cluster, as YAML for `kubectl apply`.

use openelb_k8s::crd;
use openelb_k8s::manifests::{self, Options, Protocols};

use crate::args::{ManifestsArgs, SpeakerProtocol};
use crate::exit_code::{ExitCode, Failure};
use crate::output;

pub(super) fn run(args: &ManifestsArgs) -> Result<ExitCode, Failure> {
    let options = options(args);
    let text = if args.uninstall_steps {
        manifests::uninstall_steps(&options)
    } else if args.definitions {
        manifests::yaml(&crd::definitions())
    } else {
        manifests::yaml(&manifests::objects(&options))
    };
    output::print_text(&text)?;
    Ok(ExitCode::Success)
}

fn options(args: &ManifestsArgs) -> Options {
    let speaks = |protocol| args.protocols.contains(&protocol);
    let defaults = Options::default();
    Options {
        namespace: args.namespace.clone(),
        image: args.image.clone().unwrap_or(defaults.image),
        protocols: Protocols {
            layer2: speaks(SpeakerProtocol::Layer2),
            bgp: speaks(SpeakerProtocol::Bgp),
            vip: speaks(SpeakerProtocol::Vip),
            pods: speaks(SpeakerProtocol::Pods),
        },
        monitoring: args.monitoring,
        webhook: args.webhook,
    }
}

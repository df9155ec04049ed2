//! Where a cluster learns its prefix: a router beside a speaker, web servers and a name server that the
//! controller asks. All of them are real, and change their minds.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use nix::sys::signal::Signal;
use openelb_k8s::envtest::{ControlPlane, Netns, Process, Release};
use serde_json::Value;

use crate::cluster::{eventually, skip_without};
use crate::controller::service;
use crate::running::{Installation, PROGRAM};
use crate::speaking::{NODE, speaker};

#[test]
fn metallb_76_a_router_renumbers_beside_a_speaker_and_connections_have_their_grace() {
    if skip_without("radvd") {
        return;
    }
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    let router = Router::beside(&here.plane);
    router.advertise(&[("2001:db8:a::/64", 3_600)]);
    let radvd = router.start();
    here.apply(NODE);
    here.apply(&prefix(
        "home",
        "routerAdvertisement: {interface: wan0}",
        "20s",
    ));
    here.apply(&pool("edge", "home/::1000-::1fff"));
    here.apply(&serving("web", "edge"));
    here.start_controller(&[]);
    let mut speaker = speaker(&here.plane);

    shows(&here, "web", &["2001:db8:a::1000"]);
    announces(&here, &["2001:db8:a::1000"]);
    router.advertise(&[("2001:db8:a::/64", 0), ("2001:db8:b::/64", 3_600)]);
    radvd.signal(Signal::SIGHUP).unwrap();
    let both = ["2001:db8:b::1000", "2001:db8:a::1000"];
    shows(&here, "web", &both);
    announces(&here, &both);

    // Whoever leads next knows from the status when the old one leaves.
    here.kill_controller(0);
    here.start_controller(&[]);
    shows(&here, "web", &both[..1]);
    announces(&here, &both[..1]);
    assert!(here.records("edge").contains_key("home/::1000"));
    assert!(speaker.ended().unwrap().is_none(), "{}", speaker.log());
    here.assert_nothing_was_refused();
}

#[test]
fn metallb_77_a_web_server_alone_is_not_believed_and_a_name_is_followed_meanwhile() {
    if skip_without("dnsmasq") {
        return;
    }
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    let servers = [(); 2].map(|()| WebServer::start(&here.plane, "2001:db8:a::7"));
    let names = NameServer::start(&here.plane, "2001:db8:c::9");
    let [one, other] = servers.each_ref().map(|it| &*it.url);
    let asked = format!("http: {{every: 10s, urls: ['{one}', '{other}']}}");
    here.apply(&prefix("home", &asked, "1h"));
    let looked_up = "dns: {every: 10s, name: host.office.test}";
    here.apply(&prefix("office", looked_up, "1h"));
    here.apply(&pool("edge", "home/::1000-::1fff"));
    here.apply(&pool("inner", "office/::1000-::1fff"));
    here.apply(&serving("web", "edge"));
    here.apply(&serving("mail", "inner"));
    here.start_controller_by(names.resolving(PROGRAM), &[]);
    shows(&here, "web", &["2001:db8:a::1000"]);
    shows(&here, "mail", &["2001:db8:c::1000"]);

    servers[0].say("2001:db8:b::7");
    names.say("2001:db8:d::9");
    shows(&here, "mail", &["2001:db8:d::1000", "2001:db8:c::1000"]);
    degraded(&here, "True");
    shows(&here, "web", &["2001:db8:a::1000"]);
    servers[1].say("2001:db8:b::8");
    shows(&here, "web", &["2001:db8:b::1000", "2001:db8:a::1000"]);
    degraded(&here, "False");
    here.assert_nothing_was_refused();
}

#[test]
fn of_two_objects_with_one_prefix_the_later_one_is_refused_and_gets_it_when_the_other_goes() {
    let Some(mut here) = Installation::open(Release::Current) else {
        return;
    };
    here.start_controller(&[]);
    let fixed = "static: {prefix: '2001:db8:a::/64'}";
    here.apply(&prefix("home", fixed, "1s"));
    here.apply(&pool("edge", "home/::1000-::1fff"));
    here.apply(&serving("web", "edge"));
    shows(&here, "web", &["2001:db8:a::1000"]);

    here.apply(&prefix("annex", fixed, "1s"));
    here.apply(&pool("inner", "annex/::1000-::1fff"));
    here.apply(&serving("mail", "inner"));
    let conflict = eventually("the conflict is told", || {
        let ready = here.condition("dynamicprefix annex", "Ready")?;
        (ready["reason"] == "PrefixConflict").then_some(ready)
    });
    let message = conflict["message"].as_str().unwrap();
    assert!(
        message.contains("annex") && message.contains("home"),
        "{message}"
    );
    eventually("it is an Event, too", || {
        let events = here.read("events.events.k8s.io --all-namespaces");
        let mut events = events["items"].as_array()?.clone().into_iter();
        events
            .any(|it| it["reason"] == "PrefixConflict" && it["regarding"]["name"] == "annex")
            .then_some(())
    });
    shows(&here, "mail", &[]);

    here.kubectl("delete service web");
    here.kubectl("delete dynamicprefix home");
    shows(&here, "mail", &["2001:db8:a::1000"]);
    here.assert_nothing_was_refused();
}

/// Waits until a Service shows exactly these.
fn shows(here: &Installation, service: &str, addresses: &[&str]) {
    let what = format!("Service {service} shows {addresses:?}");
    eventually(&what, || {
        let shown = here.addresses();
        let shown = shown.get(&format!("default/{service}"))?;
        (shown == addresses).then_some(())
    });
}

/// Waits until the node announces exactly these.
fn announces(here: &Installation, addresses: &[&str]) {
    let mut addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    addresses.sort_unstable();
    eventually(&format!("the node announces {addresses:?}"), || {
        let text = here
            .plane
            .kubectl(&["get", "nodeannouncement", "n1", "-o", "json"]);
        let record: Value = serde_json::from_str(&text.ok()?).ok()?;
        let entries = record["status"]["addresses"].as_array()?.iter();
        let announced = entries.filter(|it| it["state"] == "Announced");
        let mut announced: Vec<_> = announced
            .filter_map(|it| Some(it["address"].as_str()?.to_owned()))
            .collect();
        announced.sort_unstable();
        (announced == addresses).then_some(())
    });
}

/// Waits until `home` says so of itself.
fn degraded(here: &Installation, status: &str) {
    eventually(&format!("Degraded={status}"), || {
        let degraded = here.condition("dynamicprefix home", "Degraded")?;
        (degraded["status"] == status).then_some(())
    });
}

fn prefix(name: &str, source: &str, grace: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: DynamicPrefix\n\
         metadata: {{name: {name}}}\n\
         spec: {{holdDown: 1s, grace: {grace}, sources: [{{{source}}}]}}\n---\n"
    )
}

fn pool(name: &str, address: &str) -> String {
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: Eip\nmetadata: {{name: {name}}}\n\
         spec: {{address: '{address}', protocol: layer2, interface: wan0, autoAssign: true}}\n---\n"
    )
}

/// A Service of an Eip, with an endpoint on the node.
fn serving(name: &str, eip: &str) -> String {
    let service = service(name, "ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]");
    let metadata = format!("metadata: {{name: {name}, namespace: default");
    let named = format!("{metadata}, annotations: {{eip.openelb.kubesphere.io/v1alpha2: {eip}}}");
    service.replace(&metadata, &named)
        + &format!(
            "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
             metadata: {{name: {name}-1, namespace: default, labels: \
             {{kubernetes.io/service-name: {name}}}}}\naddressType: IPv6\n\
             endpoints: [{{addresses: ['fd00:10::2'], nodeName: n1}}]\n"
        )
}

/// A router of the provider, on the other end of `wan0` beside the API server.
struct Router {
    netns: Netns,
    folder: PathBuf,
}

impl Router {
    fn beside(plane: &ControlPlane) -> Self {
        let netns = Netns::create("isp").unwrap();
        let node = plane.netns();
        node.link("wan0", "isp0", &netns).unwrap();
        netns.run(|| set("all/forwarding", "1"));
        // Also where the node forwards for its containers.
        node.run(|| set("wan0/accept_ra", "2"));
        netns.ip("link set isp0 up").unwrap();
        netns.ip("address add fe80::1/64 dev isp0 nodad").unwrap();
        node.ip("link set wan0 up").unwrap();
        let folder = plane.folder().to_owned();
        Self { netns, folder }
    }

    /// Writes what is to be advertised: prefixes and for how many seconds each is preferred.
    fn advertise(&self, prefixes: &[(&str, u32)]) {
        let prefixes = prefixes.iter().map(|(prefix, preferred)| {
            format!(
                "prefix {prefix} {{ AdvPreferredLifetime {preferred}; AdvValidLifetime 7200; }};\n"
            )
        });
        let text = format!(
            "interface isp0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;\n{} }};\n",
            prefixes.collect::<String>()
        );
        std::fs::write(self.folder.join("radvd.conf"), text).unwrap();
    }

    fn start(&self) -> Process {
        let mut command = Command::new("radvd");
        command.args(["-n", "-m", "stderr", "-C"]);
        command.arg(self.folder.join("radvd.conf"));
        command.arg("-p").arg(self.folder.join("radvd.pid"));
        Process::start(&self.netns, &command, &self.folder.join("radvd.log")).unwrap()
    }
}

fn set(key: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/ipv6/conf/{key}"), value).unwrap();
}

/// A web server that tells everybody the same address.
struct WebServer {
    url: String,
    says: Arc<Mutex<String>>,
}

impl WebServer {
    fn start(plane: &ControlPlane, address: &str) -> Self {
        let listener = plane.netns().run(|| TcpListener::bind("[::1]:0"));
        let listener = listener.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new(address.to_owned()));
        let said = Arc::clone(&says);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let address = said.lock().unwrap().clone();
                // Who goes away without an answer does not want one.
                let _ = answer(stream, &address);
            }
        });
        Self { url, says }
    }

    fn say(&self, address: &str) {
        address.clone_into(&mut self.says.lock().unwrap());
    }
}

fn answer(mut stream: TcpStream, address: &str) -> io::Result<()> {
    let _ = stream.read(&mut [0; 4096])?;
    let length = address.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{address}"
    )
}

/// dnsmasq, and a `resolv.conf` that leads to it.
struct NameServer {
    folder: PathBuf,
    process: Process,
}

impl NameServer {
    fn start(plane: &ControlPlane, address: &str) -> Self {
        let folder = plane.folder().to_owned();
        std::fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
        write_names(&folder, address);
        let mut command = Command::new("dnsmasq");
        command.args(["--keep-in-foreground", "--user=root", "--pid-file="]);
        command.args(["--conf-file=/dev/null", "--no-resolv", "--no-hosts"]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces"]);
        command.args(["--local=/test/", "--log-facility=-"]);
        command.arg(format!("--addn-hosts={}/names", folder.display()));
        let log = folder.join("dnsmasq.log");
        let process = Process::start(plane.netns(), &command, &log).unwrap();
        Self { folder, process }
    }

    /// Not right after the start: dnsmasq takes signals only once it answers.
    fn say(&self, address: &str) {
        write_names(&self.folder, address);
        self.process.signal(Signal::SIGHUP).unwrap();
    }

    /// A command that runs a program whose names this server resolves.
    fn resolving(&self, program: &str) -> Command {
        let script = r#"mount --bind "$0" /etc/resolv.conf && exec "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]);
        command.arg(self.folder.join("resolv.conf")).arg(program);
        command
    }
}

/// Writes what the name server knows.
fn write_names(folder: &Path, address: &str) {
    let line = format!("{address} host.office.test\n");
    std::fs::write(folder.join("names"), line).unwrap();
}

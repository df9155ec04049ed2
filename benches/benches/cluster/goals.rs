//! Every goal, one after another on one control plane.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use openelb_benches::meter::clock;
use openelb_k8s::api::Eip;
use openelb_k8s::client::{Act, Client, Place, Watched, Writer, connect};
use openelb_k8s::crd;
use openelb_k8s::envtest::{ControlPlane, User};
use openelb_k8s::names;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::api::{self, Services, WIDTH};
use super::controller::Controller;
use super::table::{Goal, Table};

/// Measures all of them; takes some minutes with 10,000 Services.
pub(crate) async fn measure(plane: &ControlPlane, count: usize) -> Table {
    let kubeconfig = plane.kubeconfig(User::Admin).unwrap();
    let client = connect(&Place::File(kubeconfig.clone())).await.unwrap();
    let writer = Writer::new(client.clone(), "openelb-bench", WIDTH);
    prepare(plane, &writer).await;
    let mut table = Table::default();
    latency(&client, &writer, &kubeconfig, &mut table).await;
    fill(&client, &writer, &kubeconfig, count, &mut table).await;
    table
}

/// The definitions, and a pool with room for everybody.
async fn prepare(plane: &ControlPlane, writer: &Writer) {
    for definition in crd::definitions() {
        plane.apply(&definition.to_string()).unwrap();
    }
    let established = ["wait", "--for=condition=Established", "crd", "--all"];
    plane.kubectl(&established).unwrap();
    writer
        .send(pool("wide", "10.0.0.0/16", true))
        .await
        .unwrap();
    writer
        .send(pool("narrow", "172.16.0.1", false))
        .await
        .unwrap();
}

fn pool(name: &str, address: &str, is_default: bool) -> openelb_k8s::client::Request {
    let body = json!({
        "apiVersion": names::EIP_API_VERSION,
        "kind": names::EIP_KIND,
        "metadata": {
            "name": name,
            "annotations": {names::DEFAULT_EIP_ANNOTATION: is_default.to_string()},
        },
        "spec": {"address": address, "protocol": "none"},
    });
    let mut request = api::write(Eip::RESOURCE, "", Act::Create, body);
    request.key.namespace.clear();
    request
}

/// From the creation of a Service to its address, beside two plain writes.
async fn latency(client: &Client, writer: &Writer, kubeconfig: &Path, table: &mut Table) {
    let mut plain = Vec::new();
    for number in 0..SAMPLES {
        let name = format!("plain-{number}");
        let start = clock();
        writer.send(api::service(&name, FOREIGN)).await.unwrap();
        let address = Ipv4Addr::new(203, 0, 113, 1).to_string();
        writer.send(api::status(&name, &address)).await.unwrap();
        plain.push(clock() - start);
    }
    let controller = Controller::start(kubeconfig, PAGE);
    let mut services = Services::new(client.clone());
    // It is at work when the first one is served.
    writer.send(api::service("first", CLASS)).await.unwrap();
    services.until(|served| served.contains("first")).await;
    let mut ours = Vec::new();
    for number in 0..SAMPLES {
        let name = format!("quick-{number}");
        let start = clock();
        writer.send(api::service(&name, CLASS)).await.unwrap();
        services.until(|served| served.contains(&name)).await;
        ours.push(clock() - start);
    }
    let [plain, ours] = [plain, ours].map(median);
    let ratio = ours.as_secs_f64() / plain.as_secs_f64();
    let milliseconds = |span: Duration| span.as_secs_f64() * 1e3;
    table.add("two plain writes, p50", milliseconds(plain), "ms", None);
    table.add(
        "Service created to address in status, p50",
        milliseconds(ours),
        "ms",
        None,
    );
    table.add("  ratio", ratio, "", Some(Goal::Most(1.5)));
    freed(writer, &mut services, table).await;
    let names = (0..SAMPLES).map(|number| format!("quick-{number}"));
    let names: Vec<_> = names.chain(["first".to_owned()]).collect();
    gone(writer, &mut services, &names).await;
    quiet().await;
    drop(controller);
}

/// From the deletion of the holder of an address to its next holder.
async fn freed(writer: &Writer, services: &mut Services, table: &mut Table) {
    let mut spans = Vec::new();
    writer.send(narrow("holder-0")).await.unwrap();
    services.until(|served| served.contains("holder-0")).await;
    for number in 0..FREED {
        let (old, new) = (format!("holder-{number}"), format!("holder-{}", number + 1));
        writer.send(narrow(&new)).await.unwrap();
        // It must have been refused before the address comes free.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = clock();
        writer.send(api::delete(&old)).await.unwrap();
        services.until(|served| served.contains(&new)).await;
        spans.push(clock() - start);
    }
    let longest = spans.iter().max().unwrap().as_secs_f64();
    let what = "address freed to waiting Service served, longest";
    table.add(what, longest, "s", Some(Goal::Most(1.0)));
}

/// A Service that wants the only address of a pool.
fn narrow(name: &str) -> openelb_k8s::client::Request {
    let mut request = api::service(name, CLASS);
    request.body["metadata"]["annotations"] = json!({names::POOL_ANNOTATION: "narrow"});
    request
}

/// Many Services at once, beside as many plain status writes: some times in turn, because a machine is
/// not equally quick all the time.
async fn fill(
    client: &Client,
    writer: &Writer,
    kubeconfig: &Path,
    count: usize,
    table: &mut Table,
) {
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let plain = plain_writes(client, writer, count).await;
        let names: Vec<_> = (0..count).map(|number| format!("web-{number}")).collect();
        let wishes = names.iter().map(|name| api::service(name, CLASS));
        api::all(writer, wishes).await;
        let mut services = Services::new(client.clone());
        services.list().await;
        let mut controller = Controller::start(kubeconfig, PAGE);
        let ours = until_all(&mut services, "web-", count).await;
        rounds.push([plain, ours]);
        // Events come after the work.
        quiet().await;
        if round == ROUNDS {
            rates(&rounds, count, table);
            memory(&controller, table);
            drop(controller);
            controller = idle(kubeconfig, table).await;
        }
        gone(writer, &mut services, &names).await;
        // Finalizers go last.
        quiet().await;
        drop(controller);
    }
}

/// The median round by its ratio, and the ratios of all.
fn rates(rounds: &[[Duration; 2]], count: usize, table: &mut Table) {
    let count_of = f64::from(u32::try_from(count).unwrap());
    let rates = rounds
        .iter()
        .map(|round| round.map(|took| count_of / took.as_secs_f64()));
    let mut rates: Vec<[f64; 2]> = rates.collect();
    rates.sort_by(|a, b| (a[1] / a[0]).total_cmp(&(b[1] / b[0])));
    let [plain, ours] = rates[rates.len() / 2];
    table.add(&format!("{count} plain status writes"), plain, "/s", None);
    table.add(&format!("{count} Services served"), ours, "/s", None);
    let goal = Goal::Least(0.8);
    let ratio = |[plain, ours]: [f64; 2]| ours / plain;
    table.add("  ratio, median round", ours / plain, "", Some(goal));
    table.add("  lowest", ratio(rates[0]), "", None);
    table.add("  highest", ratio(rates[rates.len() - 1]), "", None);
}

fn memory(controller: &Controller, table: &mut Table) {
    let [now, most] = controller.memory();
    let what = "memory of the controller";
    table.add(what, now, "MB", Some(Goal::Most(60.0)));
    table.add("  at most, until then", most, "MB", None);
}

/// How long as many status writes take as Services are to be served, seen by the same watch.
async fn plain_writes(client: &Client, writer: &Writer, count: usize) -> Duration {
    let names: Vec<_> = (0..count)
        .map(|number| format!("foreign-{number}"))
        .collect();
    let wishes = names.iter().map(|name| api::service(name, FOREIGN));
    api::all(writer, wishes).await;
    let addresses = (0..).map(|number: u32| Ipv4Addr::from(0xcb00_0000 + number).to_string());
    let pairs = names.iter().zip(addresses);
    let mut services = Services::new(client.clone());
    services.list().await;
    let sent = api::all(writer, pairs.map(|(name, at)| api::status(name, &at)));
    let (_, took) = tokio::join!(sent, until_all(&mut services, "foreign-", count));
    gone(writer, &mut services, &names).await;
    took
}

/// From the first that has an address to the last.
async fn until_all(services: &mut Services, prefix: &str, count: usize) -> Duration {
    let done = |served: &BTreeSet<String>| {
        let ours = served.iter().filter(|name| name.starts_with(prefix));
        ours.count()
    };
    services.until(|served| done(served) > 0).await;
    let start = clock();
    services
        .until(|served| served.len() >= count && done(served) == count)
        .await;
    clock() - start
}

/// Deletes Services, and waits until nothing is left of them.
async fn gone(writer: &Writer, services: &mut Services, names: &[String]) {
    api::all(writer, names.iter().map(|name| api::delete(name))).await;
    services
        .until(|served| !names.iter().rev().any(|name| served.contains(name)))
        .await;
}

/// What a controller writes that finds everything as it should be.
async fn idle(kubeconfig: &Path, table: &mut Table) -> Controller {
    let controller = Controller::start(kubeconfig, PAGE);
    quiet().await;
    let sent = writes_of(&page().await.unwrap());
    let what = "writes of a new controller with nothing to do";
    table.add(what, sent, "", Some(Goal::Most(0.0)));
    controller
}

/// Waits until the controller has been at work, and has written nothing for two seconds.
async fn quiet() {
    let (mut last, mut since) = (None, clock());
    while clock() - since < QUIET {
        tokio::time::sleep(QUIET / 8).await;
        let Some(page) = page().await.filter(|page| is_ready(page)) else {
            since = clock();
            continue;
        };
        let sent = Some(writes_of(&page).to_bits());
        if sent != last {
            (last, since) = (sent, clock());
        }
    }
}

/// Whether everything was listed, and this controller leads.
fn is_ready(page: &str) -> bool {
    page.lines().any(|line| line.trim() == "openelb_leader 1")
        && page
            .lines()
            .any(|line| line.starts_with("openelb_services{state=\"allocated\"}"))
}

fn writes_of(page: &str) -> f64 {
    let lines = page
        .lines()
        .filter(|line| line.starts_with("openelb_api_writes_total{"));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}

/// The metrics.
async fn page() -> Option<String> {
    let mut stream = TcpStream::connect(PAGE).await.ok()?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {PAGE}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}

const SAMPLES: usize = 200;
const FREED: usize = 20;
const ROUNDS: usize = 3;
const QUIET: Duration = Duration::from_secs(2);
const CLASS: &str = names::LOAD_BALANCER_CLASS;
const FOREIGN: &str = "example.com/another";
const PAGE: &str = "127.0.0.1:7480";

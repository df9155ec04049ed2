//! Health checks: whether a service answers, with thresholds so that one lost packet says nothing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use openelb_ipam::OwnerKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::keeper::{Input, Keeper};
use super::services::Checks;
use crate::config::{CheckProtocol, HealthCheck};

/// Runs the checks of the configuration in force, starting and ending them as it changes.
pub(super) async fn supervise(mut wanted: watch::Receiver<Checks>, keeper: Keeper) {
    let mut running: HashMap<OwnerKey, (HealthCheck, AbortOnDrop)> = HashMap::new();
    loop {
        let checks = wanted.borrow_and_update().clone();
        running.retain(|owner, (check, _)| checks.iter().any(|(o, c)| o == owner && c == check));
        for (owner, check) in checks {
            running.entry(owner.clone()).or_insert_with(|| {
                let task = tokio::spawn(watch_service(owner, check.clone(), keeper.clone()));
                (check, AbortOnDrop(task.abort_handle()))
            });
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs one check for ever; tells the first verdict and each change of it.
///
/// The first verdict comes from one check: a service that answers is announced at once, one that
/// does not is not.
async fn watch_service(owner: OwnerKey, check: HealthCheck, keeper: Keeper) {
    let mut judge = Judge::new(check.failure_threshold, check.success_threshold);
    let mut ticks = interval(Duration::from_secs(check.interval_seconds.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let outcome = probe(&check).await;
        if let Some(is_healthy) = judge.hear(outcome.is_ok()) {
            let detail = outcome.err().unwrap_or_default();
            keeper
                .tell(Input::Health {
                    owner: owner.clone(),
                    is_healthy,
                    detail,
                })
                .await;
        }
    }
}

/// Counts successes and failures in a row.
#[derive(Debug)]
struct Judge {
    failures_needed: u32,
    successes_needed: u32,
    verdict: Option<bool>,
    against: u32,
}

impl Judge {
    fn new(failures_needed: u32, successes_needed: u32) -> Self {
        Self {
            failures_needed,
            successes_needed,
            verdict: None,
            against: 0,
        }
    }

    /// Takes one outcome; returns the verdict when it is new.
    fn hear(&mut self, is_good: bool) -> Option<bool> {
        if self.verdict == Some(is_good) {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let needed = if is_good {
            self.successes_needed
        } else {
            self.failures_needed
        };
        if self.verdict.is_some() && self.against < needed {
            return None;
        }
        self.against = 0;
        self.verdict = Some(is_good);
        self.verdict
    }
}

async fn probe(check: &HealthCheck) -> Result<(), String> {
    let at = SocketAddr::new(check.host, check.port);
    let limit = Duration::from_secs(check.timeout_seconds.into());
    match timeout(limit, exchange(check, at)).await {
        Ok(outcome) => outcome.map_err(|error| format!("{at}: {error}")),
        Err(_) => Err(format!(
            "{at}: no answer within {} s",
            check.timeout_seconds
        )),
    }
}

async fn exchange(check: &HealthCheck, at: SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(at)
        .await
        .map_err(|error| error.to_string())?;
    if check.protocol == CheckProtocol::Tcp {
        return Ok(());
    }
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {at}\r\nUser-Agent: openelb\r\nConnection: close\r\n\r\n",
        check.path
    );
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| error.to_string())?;
    let mut status = [0; 12];
    stream
        .read_exact(&mut status)
        .await
        .map_err(|error| error.to_string())?;
    match status_code(&status) {
        Some(200..=399) => Ok(()),
        Some(code) => Err(format!("GET {} answered {code}", check.path)),
        None => Err("the answer is not HTTP".to_owned()),
    }
}

/// The code of `HTTP/1.1 200`.
fn status_code(line: &[u8; 12]) -> Option<u16> {
    let text = std::str::from_utf8(line).ok()?;
    let (version, code) = text.split_once(' ')?;
    if version.starts_with("HTTP/1.") {
        code.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Judge, status_code};

    #[test]
    fn the_first_outcome_is_the_first_verdict() {
        assert_eq!(Judge::new(3, 2).hear(false), Some(false));
        assert_eq!(Judge::new(3, 2).hear(true), Some(true));
    }

    #[test]
    fn a_verdict_changes_after_enough_outcomes_in_a_row() {
        let mut judge = Judge::new(3, 2);
        judge.hear(true);
        let heard: Vec<_> = [
            false, false, true, false, false, false, true, false, true, true,
        ]
        .map(|outcome| judge.hear(outcome))
        .into();
        let expected = [
            None,
            None,
            None,
            None,
            None,
            Some(false),
            None,
            None,
            None,
            Some(true),
        ];
        assert_eq!(heard, expected);
    }

    #[test]
    fn only_an_http_status_line_has_a_code() {
        assert_eq!(status_code(b"HTTP/1.1 204"), Some(204));
        assert_eq!(status_code(b"HTTP/1.0 503"), Some(503));
        for line in [
            b"SSH-2.0-Open",
            b"HTTP/2 20000",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(status_code(line), None);
        }
    }
}

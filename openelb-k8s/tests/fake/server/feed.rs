//! The stream of a watch to one client: it waits, brings lines, and ends in the ways that real ones do.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Response;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::watch::Watch;
use super::{Broken, Fake, Way};

/// A watch on its way to a client.
#[derive(Debug)]
pub(super) struct Feed {
    fake: Fake,
    client: String,
    watch: Watch,
    pulse: Arc<Notify>,
    /// How often the client's watches had been broken off when it began.
    disconnects: u64,
    next_bookmark: Instant,
    ends: Instant,
    is_over: bool,
}

impl Feed {
    /// A watch that ends after so many seconds.
    pub(super) fn new(way: &Way, watch: Watch, seconds: &str) -> Self {
        let now = Instant::now();
        let seconds = seconds.parse().unwrap_or(LONGEST);
        Self {
            fake: way.fake.clone(),
            client: way.client.clone(),
            watch,
            pulse: Arc::clone(&way.fake.shared.pulse),
            disconnects: way.fake.lock().faults.disconnects(&way.client),
            next_bookmark: now + BOOKMARK,
            ends: now + Duration::from_secs(seconds),
            is_over: false,
        }
    }

    /// The answer that brings it.
    pub(super) fn response(self) -> Response<Body> {
        let lines = futures_util::stream::unfold(self, |mut feed| async {
            let lines = feed.next().await?;
            Some((Ok::<Bytes, Broken>(Bytes::from(lines)), feed))
        });
        let mut response = Response::new(Body::from_stream(lines));
        let json = http::HeaderValue::from_static("application/json");
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, json);
        response
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            if self.is_over {
                return None;
            }
            let pulse = Arc::clone(&self.pulse);
            let mut pulse = pin!(pulse.notified());
            // From here on nothing is missed.
            pulse.as_mut().enable();
            let lines = self.take()?;
            if !lines.is_empty() {
                return Some(lines);
            }
            tokio::select! {
                biased;
                () = pulse => {}
                () = sleep_until(self.next_bookmark) => {
                    self.next_bookmark += BOOKMARK;
                    if let Some(bookmark) = self.bookmark() {
                        return Some(bookmark);
                    }
                }
                () = sleep_until(self.ends) => return None,
            }
        }
    }

    /// What has happened, perhaps nothing; none: it was broken off.
    fn take(&mut self) -> Option<String> {
        let state = self.fake.lock();
        if state.faults.disconnects(&self.client) != self.disconnects {
            return None;
        }
        if state.faults.is_held(&self.client) {
            return Some(String::new());
        }
        match self.watch.advance(&state.store) {
            Ok(lines) => Some(lines),
            Err(last) => {
                self.is_over = true;
                Some(last)
            }
        }
    }

    fn bookmark(&mut self) -> Option<String> {
        let state = self.fake.lock();
        let is_due = self.watch.wants_bookmarks() && !state.faults.is_held(&self.client);
        is_due.then(|| self.watch.bookmark_at(state.store.version()))
    }
}

/// How long the real server lets a watch live that names no end.
const LONGEST: u64 = 1_800;

/// The real server sends one about every minute.
const BOOKMARK: Duration = Duration::from_mins(1);

//! One watch per kind: its objects as a stream of events that never ends.
//!
//! A list, then changes; when the connection is lost the watch goes on where it was, and when the API
//! server has forgotten that place, a new list begins with [`Event::Restart`]. Each object is
//! converted by itself, so one that cannot be read is told and harms no other. What the conversion
//! does not keep (most of it: `managedFields` alone are often a third) is dropped at once, not stored.

mod prompt;
mod seen;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use super::{Backoff, Watched, with_sources};
use seen::Seen;

/// What a watch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<T> {
    /// A list begins. Objects that are not told of before [`Event::Synced`] do not exist any more.
    Restart,
    /// An object as it is now: new, changed, or in the list.
    Applied(T),
    /// An object is gone.
    Deleted(Key),
    /// The list is complete.
    Synced,
    /// An object that is none of its kind as this version knows it. What was known of it still holds.
    Unreadable {
        /// Which one.
        key: Key,
        /// What is wrong with it.
        why: String,
    },
    /// The API server could not be asked. The watch goes on by itself after a pause.
    Interrupted(Interruption),
}

/// Which object of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its namespace; empty for kinds of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return f.write_str(&self.name);
        }
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Why a watch pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interruption {
    /// The error of the API server or of the connection.
    pub why: String,
    /// HTTP status, when the API server answered. 404: it does not have the kind at all, as when a
    /// CRD is not installed; 403: the process may not see it.
    pub status: Option<u16>,
}

/// Which objects of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    namespace: Option<String>,
    labels: Option<String>,
    fields: Option<String>,
}

impl Scope {
    /// All of the cluster.
    pub fn all() -> Self {
        Self::default()
    }

    /// All of a namespace.
    pub fn of_namespace(namespace: impl Into<String>) -> Self {
        Self {
            namespace: Some(namespace.into()),
            ..Self::default()
        }
    }

    /// Only the one of this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.with_fields(&format!("metadata.name={name}"))
    }

    /// Only those that a field selector lets through, such as `spec.nodeName=n1`.
    #[must_use]
    pub fn with_fields(mut self, selector: &str) -> Self {
        self.fields = Some(selector.to_owned());
        self
    }

    /// Only those that a label selector lets through.
    #[must_use]
    pub fn with_labels(mut self, selector: &str) -> Self {
        self.labels = Some(selector.to_owned());
        self
    }
}

/// The objects of one kind, as a stream of events.
pub struct Watch<T: Watched> {
    client: Client,
    scope: Scope,
    events: BoxStream<'static, watcher::Result<watcher::Event<Seen<T>>>>,
    backoff: Backoff,
    pause: Option<Pin<Box<Sleep>>>,
    is_listing: bool,
    /// When the next of a list is given up. It is set when it is asked for, not when what came before
    /// it was told: whoever is told may take its time.
    list_due: Option<Instant>,
}

impl<T: Watched> Watch<T> {
    /// A watch; nothing is sent before the first call of [`Watch::next`].
    pub fn new(client: Client, scope: Scope) -> Self {
        Self {
            events: open(&client, &scope),
            client,
            scope,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            pause: None,
            is_listing: false,
            list_due: None,
        }
    }

    /// Pauses as long as any other watch of this seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.backoff = self.backoff.with_seed(seed);
        self
    }

    /// The next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event<T> {
        loop {
            if let Some(pause) = &mut self.pause {
                pause.await;
                self.pause = None;
            }
            if self.is_listing && self.list_due.is_none() {
                self.list_due = Some(Instant::now() + LONGEST_LIST);
            }
            let next = match self.list_due {
                Some(due) => timeout_at(due, self.events.next()).await,
                None => Ok(self.events.next().await),
            };
            match next {
                Ok(Some(Ok(event))) => return self.event(event),
                Ok(Some(Err(error))) => return Event::Interrupted(self.interruption(&error)),
                // The watcher's stream has no end; were it to end, a new one is right.
                Ok(None) => self.events = open(&self.client, &self.scope),
                Err(_elapsed) => return Event::Interrupted(self.give_up()),
            }
        }
    }

    /// Every event, for use with combinators.
    pub fn into_stream(self) -> impl Stream<Item = Event<T>> + Send {
        futures_util::stream::unfold(self, |mut watch| async move {
            let event = watch.next().await;
            Some((event, watch))
        })
    }

    fn event(&mut self, event: watcher::Event<Seen<T>>) -> Event<T> {
        // `Init` is told before the list is asked for: it proves nothing.
        if !matches!(event, watcher::Event::Init) {
            self.backoff.reset();
        }
        self.list_due = None;
        self.is_listing = matches!(event, watcher::Event::Init | watcher::Event::InitApply(_));
        match event {
            watcher::Event::Init => Event::Restart,
            watcher::Event::InitDone => Event::Synced,
            watcher::Event::Apply(seen) | watcher::Event::InitApply(seen) => {
                let key = seen.key();
                match seen.object {
                    Ok(object) => Event::Applied(object),
                    Err(why) => Event::Unreadable { key, why },
                }
            }
            watcher::Event::Delete(seen) => Event::Deleted(seen.key()),
        }
    }

    fn end_list(&mut self) {
        (self.is_listing, self.list_due) = (false, None);
    }

    /// The list does not come, or its rest does not: it is asked for again, on a new connection if
    /// need be.
    fn give_up(&mut self) -> Interruption {
        self.events = open(&self.client, &self.scope);
        self.end_list();
        self.pause = Some(Box::pin(sleep(self.backoff.pause())));
        Interruption {
            why: format!("no list within {} s", LONGEST_LIST.as_secs()),
            status: None,
        }
    }

    fn interruption(&mut self, error: &watcher::Error) -> Interruption {
        self.end_list();
        let status = status(error);
        // A watch that cannot start because its place is forgotten would be tried there for ever.
        if status == Some(GONE) && matches!(error, watcher::Error::WatchStartFailed(_)) {
            self.events = open(&self.client, &self.scope);
        }
        self.pause = Some(Box::pin(sleep(self.backoff.pause())));
        Interruption {
            why: why(error),
            status,
        }
    }
}

impl<T: Watched> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("kind", &T::RESOURCE.kind)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn open<T: Watched>(
    client: &Client,
    scope: &Scope,
) -> BoxStream<'static, watcher::Result<watcher::Event<Seen<T>>>> {
    let resource = T::RESOURCE.to_kube();
    let client = prompt::client(client, LONGEST_START);
    let api: Api<Seen<T>> = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let config = watcher::Config {
        label_selector: scope.labels.clone(),
        field_selector: scope.fields.clone(),
        timeout: Some(WATCH_SECONDS),
        page_size: Some(PAGE_SIZE),
        ..watcher::Config::default()
    };
    watcher(api, config).boxed()
}

fn why(error: &watcher::Error) -> String {
    let (watcher::Error::InitialListFailed(inner)
    | watcher::Error::WatchStartFailed(inner)
    | watcher::Error::WatchFailed(inner)) = error
    else {
        return error.to_string();
    };
    match inner {
        // Its own text shows every field of the answer.
        kube::Error::Api(status) => status.message.clone(),
        _ => with_sources(inner),
    }
}

fn status(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}

/// An API server that restarts is back within seconds, so the first attempts are close together.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Nodes by the thousand that ask every ten seconds are a load that an API server bears.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The API server ends the watch after this time and it is taken up again at its place, which costs
/// one request. A connection that died silently is noticed no later than five seconds after it.
const WATCH_SECONDS: u32 = 120;

/// For one page. The API server itself gives up
/// on a list after 60 s, but one that died says nothing.
const LONGEST_LIST: Duration = Duration::from_secs(30);

/// From a request to the head of its answer. A watch answers at once and is silent only then.
const LONGEST_START: Duration = LONGEST_LIST;

/// As client-go: a page of services is about 2 MB of text, which is held only while it is read.
const PAGE_SIZE: u32 = 500;

/// The place in history is forgotten.
const GONE: u16 = 410;

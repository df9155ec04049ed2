//! The watches, each in a task of its own, into one queue.

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::mirror::News;
use crate::client::{Client, Event, Scope, Watch, Watched};

/// Follows every kind that decides; Secrets and `ConfigMap`s only in the namespace of the
/// installation. The queue is bounded: a watch waits while the loop is busy, and the API server keeps
/// what it has to say.
pub(super) fn feed(client: &Client, namespace: &str) -> Receiver<News> {
    let (news, feed) = channel(QUEUE);
    let here = Scope::of_namespace(namespace);
    follow(client, Scope::all(), News::Service, &news);
    follow(client, Scope::all(), News::Slice, &news);
    follow(client, Scope::all(), News::Node, &news);
    follow(client, Scope::all(), News::Eip, &news);
    follow(client, Scope::all(), News::BgpConf, &news);
    follow(client, Scope::all(), News::BgpPeer, &news);
    follow(client, Scope::all(), News::Layer2Conf, &news);
    follow(client, Scope::all(), News::DynamicPrefix, &news);
    follow(client, Scope::all(), News::PodNetwork, &news);
    follow(client, here.clone(), News::ConfigMap, &news);
    follow(client, here, News::Secret, &news);
    feed
}

fn follow<T: Watched + Sync>(
    client: &Client,
    scope: Scope,
    wrap: fn(Event<T>) -> News,
    news: &Sender<News>,
) {
    let mut watch = Watch::<T>::new(client.clone(), scope);
    let news = news.clone();
    tokio::spawn(async move {
        // It ends when nobody listens any more.
        while news.send(wrap(watch.next().await)).await.is_ok() {}
    });
}

const QUEUE: usize = 1_024;

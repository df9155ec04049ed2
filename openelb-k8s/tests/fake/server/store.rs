//! The objects, the one counter of their versions, and the log of what happened to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::failure::Failure;
use super::request::Request;
use super::resource::{self, Resource};
use super::selector::Selection;

/// Everything that is stored.
#[derive(Debug)]
pub(crate) struct Store {
    kinds: Vec<Arc<Resource>>,
    tables: BTreeMap<String, Table>,
    version: u64,
    /// History up to here is forgotten.
    forgotten: u64,
    pages: Vec<Page>,
    given: u64,
}

/// The objects of one kind.
#[derive(Debug, Default)]
struct Table {
    objects: BTreeMap<(String, String), Arc<Value>>,
    log: Vec<Change>,
}

/// What happened to an object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The version that it made.
    pub version: u64,
    /// The object as it was; none when it was created.
    pub before: Option<Arc<Value>>,
    /// The object as it is, or as it was last.
    pub object: Arc<Value>,
    /// Whether it is gone.
    pub is_gone: bool,
}

/// The rest of a list of which a client has read the beginning.
#[derive(Debug)]
struct Page {
    version: u64,
    rest: Vec<Arc<Value>>,
}

/// A list, or a part of one.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The version at which it was made.
    pub version: u64,
    /// The objects, by namespace and name.
    pub items: Vec<Arc<Value>>,
    /// What to ask for the next part with.
    pub token: String,
    /// How many objects are left.
    pub remaining: usize,
}

impl Store {
    /// Nothing, and the kinds of Kubernetes itself.
    pub(crate) fn new() -> Self {
        let kinds = resource::built_in().into_iter().map(Arc::new).collect();
        Self {
            kinds,
            tables: BTreeMap::new(),
            version: 1,
            forgotten: 0,
            pages: Vec::new(),
            given: 0,
        }
    }

    /// Every kind that is served.
    pub(crate) fn kinds(&self) -> &[Arc<Resource>] {
        &self.kinds
    }

    /// The kind that a request is about.
    pub(crate) fn resource(&self, group: &str, plural: &str) -> Result<Arc<Resource>, Failure> {
        let mut kinds = self.kinds.iter();
        let found = kinds.find(|kind| kind.group == group && kind.plural == plural);
        found.cloned().ok_or_else(Failure::no_such_path)
    }

    /// Serves a kind, instead of the one that had its name.
    pub(crate) fn define(&mut self, defined: Resource) {
        self.kinds
            .retain(|kind| (&kind.group, &kind.plural) != (&defined.group, &defined.plural));
        self.kinds.push(Arc::new(defined));
    }

    /// The version of the last change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The next number of a sequence: what makes uids and addresses unique.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// An object.
    pub(crate) fn find(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Option<&Arc<Value>> {
        let table = self.tables.get(&resource.qualified())?;
        table.objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// An object, or the refusal that says that there is none.
    pub(crate) fn get(
        &self,
        resource: &Resource,
        request: &Request,
    ) -> Result<Arc<Value>, Failure> {
        let found = self.find(resource, &request.namespace, &request.name);
        found
            .cloned()
            .ok_or_else(|| Failure::not_found(resource, &request.name))
    }

    /// Stores an object under a version of its own.
    pub(crate) fn put(&mut self, resource: &Resource, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let table = self.tables.entry(resource.qualified()).or_default();
        let before = table.objects.insert(key(&object), Arc::clone(&object));
        table.log.push(Change {
            version: self.version,
            before,
            object: Arc::clone(&object),
            is_gone: false,
        });
        object
    }

    /// Takes an object away; what was last known of it carries the version of its end.
    pub(crate) fn remove(&mut self, resource: &Resource, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let table = self.tables.entry(resource.qualified()).or_default();
        let before = table.objects.remove(&key(&object));
        table.log.push(Change {
            version: self.version,
            before,
            object: Arc::clone(&object),
            is_gone: true,
        });
        object
    }

    /// The changes of a kind after a version, or that they are forgotten.
    pub(crate) fn changes_after(
        &self,
        resource: &Resource,
        version: u64,
    ) -> Result<&[Change], Failure> {
        if version < self.forgotten {
            let (asked, oldest) = (version, self.forgotten);
            return Err(Failure::expired(&format!(
                "too old resource version: {asked} ({oldest})"
            )));
        }
        let log = self
            .tables
            .get(&resource.qualified())
            .map_or(&[][..], |table| &table.log);
        let first = log.partition_point(|change| change.version <= version);
        Ok(log.get(first..).unwrap_or_default())
    }

    /// Everything that ever happened to the objects of these kinds, in order.
    pub(crate) fn history(&self, kinds: &[&str]) -> Vec<Change> {
        let tables = kinds.iter().filter_map(|kind| self.tables.get(*kind));
        let mut changes: Vec<Change> = tables.flat_map(|table| table.log.clone()).collect();
        changes.sort_by_key(|change| change.version);
        changes
    }

    /// Forgets all history: who watches from before now must list again.
    pub(crate) fn forget_history(&mut self) {
        self.version += 1;
        self.forgotten = self.version;
        self.pages.clear();
    }

    /// The objects of a kind as they were at `version`.
    pub(crate) fn at(
        &self,
        resource: &Resource,
        version: u64,
        selection: &Selection,
    ) -> Result<Vec<Arc<Value>>, Failure> {
        let Some(table) = self.tables.get(&resource.qualified()) else {
            return Ok(Vec::new());
        };
        let mut objects = table.objects.clone();
        for change in self.changes_after(resource, version)?.iter().rev() {
            match &change.before {
                Some(before) => objects.insert(key(before), Arc::clone(before)),
                None => objects.remove(&key(&change.object)),
            };
        }
        Ok(objects
            .into_values()
            .filter(|object| selection.holds(object))
            .collect())
    }

    /// Cuts a list into parts of `limit` objects; 0 is no limit.
    pub(crate) fn paged(
        &mut self,
        version: u64,
        mut items: Vec<Arc<Value>>,
        limit: usize,
    ) -> Listing {
        let rest = match limit {
            0 => Vec::new(),
            limit => items.split_off(limit.min(items.len())),
        };
        let remaining = rest.len();
        let mut token = String::new();
        if remaining > 0 {
            token = format!("page-{}", self.pages.len());
            self.pages.push(Page { version, rest });
        }
        Listing {
            version,
            items,
            token,
            remaining,
        }
    }

    /// The next part of a list.
    pub(crate) fn next_page(&mut self, token: &str, limit: usize) -> Result<Listing, Failure> {
        let number = token
            .strip_prefix("page-")
            .and_then(|number| number.parse::<usize>().ok())
            .ok_or_else(|| {
                Failure::bad_request("invalid continue token: continue key is not valid")
            })?;
        let page = self.pages.get(number).ok_or_else(|| {
            Failure::expired(
                "The provided continue parameter is too old to display a consistent list result.",
            )
        })?;
        let (version, rest) = (page.version, page.rest.clone());
        Ok(self.paged(version, rest, limit))
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |field: &str| {
        object["metadata"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (text("namespace"), text("name"))
}

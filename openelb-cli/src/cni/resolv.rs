//! Name servers out of a file in the form of `/etc/resolv.conf`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{Code, Error};

/// What the answer says under `dns`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dns {
    name_servers: Vec<String>,
    domain: Option<String>,
    search: Vec<String>,
    options: Vec<String>,
}

impl Dns {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| {
            Error::new(
                Code::Io,
                format!("cannot read ipam.resolvConf {}: {error}", path.display()),
            )
            .next("name a file that is there, such as /etc/resolv.conf, or leave the key out")
        })?;
        Ok(Self::parse(&text))
    }

    /// Lines that it does not know mean nothing to it, as to every resolver.
    pub(crate) fn parse(text: &str) -> Self {
        let mut dns = Self::default();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with(['#', ';']))
        {
            let mut words = line.split_whitespace().map(str::to_owned);
            let Some(key) = words.next() else {
                continue;
            };
            match key.as_str() {
                "nameserver" => dns.name_servers.extend(words.next()),
                "domain" => dns.domain = words.next().or(dns.domain),
                "search" => dns.search.extend(words),
                "options" => dns.options.extend(words),
                _ => {}
            }
        }
        dns
    }

    /// Without the keys that have nothing to say.
    pub(crate) fn to_json(&self) -> Value {
        let mut dns = Map::new();
        let lists = [
            ("nameservers", &self.name_servers),
            ("search", &self.search),
            ("options", &self.options),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            dns.insert(name.to_owned(), list.clone().into());
        }
        if let Some(domain) = &self.domain {
            dns.insert("domain".to_owned(), domain.clone().into());
        }
        Value::Object(dns)
    }
}

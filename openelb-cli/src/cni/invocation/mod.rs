//! What the runtime asks for, out of the environment variables that it sets.

use std::fmt;

use super::error::{Code, Error};

/// A command of the specification with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    Add(Attachment, Arguments),
    Del(Attachment),
    Check(Attachment, Arguments),
    Gc,
    Status,
    Version,
}

/// A container and the name of the interface in it: what holds addresses.
///
/// Neither contains a line end, a slash or a blank, so both can be written into a file and compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    container: String,
    interface: String,
}

/// The text of `CNI_ARGS`, which is read together with the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(pub String);

impl Invocation {
    /// Reads the environment through `variable`, which answers `None` for what is not set.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let command = set("CNI_COMMAND").ok_or_else(|| {
            Error::new(Code::Environment, "CNI_COMMAND is not set").next(
                "this program is a CNI IPAM plugin: name it as `ipam.type` of a network configuration",
            )
        })?;
        // Only a container that is there has a namespace; nothing here enters it.
        let needed: &[&str] = match command.as_str() {
            "ADD" | "CHECK" => &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
            "DEL" => &["CNI_CONTAINERID", "CNI_IFNAME"],
            _ => &[],
        };
        let missing: Vec<_> = needed.iter().filter(|name| set(name).is_none()).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let names = names.join(" and ");
            return Err(
                Error::new(Code::Environment, format!("{command} needs {names}")).next(
                    "the container runtime has to set every variable of the CNI specification",
                ),
            );
        }
        let attachment = || {
            let (container, interface) = (set("CNI_CONTAINERID"), set("CNI_IFNAME"));
            Attachment::new(
                &container.unwrap_or_default(),
                &interface.unwrap_or_default(),
            )
        };
        let arguments = || Arguments(set("CNI_ARGS").unwrap_or_default());
        match command.as_str() {
            "ADD" => Ok(Self::Add(attachment()?, arguments())),
            "DEL" => Ok(Self::Del(attachment()?)),
            "CHECK" => Ok(Self::Check(attachment()?, arguments())),
            "GC" => Ok(Self::Gc),
            "STATUS" => Ok(Self::Status),
            "VERSION" => Ok(Self::Version),
            _ => Err(Error::new(
                Code::Environment,
                format!("unknown CNI_COMMAND: {}", excerpt(&command)),
            )
            .next("this plugin knows ADD, DEL, CHECK, GC, STATUS and VERSION")),
        }
    }
}

impl Attachment {
    /// Checks both names by the rules of the specification.
    ///
    /// ```
    /// use openelb_cli::cni::Attachment;
    ///
    /// assert!(Attachment::new("8f2c", "eth0").is_ok());
    /// assert!(Attachment::new("../../etc", "eth0").is_err());
    /// assert!(Attachment::new("8f2c", "a/b").is_err());
    /// ```
    pub fn new(container: &str, interface: &str) -> Result<Self, Error> {
        if !is_name(container) || container.len() > LONGEST_CONTAINER {
            return Err(Error::new(
                Code::Environment,
                format!("CNI_CONTAINERID `{}` is no container ID", excerpt(container)),
            )
            .next("it has to start with a letter or digit and hold letters, digits, `_`, `.` and `-` only, at most 1,024"));
        }
        if let Some(fault) = fault_of_interface(interface) {
            return Err(Error::new(
                Code::Environment,
                format!("CNI_IFNAME `{}` {fault}", excerpt(interface)),
            )
            .next("give a name that Linux takes for an interface, such as eth0"));
        }
        Ok(Self {
            container: container.to_owned(),
            interface: interface.to_owned(),
        })
    }

    /// The container's ID.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The name of the interface inside the container.
    pub fn interface(&self) -> &str {
        &self.interface
    }
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of container {}",
            self.interface,
            excerpt(&self.container)
        )
    }
}

/// What the specification allows as the name of a container and of a network.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Enough of a text to recognise it.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn fault_of_interface(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("is empty");
    }
    if name.len() > LONGEST_INTERFACE {
        return Some("is longer than 15 bytes");
    }
    if name == "." || name == ".." {
        return Some("is the name of a folder");
    }
    let is_banned = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    name.contains(is_banned)
        .then_some("holds a slash, a colon or a blank")
}

/// `IFNAMSIZ` of Linux without the closing zero.
const LONGEST_INTERFACE: usize = 15;
/// Sixteen times what runtimes use; an address file is never larger than a page.
const LONGEST_CONTAINER: usize = 1024;
/// A container ID of 64 digits fits.
const LONGEST_EXCERPT: usize = 80;

#[cfg(test)]
mod tests;

//! Which Kubernetes the API server is.

use kube::Client;

use super::Failure;

/// The version of an API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// The number that goes up three times a year.
    pub minor: u32,
}

impl Version {
    /// Asks the API server.
    pub async fn of(client: &Client) -> Result<Self, Failure> {
        let told = client.apiserver_version().await?;
        Ok(Self {
            major: number(&told.major),
            minor: number(&told.minor),
        })
    }

    /// Whether `ipMode` of an ingress entry is kept. KEP-1860: 1.29 knows the field behind a gate that
    /// is off, and drops it; before, server-side apply with it fails with status 500.
    pub fn knows_ip_mode(self) -> bool {
        self >= Self {
            major: 1,
            minor: 30,
        }
    }
}

/// Providers append to the number: `28+`.
fn number(text: &str) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let digits = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Version, number};

    #[test]
    fn a_version_with_an_appendix_is_read() {
        assert_eq!((number("28+"), number("1"), number("")), (28, 1, 0));
    }

    #[test]
    fn ip_mode_is_known_where_it_is_kept() {
        let knows = |minor| Version { major: 1, minor }.knows_ip_mode();
        assert!(!knows(28) && !knows(29) && knows(30) && knows(36));
    }
}

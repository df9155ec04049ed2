//! What the host itself does with service addresses: kube-proxy in IPVS mode without strict ARP.

use std::fs;
use std::path::Path;

/// What to do when kube-proxy has put the service addresses on a link of its own and the kernel
/// answers ARP for them on every node; `None` when all is well.
///
/// kube-proxy in IPVS mode puts every service address on `kube-ipvs0`. Unless it was told to be
/// strict, each node then answers ARP for each address, whoever the speakers elect.
pub(super) fn strict_arp_problem(root: &Path) -> Option<String> {
    if !root.join("sys/class/net/kube-ipvs0").exists() {
        return None;
    }
    let read = |name: &str| {
        let path = root.join("proc/sys/net/ipv4/conf/all").join(name);
        fs::read_to_string(path).ok()?.trim().parse::<u8>().ok()
    };
    let (ignore, announce) = (read("arp_ignore")?, read("arp_announce")?);
    (ignore < 1 || announce < 2).then(|| {
        format!(
            "kube-proxy runs in IPVS mode without strict ARP (arp_ignore is {ignore}, arp_announce is \
             {announce}): every node answers for every address; set `ipvs.strictARP: true` in the \
             ConfigMap kube-proxy of kube-system and restart kube-proxy"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Path, fs, strict_arp_problem};

    fn host(ignore: &str, announce: &str, has_ipvs: bool) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let conf = root.path().join("proc/sys/net/ipv4/conf/all");
        fs::create_dir_all(&conf).unwrap();
        fs::write(conf.join("arp_ignore"), ignore).unwrap();
        fs::write(conf.join("arp_announce"), announce).unwrap();
        if has_ipvs {
            fs::create_dir_all(root.path().join("sys/class/net/kube-ipvs0")).unwrap();
        }
        root
    }

    #[test]
    fn ipvs_without_strict_arp_is_told_and_nothing_else_is() {
        let told = |ignore, announce, has_ipvs| {
            let root = host(ignore, announce, has_ipvs);
            strict_arp_problem(root.path())
        };
        let problem = told("0\n", "0\n", true).unwrap();
        assert!(problem.contains("strictARP: true"), "{problem}");
        assert!(told("1\n", "0\n", true).is_some());
        assert_eq!(told("1\n", "2\n", true), None);
        assert_eq!(
            told("0\n", "0\n", false),
            None,
            "iptables and nftables modes"
        );
        assert_eq!(strict_arp_problem(Path::new("/nonexistent")), None);
    }
}

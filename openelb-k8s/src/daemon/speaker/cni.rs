//! The CNI configuration of the node, on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use ipnet::IpNet;

use crate::pod_network::cni::edited;

/// Writes the prefixes of the node into the file, unless it has them: whoever reads it sees the old text
/// or the new one, never half of it. Says whether anything was written.
pub(super) fn write(path: &Path, cidrs: &[IpNet]) -> Result<bool, String> {
    let failed =
        |act: &str, error: &dyn std::fmt::Display| format!("{act} {}: {error}", path.display());
    let existing = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed("read", &error)),
    };
    let text = edited(existing.as_deref(), cidrs).map_err(|error| failed("edit", &error))?;
    match text {
        Some(text) => replace(path, &text).map_err(|error| failed("write", &error))?,
        None => return Ok(false),
    }
    Ok(true)
}

/// CNI takes files by the end of their names: a half one that a crash leaves is not read.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".openelb-new");
    let new = path.with_file_name(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    if let Ok(before) = fs::metadata(path) {
        file.set_permissions(before.permissions())?;
    }
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{IpNet, fs, write};

    #[test]
    fn a_file_is_written_once_and_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.d/10-openelb.conflist");
        let cidrs: [IpNet; 2] = ["10.244.1.0/24", "fd00:1::/64"].map(|it| it.parse().unwrap());
        assert_eq!(write(&path, &cidrs), Ok(true));
        assert_eq!(write(&path, &cidrs), Ok(false));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(write(&path, &cidrs[..1]), Ok(true));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing else is left in the folder");
    }

    #[test]
    fn a_file_that_is_no_configuration_of_ours_stays_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("10-openelb.conflist");
        fs::write(&path, "{").unwrap();
        let said = write(&path, &["10.244.1.0/24".parse().unwrap()]).unwrap_err();
        assert!(
            said.contains("is no JSON") && said.contains("10-openelb"),
            "{said}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}

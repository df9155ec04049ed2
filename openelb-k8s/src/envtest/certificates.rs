//! Who is who: an authority, the server's certificate, and those of the clients that are no pods.

use std::fs::{self, Permissions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// The authority of one control plane; what it issues are files in its folder.
pub(super) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate itself.
    #[error("make the certificate of {subject}: {source}")]
    Make {
        /// Whose.
        subject: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// Its file.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Authority {
    /// Makes an authority, and the pair of keys that tokens of service accounts are signed with.
    pub(super) fn create(folder: &Path) -> Result<Self, CertificateError> {
        let failed = |source| made("the authority", source);
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "envtest");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        write(&folder.join(AUTHORITY), &certificate.pem())?;
        let tokens = KeyPair::generate().map_err(failed)?;
        write(&folder.join(TOKENS_PRIVATE), &tokens.serialize_pem())?;
        write(&folder.join(TOKENS_PUBLIC), &tokens.public_key_pem())?;
        Ok(Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Issues the API server's certificate, for the names and addresses under which it is reached.
    pub(super) fn issue_server(&self, addresses: &[IpAddr]) -> Result<(), CertificateError> {
        let names = ["localhost", "kubernetes", "kubernetes.default.svc"].map(str::to_owned);
        let addresses = addresses.iter().map(ToString::to_string);
        let names: Vec<_> = names.into_iter().chain(addresses).collect();
        let params = CertificateParams::new(names).map_err(|source| made(SERVER, source))?;
        self.issue(SERVER, params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Issues a client's certificate: its common name is the user, its organisation the group.
    pub(super) fn issue_client(
        &self,
        file: &str,
        user: &str,
        group: Option<&str>,
    ) -> Result<(), CertificateError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        self.issue(file, params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(
        &self,
        file: &str,
        mut params: CertificateParams,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<(), CertificateError> {
        params.extended_key_usages = vec![purpose];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let failed = |source| made(file, source);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        write(
            &self.folder.join(certificate_file(file)),
            &certificate.pem(),
        )?;
        write(&self.folder.join(key_file(file)), &key.serialize_pem())
    }
}

/// The name of a certificate's file.
pub(super) fn certificate_file(of: &str) -> String {
    format!("{of}.crt")
}

/// The name of its key's file.
pub(super) fn key_file(of: &str) -> String {
    format!("{of}.key")
}

fn made(subject: &str, source: rcgen::Error) -> CertificateError {
    CertificateError::Make {
        subject: subject.to_owned(),
        source,
    }
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    let written = fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o600)));
    written.map_err(|source| CertificateError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The authority's certificate.
pub(super) const AUTHORITY: &str = "authority.crt";

/// Certificate and key of the API server.
pub(super) const SERVER: &str = "server";

/// The keys that tokens of service accounts are signed with, and checked.
pub(super) const TOKENS_PRIVATE: &str = "tokens.key";
pub(super) const TOKENS_PUBLIC: &str = "tokens.pub";

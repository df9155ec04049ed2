//! The webhook's certificate: made here, kept in a Secret, trusted by the webhook's configuration.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::tls::Presented;
use crate::api::ObjectMeta;
use crate::client::{Act, Client, Failure, Key, Request, Resource, Secret, Watched, Writer};
use crate::names;

/// Makes, shares and renews the certificate.
#[derive(Debug)]
pub(super) struct Keeper {
    writer: Writer,
    secret: Key,
    /// What the API server calls the webhook.
    host: String,
}

impl Keeper {
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self {
            writer: Writer::new(client, names::FIELD_MANAGER, 1),
            secret: Key {
                namespace: namespace.to_owned(),
                name: NAME.to_owned(),
            },
            host: format!("{NAME}.{namespace}.svc"),
        }
    }

    /// Shows a valid certificate, of the Secret or a new one, and has the API server trust it.
    pub(super) async fn check(&self, presented: &Presented) -> Result<(), KeepError> {
        let now = Timestamp::now();
        let stored = match self.writer.read::<Secret>(&self.secret).await {
            Ok(secret) => Some(secret),
            Err(Failure::NotFound) => None,
            Err(failure) => return Err(KeepError::Secret(failure)),
        };
        let kept = stored
            .as_ref()
            .and_then(|secret| Certificate::of(secret, now));
        let certificate = if let Some(certificate) = kept {
            certificate
        } else {
            let authority = stored.as_ref().and_then(Authority::of);
            let certificate = Certificate::make(authority, &self.host, now)?;
            let version = stored.and_then(|secret| secret.metadata.resource_version);
            self.store(&certificate, version).await?;
            tracing::info!(host = self.host, "the webhook has a new certificate");
            certificate
        };
        let shown = presented.show(&certificate.chain, &certificate.key);
        shown.map_err(KeepError::Unusable)?;
        self.trust(&certificate.authority.certificate).await
    }

    /// Only where nobody stored another one meanwhile: then it is read the next time.
    async fn store(
        &self,
        certificate: &Certificate,
        version: Option<String>,
    ) -> Result<(), KeepError> {
        let act = match version {
            Some(_) => Act::Replace,
            None => Act::Create,
        };
        let body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {
                "name": self.secret.name,
                "namespace": self.secret.namespace,
                "resourceVersion": version,
                "annotations": {RENEWAL_ANNOTATION: certificate.renewal.to_string()},
            },
            "stringData": {
                AUTHORITY: certificate.authority.certificate,
                AUTHORITY_KEY: certificate.authority.key,
                CHAIN: certificate.chain,
                CHAIN_KEY: certificate.key,
            },
        });
        let request = Request {
            resource: Secret::RESOURCE,
            key: self.secret.clone(),
            subresource: None,
            act,
            body,
        };
        let stored = self.writer.send(request).await;
        stored.map_err(KeepError::Secret)?;
        Ok(())
    }

    async fn trust(&self, authority: &str) -> Result<(), KeepError> {
        let key = Key {
            namespace: String::new(),
            name: CONFIGURATION.to_owned(),
        };
        let configuration: Configuration = self
            .writer
            .read(&key)
            .await
            .map_err(KeepError::Configuration)?;
        let bundle = json!(ByteString(authority.as_bytes().to_vec()));
        let of = |webhook: &Webhook| webhook.client_config.get("caBundle") == Some(&bundle);
        if configuration.webhooks.iter().all(of) {
            return Ok(());
        }
        let webhooks = configuration
            .webhooks
            .iter()
            .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": bundle}}));
        let request = Request {
            resource: Configuration::RESOURCE,
            key,
            subresource: None,
            act: Act::StrategicMerge,
            body: json!({"webhooks": webhooks.collect::<Vec<_>>()}),
        };
        let trusted = self.writer.send(request).await;
        trusted.map_err(KeepError::Configuration)?;
        Ok(())
    }
}

/// Why there is no certificate that the API server trusts.
#[derive(Debug, Error)]
pub(super) enum KeepError {
    #[error("Secret {NAME}: {0}")]
    Secret(#[source] Failure),
    #[error("ValidatingWebhookConfiguration {CONFIGURATION}: {0}")]
    Configuration(#[source] Failure),
    #[error("make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the certificate in Secret {NAME} cannot be used: {0}; delete the Secret")]
    Unusable(String),
}

/// What the API server trusts. It outlives many certificates, so that renewing one changes nothing
/// for controllers that still show the one before.
#[derive(Debug)]
struct Authority {
    certificate: String,
    key: String,
}

impl Authority {
    fn of(secret: &Secret) -> Option<Self> {
        Some(Self {
            certificate: text(secret, AUTHORITY)?,
            key: text(secret, AUTHORITY_KEY)?,
        })
    }

    fn make(now: Timestamp) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            certificate: Self::params(now).self_signed(&key)?.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Its signer: what it signs names it by these, of which only the times change.
    fn issuer(&self, now: Timestamp) -> Result<Issuer<'static, KeyPair>, rcgen::Error> {
        Ok(Issuer::new(
            Self::params(now),
            KeyPair::from_pem(&self.key)?,
        ))
    }

    fn params(now: Timestamp) -> CertificateParams {
        let mut params = params("openelb-webhook-ca", now, LIFE_OF_AUTHORITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }
}

/// The certificate that is shown.
#[derive(Debug)]
struct Certificate {
    authority: Authority,
    chain: String,
    key: String,
    renewal: Timestamp,
}

impl Certificate {
    /// The one of the Secret, unless it has to be renewed.
    fn of(secret: &Secret, now: Timestamp) -> Option<Self> {
        let renewal = secret.metadata.annotations.get(RENEWAL_ANNOTATION)?;
        let renewal = renewal.parse().ok().filter(|renewal| now < *renewal)?;
        Some(Self {
            authority: Authority::of(secret)?,
            chain: text(secret, CHAIN)?,
            key: text(secret, CHAIN_KEY)?,
            renewal,
        })
    }

    fn make(
        authority: Option<Authority>,
        host: &str,
        now: Timestamp,
    ) -> Result<Self, rcgen::Error> {
        let authority = match authority {
            Some(authority) => authority,
            None => Authority::make(now)?,
        };
        let issuer = authority.issuer(now)?;
        let mut params = params(host, now, LIFE);
        params.subject_alt_names = CertificateParams::new([host.to_owned()])?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            chain: params.signed_by(&key, &issuer)?.pem(),
            key: key.serialize_pem(),
            renewal: now + UNTIL_RENEWAL,
            authority,
        })
    }
}

fn params(name: &str, now: Timestamp, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // An hour back: the clocks of API servers differ.
    let start = SystemTime::from(now) - Duration::from_hours(1);
    params.not_before = start.into();
    params.not_after = (start + life).into();
    params
}

fn text(secret: &Secret, key: &str) -> Option<String> {
    String::from_utf8(secret.value(key)?.to_vec()).ok()
}

/// A `ValidatingWebhookConfiguration`, as far as trust goes.
#[derive(Debug, Clone, Deserialize)]
struct Configuration {
    #[expect(dead_code, reason = "an object without metadata is none")]
    metadata: ObjectMeta,
    #[serde(default)]
    webhooks: Vec<Webhook>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    name: String,
    #[serde(default)]
    client_config: Value,
}

impl Watched for Configuration {
    const RESOURCE: Resource = Resource {
        group: "admissionregistration.k8s.io",
        version: "v1",
        kind: "ValidatingWebhookConfiguration",
        plural: "validatingwebhookconfigurations",
    };
}

/// Name of the Secret, and of the Service of the webhook.
const NAME: &str = "openelb-webhook";

/// `OpenELB`'s name of the configuration, so that ours takes its place.
const CONFIGURATION: &str = "openelb-admission";

/// When the certificate is to be renewed.
const RENEWAL_ANNOTATION: &str = "openelb.io/renew-after";

const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const CHAIN: &str = "tls.crt";
const CHAIN_KEY: &str = "tls.key";

const LIFE_OF_AUTHORITY: Duration = Duration::from_hours(24 * 3_650);
const LIFE: Duration = Duration::from_hours(24 * 90);

/// 30 days before the end.
const UNTIL_RENEWAL: SignedDuration = SignedDuration::from_hours(24 * 60);

#[cfg(test)]
mod tests {
    use super::{Authority, Certificate, LIFE, Presented, SignedDuration, Timestamp};

    #[test]
    fn a_certificate_can_be_shown_and_is_renewed_before_its_end() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(480_000);
        let made = Certificate::make(None, "openelb-webhook.lb.svc", now).unwrap();
        Presented::default().show(&made.chain, &made.key).unwrap();
        let life = SignedDuration::try_from(LIFE).unwrap();
        assert!(made.renewal > now && made.renewal < now + life);
    }

    #[test]
    fn a_renewed_certificate_has_the_same_authority() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(480_000);
        let authority = Authority::make(now).unwrap();
        let trusted = authority.certificate.clone();
        let made = Certificate::make(Some(authority), "h", now).unwrap();
        assert_eq!(made.authority.certificate, trusted);
    }
}

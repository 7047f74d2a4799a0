//! How a bucket is reached: server, keys, certificates.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::dial;
use super::fault::chain;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Addressing, Settings};

/// A server that does not take a connection within this time is asked again.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where requests without any other region go; servers other than Amazon's mostly ignore it.
const REGION: &str = "us-east-1";

/// Builds the client from the settings and, below them, the SDK's own chain of environment, files and services.
///
/// The SDK neither repeats requests nor adds checksums: both are done here, where the store's mode is known.
pub(super) async fn build(settings: &Settings) -> Result<Client> {
    if let Some(endpoint) = &settings.endpoint {
        check_endpoint(endpoint)?;
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client()?)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let sdk = loader.load().await;
    check_credentials(&sdk).await?;

    // the SDK reads AWS_ENDPOINT_URL_S3 by itself; it is asked for here because it decides the addressing
    let has_endpoint = sdk.endpoint_url().is_some()
        || ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let mut config = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(match settings.addressing {
        Addressing::Auto => has_endpoint,
        Addressing::Path => true,
        Addressing::Virtual => false,
    });
    if sdk.region().is_none() {
        config = config.region(Region::from_static(REGION));
    }
    Ok(Client::from_conf(config.build()))
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() && !host.contains('@') && !host.contains(char::is_whitespace) => Ok(()),
        _ => Err(Error::new(ErrorKind::Usage, "the S3 endpoint is not a URL")
            .detail("it needs http:// or https:// and a host, and has no keys in it")
            .hint("Write it like https://s3.example.com or http://127.0.0.1:9000.")),
    }
}

/// Keys are looked for now: without them every request would fail one by one, with a worse message.
async fn check_credentials(sdk: &SdkConfig) -> Result<()> {
    const HINT: &str =
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is attached.";
    let Some(provider) = sdk.credentials_provider() else {
        return Err(Error::new(ErrorKind::Store, "no keys for S3").hint(HINT));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(ErrorKind::Store, "no keys for S3").detail(chain(&error)).hint(HINT)),
    }
}

/// The HTTP client. Certificates come from the system, or from `SSL_CERT_FILE` and `SSL_CERT_DIR`, and from
/// `AWS_CA_BUNDLE`.
fn http_client() -> Result<SharedHttpClient> {
    let mut certificates = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let fail = |detail: String| {
            Error::new(ErrorKind::Config, format!("cannot read the certificates in {}", path.display()))
                .detail(detail)
                .hint("AWS_CA_BUNDLE names a PEM file.")
        };
        let added = CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|error| fail(error.to_string()))?;
        if added.is_empty() {
            return Err(fail("the file has none".to_owned()));
        }
        certificates.extend(added);
    }
    dial::client(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_half_an_endpoint() {
        for endpoint in
            ["", "localhost:9000", "http://", "https:///x", "ftp://host", "http://key:secret@host", "http://a b"]
        {
            assert_eq!(check_endpoint(endpoint).unwrap_err().kind(), ErrorKind::Usage, "{endpoint:?}");
        }
        assert!(check_endpoint("http://127.0.0.1:9000/").is_ok());
    }
}

//! TLS with libpq's meanings of `sslmode`.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, SupportedProtocolVersion};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::options::{Roots, SslMode, Tls};
use crate::certificate::{self, Verifier};
use crate::error::{Error, ErrorKind, Result};

/// The protocol's registered name, which a server that is greeted by TLS directly must confirm.
const ALPN: &[u8] = b"postgresql";

/// What one read asks the kernel for. rustls itself asks for a record at a time, and the server's have 8 KiB.
const READ_SIZE: usize = 128 * 1024;

/// TLS over TCP.
pub(super) type Encrypted = TlsStream<BufReader<TcpStream>>;

pub(super) async fn handshake(tls: &Tls, host: &str, stream: TcpStream) -> Result<Encrypted> {
    let stream = BufReader::with_capacity(READ_SIZE, stream);
    let config = configure(tls)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        Error::new(ErrorKind::Config, format!("host \"{host}\" is no name for TLS")).caused_by(error)
    })?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
        let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).map(certificate::words);
        Error::new(ErrorKind::Connect, "could not agree on TLS with the server")
            .detail(fault.unwrap_or_else(|| error.to_string()))
            .caused_by(error)
            .hint("Check sslmode and sslrootcert against the server's certificate.")
    })?;
    if tls.direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Err(Error::new(ErrorKind::Connect, "server does not speak PostgreSQL directly over TLS")
            .hint("sslnegotiation=direct needs server 17 or later."));
    }
    Ok(stream)
}

fn configure(tls: &Tls) -> Result<ClientConfig> {
    let provider = certificate::provider();
    let versions: &[&SupportedProtocolVersion] = if tls.newest_only { &[&TLS13] } else { rustls::DEFAULT_VERSIONS };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| Error::new(ErrorKind::Bug, "TLS cannot be set up").caused_by(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier(tls, &provider)?));
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            check_key_mode(key)?;
            let chain = read_certificates(certificates)?;
            let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("client key", key, error))?;
            let identity = certificate::identity(chain, &key_der)
                .map_err(|error| unusable("client certificate", certificates, error))?;
            builder.with_client_cert_resolver(identity)
        }
    };
    config.enable_sni = tls.server_name;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn unusable(what: &str, path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Config, format!("could not use {what} file \"{}\"", path.display())).caused_by(error)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| unusable("certificate", path, error))?;
    if certificates.is_empty() {
        return Err(Error::new(ErrorKind::Config, format!("no certificate in file \"{}\"", path.display())));
    }
    Ok(certificates)
}

/// As libpq: a key that others can read is refused.
fn check_key_mode(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| unusable("client key", path, error))?;
    let forbidden = if metadata.uid() == 0 { 0o027 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(Error::new(
            ErrorKind::Config,
            format!("client key file \"{}\" has group or world access", path.display()),
        )
        .hint("Give it mode 0600, or 0640 when root owns it."));
    }
    Ok(())
}

/// Checks as much of the server's certificate as the mode demands.
fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
    let roots = match &tls.roots {
        Roots::Unchecked => None,
        Roots::File(path) => Some(read_certificates(path)?),
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(Error::new(ErrorKind::Config, "the system has no root certificates")
                    .hint("Install the package ca-certificates, or name a file with sslrootcert."));
            }
            Some(found.certs)
        }
    };
    match (roots, tls.mode) {
        (None, SslMode::VerifyCa | SslMode::VerifyFull) => {
            Err(Error::new(ErrorKind::Config, "sslmode needs a root certificate to verify the server")
                .hint("Put it into ~/.postgresql/root.crt, name it with sslrootcert, or use sslrootcert=system."))
        }
        (None, SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require) => {
            Ok(Verifier::unchecked(provider))
        }
        (Some(roots), mode) => {
            if roots.iter().all(|root| Certificate::from_der(root).is_err()) {
                return Err(Error::new(ErrorKind::Config, "no root certificate can be used"));
            }
            let revoked = match &tls.revoked {
                None => None,
                Some(path) => Some(
                    CertificateRevocationListDer::pem_file_iter(path)
                        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                        .map_err(|error| unusable("revocation list", path, error))?,
                ),
            };
            let checked = Verifier::new(provider, roots, revoked)?;
            Ok(if mode == SslMode::VerifyFull { checked } else { checked.for_any_name() })
        }
    }
}

/// The channel binding `tls-server-end-point` (RFC 5929): the hash of the server's certificate by the hash function of
/// its signature, SHA-256 in place of MD5 and SHA-1. `None` where the signature names no hash function (Ed25519).
pub(super) fn end_point(stream: &Encrypted) -> Option<Vec<u8>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let parsed = Certificate::from_der(certificate).ok()?;
    let algorithm = &parsed.signature_algorithm;
    let mut oid = algorithm.oid.to_string();
    if oid == "1.2.840.113549.1.1.10" {
        // RSASSA-PSS carries its hash function as a parameter
        let parameters = algorithm.parameters.as_ref()?.to_der().ok()?;
        oid = pss_hash(&parameters)?.to_owned();
    }
    Some(match oid.as_str() {
        // md5, sha1 and sha256 with RSA; sha1, sha256 with ECDSA; sha256 with DSA; sha256 itself
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2"
        | "2.16.840.1.101.3.4.3.2"
        | "2.16.840.1.101.3.4.2.1" => Sha256::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => {
            Sha384::digest(certificate).to_vec()
        }
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => {
            Sha512::digest(certificate).to_vec()
        }
        _ => return None,
    })
}

/// The hash function within the parameters of RSASSA-PSS, whose default is SHA-1 and is bound by SHA-256.
fn pss_hash(parameters: &[u8]) -> Option<&'static str> {
    // the object identifiers of SHA-256, -384 and -512 differ in their last byte only
    const PREFIX: [u8; 10] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let place = parameters.windows(PREFIX.len()).position(|window| window == PREFIX);
    match place.map(|place| parameters.get(place + PREFIX.len())) {
        None => Some("2.16.840.1.101.3.4.2.1"),
        Some(Some(1)) => Some("2.16.840.1.101.3.4.2.1"),
        Some(Some(2)) => Some("2.16.840.1.101.3.4.2.2"),
        Some(Some(3)) => Some("2.16.840.1.101.3.4.2.3"),
        Some(_) => None,
    }
}

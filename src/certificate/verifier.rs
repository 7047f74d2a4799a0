//! The check that rustls asks for in the middle of a handshake.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::name::Names;
use super::{chain, refusal};
use crate::error::{Error, ErrorKind, Result as Checked};

/// Checks as much of a server's certificate as is asked for.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// `None`: nobody is checked, the channel is only encrypted.
    trust: Option<Trust>,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Trust {
    /// rustls' own check; `None` where it can use none of the roots.
    web: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    revoked: Option<Vec<CertificateRevocationListDer<'static>>>,
    check_name: bool,
}

impl Verifier {
    /// Takes every certificate.
    pub(crate) fn unchecked(provider: &Arc<CryptoProvider>) -> Self {
        Self { trust: None, provider: Arc::clone(provider) }
    }

    /// Takes certificates that lead to a root, and are not revoked where lists are given.
    pub(crate) fn new(
        provider: &Arc<CryptoProvider>,
        roots: Vec<CertificateDer<'static>>,
        revoked: Option<Vec<CertificateRevocationListDer<'static>>>,
    ) -> Checked<Self> {
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(roots.iter().cloned());
        let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        if let Some(lists) = &revoked {
            builder = builder.with_crls(lists.iter().cloned());
        }
        let web =
            match added {
                0 => None,
                _ => Some(builder.build().map_err(|error| {
                    Error::new(ErrorKind::Config, "root certificates cannot be used").caused_by(error)
                })?),
            };
        let trust = Trust { web, roots, revoked, check_name: true };
        Ok(Self { trust: Some(trust), provider: Arc::clone(provider) })
    }

    /// The same for a server of any name.
    pub(crate) fn for_any_name(mut self) -> Self {
        if let Some(trust) = &mut self.trust {
            trust.check_name = false;
        }
        self
    }
}

/// What was said of the form only; what is wrong stays wrong.
fn is_form(error: &rustls::Error) -> bool {
    !matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::BadSignature
                | CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::Revoked
                | CertificateError::ExpiredRevocationList
                | CertificateError::ExpiredRevocationListContext { .. }
        )
    )
}

impl Trust {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let answer = match &self.web {
            Some(web) => web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        match answer {
            Ok(_) => return Ok(()),
            // the issuer was checked before the name
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {}
            Err(error) if is_form(&error) => {
                let revoked = self.revoked.as_deref();
                chain::Chain { intermediates, roots: &self.roots, revoked, now }.check(end_entity)?;
            }
            Err(error) => return Err(error),
        }
        let names_host = || {
            let parsed = Certificate::from_der(end_entity).ok();
            parsed.and_then(|parsed| Names::of(&parsed)).is_some_and(|names| names.fit(&server_name.to_str()))
        };
        if !self.check_name || names_host() {
            return Ok(());
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked = match &self.trust {
            None => Ok(()),
            Some(trust) => trust.check(end_entity, intermediates, server_name, ocsp_response, now),
        };
        checked
            .map(|()| ServerCertVerified::assertion())
            .map_err(|error| refusal::explain(error, end_entity, &server_name.to_str(), now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            .or_else(|_| chain::check_handshake(message, cert, dss, false))
            .map_err(|_| refusal::unknown_key(cert))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            .or_else(|_| chain::check_handshake(message, cert, dss, true))
            .map_err(|_| refusal::unknown_key(cert))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

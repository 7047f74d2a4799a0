//! Why a certificate is not taken, by its own properties.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerMisbehaved};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::name::Names;

/// A rule that a certificate does not keep, as a clause.
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn error(clause: impl Into<String>) -> Error {
        Error::Other(OtherError(Arc::new(Self(clause.into()))))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server's certificate is not taken: {}", self.0)
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Refusal {}

/// What both sides must have in common. A server that finds nothing ends the handshake before it shows its certificate.
const OURS: &str = "this program has TLS 1.2 and 1.3, key exchange by ECDHE on X25519, P-256, P-384 and P-521, and takes certificates \
                    whose keys are RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519";

/// Whether another attempt would end in the same way: what the two sides are is decided.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else may be the network's, or pass")]
#[cfg(feature = "s3")]
pub(crate) fn is_final(error: &Error) -> bool {
    match error {
        Error::Other(_) | Error::InvalidCertificate(_) | Error::PeerIncompatible(_) => true,
        Error::PeerMisbehaved(why) => *why == PeerMisbehaved::SignedKxWithWrongAlgorithm,
        Error::AlertReceived(alert) => matches!(
            alert,
            AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
        ),
        _ => false,
    }
}

/// An error of the handshake in words.
#[expect(clippy::wildcard_enum_match_arm, reason = "what else rustls says it has words for")]
pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::Other(OtherError(inner)) => inner.to_string(),
        Error::AlertReceived(
            alert @ (AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity),
        ) => format!("the server ends the handshake ({alert:?}), as nothing is common to both sides: {OURS}"),
        // rustls knows no such key in TLS 1.2
        Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => {
            "the server signs with a key for RSASSA-PSS only, which is taken with TLS 1.3 only".to_owned()
        }
        Error::PeerIncompatible(why) => format!("the server does not fit ({why:?}): {OURS}"),
        other => other.to_string(),
    }
}

/// The certificate's property that the check's error is about.
#[expect(clippy::wildcard_enum_match_arm, reason = "what else rustls refuses it has words for")]
pub(super) fn explain(error: Error, certificate: &CertificateDer<'_>, host: &str, now: UnixTime) -> Error {
    let Error::InvalidCertificate(what) = &error else { return error };
    let Ok(parsed) = Certificate::from_der(certificate) else {
        return Refusal::error("it is malformed");
    };
    let part = &parsed.tbs_certificate;
    Refusal::error(match what {
        CertificateError::UnknownIssuer if part.issuer == part.subject => {
            format!("it is signed by itself (\"{}\") and not among the trusted certificates", part.subject)
        }
        CertificateError::UnknownIssuer => {
            format!("its issuer \"{}\" does not lead to a trusted certificate", part.issuer)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names =
                Names::of(&parsed).map_or_else(|| "its names cannot be read".to_owned(), |names| names.describe());
            format!("it is not for \"{host}\": {names}")
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => dates(&parsed, now),
        CertificateError::Revoked => "it is revoked".to_owned(),
        CertificateError::UnknownRevocationStatus => {
            "the revocation list says nothing of it: there must be one of each authority".to_owned()
        }
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list is too old".to_owned()
        }
        CertificateError::BadSignature => {
            format!("a signature does not fit; its key is {}", describe_key(&part.subject_public_key_info))
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage does not allow a server".to_owned()
        }
        _ => return error,
    })
}

fn dates(certificate: &Certificate, now: UnixTime) -> String {
    let validity = &certificate.tbs_certificate.validity;
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        format!("it is good from {} on", validity.not_before)
    } else if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        format!("it was good until {}", validity.not_after)
    } else {
        "an authority's certificate above it is not good at this time".to_owned()
    }
}

/// A handshake's signature that cannot be checked: by the key.
pub(super) fn unknown_key(certificate: &CertificateDer<'_>) -> Error {
    match Certificate::from_der(certificate) {
        Err(_) => Refusal::error("it is malformed"),
        Ok(parsed) => {
            let key = describe_key(&parsed.tbs_certificate.subject_public_key_info);
            Refusal::error(format!("the handshake's signature does not fit its key, which is {key}; {OURS}"))
        }
    }
}

/// `RSA of 1024 bits`, `ECDSA on secp256k1`.
pub(super) fn describe_key(key: &SubjectPublicKeyInfoOwned) -> String {
    let bits = || {
        // SEQUENCE { modulus INTEGER, ... }
        let modulus = super::chain::contents(key.subject_public_key.raw_bytes())
            .and_then(|inner| super::chain::contents(inner).map(<[u8]>::to_vec))
            .unwrap_or_default();
        let digits: Vec<u8> = modulus.into_iter().skip_while(|byte| *byte == 0).collect();
        digits.len() * 8 - digits.first().map_or(0, |byte| byte.leading_zeros() as usize)
    };
    let algorithm = key.algorithm.oid.to_string();
    match algorithm.as_str() {
        "1.2.840.113549.1.1.1" => format!("RSA of {} bits", bits()),
        "1.2.840.113549.1.1.10" => format!("RSASSA-PSS of {} bits", bits()),
        "1.2.840.10045.2.1" => {
            let curve = (key.algorithm.parameters.as_ref())
                .and_then(|parameters| parameters.to_der().ok())
                .and_then(|der| x509_cert::der::asn1::ObjectIdentifier::from_der(&der).ok());
            match curve.map(|curve| curve.to_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => "ECDSA on P-256".to_owned(),
                Some("1.3.132.0.34") => "ECDSA on P-384".to_owned(),
                Some("1.3.132.0.35") => "ECDSA on P-521".to_owned(),
                Some("1.3.132.0.33") => "ECDSA on P-224".to_owned(),
                Some("1.3.132.0.10") => "ECDSA on secp256k1".to_owned(),
                Some("1.3.36.3.3.2.8.1.1.7") => "ECDSA on brainpoolP256r1".to_owned(),
                Some("1.3.36.3.3.2.8.1.1.11") => "ECDSA on brainpoolP384r1".to_owned(),
                Some("1.3.36.3.3.2.8.1.1.13") => "ECDSA on brainpoolP512r1".to_owned(),
                Some(other) => format!("ECDSA on the curve {other}"),
                None => "ECDSA on a curve without a name".to_owned(),
            }
        }
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        "1.3.101.112" => "Ed25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        other => format!("of the algorithm {other}"),
    }
}

//! Certificates as OpenSSL takes them, and with it libpq: version 1, keys on P-521, an authority's certificate as a server's.
//!
//! rustls refuses them before it looks at a signature. Here the signature of the handshake is checked with the certificate's
//! bare key, and a chain by the rules that matter: who signed whom, until when, and who may sign at all.

use std::sync::LazyLock;

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::ecdsa::{Signature, VerifyingKey};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
    UnixTime, alg_id,
};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::certificate::Version;
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::{Certificate, TbsCertificate};

/// As many signatures as are believed on the way to a root.
const DEPTH_MAX: usize = 8;

/// Signatures that may be checked for one chain: a peer may send very many certificates of the same name.
const CHECKS_MAX: usize = 64;

/// ECDSA on P-521, which ring does not have.
#[derive(Debug)]
struct P521 {
    signature: AlgorithmIdentifier,
    digest: fn(&[u8]) -> Vec<u8>,
}

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        const FIELD_BYTES: usize = 66;
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        // a digest is a number that is shorter than the field here: the crate takes no digest of less than half of it
        let digest = (self.digest)(message);
        let mut number = vec![0; FIELD_BYTES.saturating_sub(digest.len())];
        number.extend_from_slice(&digest);
        key.verify_prehash(&number, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

static P521_SHA256: P521 = P521 { signature: alg_id::ECDSA_SHA256, digest: |bytes| Sha256::digest(bytes).to_vec() };
static P521_SHA384: P521 = P521 { signature: alg_id::ECDSA_SHA384, digest: |bytes| Sha384::digest(bytes).to_vec() };
static P521_SHA512: P521 = P521 { signature: alg_id::ECDSA_SHA512, digest: |bytes| Sha512::digest(bytes).to_vec() };

type Algorithms = Vec<&'static dyn SignatureVerificationAlgorithm>;

static ALL: LazyLock<Algorithms> = LazyLock::new(|| {
    let own: [&'static dyn SignatureVerificationAlgorithm; 3] = [&P521_SHA256, &P521_SHA384, &P521_SHA512];
    ring::default_provider().signature_verification_algorithms.all.iter().copied().chain(own).collect()
});

static BY_SCHEME: LazyLock<Vec<(SignatureScheme, Algorithms)>> = LazyLock::new(|| {
    let mut schemes: Vec<(SignatureScheme, Algorithms)> =
        (ring::default_provider().signature_verification_algorithms.mapping)
            .iter()
            .map(|(scheme, algorithms)| (*scheme, algorithms.to_vec()))
            .collect();
    // in TLS 1.2 a scheme names the hash function only, and any curve goes with it
    for (scheme, algorithms) in &mut schemes {
        if *scheme == SignatureScheme::ECDSA_NISTP256_SHA256 {
            algorithms.push(&P521_SHA256);
        } else if *scheme == SignatureScheme::ECDSA_NISTP384_SHA384 {
            algorithms.push(&P521_SHA384);
        }
    }
    let own: &'static dyn SignatureVerificationAlgorithm = &P521_SHA512;
    schemes.push((SignatureScheme::ECDSA_NISTP521_SHA512, vec![own]));
    schemes
});

static MAPPING: LazyLock<Vec<(SignatureScheme, &'static [&'static dyn SignatureVerificationAlgorithm])>> =
    LazyLock::new(|| BY_SCHEME.iter().map(|(scheme, algorithms)| (*scheme, algorithms.as_slice())).collect());

/// All signatures that can be checked.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    WebPkiSupportedAlgorithms { all: &ALL, mapping: &MAPPING }
}

fn malformed() -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::BadEncoding)
}

/// The contents of an algorithm's identifier without their frame, the form in which [`AlgorithmIdentifier`] has them.
fn contents(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = x509_cert::der::Header::decode(&mut reader).ok()?;
    reader.read_slice(header.length).ok()
}

/// Checks the handshake's signature with the key of a certificate that need not be good for anything else.
pub(super) fn check_handshake(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    is_newest: bool,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let parsed = Certificate::from_der(certificate).map_err(|_| malformed())?;
    let key = parsed.tbs_certificate.subject_public_key_info;
    if is_newest {
        let key = SubjectPublicKeyInfoDer::from(key.to_der().map_err(|_| malformed())?);
        return verify_tls13_signature_with_raw_key(message, &key, signed, &algorithms());
    }
    let identifier = key.algorithm.to_der().map_err(|_| malformed())?;
    let identifier = contents(&identifier).ok_or_else(malformed)?;
    let is_valid = (BY_SCHEME.iter())
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, algorithms)| algorithms)
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == identifier)
        .any(|algorithm| {
            algorithm.verify_signature(key.subject_public_key.raw_bytes(), message, signed.signature()).is_ok()
        });
    if is_valid {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature))
    }
}

/// A certificate with the bytes that are signed.
struct Link<'a> {
    parsed: TbsCertificate,
    signed: &'a [u8],
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Link<'a> {
    fn read(der: &'a CertificateDer<'_>) -> Option<Self> {
        let parsed = Certificate::from_der(der).ok()?;
        let mut reader = SliceReader::new(contents(der)?).ok()?;
        Some(Self {
            signed: reader.tlv_bytes().ok()?,
            algorithm: contents(&parsed.signature_algorithm.to_der().ok()?)?.to_vec(),
            signature: parsed.signature.raw_bytes().to_vec(),
            parsed: parsed.tbs_certificate,
        })
    }

    fn is_signed_by(&self, issuer: &Link<'_>) -> bool {
        let key = &issuer.parsed.subject_public_key_info;
        let Ok(identifier) = key.algorithm.to_der() else { return false };
        let Some(identifier) = contents(&identifier) else { return false };
        ALL.iter()
            .filter(|algorithm| algorithm.signature_alg_id().as_ref() == self.algorithm)
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == identifier)
            .any(|algorithm| {
                algorithm.verify_signature(key.subject_public_key.raw_bytes(), self.signed, &self.signature).is_ok()
            })
    }

    fn check_dates(&self, now: UnixTime) -> Result<(), CertificateError> {
        let validity = &self.parsed.validity;
        if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            return Err(CertificateError::NotValidYet);
        }
        if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            return Err(CertificateError::Expired);
        }
        Ok(())
    }

    /// What marks the certificate as one with rules that are not known here.
    fn check_extensions(&self) -> Result<(), String> {
        // basic constraints, key usage, its extension, alternative names
        const KNOWN: [&str; 4] = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"];
        // name constraints bind whether they are critical or not
        const BINDING: &str = "2.5.29.30";
        for extension in self.parsed.extensions.iter().flatten() {
            let name = extension.extn_id.to_string();
            if name == BINDING || (extension.critical && !KNOWN.contains(&name.as_str())) {
                return Err(format!("it has extension {name}, whose rules are not checked here"));
            }
        }
        Ok(())
    }

    fn may_serve(&self) -> Result<(), String> {
        const SERVER: &str = "1.3.6.1.5.5.7.3.1";
        const ANY: &str = "2.5.29.37.0";
        let usage =
            self.parsed.get::<ExtendedKeyUsage>().map_err(|_| "its extended key usage cannot be read".to_owned())?;
        match usage {
            Some((_, usage))
                if !usage.0.iter().any(|purpose| [SERVER, ANY].contains(&purpose.to_string().as_str())) =>
            {
                Err("its extended key usage does not allow a server".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether it may sign certificates with `below` others between it and the server's.
    fn may_sign(&self, is_root: bool, below: usize) -> Result<(), String> {
        if self.parsed.version == Version::V1 {
            // from before there was a mark for it: believed of what the user trusts, not of what a server sends
            return if is_root { Ok(()) } else { Err("an authority between has X.509 version 1".to_owned()) };
        }
        let unreadable = |what: &str| format!("an authority's {what} cannot be read");
        let constraints =
            self.parsed.get::<BasicConstraints>().map_err(|_| unreadable("basic constraints"))?.map(|(_, found)| found);
        let Some(constraints) = constraints.filter(|found| found.ca) else {
            return Err("it is signed by a certificate that is no authority's".to_owned());
        };
        if constraints.path_len_constraint.is_some_and(|longest| below > usize::from(longest)) {
            return Err("an authority may not have so many others below it".to_owned());
        }
        match self.parsed.get::<KeyUsage>().map_err(|_| unreadable("key usage"))? {
            Some((_, usage)) if !usage.key_cert_sign() => {
                Err("an authority's key usage does not allow to sign".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Checks that a chain leads from the server's certificate to a root, where rustls' own check has refused it for its form.
pub(super) fn check_chain(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &[CertificateDer<'static>],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let first = Link::read(end_entity).ok_or_else(malformed)?;
    first.check_dates(now).map_err(rustls::Error::InvalidCertificate)?;
    let rule = |reason: String| rustls::Error::General(format!("the server's certificate is not taken: {reason}"));
    first.check_extensions().map_err(rule)?;
    first.may_serve().map_err(rule)?;
    if roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
        // a certificate that is its own root, as PostgreSQL's documentation makes them
        return Ok(());
    }
    let between: Vec<Link<'_>> = intermediates.iter().filter_map(Link::read).collect();
    let trusted: Vec<Link<'_>> = roots.iter().filter_map(Link::read).collect();
    let mut search = Search { between: &between, trusted: &trusted, now, checks: 0, refusal: None };
    if search.reaches_root(&first, 0) {
        return Ok(());
    }
    Err(search.refusal.map_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), rule))
}

struct Search<'a> {
    between: &'a [Link<'a>],
    trusted: &'a [Link<'a>],
    now: UnixTime,
    checks: usize,
    /// Why an authority that did sign does not count.
    refusal: Option<String>,
}

impl Search<'_> {
    fn reaches_root(&mut self, link: &Link<'_>, below: usize) -> bool {
        let (trusted, between) = (self.trusted, self.between);
        below < DEPTH_MAX
            && (trusted.iter().any(|root| self.counts(link, root, true, below))
                || between
                    .iter()
                    .any(|issuer| self.counts(link, issuer, false, below) && self.reaches_root(issuer, below + 1)))
    }

    fn counts(&mut self, link: &Link<'_>, issuer: &Link<'_>, is_root: bool, below: usize) -> bool {
        if issuer.parsed.subject != link.parsed.issuer || self.checks >= CHECKS_MAX {
            return false;
        }
        self.checks += 1;
        if !link.is_signed_by(issuer) {
            return false;
        }
        let outcome = issuer
            .check_dates(self.now)
            .map_err(|error| format!("an authority's certificate: {error}"))
            .and_then(|()| issuer.check_extensions())
            .and_then(|()| issuer.may_sign(is_root, below));
        match outcome {
            Ok(()) => true,
            Err(reason) => {
                self.refusal = Some(reason);
                false
            }
        }
    }
}

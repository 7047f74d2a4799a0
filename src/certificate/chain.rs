//! The handshake's signature, and the chain from a server's certificate to a root, by the rules that matter: who signed whom, until
//! when, who may sign at all, and what was revoked. rustls' own check refuses for its form what is looked at here.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::verify_tls13_signature_with_raw_key;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct};
use x509_cert::certificate::Version;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::{Certificate, TbsCertificate};

use super::algorithm::{ALL, BY_SCHEME, algorithms};
use super::refusal::{Refusal, describe_key};

/// As many signatures as are believed on the way to a root.
const DEPTH_MAX: usize = 8;

/// Signatures that may be checked for one chain: a peer may send very many certificates of the same name.
const CHECKS_MAX: usize = 64;

fn malformed() -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::BadEncoding)
}

/// The contents of an algorithm's identifier without their frame, the form in which `AlgorithmIdentifier` has them.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
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
        issuer.has_signed(self.signed, &self.algorithm, &self.signature)
    }

    fn has_signed(&self, message: &[u8], algorithm: &[u8], signature: &[u8]) -> bool {
        let key = &self.parsed.subject_public_key_info;
        let Ok(identifier) = key.algorithm.to_der() else { return false };
        let Some(identifier) = contents(&identifier) else { return false };
        ALL.iter()
            .filter(|known| known.signature_alg_id().as_ref() == algorithm)
            .filter(|known| known.public_key_alg_id().as_ref() == identifier)
            .any(|known| known.verify_signature(key.subject_public_key.raw_bytes(), message, signature).is_ok())
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

/// An authority's list of what it has revoked.
struct Revoked<'a> {
    parsed: CertificateList,
    signed: &'a [u8],
}

impl<'a> Revoked<'a> {
    fn read(der: &'a CertificateRevocationListDer<'_>) -> Option<Self> {
        let parsed = CertificateList::from_der(der).ok()?;
        let mut reader = SliceReader::new(contents(der)?).ok()?;
        Some(Self { signed: reader.tlv_bytes().ok()?, parsed })
    }

    fn is_of(&self, issuer: &Link<'_>) -> bool {
        let Ok(algorithm) = self.parsed.signature_algorithm.to_der() else { return false };
        self.parsed.tbs_cert_list.issuer == issuer.parsed.subject
            && contents(&algorithm)
                .is_some_and(|algorithm| issuer.has_signed(self.signed, algorithm, self.parsed.signature.raw_bytes()))
    }

    /// One that shows a part only, or of a part of the certificates, or whose dates are not good, proves nothing.
    fn is_whole(&self, now: UnixTime) -> bool {
        let list = &self.parsed.tbs_cert_list;
        let is_marked = list.crl_extensions.iter().flatten().any(|extension| extension.critical);
        let is_old = list.next_update.is_some_and(|next| now.as_secs() > next.to_unix_duration().as_secs());
        !is_marked && !is_old && now.as_secs() >= list.this_update.to_unix_duration().as_secs()
    }

    fn names(&self, link: &Link<'_>) -> bool {
        let mut entries = self.parsed.tbs_cert_list.revoked_certificates.iter().flatten();
        entries.any(|entry| entry.serial_number == link.parsed.serial_number)
    }
}

/// What a server's certificate is checked with, where rustls' own check has refused it for its form.
pub(super) struct Chain<'a> {
    /// The others that the server sends.
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) roots: &'a [CertificateDer<'static>],
    /// Where there are lists, there must be one of each authority.
    pub(super) revoked: Option<&'a [CertificateRevocationListDer<'static>]>,
    pub(super) now: UnixTime,
}

impl Chain<'_> {
    /// Checks that the chain leads to a root.
    pub(super) fn check(&self, end_entity: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let first = Link::read(end_entity).ok_or_else(malformed)?;
        first.check_dates(self.now).map_err(rustls::Error::InvalidCertificate)?;
        first.check_extensions().map_err(Refusal::error)?;
        first.may_serve().map_err(Refusal::error)?;
        let between: Vec<Link<'_>> = self.intermediates.iter().filter_map(Link::read).collect();
        let trusted: Vec<Link<'_>> = self.roots.iter().filter_map(Link::read).collect();
        let revoked = self.revoked.map(|lists| lists.iter().filter_map(Revoked::read).collect::<Vec<_>>());
        let mut search = Search {
            between: &between,
            trusted: &trusted,
            revoked: revoked.as_deref(),
            now: self.now,
            checks: 0,
            refusal: None,
        };
        if self.roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
            // a certificate that is its own root, as PostgreSQL's documentation makes them
            return search.check_revocation(&first, &first).map_err(Refusal::error);
        }
        if search.reaches_root(&first, 0) {
            return Ok(());
        }
        Err(search.refusal.map_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), Refusal::error))
    }
}

struct Search<'a> {
    between: &'a [Link<'a>],
    trusted: &'a [Link<'a>],
    revoked: Option<&'a [Revoked<'a>]>,
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
            // an authority that only has the same name is none; a signature that cannot be checked is told
            if !ALL.iter().any(|known| known.signature_alg_id().as_ref() == link.algorithm) {
                let key = describe_key(&issuer.parsed.subject_public_key_info);
                self.refusal = Some(format!("it is signed by a key that is {key}, which is not taken here"));
            }
            return false;
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "dates fail in two ways")]
        let outcome = issuer
            .check_dates(self.now)
            .map_err(|error| match error {
                CertificateError::NotValidYet => "an authority's certificate is not good yet".to_owned(),
                _ => "an authority's certificate has expired".to_owned(),
            })
            .and_then(|()| issuer.check_extensions())
            .and_then(|()| issuer.may_sign(is_root, below))
            .and_then(|()| self.check_revocation(link, issuer));
        match outcome {
            Ok(()) => true,
            Err(reason) => {
                self.refusal = Some(reason);
                false
            }
        }
    }

    /// As OpenSSL: where there are lists, there must be a good one of the issuer.
    fn check_revocation(&self, link: &Link<'_>, issuer: &Link<'_>) -> Result<(), String> {
        let Some(lists) = self.revoked else { return Ok(()) };
        let mut good = lists.iter().filter(|list| list.is_whole(self.now) && list.is_of(issuer)).peekable();
        if good.peek().is_none() {
            return Err(format!("there is no revocation list of \"{}\" that is good now", issuer.parsed.subject));
        }
        if good.any(|list| list.names(link)) { Err(format!("\"{}\" is revoked", link.parsed.subject)) } else { Ok(()) }
    }
}

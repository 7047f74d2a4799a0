//! The client's own certificate and key.

use std::sync::Arc;

use p521::ecdsa::signature::hazmat::RandomizedPrehashSigner as _;
use p521::ecdsa::{Signature, SigningKey};
use p521::elliptic_curve::rand_core::OsRng;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, Signer, SingleCertAndKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};

use super::algorithm::widened;

/// Offers this certificate where a server asks for one. rustls would look at its form first; that is the server's to judge.
pub(crate) fn identity(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
) -> Result<Arc<dyn ResolvesClientCert>, Error> {
    let signing: Arc<dyn rustls::sign::SigningKey> = match secret(key) {
        Some(secret) => Arc::new(Key(Arc::new(secret))),
        None => ring::sign::any_supported_type(key)?,
    };
    let certified = CertifiedKey::new(chain, signing);
    if let (Some(own), Some(named)) = (certified.key.public_key(), public_key(&certified))
        && own.as_ref() != named
    {
        return Err(Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch));
    }
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}

fn public_key(certified: &CertifiedKey) -> Option<Vec<u8>> {
    use x509_cert::der::Encode as _;
    let parsed = Certificate::from_der(certified.cert.first()?).ok()?;
    parsed.tbs_certificate.subject_public_key_info.to_der().ok()
}

/// The secret of a key on P-521, of the three forms of a key's file.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have no elliptic curve")]
fn secret(key: &PrivateKeyDer<'_>) -> Option<SigningKey> {
    match key {
        PrivateKeyDer::Pkcs8(key) => wrapped(key.secret_pkcs8_der()),
        PrivateKeyDer::Sec1(key) => bare(key.secret_sec1_der(), false),
        _ => None,
    }
}

const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// RFC 5958: a version, the algorithm with its curve, the key's own form.
fn wrapped(der: &[u8]) -> Option<SigningKey> {
    let is_named = |reader: &mut SliceReader<'_>| {
        reader.sequence(|inner| {
            let (_, curve) = (ObjectIdentifier::decode(inner)?, Option::<ObjectIdentifier>::decode(inner));
            Ok(curve.ok().flatten() == Some(P521))
        })
    };
    let mut outer = SliceReader::new(super::chain::contents(der)?).ok()?;
    let _version = u8::decode(&mut outer).ok()?;
    if !is_named(&mut outer).ok()? {
        return None;
    }
    bare(OctetStringRef::decode(&mut outer).ok()?.as_bytes(), true)
}

/// RFC 5915: a version, the number, and mostly the curve.
fn bare(der: &[u8], is_named: bool) -> Option<SigningKey> {
    let mut reader = SliceReader::new(super::chain::contents(der)?).ok()?;
    let _version = u8::decode(&mut reader).ok()?;
    let number = OctetStringRef::decode(&mut reader).ok()?.as_bytes();
    let rest = reader.read_slice(reader.remaining_len()).ok()?;
    // [0] { OBJECT IDENTIFIER }
    if !is_named && !rest.starts_with(&[0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]) {
        return None;
    }
    SigningKey::from_slice(&widened(number)).ok()
}

struct Key(Arc<SigningKey>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl rustls::sign::SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        // TLS 1.3 knows the first only for this curve; a server of TLS 1.2 may name a hash function without it
        [
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP256_SHA256,
        ]
        .into_iter()
        .find(|scheme| offered.contains(scheme))
        .map(|scheme| Box::new(Signing { key: Arc::clone(&self.0), scheme }) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

struct Signing {
    key: Arc<SigningKey>,
    scheme: SignatureScheme,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}

impl Signer for Signing {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = if self.scheme == SignatureScheme::ECDSA_NISTP521_SHA512 {
            Sha512::digest(message).to_vec()
        } else if self.scheme == SignatureScheme::ECDSA_NISTP384_SHA384 {
            Sha384::digest(message).to_vec()
        } else {
            Sha256::digest(message).to_vec()
        };
        let signature: Signature = (self.key.sign_prehash_with_rng(&mut OsRng, &widened(&digest)))
            .map_err(|_| Error::General("the client key does not sign".to_owned()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

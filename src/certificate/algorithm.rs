//! Signatures and key exchanges: ring's, and what it does not have.

use std::sync::{Arc, LazyLock};

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::ecdsa::{Signature, VerifyingKey};
use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::group::P521_EXCHANGE;

/// ECDSA on P-521.
#[derive(Debug)]
struct P521 {
    signature: AlgorithmIdentifier,
    digest: fn(&[u8]) -> Vec<u8>,
}

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(&widened(&(self.digest)(message)), &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// By key, digest and signature.
type Check = fn(&[u8], &[u8], &[u8]) -> Option<()>;

/// ECDSA with SHA-512 on a shorter curve: ring has it with the curve's own hash functions only.
#[derive(Debug)]
struct Sha512On {
    key: AlgorithmIdentifier,
    verify: Check,
}

impl SignatureVerificationAlgorithm for Sha512On {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        (self.verify)(public_key, &Sha512::digest(message), signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

static P256_SHA512: Sha512On = Sha512On {
    key: alg_id::ECDSA_P256,
    verify: |key, digest, signature| {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
        key.verify_prehash(digest, &p256::ecdsa::Signature::from_der(signature).ok()?).ok()
    },
};

static P384_SHA512: Sha512On = Sha512On {
    key: alg_id::ECDSA_P384,
    verify: |key, digest, signature| {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
        key.verify_prehash(digest, &p384::ecdsa::Signature::from_der(signature).ok()?).ok()
    },
};

/// A digest as the number that it is on P-521, which is longer: the crate takes no digest of less than half of the field.
pub(super) fn widened(digest: &[u8]) -> Vec<u8> {
    const FIELD_BYTES: usize = 66;
    let mut number = vec![0; FIELD_BYTES.saturating_sub(digest.len())];
    number.extend_from_slice(digest);
    number
}

/// RSASSA-PSS with a key that may do nothing else. The arithmetic is that of any RSA key, which ring has.
#[derive(Debug)]
struct PssKey {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

/// A key that says nothing of its hash function.
const PSS_ANY: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]);

impl SignatureVerificationAlgorithm for PssKey {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let all = ring::default_provider().signature_verification_algorithms.all;
        let plain = all.iter().find(|algorithm| {
            algorithm.public_key_alg_id() == alg_id::RSA_ENCRYPTION && algorithm.signature_alg_id() == self.signature
        });
        plain.ok_or(InvalidSignature)?.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

static P521_SHA256: P521 = P521 { signature: alg_id::ECDSA_SHA256, digest: |bytes| Sha256::digest(bytes).to_vec() };
static P521_SHA384: P521 = P521 { signature: alg_id::ECDSA_SHA384, digest: |bytes| Sha384::digest(bytes).to_vec() };
static P521_SHA512: P521 = P521 { signature: alg_id::ECDSA_SHA512, digest: |bytes| Sha512::digest(bytes).to_vec() };

/// By hash function: its number in TLS's `rsa_pss_pss_*`, for a key without one, for a key with it.
static PSS: [(u16, PssKey, PssKey); 3] =
    [pss(0x0809, alg_id::RSA_PSS_SHA256), pss(0x080a, alg_id::RSA_PSS_SHA384), pss(0x080b, alg_id::RSA_PSS_SHA512)];

const fn pss(scheme: u16, signature: AlgorithmIdentifier) -> (u16, PssKey, PssKey) {
    (scheme, PssKey { key: PSS_ANY, signature }, PssKey { key: signature, signature })
}

type Algorithms = Vec<&'static dyn SignatureVerificationAlgorithm>;

/// Every signature that can be checked.
pub(super) static ALL: LazyLock<Algorithms> = LazyLock::new(|| {
    let own: [&'static dyn SignatureVerificationAlgorithm; 5] =
        [&P521_SHA256, &P521_SHA384, &P521_SHA512, &P256_SHA512, &P384_SHA512];
    let mut all = ring::default_provider().signature_verification_algorithms.all.to_vec();
    all.extend(own);
    for (_, any, bound) in &PSS {
        let keys: [&'static dyn SignatureVerificationAlgorithm; 2] = [any, bound];
        all.extend(keys);
    }
    all
});

/// The same by what TLS calls it.
pub(super) static BY_SCHEME: LazyLock<Vec<(SignatureScheme, Algorithms)>> = LazyLock::new(|| {
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
    let own: [&'static dyn SignatureVerificationAlgorithm; 3] = [&P521_SHA512, &P256_SHA512, &P384_SHA512];
    schemes.push((SignatureScheme::ECDSA_NISTP521_SHA512, own.to_vec()));
    for (scheme, any, bound) in &PSS {
        let keys: [&'static dyn SignatureVerificationAlgorithm; 2] = [any, bound];
        schemes.push((SignatureScheme::from(*scheme), keys.to_vec()));
    }
    schemes
});

static MAPPING: LazyLock<Vec<(SignatureScheme, &'static [&'static dyn SignatureVerificationAlgorithm])>> =
    LazyLock::new(|| BY_SCHEME.iter().map(|(scheme, algorithms)| (*scheme, algorithms.as_slice())).collect());

pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    WebPkiSupportedAlgorithms { all: &ALL, mapping: &MAPPING }
}

/// What TLS is spoken with. P-521 comes last of the groups, as OpenSSL's clients offer it: a server of TLS 1.2 wants its certificate's
/// curve among them.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.signature_verification_algorithms = algorithms();
    provider.kx_groups.push(P521_EXCHANGE);
    Arc::new(provider)
}

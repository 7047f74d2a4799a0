//! Certificates as OpenSSL takes them, and with it libpq: one check for PostgreSQL servers and for S3 servers.
//!
//! rustls and ring refuse forms that people have: X.509 version 1, keys on P-521 or for RSASSA-PSS only, an authority's certificate
//! as a server's, a certificate that is its own root. Here they are checked, and what is refused is told by the certificate's property.

mod algorithm;
mod chain;
mod group;
mod name;
mod refusal;
mod signer;
mod verifier;

pub(crate) use algorithm::provider;
#[cfg(feature = "s3")]
pub(crate) use refusal::is_final;
pub(crate) use refusal::words;
pub(crate) use signer::identity;
pub(crate) use verifier::Verifier;

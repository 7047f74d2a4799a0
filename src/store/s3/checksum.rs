//! Checksums that go with the bytes, worked out here and compared by the server.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use sha2::Sha256;

/// What a server was found, or told, to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Crc32c,
    Sha256,
    Md5,
    None,
}

/// A checksum's value as the headers want it, base64.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Crc32c(String),
    Sha256(String),
    Md5(String),
    None,
}

impl Checksum {
    /// The algorithm that CreateMultipartUpload is told. `Content-MD5` is a header of its own and none of these.
    pub(super) fn algorithm(self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::Crc32c => Some(ChecksumAlgorithm::Crc32C),
            Self::Sha256 => Some(ChecksumAlgorithm::Sha256),
            Self::Md5 | Self::None => None,
        }
    }

    pub(super) fn of(self, bytes: &[u8]) -> Value {
        match self {
            Self::Crc32c => {
                let crc = crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes);
                // the algorithm is 32 bits wide; the library hands every width out in 64
                let crc = u32::try_from(crc).expect("a CRC-32C fits 32 bits");
                Value::Crc32c(STANDARD.encode(crc.to_be_bytes()))
            }
            Self::Sha256 => Value::Sha256(STANDARD.encode(Sha256::digest(bytes))),
            Self::Md5 => Value::Md5(STANDARD.encode(Md5::digest(bytes))),
            Self::None => Value::None,
        }
    }
}

impl Value {
    /// Ceph 20 compares a put's checksum only when the algorithm is named as well.
    pub(super) fn on_put(self, request: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        match self {
            Self::Crc32c(value) => request.checksum_algorithm(ChecksumAlgorithm::Crc32C).checksum_crc32_c(value),
            Self::Sha256(value) => request.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(value),
            Self::Md5(value) => request.content_md5(value),
            Self::None => request,
        }
    }

    pub(super) fn on_part(self, request: UploadPartFluentBuilder) -> UploadPartFluentBuilder {
        match self {
            Self::Crc32c(value) => request.checksum_algorithm(ChecksumAlgorithm::Crc32C).checksum_crc32_c(value),
            Self::Sha256(value) => request.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(value),
            Self::Md5(value) => request.content_md5(value),
            Self::None => request,
        }
    }

    /// The part as CompleteMultipartUpload lists it.
    pub(super) fn on_completed(self, number: i32, etag: Option<String>) -> CompletedPart {
        let part = CompletedPart::builder().part_number(number).set_e_tag(etag);
        match self {
            Self::Crc32c(value) => part.checksum_crc32_c(value),
            Self::Sha256(value) => part.checksum_sha256(value),
            Self::Md5(_) | Self::None => part,
        }
        .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_standards() {
        // RFC 3720 B.4 gives CRC-32C of 32 zero bytes as 8a9136aa in big-endian order of the value
        assert!(
            matches!(Checksum::Crc32c.of(&[0; 32]), Value::Crc32c(text) if text == STANDARD.encode(0x8a91_36aa_u32.to_be_bytes()))
        );
        assert!(matches!(Checksum::Md5.of(b""), Value::Md5(text) if text == "1B2M2Y8AsgTpgAmY7PhCfg=="));
        assert!(
            matches!(Checksum::Sha256.of(b""), Value::Sha256(text) if text == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        );
    }
}

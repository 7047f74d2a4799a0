use super::BLOCK;
use crate::archive::error::FormatErrorKind;

/// Where a field of a header lies (POSIX, "pax", ustar interchange format).
struct Field {
    begin: usize,
    length: usize,
}

const NAME: Field = Field { begin: 0, length: 100 };
const MODE: Field = Field { begin: 100, length: 8 };
const USER_ID: Field = Field { begin: 108, length: 8 };
const GROUP_ID: Field = Field { begin: 116, length: 8 };
const SIZE: Field = Field { begin: 124, length: 12 };
const TIME: Field = Field { begin: 136, length: 12 };
const CHECKSUM: Field = Field { begin: 148, length: 8 };
const TYPE: Field = Field { begin: 156, length: 1 };
const LINK: Field = Field { begin: 157, length: 100 };
const MAGIC: Field = Field { begin: 257, length: 8 };
const USER: Field = Field { begin: 265, length: 32 };
const GROUP: Field = Field { begin: 297, length: 32 };
const DEVICE_MAJOR: Field = Field { begin: 329, length: 8 };
const DEVICE_MINOR: Field = Field { begin: 337, length: 8 };
const PREFIX: Field = Field { begin: 345, length: 155 };

const USTAR: &[u8; 8] = b"ustar\x0000";

/// The first byte of a number that is not written in octal digits but in base 256.
const BASE_256: u8 = 0x80;

impl Field {
    fn of<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        block.get(self.begin..self.begin + self.length).unwrap_or_default()
    }

    fn set(&self, block: &mut [u8; BLOCK], bytes: &[u8]) {
        let field = block.iter_mut().skip(self.begin).take(self.length);
        field.zip(bytes).for_each(|(place, byte)| *place = *byte);
    }

    /// Octal digits and a space; in base 256 what has too many of them.
    fn set_number(&self, block: &mut [u8; BLOCK], number: u64) {
        let octal = format!("{number:0width$o} ", width = self.length - 1);
        if octal.len() == self.length {
            return self.set(block, octal.as_bytes());
        }
        let mut bytes = vec![0; self.length.saturating_sub(size_of::<u64>())];
        bytes.extend(number.to_be_bytes());
        if let Some(first) = bytes.first_mut() {
            *first = BASE_256;
        }
        self.set(block, &bytes);
    }

    fn number(&self, block: &[u8]) -> Option<u64> {
        let bytes = self.of(block);
        match bytes {
            [BASE_256, rest @ ..] => {
                let value =
                    rest.iter().try_fold(0_u64, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()));
                value.filter(|value| *value <= i64::MAX.cast_unsigned())
            }
            _ => {
                let length = bytes.iter().position(|byte| !(b'0'..=b'7').contains(byte)).unwrap_or(bytes.len());
                let (digits, end) = bytes.split_at(length);
                let is_ended = !digits.is_empty() && end.iter().all(|byte| matches!(byte, b' ' | 0));
                let text = std::str::from_utf8(digits).ok().filter(|_| is_ended)?;
                u64::from_str_radix(text, 8).ok()
            }
        }
    }
}

/// The sum of a header's bytes, with spaces where the sum itself stands.
fn checksum(block: &[u8]) -> u64 {
    let all: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = CHECKSUM.of(block).iter().map(|byte| u64::from(*byte)).sum();
    all - own + u64::from(b' ') * CHECKSUM.length as u64
}

/// The block before a member of `size` bytes; `time` is in seconds since 1970. The owner and the rights are those that
/// pg_dump writes.
///
/// The name has at most 99 bytes, as every name of the format has.
pub fn encode_header(name: &str, size: u64, time: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    NAME.set(&mut block, name.as_bytes());
    MODE.set_number(&mut block, 0o600);
    USER_ID.set_number(&mut block, 0o4000);
    GROUP_ID.set_number(&mut block, 0o2000);
    SIZE.set_number(&mut block, size);
    TIME.set_number(&mut block, time);
    TYPE.set(&mut block, b"0");
    MAGIC.set(&mut block, USTAR);
    USER.set(&mut block, b"postgres");
    GROUP.set(&mut block, b"postgres");
    DEVICE_MAJOR.set_number(&mut block, 0);
    DEVICE_MINOR.set_number(&mut block, 0);
    let sum = checksum(&block);
    CHECKSUM.set_number(&mut block, sum);
    block
}

/// What a header says of its member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) size: u64,
}

impl Header {
    /// Reads a block that is not all zeros.
    ///
    /// Owner, rights and time mean nothing here; whatever could give the member another name, kind or size is refused.
    pub(super) fn decode(block: &[u8]) -> Result<Self, FormatErrorKind> {
        let found = checksum(block);
        match CHECKSUM.number(block) {
            Some(said) if said == found => {}
            said => return Err(FormatErrorKind::MemberChecksum { said, found }),
        }
        let field = NAME.of(block);
        let length = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        let (name, rest) = field.split_at(length);
        let text = String::from_utf8_lossy(name).into_owned();
        let bad = |field| Err(FormatErrorKind::MemberHeader { name: text.clone(), field });
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if MAGIC.of(block) != USTAR {
            return bad("format");
        }
        match TYPE.of(block) {
            b"0" | b"\0" => {}
            other => {
                let code = other.first().copied().unwrap_or_default();
                return Err(FormatErrorKind::MemberType { name: text, code });
            }
        }
        if !is_zero(LINK.of(block)) {
            return bad("link name");
        }
        if !is_zero(PREFIX.of(block)) {
            return bad("name prefix");
        }
        if rest.is_empty() || !is_zero(rest) {
            return bad("name");
        }
        match SIZE.number(block) {
            Some(size) => Ok(Self { name: text, size }),
            None => bad("size"),
        }
    }
}

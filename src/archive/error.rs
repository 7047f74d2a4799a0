use std::fmt;

/// The archive's bytes are not what the format allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Bytes before the place, from the begin of the file.
    pub offset: u64,
    /// What is wrong there.
    pub kind: FormatErrorKind,
}

/// What is wrong at a place of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatErrorKind {
    /// The file does not begin with `PGDMP`.
    Magic,
    /// An archive version that is not read here.
    Version {
        /// First number.
        major: u8,
        /// Second number.
        minor: u8,
        /// Third number.
        revision: u8,
    },
    /// Integers of another width than four bytes.
    IntegerSize(u8),
    /// Offsets of a width that is not from 1 to 8 bytes.
    OffsetSize(u8),
    /// The format code is not the one expected: 1 is custom, 3 is tar and directory.
    Format(u8),
    /// A compression method that does not exist.
    Compression(u8),
    /// The sign byte of an integer is neither 0 nor 1, or the integer does not fit.
    Integer,
    /// The length of a string is negative.
    StringLength(i32),
    /// A string holds a zero byte.
    ZeroByte,
    /// A number that is stored as text is none; the field's name.
    Number(&'static str),
    /// A string that has to be there is null; the field's name.
    Null(&'static str),
    /// A flag that is neither on nor off; the field's name.
    Flag(&'static str),
    /// The number of entries is negative.
    EntryCount(i32),
    /// An entry's dump id is not positive, or stands twice.
    DumpId(i32),
    /// An entry's section is unknown.
    Section(i32),
    /// An entry's relation kind is no ASCII letter.
    RelationKind(i32),
    /// The state of a data offset is unknown.
    OffsetState(u8),
    /// An offset that is not in use is not zero.
    UnusedOffset(u64),
    /// The name of a data file is none that pg_dump writes.
    FileName(String),
    /// A data block of an unknown type.
    BlockType(u8),
    /// A data block belongs to another entry.
    BlockId {
        /// The entry's dump id.
        expected: i32,
        /// The block's.
        found: i32,
    },
    /// An entry says that it has data and names no place of it, or the other way round; its dump id.
    DataFlag(i32),
    /// The data of an entry is said to begin where no data lies.
    DataOffset {
        /// The entry's dump id.
        dump_id: i32,
        /// Where it is said to begin.
        offset: u64,
    },
    /// The data of an entry is said to lie where that of another one does; its dump id.
    DataTwice(i32),
    /// The archive does not have the data of an entry; its dump id.
    DataMissing(i32),
    /// Rows stand where large objects belong, or the other way round; the entry's kind.
    BlockOfOtherKind(String),
    /// A block does not begin as it would if it were compressed as the header says.
    NotCompressed(crate::codec::compress::Algorithm),
    /// The length of a piece of data is negative.
    PieceLength(i32),
    /// A line of a list of large objects is not `OID FILE`.
    LargeObjectLine,
    /// The table of contents behind the data is not that before it.
    SecondToc,
    /// A tar header's checksum is not the sum of its bytes.
    MemberChecksum {
        /// What the header says; `None` when that is no number.
        said: Option<u64>,
        /// The sum.
        found: u64,
    },
    /// A field of a tar header is not as pg_dump writes it.
    MemberHeader {
        /// The member's name, as far as it is one.
        name: String,
        /// The field.
        field: &'static str,
    },
    /// A tar member is no plain file: a link, a folder, a PAX or GNU extension.
    MemberType {
        /// Its name.
        name: String,
        /// Its type.
        code: u8,
    },
    /// A tar member says that it goes on behind the file's end.
    MemberSize {
        /// Its name.
        name: String,
        /// Its size, as the header says.
        size: u64,
    },
    /// A tar member stands where the table of contents has another one, or none.
    MemberOrder {
        /// What stands there; `None` for the archive's end.
        found: Option<String>,
        /// What belongs there; `None` for the end.
        expected: Option<String>,
    },
    /// The members of a tar archive are compressed, which the format does not know.
    MemberCompression(crate::codec::compress::Algorithm),
    /// A large object stands in a tar archive twice.
    MemberTwice(String),
    /// Something other than zeros stands between two members, or behind the last one.
    MemberPadding,
    /// The bytes end too early.
    Truncated,
    /// Bytes follow where the file has to end.
    Trailing,
    /// COPY data without its end, or with something behind it.
    CopyEnd,
    /// INSERT statements that are none of pg_dump's, or that end too early.
    InsertText,
}

impl fmt::Display for FormatErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("the file is no pg_dump archive"),
            Self::Version { major, minor, revision } => {
                write!(f, "archive version {major}.{minor}.{revision} is not from 1.12 to 1.16")
            }
            Self::IntegerSize(size) => write!(f, "integers of {size} bytes instead of 4"),
            Self::OffsetSize(size) => write!(f, "offsets of {size} bytes instead of 1 to 8"),
            Self::Format(code) => write!(f, "format code {code} is not the expected one"),
            Self::Compression(code) => write!(f, "compression method {code} does not exist"),
            Self::Integer => f.write_str("an integer is malformed"),
            Self::StringLength(length) => write!(f, "a string has the length {length}"),
            Self::ZeroByte => f.write_str("a string holds a zero byte"),
            Self::Number(field) => write!(f, "{field} is no number"),
            Self::Null(field) => write!(f, "{field} is null"),
            Self::Flag(field) => write!(f, "{field} is neither on nor off"),
            Self::EntryCount(count) => write!(f, "the number of entries is {count}"),
            Self::DumpId(id) => write!(f, "dump id {id} is not positive or stands twice"),
            Self::Section(section) => write!(f, "section {section} does not exist"),
            Self::RelationKind(kind) => write!(f, "relation kind {kind} is no letter"),
            Self::OffsetState(state) => write!(f, "data offset state {state} does not exist"),
            Self::UnusedOffset(offset) => write!(f, "an unused data offset is {offset}"),
            Self::FileName(name) => write!(f, "{name:?} is no file name of an archive"),
            Self::BlockType(code) => write!(f, "data block type {code} does not exist"),
            Self::BlockId { expected, found } => {
                write!(f, "data of entry {found} stands where entry {expected} belongs")
            }
            Self::DataFlag(id) => write!(f, "entry {id} says both that it has data and that it has none"),
            Self::DataOffset { dump_id, offset } => {
                write!(f, "the data of entry {dump_id} is said to begin at byte {offset}, where no data lies")
            }
            Self::DataTwice(id) => write!(f, "the data of entry {id} is said to lie where that of another entry does"),
            Self::DataMissing(id) => write!(f, "the data of entry {id} is missing"),
            Self::BlockOfOtherKind(kind) => write!(f, "a data block of another kind stands where {kind} belongs"),
            Self::NotCompressed(algorithm) => {
                write!(f, "a data block does not begin as the header says, with compression {algorithm:?}")
            }
            Self::PieceLength(length) => write!(f, "a piece of data has the length {length}"),
            Self::LargeObjectLine => f.write_str("a line of the large object list is malformed"),
            Self::SecondToc => f.write_str("the table of contents behind the data is not that before it"),
            Self::MemberChecksum { said: Some(said), found } => {
                write!(f, "a member's header has the checksum {said}, its bytes have {found}")
            }
            Self::MemberChecksum { said: None, .. } => f.write_str("a member's header has no checksum"),
            Self::MemberHeader { name, field } => {
                write!(f, "the {field} of member {name:?} is not as pg_dump writes it")
            }
            Self::MemberType { name, code } => {
                write!(f, "member {name:?} is of the type {:?} and no plain file", char::from(*code))
            }
            Self::MemberSize { name, size } => {
                write!(f, "member {name:?} of {size} bytes goes on behind the end of the file")
            }
            Self::MemberOrder { found, expected } => {
                let words =
                    |name: &Option<String>| name.as_ref().map_or("the end".to_owned(), |name| format!("{name:?}"));
                write!(f, "{} stands where {} belongs", words(found), words(expected))
            }
            Self::MemberCompression(algorithm) => write!(f, "the members are compressed with {algorithm}"),
            Self::MemberTwice(name) => write!(f, "member {name:?} stands in the archive twice"),
            Self::MemberPadding => f.write_str("something other than zeros stands between members or behind them"),
            Self::Truncated => f.write_str("the archive ends too early"),
            Self::Trailing => f.write_str("bytes follow the archive's end"),
            Self::CopyEnd => f.write_str("the row data has no end mark, or something follows it"),
            Self::InsertText => f.write_str("the INSERT statements are not as pg_dump writes them"),
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind, self.offset)
    }
}

impl std::error::Error for FormatError {}

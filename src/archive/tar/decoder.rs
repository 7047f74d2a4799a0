//! Reads a tar archive while its bytes arrive.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::header::Header;
use super::{BLOCK, SCRIPT_FILE, padding};
use crate::archive::directory::{
    FileKind, TOC_FILE, decode_file_name, encode_large_object_line, large_object_file, large_object_list_file,
    rows_file,
};
use crate::archive::error::{FormatError, FormatErrorKind};
use crate::archive::toc::{Container, Data, Entry, Toc};
use crate::codec::compress::Algorithm;

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The rows of an entry.
    Rows {
        /// Whose they are.
        dump_id: i32,
    },
    /// One large object.
    LargeObject {
        /// The entry that it belongs to.
        dump_id: i32,
        /// Its number.
        oid: u32,
    },
}

/// What stands in a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The head, always first.
    Head(Box<Toc>),
    /// A member with data begins.
    Begin {
        /// What it holds.
        content: Content,
        /// Where its bytes lie in the file.
        place: Range<u64>,
    },
    /// Bytes of the member. Never empty.
    Data(Bytes),
    /// All of the member's bytes were given out.
    End,
    /// The large objects of an entry are complete, and their list names them.
    LargeObjectsEnd {
        /// The entry.
        dump_id: i32,
    },
}

/// An entry whose data is still to come.
struct Expected {
    dump_id: i32,
    /// The member with its rows, or the list of its large objects.
    file: String,
    is_large_objects: bool,
}

enum State {
    /// A header is next, or the first block of the end.
    Header,
    Toc(Box<crate::archive::Decoder>),
    Data,
    /// The list of the large objects that have come.
    List {
        dump_id: i32,
        expected: Vec<u8>,
    },
    Script,
    Padding,
    /// The second block of the end is next.
    End,
    /// Only zeros may follow, with which tar programs fill their last record.
    Behind,
}

/// Reads a tar archive: the members' order and names, and where their bytes lie.
///
/// Safe on hostile bytes: no panic, and memory within a small multiple of the bytes that were pushed.
pub struct Decoder {
    /// The file's size, where it is known.
    size: Option<u64>,
    /// Where the next byte that is pushed lies in the file.
    position: u64,
    /// Where the value begins that is being read.
    begin: u64,
    state: State,
    /// Bytes of the member that are still to come, then those of its padding.
    left: u64,
    padding: u64,
    held: BytesMut,
    expected: VecDeque<Expected>,
    /// The large objects of the open entry, and those of all.
    objects: Vec<u32>,
    seen: HashSet<u32>,
    has_script: bool,
    has_toc: bool,
}

impl Decoder {
    /// Begins at the first byte of a file of this size; `None` where that is not known.
    pub fn new(size: Option<u64>) -> Self {
        Self {
            size,
            position: 0,
            begin: 0,
            state: State::Header,
            left: 0,
            padding: 0,
            held: BytesMut::new(),
            expected: VecDeque::new(),
            objects: Vec::new(),
            seen: HashSet::new(),
            has_script: false,
            has_toc: false,
        }
    }

    /// Where the next byte that is pushed lies in the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes to the end of the member that [`Event::Begin`] told of, without its bytes. The next byte that is pushed is then
    /// the one at [`Decoder::position`].
    pub fn skip_data(&mut self) {
        if matches!(self.state, State::Data) {
            self.position = self.position.saturating_add(self.left);
            self.left = 0;
        }
    }

    /// The next event, or `None` when `input` is used up and more is needed.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Event>, FormatError> {
        loop {
            match &mut self.state {
                State::Header => {
                    let Some(block) = self.block(input) else { return Ok(None) };
                    if block.iter().all(|byte| *byte == 0) {
                        self.expect_end()?;
                        self.state = State::End;
                    } else {
                        let header = Header::decode(&block).map_err(|kind| self.bad(kind))?;
                        if let Some(event) = self.begin_member(header)? {
                            return Ok(Some(event));
                        }
                    }
                }
                State::Data if self.left == 0 => {
                    self.state = State::Padding;
                    return Ok(Some(Event::End));
                }
                State::Data => {
                    let bytes = self.take(input);
                    return Ok((!bytes.is_empty()).then_some(Event::Data(bytes)));
                }
                State::Script => {
                    if self.take(input).is_empty() && self.left > 0 {
                        return Ok(None);
                    }
                    if self.left == 0 {
                        self.state = State::Padding;
                    }
                }
                State::Toc(_) => {
                    let bytes = self.take(input);
                    if let Some(event) = self.toc(bytes)? {
                        return Ok(Some(event));
                    }
                    if input.is_empty() {
                        return Ok(None);
                    }
                }
                State::List { .. } => {
                    let bytes = self.take(input);
                    self.held.extend_from_slice(&bytes);
                    if self.left > 0 {
                        return Ok(None);
                    }
                    return self.list().map(Some);
                }
                State::Padding => {
                    self.begin = self.position;
                    let length = usize::try_from(self.padding).unwrap_or(usize::MAX).min(input.len());
                    self.zeros(input, length)?;
                    self.padding -= length as u64;
                    if self.padding > 0 {
                        return Ok(None);
                    }
                    self.state = State::Header;
                }
                State::End => {
                    let Some(block) = self.block(input) else { return Ok(None) };
                    if block.iter().any(|byte| *byte != 0) {
                        return Err(self.bad(FormatErrorKind::MemberPadding));
                    }
                    self.state = State::Behind;
                }
                State::Behind => {
                    self.begin = self.position;
                    self.zeros(input, input.len())?;
                    return Ok(None);
                }
            }
        }
    }

    /// Fails when the bytes ended before the archive did.
    pub fn finish(&self) -> Result<(), FormatError> {
        match &self.state {
            State::Behind => Ok(()),
            State::Header
            | State::Toc(_)
            | State::Data
            | State::List { .. }
            | State::Script
            | State::Padding
            | State::End => Err(FormatError { offset: self.position, kind: FormatErrorKind::Truncated }),
        }
    }

    fn bad(&self, kind: FormatErrorKind) -> FormatError {
        FormatError { offset: self.begin, kind }
    }

    /// A whole block, when it is there.
    fn block(&mut self, input: &mut Bytes) -> Option<Bytes> {
        if self.held.is_empty() {
            self.begin = self.position;
        }
        let missing = BLOCK.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(&input.split_to(missing));
        self.position += missing as u64;
        (self.held.len() >= BLOCK).then(|| self.held.split().freeze())
    }

    /// Those bytes of the member that are there.
    fn take(&mut self, input: &mut Bytes) -> Bytes {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        self.left -= length as u64;
        self.position += length as u64;
        input.split_to(length)
    }

    fn zeros(&mut self, input: &mut Bytes, length: usize) -> Result<(), FormatError> {
        let bytes = input.split_to(length);
        if let Some(place) = bytes.iter().position(|byte| *byte != 0) {
            return Err(FormatError { offset: self.position + place as u64, kind: FormatErrorKind::MemberPadding });
        }
        self.position += length as u64;
        Ok(())
    }

    /// What has to stand at this place.
    fn due(&self) -> Option<String> {
        match self.expected.front() {
            _ if !self.has_toc => Some(TOC_FILE.to_owned()),
            Some(expected) => Some(expected.file.clone()),
            None => None,
        }
    }

    fn expect_end(&self) -> Result<(), FormatError> {
        match self.due() {
            None => Ok(()),
            expected => Err(self.bad(FormatErrorKind::MemberOrder { found: None, expected })),
        }
    }

    fn begin_member(&mut self, header: Header) -> Result<Option<Event>, FormatError> {
        let Header { name, size } = header;
        let place = self.position..self.position.saturating_add(size);
        if self.size.is_some_and(|file| place.end > file) || place.end > i64::MAX.cast_unsigned() {
            return Err(self.bad(FormatErrorKind::MemberSize { name, size }));
        }
        self.left = size;
        self.padding = padding(size) as u64;
        if name == SCRIPT_FILE {
            return self.begin_script(name);
        }
        let kind = match decode_file_name(&name) {
            Some((kind, Algorithm::None)) => kind,
            Some(_) | None => return Err(self.bad(FormatErrorKind::FileName(name))),
        };
        let due = self.due();
        if self.has_script || (due.is_none() && kind != FileKind::Toc) {
            let expected = None;
            return Err(self.bad(FormatErrorKind::MemberOrder { found: Some(name), expected }));
        }
        let content = match (kind, self.expected.front()) {
            (FileKind::Toc, _) if !self.has_toc => {
                self.has_toc = true;
                self.state = State::Toc(Box::new(crate::archive::Decoder::new(Container::Directory)));
                return Ok(None);
            }
            (FileKind::LargeObjectList, Some(expected)) if expected.is_large_objects && expected.file == name => {
                let mut list = Vec::new();
                self.objects.drain(..).for_each(|oid| encode_large_object_line(oid, &mut list));
                let dump_id = expected.dump_id;
                if size != list.len() as u64 {
                    return Err(self.bad(FormatErrorKind::LargeObjectLine));
                }
                self.expected.pop_front();
                self.begin = self.position;
                self.state = State::List { dump_id, expected: list };
                return Ok(None);
            }
            (FileKind::LargeObject { oid }, Some(expected)) if expected.is_large_objects => {
                let dump_id = expected.dump_id;
                if !self.seen.insert(oid) {
                    return Err(self.bad(FormatErrorKind::MemberTwice(large_object_file(oid))));
                }
                self.objects.push(oid);
                Content::LargeObject { dump_id, oid }
            }
            (FileKind::Rows { .. }, Some(expected)) if !expected.is_large_objects && expected.file == name => {
                let dump_id = expected.dump_id;
                self.expected.pop_front();
                Content::Rows { dump_id }
            }
            _ => return Err(self.bad(FormatErrorKind::MemberOrder { found: Some(name), expected: due })),
        };
        self.state = State::Data;
        Ok(Some(Event::Begin { content, place }))
    }

    fn begin_script(&mut self, name: String) -> Result<Option<Event>, FormatError> {
        let expected = self.due();
        if self.has_script || expected.is_some() {
            return Err(self.bad(FormatErrorKind::MemberOrder { found: Some(name), expected }));
        }
        self.has_script = true;
        self.state = State::Script;
        Ok(None)
    }

    /// Takes bytes of `toc.dat`, which the table of contents has to fill.
    fn toc(&mut self, mut bytes: Bytes) -> Result<Option<Event>, FormatError> {
        let State::Toc(decoder) = &mut self.state else { return Ok(None) };
        let base = BLOCK as u64;
        let shift = |error: FormatError| FormatError { offset: error.offset + base, kind: error.kind };
        let toc = decoder.push(&mut bytes).map_err(shift)?;
        let offset = decoder.offset() + base;
        match toc {
            None if self.left > 0 => Ok(None),
            None => Err(shift(decoder.truncated())),
            Some(_) if self.left > 0 || !bytes.is_empty() => {
                Err(FormatError { offset, kind: FormatErrorKind::Trailing })
            }
            Some(toc) => {
                if toc.header.compression != Algorithm::None {
                    let kind = FormatErrorKind::MemberCompression(toc.header.compression);
                    return Err(FormatError { offset: base, kind });
                }
                self.expected = expected(&toc).map_err(|kind| FormatError { offset: base, kind })?;
                self.state = State::Padding;
                Ok(Some(Event::Head(Box::new(toc))))
            }
        }
    }

    fn list(&mut self) -> Result<Event, FormatError> {
        let found = self.held.split();
        let State::List { dump_id, expected } = std::mem::replace(&mut self.state, State::Padding) else {
            return Err(self.bad(FormatErrorKind::LargeObjectLine));
        };
        if found != expected {
            return Err(self.bad(FormatErrorKind::LargeObjectLine));
        }
        Ok(Event::LargeObjectsEnd { dump_id })
    }
}

/// The members that a table of contents asks for. It calls the data of every entry after the entry; the member with the list
/// of large objects has another name all the same.
fn expected(toc: &Toc) -> Result<VecDeque<Expected>, FormatErrorKind> {
    let entries = toc.entries.iter().filter_map(|entry| match &entry.data {
        Data::File(file) => Some((entry, file)),
        Data::None | Data::Unknown | Data::At(_) => None,
    });
    let member = |(entry, file): (&Entry, &String)| {
        let dump_id = entry.dump_id;
        if *file != rows_file(dump_id) {
            return Err(FormatErrorKind::FileName(file.clone()));
        }
        let is_large_objects = entry.is_large_objects();
        let file = match is_large_objects {
            true => large_object_list_file(toc.header.version, dump_id),
            false => file.clone(),
        };
        Ok(Expected { dump_id, file, is_large_objects })
    };
    entries.map(member).collect()
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("position", &self.position).field("left", &self.left).finish_non_exhaustive()
    }
}

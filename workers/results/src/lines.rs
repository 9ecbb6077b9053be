//! Lines of a text that may come from anywhere.

use crate::MAX_LINE;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Lines with their numbers, without their ends.
pub(crate) struct Lines<S> {
    source: S,
    at: At,
}

/// How far a text was read.
#[derive(Clone, Default)]
pub(crate) struct At {
    /// Lines.
    pub(crate) lines: usize,
    /// Bytes.
    pub(crate) bytes: u64,
    /// The digest of these bytes.
    pub(crate) digest: Sha256,
    /// Whether the last line has no end yet.
    pub(crate) open: bool,
}

impl<S: BufRead> Lines<S> {
    pub(crate) fn new(source: S) -> Self {
        Self::from(source, At::default())
    }

    /// Goes on where the source stands.
    pub(crate) fn from(source: S, at: At) -> Self {
        Self { source, at }
    }

    /// How far it was read.
    pub(crate) fn at(&self) -> &At {
        &self.at
    }

    /// Reads the end of an open line; whether it had no more than that.
    pub(crate) fn close(&mut self) -> io::Result<bool> {
        let rest = self.raw()?;
        Ok(rest.is_none_or(|rest| rest.is_some_and(|rest| rest.trim_ascii().is_empty())))
    }

    /// The next line; its text is `None` if it is longer than [`MAX_LINE`].
    ///
    /// # Errors
    /// If reading fails, or the text is in UTF-16.
    #[allow(clippy::type_complexity)]
    pub(crate) fn next(&mut self) -> io::Result<Option<(usize, Option<Vec<u8>>)>> {
        let Some(mut line) = self.raw()? else {
            return Ok(None);
        };
        self.at.lines += 1;
        if self.at.lines == 1 {
            let begins = |mark: &[u8]| line.as_ref().is_some_and(|line| line.starts_with(mark));
            if UTF16_MARKS.iter().any(|mark| begins(mark)) {
                let text = "line 1: the file is in UTF-16: save it as UTF-8";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            if begins(UTF8_MARK) {
                line = line.map(|line| line[UTF8_MARK.len()..].to_vec());
            }
        }
        Ok(Some((self.at.lines, line)))
    }

    fn raw(&mut self) -> io::Result<Option<Option<Vec<u8>>>> {
        let mut line = Vec::new();
        let (mut begun, mut long) = (false, false);
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                self.at.open |= begun;
                return Ok(begun.then_some((!long).then_some(line)));
            }
            begun = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            long |= line.len() + piece.len() > MAX_LINE;
            if !long {
                line.extend_from_slice(piece);
            }
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.at.digest.update(&buffer[..used]);
            self.at.bytes += used as u64;
            self.source.consume(used);
            if end.is_some() {
                self.at.open = false;
                return Ok(Some((!long).then_some(line)));
            }
        }
    }
}

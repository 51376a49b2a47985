//! Reading a file into a buffer that is kept.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a buffer starts with: more than nearly every manifest.
const START: usize = 256 << 10;
/// The size of a page of memory, on every system that this runs on, or a part of it.
const PAGE: usize = 512;
/// What a buffer keeps after a large file.
const KEEP: usize = 16 << 20;

/// A buffer that one worker reads all its files into.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; START] }
    }

    /// The bytes of a file. Asks for no size first: most files come with one read, and a read of a
    /// regular file that does not fill the buffer was the last. (Files that the system makes up
    /// may come in pages, so a read of whole pages is followed by another; so is any of a stream.)
    pub(crate) fn read(&mut self, path: &Path, regular: bool) -> io::Result<&[u8]> {
        if self.bytes.len() > KEEP {
            self.bytes.truncate(START);
            self.bytes.shrink_to_fit();
        }
        let mut file = File::open(path)?;
        let mut filled = 0;
        loop {
            let free = self.bytes.get_mut(filled..).unwrap_or_default();
            let room = free.len();
            let read = match file.read(free) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            filled += read;
            if read == 0 || (regular && read < room && !read.is_multiple_of(PAGE)) {
                break;
            }
            if read == room {
                let grown = self.bytes.len() * 2;
                self.bytes.resize(grown, 0);
            }
        }
        Ok(self.bytes.get(..filled).unwrap_or_default())
    }
}

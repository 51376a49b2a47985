//! A body as it comes, line by line: what a watch is.

use eks_provider::{Class, ProviderError, Result};
use http_body_util::BodyExt as _;
use kube::client::Body;

use crate::call::Ask;
use crate::refusal::transport;

/// The longest line that is taken. An object is a megabyte and a half at most.
const LONGEST: usize = 8 << 20;

/// The lines of a body that is still coming.
pub(crate) struct Lines {
    body: Body,
    /// What came and was not yet given out.
    buffer: Vec<u8>,
    /// Up to here there is no end of a line.
    searched: usize,
}

impl Lines {
    pub(crate) fn of(body: Body) -> Self {
        Self { body, buffer: Vec::new(), searched: 0 }
    }

    /// The next line; `None` when the body has ended. What is left without an end of line is dropped then: the
    /// connection broke in the middle of an event.
    ///
    /// Whoever gives up waiting loses nothing: what came is kept.
    pub(crate) async fn next(&mut self, ask: &Ask) -> Result<Option<Vec<u8>>> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > LONGEST {
                return Err(too_long(ask));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(transport(&error, ask)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
            }
        }
    }
}

fn too_long(ask: &Ask) -> ProviderError {
    ask.error(Class::Malformed).message(format!("a line of more than {LONGEST} bytes"))
}

//! Lines and columns of byte offsets, found by going on from the last one asked for.
//!
//! Places are asked for in the order of the text, nearly always. Counting from the start each time
//! would make a file with very many findings, or a large file of a single line, take quadratic time.

/// A place in a text, and how to get to the next.
pub(super) struct Cursor<'a> {
    text: &'a str,
    first_line: u32,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of a text, whose first line has this number.
    pub(super) fn new(text: &'a str, first_line: u32) -> Self {
        Self { text, first_line, at: 0, line: first_line, column: 1 }
    }

    /// The line and the column, in characters, of a byte offset.
    pub(super) fn place(&mut self, at: usize) -> (u32, u32) {
        if at < self.at {
            (self.at, self.line, self.column) = (0, self.first_line, 1);
        }
        let Some(between) = self.text.get(self.at..at) else { return (self.line, self.column) };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let rest = match memchr::memrchr(b'\n', between.as_bytes()) {
            Some(newline) => {
                let breaks = memchr::memchr_iter(b'\n', between.as_bytes()).count();
                self.line = self.line.saturating_add(count(breaks));
                self.column = 1;
                between.get(newline + 1..).unwrap_or_default()
            }
            None => between,
        };
        self.column = self.column.saturating_add(count(rest.chars().count()));
        self.at = at;
        (self.line, self.column)
    }

    /// The line of a byte offset.
    pub(super) fn line(&mut self, at: usize) -> u32 {
        self.place(at).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_in_any_order() {
        let text = "é: 1\n  ü: 2\n\nx";
        let expected = [(0, (7, 1)), (2, (7, 2)), (6, (8, 1)), (8, (8, 3)), (14, (9, 1)), (15, (10, 1))];
        let mut cursor = Cursor::new(text, 7);
        for (at, place) in expected {
            assert_eq!(cursor.place(at), place, "{at}");
        }
        for (at, place) in expected.into_iter().rev() {
            assert_eq!(cursor.place(at), place, "{at}");
        }
    }
}

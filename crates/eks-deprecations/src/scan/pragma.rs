//! Comments to this program: `# eks-skew-check: ignore API001 until=2027-01-01 reason=…`.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What introduces a comment to this program.
const MARK: &str = "eks-skew-check:";

/// A comment to this program, as written. What it means is decided by whoever suppresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragma {
    /// 1-based line.
    pub line: u32,
    /// 0-based index of the document that it stands in; before the first content of a document
    /// it belongs to that document.
    pub document: u32,
    /// 1-based first and last line of that document.
    pub lines: (u32, u32),
    /// What follows `eks-skew-check:`.
    pub text: String,
}

/// Finds the comments that start at the left edge, or end a line that does. Deeper ones may stand
/// in a text that is only quoted, where they are no comments.
pub(super) fn collect(text: &str, out: &mut Vec<Pragma>) {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
    if FINDER.find(text.as_bytes()).is_none() {
        return;
    }
    let mut document = 0;
    let mut content = false;
    let mut first = 1;
    let mut open = out.len();
    let mut last = 0;
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim_start();
        last = number;
        if super::split::marker(line.as_bytes()).is_some() {
            if content {
                close(out, &mut open, (first, number - 1));
                document += 1;
                first = number;
            }
            content = line.get(3..).is_some_and(|rest| {
                let rest = rest.trim_start();
                !rest.is_empty() && !rest.starts_with('#')
            });
        } else if !trimmed.is_empty() && !trimmed.starts_with(['#', '%']) {
            content = true;
        }
        let Some((before, after)) = line.split_once(MARK) else { continue };
        let Some(before) = before.trim_end().strip_suffix('#') else { continue };
        let at_edge =
            before.is_empty() || (before.ends_with([' ', '\t']) && !before.starts_with([' ', '\t']));
        // A quote before it may still be open.
        if at_edge && !before.contains(['"', '\'']) {
            out.push(Pragma {
                line: number,
                document,
                lines: (first, number),
                text: after.trim().to_owned(),
            });
        }
    }
    close(out, &mut open, (first, last));
}

/// Gives the comments of a document its lines.
fn close(out: &mut [Pragma], open: &mut usize, lines: (u32, u32)) {
    for pragma in out.iter_mut().skip(*open) {
        pragma.lines = lines;
    }
    *open = out.len();
}

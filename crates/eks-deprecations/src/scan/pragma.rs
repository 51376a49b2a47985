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
    /// What follows `eks-skew-check:`.
    pub text: String,
}

pub(super) fn collect(text: &str, out: &mut Vec<Pragma>) {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
    if FINDER.find(text.as_bytes()).is_none() {
        return;
    }
    let mut document = 0;
    let mut content = false;
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim_start();
        if super::split::marker(line.as_bytes()).is_some() {
            document += u32::from(content);
            content = line.get(3..).is_some_and(|rest| {
                let rest = rest.trim_start();
                !rest.is_empty() && !rest.starts_with('#')
            });
        } else if !trimmed.is_empty() && !trimmed.starts_with(['#', '%']) {
            content = true;
        }
        let Some((before, after)) = line.split_once(MARK) else { continue };
        let before = before.trim_end();
        // The mark has to be the first word of a comment.
        if before.trim_start() == "#" || before.ends_with(" #") || before.ends_with("\t#") {
            out.push(Pragma { line: number, document, text: after.trim().to_owned() });
        }
    }
}

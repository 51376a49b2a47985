//! The corpus of the fuzz target, run as a test: what was found once stays found.

use super::*;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads its corpus")]
fn the_corpus_is_read_both_ways_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/scan");
    let mut read = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for format in [Format::Manifest, Format::Json, Format::Helpers] {
            let by_lines = scan_with(&bytes, format, &|_, _| true);
            assert_eq!(by_lines, scan_by_parser(&bytes, format, &|_, _| true), "{}", path.display());
        }
        read += 1;
    }
    assert!(read >= 20, "{read} files in {}", folder.display());
}

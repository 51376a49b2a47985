//! No bytes make the scanner panic or hang, and both ways of reading them agree.
#![no_main]

use eks_deprecations::{Format, scan_by_parser, scan_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Manifest, Format::Json, Format::Helpers] {
        let by_lines = scan_with(bytes, format, &|_, _| true);
        let by_parser = scan_by_parser(bytes, format, &|_, _| true);
        assert_eq!(by_lines, by_parser);
        for release in &by_lines.releases {
            release.scan(&|_, _| true);
        }
    }
});

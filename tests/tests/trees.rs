//! Whole trees: what a platform team's repository looks like, checked at once.

use eks_deprecations::{Format, scan_by_parser, scan_with};
use eks_e2e::{fixtures, skew_check};
use eks_report::ExitCode;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

#[test]
fn a_platform_repository_is_read_as_it_is() {
    let folder = fixtures().join("platform");
    let ran = skew_check(&folder, TODAY, &["files", "--from", "1.23", "--to", "1.30"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Blocked, ""));
    insta::assert_snapshot!("platform", ran.out);
}

#[test]
fn its_json_keeps_the_contract() {
    let folder = fixtures().join("platform");
    let ran =
        skew_check(&folder, TODAY, &["files", "--from", "1.23", "--to", "1.30", "--output", "json"], b"");
    let schema: serde_json::Value = serde_json::from_str(eks_report::JSON_SCHEMA).unwrap();
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_suppression_ends_on_its_day() {
    let folder = fixtures().join("platform/kustomize");
    let args = ["files", "--from", "1.24", "--to", "1.25", "--no-config"];
    let before = skew_check(&folder, jiff::civil::date(2030, 1, 1), &args, b"");
    assert_eq!(before.code, ExitCode::Passed, "{}", before.out);
    let after = skew_check(&folder, jiff::civil::date(2030, 1, 2), &args, b"");
    assert_eq!(after.code, ExitCode::Blocked, "{}", after.out);
    assert!(after.out.contains("expired on 2030-01-01"), "{}", after.out);
}

#[test]
fn both_readings_agree_on_every_fixture() {
    let mut open = vec![fixtures(), fixtures().join("../../examples")];
    let mut files = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let by_lines = scan_with(&bytes, Format::Manifest, &|_, _| true);
            assert_eq!(
                by_lines,
                scan_by_parser(&bytes, Format::Manifest, &|_, _| true),
                "{}",
                path.display()
            );
            files += 1;
        }
    }
    assert!(files >= 20, "{files} files");
}

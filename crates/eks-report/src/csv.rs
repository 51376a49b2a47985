//! CSV as RFC 4180 describes it: a header, then a line for each finding and each unread place.

use eks_model::{CheckReport, KubeMinor};

use crate::text::printable;

const HEADER: [&str; 18] = [
    "id",
    "severity",
    "status",
    "hop",
    "apiVersion",
    "kind",
    "namespace",
    "name",
    "file",
    "line",
    "column",
    "deprecatedIn",
    "removedIn",
    "replacement",
    "replacementSince",
    "message",
    "remedy",
    "cluster",
];

pub(crate) fn render(report: &CheckReport) -> String {
    let mut out = String::new();
    row(&mut out, &HEADER.map(str::to_owned));
    let minor = |minor: Option<KubeMinor>| minor.map_or_else(String::new, |minor| minor.to_string());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for f in &report.findings {
        row(
            &mut out,
            &[
                f.id.to_owned(),
                f.severity.as_str().to_owned(),
                f.status.as_str().to_owned(),
                minor(f.hop),
                text(&f.api_version),
                text(&f.kind),
                text(&f.namespace),
                text(&f.name),
                f.file.clone(),
                f.line.to_string(),
                f.column.to_string(),
                minor(f.deprecated_in),
                minor(f.removed_in),
                text(&f.replacement),
                minor(f.replacement_since),
                f.message.clone(),
                f.remedy.clone(),
                text(&f.cluster),
            ],
        );
    }
    for unread in &report.unread {
        let mut cells = [const { String::new() }; 18];
        "unread".clone_into(&mut cells[0]);
        "unknown".clone_into(&mut cells[1]);
        cells[8].clone_from(&unread.file);
        cells[9] = unread.line.map_or_else(String::new, |line| line.to_string());
        cells[15].clone_from(&unread.reason);
        row(&mut out, &cells);
    }
    out
}

fn row(out: &mut String, cells: &[String]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        // Names come from files that anybody may have written: nothing in them speaks to a terminal, or to who reads
        // a log line by line.
        let cell = printable(cell);
        if cell.contains([',', '"']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

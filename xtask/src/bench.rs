//! Measurements: the scanner in memory, the whole process against walking and reading alone, the simulated cluster.
//!
//! Every figure is a ratio of two things measured in one run, in turns; medians, with the spread.

mod corpus;
mod measure;
mod walk;

use std::path::Path;

use anyhow::bail;

use crate::process::Cargo;
use measure::{Process, in_turns, once};

/// Bytes of the large corpus.
const LARGE: u64 = 330 << 20;
/// Bytes of the one for a quick look.
const QUICK: u64 = 40 << 20;

pub(crate) fn run(root: &Path, quick: bool) -> anyhow::Result<()> {
    Cargo::new("build")
        .args(["--quiet", "--release", "--package", "eks-skew-check", "--package", "xtask"])
        .run()?;
    let release = root.join("target/release");
    let (checker, reader) = (release.join("eks-skew-check"), release.join("xtask"));
    let size = if quick { QUICK } else { LARGE };
    let folder = root.join("target/bench");
    let whole = folder.join(format!("corpus-{}", size >> 20));
    let made = corpus::make(&whole, size)?;
    println!("corpus: {} files, {} MiB, made from a fixed seed", made.files, made.bytes >> 20);

    println!(
        "\n== the whole process against walking and reading the same files (warm cache, medians of rounds in turns)"
    );
    println!("{:<34} {:>9} {:>9} {:>9}   {:>6}", "", "median ms", "min", "max", "ratio");
    let rounds = if quick { 5 } else { 9 };
    for threads in ["1", "2"] {
        let path = whole.to_string_lossy().into_owned();
        let check = Process::new(
            &checker,
            [
                "files",
                "--no-config",
                "-o",
                "json=/dev/null",
                "--from",
                "1.33",
                "--to",
                "1.36",
                "-j",
                threads,
                &path,
            ],
        );
        let read = Process::new(&reader, ["walk-and-read", &path, threads]);
        let [read, check] = in_turns([&read, &check], rounds)?;
        let ratio = check.median / read.median;
        println!("walk and read, {threads} thread(s)            {read}   {:>6}", "1.00");
        println!("eks-skew-check, {threads} thread(s)           {check}   {ratio:>6.2}");
        let mib = number(made.bytes) / f64::from(1 << 20);
        println!("  {:.0} MiB/s", mib / (check.median / 1000.0));
    }

    println!("\n== what reading declarations adds to the scan of the same tree");
    println!("{:<34} {:>9} {:>9} {:>9}   {:>6}", "", "median ms", "min", "max", "ratio");
    for threads in ["1", "2"] {
        let path = whole.to_string_lossy().into_owned();
        let common =
            ["files", "--no-config", "-o", "json=/dev/null", "--from", "1.33", "--to", "1.36", "-j", threads];
        let with = Process::new(&checker, common.into_iter().chain([path.as_str()]));
        let without = Process::new(&checker, common.into_iter().chain(["--apis-only", path.as_str()]));
        let [without, with] = in_turns([&without, &with], rounds)?;
        println!("APIs only, {threads} thread(s)                {without}   {:>6}", "1.00");
        println!(
            "with declarations, {threads} thread(s)        {with}   {:>6.2}",
            with.median / without.median
        );
    }

    println!("\n== growth with the number of files (2 threads)");
    for quarter in [1, 2, 4] {
        let part = folder.join(format!("corpus-{}-{quarter}of4", size >> 20));
        let some = corpus::make(&part, size * quarter / 4)?;
        let path = part.to_string_lossy().into_owned();
        let check =
            Process::new(&checker, ["files", "--no-config", "-o", "json=/dev/null", "-j", "2", &path]);
        let [check] = in_turns([&check], rounds)?;
        println!(
            "{:>8} files   {check}   {:.2} us a file",
            some.files,
            check.median * 1000.0 / number(some.files)
        );
    }

    println!("\n== a pull request of ten files, from process start to exit");
    let ten = folder.join("ten");
    corpus::make_ten(&ten)?;
    let files: Vec<String> = (0..10).map(|n| format!("{}/f{n}.yaml", ten.display())).collect();
    let mut args =
        vec!["files".to_owned(), "--no-config".to_owned(), "-o".to_owned(), "json=/dev/null".to_owned()];
    args.extend(files);
    let check = Process::new(&checker, args.iter().map(String::as_str));
    let nothing = Process::new(&checker, ["--version"]);
    let [nothing, check] = in_turns([&nothing, &check], 41)?;
    println!("starting and printing the version {nothing}");
    println!("ten files                         {check}");

    println!("\n== peak memory");
    for quarter in [1, 4] {
        let part = folder.join(format!("corpus-{}-{quarter}of4", size >> 20));
        let path = part.to_string_lossy().into_owned();
        let args = ["files", "--no-config", "-o", "json=/dev/null", "-j", "2", &path];
        println!("{quarter}/4 of the corpus: {}", once(&Process::new(&checker, args))?);
    }
    println!("\n== the scanner in memory (cargo bench)");
    Cargo::new("bench").args(["--quiet", "--package", "eks-deprecations", "--bench", "scan"]).run()?;

    println!("\n== a simulated cluster, and a tenth of it, in turns (cargo bench)");
    let cluster = Cargo::new("bench").args(["--quiet", "--package", "eks-sim", "--bench", "kube"]);
    if quick { cluster.args(["--", "--quick"]).run() } else { cluster.run() }
}

/// The measure for everything above: walk a folder and read what would be scanned, and no more.
pub(crate) fn walk_and_read(folder: &str, threads: &str) -> anyhow::Result<()> {
    let Ok(threads) = threads.parse() else { bail!("`{threads}` is no number of threads") };
    let (files, bytes) = walk::walk_and_read(Path::new(folder), threads);
    println!("{files} files, {bytes} bytes");
    Ok(())
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts of files and bytes are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

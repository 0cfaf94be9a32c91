//! Checks with strace that scans write nothing but the cache and the outputs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::image::BenchImage;
use super::places::{Contender, Place, SCANNED, Tools, on_path};
use super::process::{Program, command};
use super::report::{Check, Report};
use super::{engine, places, registry};

/// System calls that make or change a name in the file system.
const CALLS: &str = "openat,open,creat,openat2,rename,renameat,renameat2,link,linkat,symlink,\
                     symlinkat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,truncate";

/// Runs a cold scan of every place under strace.
pub(crate) fn run(tools: &Tools, image: &BenchImage, report: &mut Report) -> anyhow::Result<()> {
    let strace = on_path("strace").context("strace is not installed")?;
    let mut all: Vec<Place> = places::local(tools, image);
    all.extend(engine::places(tools, image)?);
    let registry = registry::start(tools, image)?;
    all.extend(
        registry
            .as_ref()
            .map(|registry| registry.places(tools, image))
            .unwrap_or_default(),
    );
    for place in &all {
        let cold = place
            .contenders
            .iter()
            .find(|contender| contender.name == places::COLD);
        if let Some(cold) = cold {
            let written = written_outside(tools, &strace, cold)?;
            for path in &written {
                println!("{}: wrote {path}", place.name);
            }
            let name = format!("{}: files written outside the cache", place.name);
            report
                .checks
                .push(Check::at_most(name, written.len() as f64, 0.0, "files"));
        }
    }
    Ok(())
}

/// Runs a scan and returns what it wrote outside its cache directory.
fn written_outside(
    tools: &Tools,
    strace: &Path,
    cold: &Contender,
) -> anyhow::Result<BTreeSet<String>> {
    let [cache] = cold.fresh.as_slice() else {
        anyhow::bail!("a cold scan has one cache directory")
    };
    // What an earlier run left is none of this one's.
    let _ = std::fs::remove_dir_all(cache);
    // The report appears under its name when it is whole; until then it has another one beside.
    let outputs: PathBuf = tools.directory.join("strace-outputs");
    std::fs::create_dir_all(&outputs)?;
    let output = outputs.join("report.json");
    let trace = tools.directory.join("strace.log");
    let mut arguments = vec!["-f", "-y", "-qq", "-s", "4096", "-e"];
    let calls = format!("trace={CALLS}");
    let (trace_text, output_text) = (trace.to_string_lossy(), output.to_string_lossy());
    let program = cold.program.path.to_string_lossy();
    arguments.extend([&*calls, "-o", &*trace_text, &*program]);
    arguments.extend(cold.program.arguments.iter().map(String::as_str));
    arguments.extend(["--output", &*output_text]);
    let traced = Program::new(strace, arguments);
    let status = command(&traced.path).args(&traced.arguments).status()?;
    ensure!(
        status.code().is_some_and(|code| SCANNED.contains(&code)),
        "{} ended with {status}",
        traced.line()
    );
    let text = std::fs::read_to_string(&trace)?;
    let allowed = [cache.as_path(), outputs.as_path(), Path::new("/dev/null")];
    Ok(text
        .lines()
        .filter(|line| is_writing(line))
        .filter_map(path_of)
        .filter(|path| {
            !allowed
                .iter()
                .any(|allowed| Path::new(path).starts_with(allowed))
        })
        .map(str::to_owned)
        .collect())
}

/// Says that a call succeeded and made or changed a name.
fn is_writing(line: &str) -> bool {
    if line.contains(" = -1 ") || line.contains("+++") || line.contains("---") {
        return false;
    }
    let is_open = line.contains("open(") || line.contains("openat(") || line.contains("openat2(");
    !is_open
        || ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
            .iter()
            .any(|flag| line.contains(flag))
}

/// Returns the first path of a call.
fn path_of(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('"')?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(
            is_writing(line).then(|| path_of(line)).flatten(),
            expected,
            "{line}"
        );
    }

    #[test]
    fn calls_that_write_are_told_from_those_that_read() {
        check(
            r#"7 openat(AT_FDCWD</a>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</etc/hosts>"#,
            None,
        );
        check(
            r#"7 openat(AT_FDCWD</a>, "/tmp/x", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</tmp/x>"#,
            Some("/tmp/x"),
        );
        check(
            r#"7 openat(AT_FDCWD</a>, "/x", O_WRONLY) = -1 EACCES (Permission denied)"#,
            None,
        );
        check(r#"7 mkdir("/tmp/y", 0777) = 0"#, Some("/tmp/y"));
        check("7 +++ exited with 0 +++", None);
    }
}

//! Files that are generated and committed: the demo's images and database, the schema of the
//! report, and the reference of the command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use cleanbill_testkit::demo;

/// Writes the files, or checks that they are what would be written.
pub(crate) fn run(is_check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no parent directory")?;
    let mut stale = Vec::new();
    // The program embeds the demo's files, and writes its own reference: they come first.
    for (path, bytes) in demo_files(root) {
        put(&path, &bytes, is_check, &mut stale)?;
    }
    for (path, bytes) in documents(root)? {
        put(&path, &bytes, is_check, &mut stale)?;
    }
    if !stale.is_empty() {
        bail!(
            "not up to date, run `cargo xtask gen`: {}",
            stale.join(", ")
        );
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8], is_check: bool, stale: &mut Vec<String>) -> anyhow::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if is_check {
        stale.push(path.display().to_string());
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn demo_files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = root.join("crates/cleanbill/demo");
    demo::files()
        .into_iter()
        .map(|(name, bytes)| (directory.join(name), bytes))
        .collect()
}

fn documents(root: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = vec![(
        root.join("docs/schema/report.schema.json"),
        cleanbill_report::json_schema().into_bytes(),
    )];
    for (name, argument) in [
        ("command-line.md", "flags"),
        ("trivy-flags.md", "trivy-flags"),
        ("exit-codes.md", "exit-codes"),
    ] {
        files.push((
            root.join("docs/reference").join(name),
            reference(root, argument)?,
        ));
    }
    files.push((root.join("docs/settings.md"), reference(root, "settings")?));
    files.push((root.join("docs/metrics.md"), reference(root, "metrics")?));
    for (name, argument) in [
        ("config.schema.json", "config-schema"),
        ("gate.schema.json", "gate-schema"),
        ("exceptions.schema.json", "exceptions-schema"),
        ("notification.schema.json", "notification-schema"),
    ] {
        files.push((
            root.join("docs/schema").join(name),
            reference(root, argument)?,
        ));
    }
    Ok(files)
}

/// Asks the program itself for its reference.
#[expect(
    clippy::disallowed_methods,
    reason = "the program is built and run by cargo"
)]
fn reference(root: &Path, which: &str) -> anyhow::Result<Vec<u8>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "cleanbill",
            "--",
            "reference",
            which,
        ])
        .current_dir(root)
        .env_clear()
        .envs(
            std::env::vars_os()
                .filter(|(name, _)| !name.to_string_lossy().starts_with("CLEANBILL_")),
        )
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

//! Tasks of the repository: generated files and the benchmark.
//!
//! `cargo xtask gen` writes what is generated and committed; with `--check` it fails if anything
//! differs. `cargo xtask bench` measures (see `docs/performance.md`).
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod generate;

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["gen"] => generate::run(false),
        ["gen", "--check"] => generate::run(true),
        _ => bail!("usage: cargo xtask gen [--check]"),
    }
}

//! `cleanbill metrics render`: metrics as a file that somebody else hands to Prometheus.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_web::TextFormat;

use super::gather;
use crate::cli::RenderArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::Exit;

/// The node exporter runs as somebody else.
const MODE: u32 = 0o644;

pub(super) fn run(arguments: &RenderArgs) -> Result<Exit, CommandError> {
    let metrics = gather(
        &arguments.scan_results,
        &arguments.judging,
        &arguments.series,
    )?;
    let format = match arguments.openmetrics {
        true => TextFormat::OpenMetrics,
        false => TextFormat::Prometheus,
    };
    let text = metrics.text(format);
    let Some(path) = &arguments.output else {
        return print(text.as_bytes());
    };
    write(path, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(CommandError::usage)?;
    Ok(Exit::Clean)
}

/// Writes a file at once: a collector that reads meanwhile gets the old one or the new one. The
/// file beside it has a name that no collector reads.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".cleanbill-metrics-")
        .suffix(".part")
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    // Whatever the umask says.
    file.as_file()
        .set_permissions(Permissions::from_mode(MODE))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_everybody_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cleanbill.prom");
        for text in ["a 1\n", "b 2\n"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, MODE);
        }
        let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(names.len(), 1);
    }
}

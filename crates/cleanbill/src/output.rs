//! Where reports go: standard output, a file, or several files in several formats.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_core::report::ScanReport;
use cleanbill_report::listing::Listing;
use cleanbill_report::{Format, RenderError, RenderOptions, SavedReport, Trend};

use crate::cli::{ColorChoice, OutputArgs};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::runner::{Document, Guarded};

/// Holds one place a report goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Destination {
    format: Format,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    File(PathBuf),
    /// One file per image.
    Directory(PathBuf),
}

impl Place {
    /// Refuses a file that cannot be written, before a scan is made for it.
    fn check(&self) -> Result<(), CommandError> {
        let Self::File(path) = self else {
            return Ok(());
        };
        if path.is_dir() {
            let text = format!("--output {}: it is a directory", path.display());
            return Err(CommandError::usage_text(text).hint(format!(
                "write one file per image: -o FORMAT={}/",
                path.display()
            )));
        }
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
                Err(CommandError::usage_text(format!(
                    "--output {}: there is no directory {}",
                    path.display(),
                    parent.display()
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Holds every place that a report goes to, checked before the scan begins.
#[derive(Clone, Debug)]
pub(crate) struct Outputs {
    destinations: Vec<Destination>,
    options: RenderOptions,
    /// The options of `json`, where they differ: what a saved report lists is not lost.
    json_options: Option<RenderOptions>,
}

impl Outputs {
    /// Reads `--format` and `--output`. `selection` says which findings are shown, if not all
    /// are. A prefix of `--output` counts as a format only if it is
    /// one; with any `--output` standard output stays silent.
    ///
    /// # Errors
    ///
    /// A format is not known, or a file has no directory to be in.
    pub(crate) fn new(
        arguments: &OutputArgs,
        selection: String,
        color: ColorChoice,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let default = match &arguments.format {
            Some(name) => name
                .parse::<Format>()
                .map_err(|error| CommandError::usage_text(format!("--format {name}: {error}")))?,
            None => Format::Table,
        };
        let mut destinations: Vec<Destination> = arguments
            .output
            .iter()
            .map(|text| destination(text, default))
            .collect();
        if destinations.is_empty() {
            destinations.push(Destination {
                format: default,
                place: Place::Stdout,
            });
        }
        for destination in &destinations {
            destination.place.check()?;
        }
        let is_on_terminal = arguments.output.is_empty() && std::io::stdout().is_terminal();
        let use_color = uses_color(color, is_on_terminal, environment);
        let options = RenderOptions {
            width: terminal_width(is_on_terminal, environment),
            color: use_color,
            list_all_packages: arguments.list_all_pkgs,
            show_suppressed: arguments.show_suppressed,
            full: arguments.full,
            selection,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..RenderOptions::default()
        };
        Ok(Self {
            destinations,
            options,
            json_options: None,
        })
    }

    /// Writes a report that was saved: in the name of the version that made it, and in `json` with
    /// everything that was saved unless a flag says otherwise.
    pub(crate) fn of_saved(mut self, saved: &SavedReport) -> Self {
        if !saved.tool_version.is_empty() {
            self.options.tool_version.clone_from(&saved.tool_version);
        }
        let listed = Some(saved.lists_packages);
        self.json_options = Some(RenderOptions {
            list_all_packages: self.options.list_all_packages.or(listed),
            show_suppressed: true,
            ..self.options.clone()
        });
        self
    }

    /// Leaves the places with some formats.
    pub(crate) fn only(mut self, is_wanted: impl Fn(Format) -> bool) -> Self {
        self.destinations
            .retain(|destination| is_wanted(destination.format));
        self
    }

    /// Shows how images fared, where a format does.
    pub(crate) fn with_trends(mut self, trends: Vec<Trend>) -> Self {
        self.options.trends = trends;
        self
    }

    /// Returns the format of each place.
    pub(crate) fn formats(&self) -> impl Iterator<Item = Format> {
        self.destinations
            .iter()
            .map(|destination| destination.format)
    }

    /// Fails if a format cannot hold so many images.
    ///
    /// # Errors
    ///
    /// See above; the text says what to do.
    pub(crate) fn check(&self, image_count: usize) -> Result<(), CommandError> {
        for destination in &self.destinations {
            let format = destination.format;
            let is_directory = matches!(destination.place, Place::Directory(_));
            if image_count > 1 && !format.info().holds_several_images && !is_directory {
                return Err(CommandError::usage_text(format!(
                    "the format {format} holds one image, and {image_count} are to be scanned"
                ))
                .hint(format!(
                    "write one file per image: -o {format}=DIR/, or use --format json"
                )));
            }
        }
        Ok(())
    }

    /// Writes the report everywhere it goes. `report_id` differs from run to run.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(crate) fn write(&self, report: &ScanReport, report_id: &str) -> Result<(), CommandError> {
        for destination in &self.destinations {
            let of_format = match &self.json_options {
                Some(options) if destination.format == Format::Json => options,
                _ => &self.options,
            };
            let options = RenderOptions {
                report_id: report_id.to_owned(),
                ..of_format.clone()
            };
            self.write_one(destination, report, &options)
                .map_err(CommandError::usage)?;
        }
        Ok(())
    }

    /// Leaves standard output to somebody else.
    pub(crate) fn spare_stdout(&mut self) {
        self.destinations
            .retain(|destination| !matches!(destination.place, Place::Stdout));
    }

    fn write_one(
        &self,
        destination: &Destination,
        report: &ScanReport,
        options: &RenderOptions,
    ) -> anyhow::Result<()> {
        let plain = RenderOptions {
            color: false,
            width: None,
            ..options.clone()
        };
        match &destination.place {
            Place::Stdout => {
                let out = std::io::BufWriter::new(std::io::stdout().lock());
                let mut out = Guarded::new(out, Document::of(destination.format));
                let rendered =
                    cleanbill_report::render(destination.format, report, options, &mut out);
                let flushed = rendered.and_then(|()| out.finish().map_err(Into::into));
                match flushed {
                    // The reader has gone away (`| head`): that is no failure.
                    Err(RenderError::Write(error))
                        if error.kind() == std::io::ErrorKind::BrokenPipe =>
                    {
                        Ok(())
                    }
                    other => other.context("cannot write the report to standard output"),
                }
            }
            Place::File(path) => write_file(path, destination.format, report, &plain),
            Place::Directory(directory) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot create {}", directory.display()))?;
                let mut names = FileNames::default();
                for image in &report.images {
                    let name = names.of(&image.artifact_name);
                    let one = ScanReport {
                        created_at: report.created_at.clone(),
                        duration_ms: report.duration_ms,
                        database: report.database.clone(),
                        left_out_severities: report.left_out_severities.clone(),
                        images: vec![image.clone()],
                        exceptions: report.exceptions.clone(),
                    };
                    let path = directory.join(format!("{name}.{}", destination.format.extension()));
                    write_file(&path, destination.format, &one, &plain)?;
                }
                Ok(())
            }
        }
    }
}

fn destination(text: &str, default: Format) -> Destination {
    let (format, path) = match text.split_once('=') {
        Some((prefix, path)) => match prefix.parse::<Format>() {
            Ok(format) => (format, path),
            Err(_) => (default, text),
        },
        None => (default, text),
    };
    let place = match path {
        "-" => Place::Stdout,
        path if path.ends_with('/') => Place::Directory(PathBuf::from(path)),
        path => Place::File(PathBuf::from(path)),
    };
    Destination { format, place }
}

/// Writes a report to a file.
fn write_file(
    path: &Path,
    format: Format,
    report: &ScanReport,
    options: &RenderOptions,
) -> anyhow::Result<()> {
    put_file(path, |out| {
        if !is_special(path) {
            return Ok(cleanbill_report::render(format, report, options, out)?);
        }
        // It may be standard output under another name.
        let mut out = Guarded::new(out, Document::of(format));
        cleanbill_report::render(format, report, options, &mut out)?;
        Ok(out.finish()?)
    })
    .with_context(|| format!("cannot write the report to {}", path.display()))
}

/// Writes a file whole, see [`put_file`].
///
/// # Errors
///
/// It cannot be written.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    put_file(path, |out| Ok(out.write_all(bytes)?))
}

/// Writes a file beside its place and renames it there: a reader never sees half of one. What is
/// no regular file (`/dev/stdout`, a FIFO) is written directly.
fn put_file(
    path: &Path,
    write: impl FnOnce(&mut dyn std::io::Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if is_special(path) {
        let file = std::fs::OpenOptions::new().write(true).open(path)?;
        let mut out = std::io::BufWriter::new(file);
        write(&mut out)?;
        return Ok(out.flush()?);
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".cleanbill-report-")
        .permissions(permissions())
        .tempfile_in(directory)?;
    {
        let mut out = std::io::BufWriter::new(file.as_file_mut());
        write(&mut out)?;
        out.flush()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

pub(crate) fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    // The umask takes away what it takes away from any new file.
    std::fs::Permissions::from_mode(0o666)
}

/// Begins a list for standard output: as wide and as colourful as a report is there.
pub(crate) fn listing(color: ColorChoice, environment: &Environment) -> Listing {
    let is_on_terminal = std::io::stdout().is_terminal();
    Listing::new(
        terminal_width(is_on_terminal, environment),
        uses_color(color, is_on_terminal, environment),
    )
}

fn uses_color(color: ColorChoice, is_on_terminal: bool, environment: &Environment) -> bool {
    match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            is_on_terminal
                && environment.get("NO_COLOR").is_none()
                && environment.get("TERM") != Some("dumb")
        }
    }
}

/// Returns the width that the table may have: what `COLUMNS` says, else the terminal's, else as wide
/// as it needs.
fn terminal_width(is_on_terminal: bool, environment: &Environment) -> Option<usize> {
    let stated = environment
        .get("COLUMNS")
        .and_then(|columns| columns.parse().ok());
    if stated.is_some() || !is_on_terminal {
        return stated;
    }
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col));
    columns.filter(|columns| *columns > 0).or(Some(80))
}

/// Makes file names of image names: `/` and `:` become `__`; names that collide are told apart.
#[derive(Debug, Default)]
struct FileNames(std::collections::HashSet<String>);

impl FileNames {
    fn of(&mut self, image_name: &str) -> String {
        let base: String = image_name
            .chars()
            .map(|c| match c {
                '/' | ':' => "__".to_owned(),
                c if c.is_control() => "_".to_owned(),
                c => c.to_string(),
            })
            .collect();
        // A name must not be a path of its own, and 255 bytes are what file systems take.
        let base = base.trim_start_matches('.');
        let base: String = base.chars().take(60).collect();
        let base = if base.is_empty() {
            "image".to_owned()
        } else {
            base
        };
        let mut name = base.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_counts_only_if_it_is_a_format() {
        let check = |text: &str, format, place| {
            assert_eq!(
                destination(text, Format::Table),
                Destination { format, place }
            );
        };
        check("a.json", Format::Table, Place::File("a.json".into()));
        check("json=a", Format::Json, Place::File("a".into()));
        check("other=a", Format::Table, Place::File("other=a".into()));
        check(
            "trivy-json=d/",
            Format::TrivyJson,
            Place::Directory("d/".into()),
        );
        check("json=-", Format::Json, Place::Stdout);
    }

    #[test]
    fn the_width_is_what_the_user_says() {
        let check = |columns: &str, expected| {
            let environment = Environment::from([("COLUMNS", columns)]);
            assert_eq!(terminal_width(false, &environment), expected, "{columns}");
        };
        check("60", Some(60));
        check("wide", None);
        let nothing: [(&str, &str); 0] = [];
        assert_eq!(terminal_width(false, &Environment::from(nothing)), None);
    }

    #[test]
    fn file_names_never_collide_or_escape() {
        let mut names = FileNames::default();
        assert_eq!(names.of("a/b:1"), "a__b__1");
        assert_eq!(names.of("a__b:1"), "a__b__1-2");
        assert_eq!(names.of("../x"), "__x");
        assert_eq!(names.of(""), "image");
    }
}

//! What Trivy is called with.

use std::ffi::OsString;
use std::path::PathBuf;

use super::TrivyError;

/// Names what Trivy scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrivyTarget {
    /// An image of an engine or a registry.
    Image(String),
    /// An archive or OCI layout; absolute, perhaps with `:TAG` or `@DIGEST`.
    Input(OsString),
    /// A root directory, absolute.
    Rootfs(PathBuf),
    /// An SBOM, absolute.
    Sbom(PathBuf),
}

/// Holds what every run of Trivy is called with.
#[derive(Clone, Debug, Default)]
pub struct TrivyArguments {
    /// The directory with `db/` and `java-db/`, absolute.
    pub cache_directory: PathBuf,
    /// The Java index is not fetched.
    pub skips_java_index_update: bool,
    /// Flags that our own flags translate to.
    pub translated: Vec<OsString>,
    /// Flags for images of engines and registries only (`--platform`, `--image-src` …).
    pub translated_for_images: Vec<OsString>,
    /// Variables for its environment: credentials, which a list of processes must not show.
    pub environment: Vec<(&'static str, String)>,
    /// The user's own, last, so that they win.
    pub extra: Vec<String>,
}

/// Flags that would change where the report goes or what form it has, with and without a value.
const REFUSED: &[(&str, &str)] = &[
    (
        "--format",
        "the report is read as JSON; use --format of cleanbill",
    ),
    (
        "-f",
        "the report is read as JSON; use --format of cleanbill",
    ),
    (
        "--output",
        "the report is read from standard output; use -o of cleanbill",
    ),
    (
        "-o",
        "the report is read from standard output; use -o of cleanbill",
    ),
    ("--template", "the report is read as JSON"),
    ("-t", "the report is read as JSON"),
    ("--report", "the report is read whole"),
    ("--compliance", "the report would have another form"),
    ("--exit-code", "use --exit-code of cleanbill"),
    ("--exit-on-eol", "use --fail-on of cleanbill"),
    ("--input", "use --input of cleanbill"),
    ("--cache-dir", "use --cache-dir or --db-path of cleanbill"),
    ("--version", "it makes no report"),
    ("-v", "it makes no report"),
    ("--help", "it makes no report"),
    ("-h", "it makes no report"),
    ("--generate-default-config", "it writes a file"),
    ("--download-db-only", "use: cleanbill db update"),
    ("--download-java-db-only", "it makes no report"),
];

impl TrivyArguments {
    /// Takes the user's own flags (`--trivy-args`), a text that is split as a shell does.
    ///
    /// # Errors
    ///
    /// Quotes are not closed, or a flag would take the report from us.
    pub fn parse_extra(text: &str) -> Result<Vec<String>, TrivyError> {
        let words = shlex::split(text).ok_or_else(|| TrivyError::Argument {
            argument: text.to_owned(),
            reason: "a quote is not closed",
        })?;
        for word in &words {
            let name = word.split('=').next().unwrap_or(word);
            let refused = REFUSED.iter().find(|(flag, _)| {
                // Short flags may have their value attached.
                let is_short = flag.len() == 2;
                name == *flag || is_short && !name.starts_with("--") && name.starts_with(flag)
            });
            if let Some((_, reason)) = refused {
                return Err(TrivyError::Argument {
                    argument: word.clone(),
                    reason,
                });
            }
            if word == "--" {
                return Err(TrivyError::Argument {
                    argument: word.clone(),
                    reason: "only flags can be passed on",
                });
            }
        }
        Ok(words)
    }

    /// Returns the whole list for one target.
    pub(super) fn for_target(&self, target: &TrivyTarget) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let command = match target {
            TrivyTarget::Image(_) | TrivyTarget::Input(_) => "image",
            TrivyTarget::Rootfs(_) => "rootfs",
            TrivyTarget::Sbom(_) => "sbom",
        };
        arguments.push(command.into());
        arguments.push("--cache-dir".into());
        arguments.push(self.cache_directory.clone().into());
        // The report must be JSON, whole, on standard output; nothing is written to the cache.
        let fixed = [
            "--format",
            "json",
            "--list-all-pkgs",
            "--no-progress",
            "--skip-db-update",
            "--skip-version-check",
            "--disable-telemetry",
            "--cache-backend",
            "memory",
            "--exit-code",
            "0",
        ];
        arguments.extend(fixed.map(OsString::from));
        if self.skips_java_index_update {
            arguments.push("--skip-java-db-update".into());
        }
        let names_scanners = self.extra.iter().any(|word| word.starts_with("--scanners"));
        if !names_scanners && !matches!(target, TrivyTarget::Sbom(_)) {
            arguments.extend(["--scanners", "vuln"].map(OsString::from));
        }
        arguments.extend(self.translated.iter().cloned());
        if matches!(target, TrivyTarget::Image(_) | TrivyTarget::Input(_)) {
            arguments.extend(self.translated_for_images.iter().cloned());
        }
        if let TrivyTarget::Input(file) = target {
            arguments.push("--input".into());
            arguments.push(file.clone());
        }
        arguments.extend(self.extra.iter().map(OsString::from));
        match target {
            TrivyTarget::Image(name) => {
                arguments.push("--".into());
                arguments.push(name.into());
            }
            TrivyTarget::Rootfs(path) | TrivyTarget::Sbom(path) => {
                arguments.push("--".into());
                arguments.push(path.clone().into());
            }
            TrivyTarget::Input(_) => {}
        }
        arguments
    }
}

//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

use super::yaml::Place;

/// Names the place that a setting's value came from, in the order of precedence, last first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// It follows from another setting.
    Implied {
        /// The key of that one.
        by: &'static str,
    },
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// Line and column of the value.
        place: Place,
    },
    /// A line of a `.env` file.
    EnvFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The name that stands there.
        name: String,
    },
    /// A file whose whole content is the value.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What named it, if it is not one of the directory of secrets.
        named_by: Option<String>,
    },
    /// A variable of the environment.
    Environment {
        /// The variable.
        name: String,
    },
    /// A flag.
    Flag {
        /// The flag, with its dashes.
        flag: String,
    },
}

impl Origin {
    /// Returns the word for the kind of place.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::Implied { .. } => "implied",
            Origin::File { .. } => "file",
            Origin::EnvFile { .. } => "env-file",
            Origin::SecretFile { .. } => "secret-file",
            Origin::Environment { .. } => "environment",
            Origin::Flag { .. } => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Implied { by } => write!(f, "follows from {by}"),
            Origin::File { path, place } => write!(f, "{}:{place}", path.display()),
            Origin::EnvFile { path, line, name } => {
                write!(f, "{}:{line}: {name}", path.display())
            }
            Origin::SecretFile {
                path,
                named_by: Some(name),
            } => write!(f, "{} ({name})", path.display()),
            Origin::SecretFile { path, .. } => write!(f, "{}", path.display()),
            Origin::Environment { name } => write!(f, "environment variable {name}"),
            Origin::Flag { flag } => f.write_str(flag),
        }
    }
}

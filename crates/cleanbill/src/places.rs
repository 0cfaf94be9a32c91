//! Where things lie.

use std::path::PathBuf;

use crate::environment::Environment;
use crate::error::CommandError;

/// The cache of a system service.
const SYSTEM_CACHE: &str = "/var/cache/cleanbill";

/// The state of a system service.
const SYSTEM_STATE: &str = "/var/lib/cleanbill";

/// The configuration of a system service.
const SYSTEM_CONFIGURATION: &str = "/etc/cleanbill";

/// Returns the cache directory: the flag's, else `$CACHE_DIRECTORY` (set by systemd), else
/// `$XDG_CACHE_HOME/cleanbill`, else `$HOME/.cache/cleanbill`, else the system's.
pub(crate) fn cache_directory(flag: Option<PathBuf>, environment: &Environment) -> PathBuf {
    flag.or_else(|| environment.path("CACHE_DIRECTORY"))
        .unwrap_or_else(|| cache_directory_in_a_shell(environment))
}

/// Returns the cache directory of a command that is typed into a shell, where systemd sets nothing.
pub(crate) fn cache_directory_in_a_shell(environment: &Environment) -> PathBuf {
    let below = |name: &str, rest: &str| environment.path(name).map(|home| home.join(rest));
    below("XDG_CACHE_HOME", "cleanbill")
        .or_else(|| below("HOME", ".cache/cleanbill"))
        .unwrap_or_else(|| PathBuf::from(SYSTEM_CACHE))
}

/// Returns the state directory: `$STATE_DIRECTORY` (set by systemd), else
/// `$XDG_STATE_HOME/cleanbill`, else `$HOME/.local/state/cleanbill`, else the system's.
pub(crate) fn state_directory(environment: &Environment) -> PathBuf {
    let below = |name: &str, rest: &str| environment.path(name).map(|home| home.join(rest));
    environment
        .path("STATE_DIRECTORY")
        .or_else(|| below("XDG_STATE_HOME", "cleanbill"))
        .or_else(|| below("HOME", ".local/state/cleanbill"))
        .unwrap_or_else(|| PathBuf::from(SYSTEM_STATE))
}

/// Lists where the configuration file is looked for, the first that is there counts.
pub(crate) fn configuration_files(environment: &Environment) -> Vec<PathBuf> {
    const NAME: &str = "config.yaml";
    let below = |name: &str, rest: &str| environment.path(name).map(|home| home.join(rest));
    let own = below("XDG_CONFIG_HOME", "cleanbill").or_else(|| below("HOME", ".config/cleanbill"));
    let directories = [environment.path("CONFIGURATION_DIRECTORY"), own];
    directories
        .into_iter()
        .flatten()
        .chain([PathBuf::from(SYSTEM_CONFIGURATION)])
        .map(|directory| directory.join(NAME))
        .collect()
}

/// Returns the directory of the advisory database inside `--db-path` or the cache: a directory
/// that holds `trivy.db` itself, or one that holds `db/trivy.db` (the layout of Trivy's cache).
pub(crate) fn database_directory(
    flag: Option<PathBuf>,
    cache: &std::path::Path,
) -> Result<PathBuf, CommandError> {
    let Some(directory) = flag else {
        return Ok(cache.join("db"));
    };
    if directory.join("trivy.db").is_file() {
        return Ok(directory);
    }
    if directory.exists() && !directory.is_dir() {
        return Err(CommandError::usage_text(format!(
            "--db-path {}: expected a directory with trivy.db and metadata.json, this is none",
            directory.display()
        ))
        .hint("an archive is imported with: cleanbill db import FILE"));
    }
    Ok(directory.join("db"))
}

/// Returns the directory of the Java index: `java-db`, beside the directory of the advisory
/// database, as in Trivy's cache.
pub(crate) fn java_index_directory(flag: Option<PathBuf>, cache: &std::path::Path) -> PathBuf {
    const NAME: &str = "java-db";
    let Some(directory) = flag else {
        return cache.join(NAME);
    };
    if directory.join("trivy.db").is_file() && !directory.join(NAME).exists() {
        return directory.join("..").join(NAME);
    }
    directory.join(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_where_the_environment_says() {
        let check = |environment: Environment, expected: &str| {
            assert_eq!(cache_directory(None, &environment), PathBuf::from(expected));
        };
        check(Environment::default(), "/var/cache/cleanbill");
        check([("HOME", "/h")].into(), "/h/.cache/cleanbill");
        check(
            [("HOME", "/h"), ("XDG_CACHE_HOME", "/x")].into(),
            "/x/cleanbill",
        );
        check([("HOME", "/h"), ("CACHE_DIRECTORY", "/c")].into(), "/c");
    }

    #[test]
    fn state_and_configuration_lie_where_the_environment_says() {
        let state = |environment: Environment| state_directory(&environment);
        assert_eq!(
            state(Environment::default()),
            PathBuf::from("/var/lib/cleanbill")
        );
        assert_eq!(
            state([("HOME", "/h")].into()),
            PathBuf::from("/h/.local/state/cleanbill")
        );
        assert_eq!(
            state([("HOME", "/h"), ("STATE_DIRECTORY", "/s")].into()),
            PathBuf::from("/s")
        );
        let files =
            configuration_files(&[("HOME", "/h"), ("CONFIGURATION_DIRECTORY", "/c")].into());
        assert_eq!(
            files,
            [
                "/c/config.yaml",
                "/h/.config/cleanbill/config.yaml",
                "/etc/cleanbill/config.yaml"
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn both_layouts_of_a_database_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let find = |path: PathBuf| database_directory(Some(path), directory.path()).unwrap();
        assert_eq!(
            find(directory.path().to_owned()),
            directory.path().join("db")
        );
        std::fs::write(directory.path().join("trivy.db"), b"").unwrap();
        assert_eq!(find(directory.path().to_owned()), directory.path());
        let error = database_directory(Some(directory.path().join("trivy.db")), directory.path());
        assert!(error.is_err());
    }

    #[test]
    fn the_java_index_lies_beside_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let find = |flag: Option<PathBuf>| java_index_directory(flag, directory.path());
        let given = directory.path().join("given");
        assert_eq!(find(None), directory.path().join("java-db"));
        assert_eq!(find(Some(given.clone())), given.join("java-db"));
        std::fs::create_dir(&given).unwrap();
        std::fs::write(given.join("trivy.db"), b"").unwrap();
        assert_eq!(find(Some(given.clone())), given.join("../java-db"));
        std::fs::create_dir(given.join("java-db")).unwrap();
        assert_eq!(find(Some(given.clone())), given.join("java-db"));
    }
}

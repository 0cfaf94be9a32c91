//! Flags that users bring from Trivy: they work, are aliases, change nothing here, or are refused
//! with a reason. The table is the documentation.

use std::ffi::OsString;

/// Says what becomes of a flag of Trivy's that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Another name for a flag of ours.
    Alias(&'static str),
    /// Accepted and without effect; the text says why nothing is lost.
    NoEffect(&'static str),
    /// Accepted with these values only; the text says what happens otherwise.
    Values(&'static [&'static str], &'static str),
    /// Refused; the text says why and what to do instead.
    Refused(&'static str),
}

/// Describes a flag of Trivy's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrivyFlag {
    /// The long name with its dashes.
    pub(crate) name: &'static str,
    /// It is followed by a value.
    pub(crate) takes_value: bool,
    /// What becomes of it.
    pub(crate) treatment: Treatment,
}

const fn flag(name: &'static str, treatment: Treatment) -> TrivyFlag {
    TrivyFlag {
        name,
        takes_value: false,
        treatment,
    }
}

const fn valued(name: &'static str, treatment: Treatment) -> TrivyFlag {
    TrivyFlag {
        name,
        takes_value: true,
        treatment,
    }
}

const SCANNERS: &str = "the native engine finds vulnerabilities only; the Trivy engine finds \
                        secrets, misconfiguration and licences too: --engine trivy --trivy-args \
                        '--scanners vuln,secret,misconfig,license' --format trivy-json";
const REMOTE: &str = "Cleanbill has no server for scans";
const MISCONFIGURATION: &str = "the native engine does not look for misconfiguration; the Trivy \
                                engine does: --engine trivy --trivy-args '--scanners misconfig' \
                                --format trivy-json";

/// Every flag of `trivy image` that is not a flag of `cleanbill scan` by the same name.
pub(crate) const TRIVY_FLAGS: &[TrivyFlag] = &[
    valued("--image-src", Treatment::Alias("--source")),
    valued("--cacert", Treatment::Alias("--ca-cert")),
    valued("--username", Treatment::Alias("--registry-username")),
    flag(
        "--password-stdin",
        Treatment::Alias("--registry-password-stdin"),
    ),
    valued("--password", Treatment::Alias("--registry-password")),
    flag(
        "--offline-scan",
        Treatment::NoEffect("jars are never asked about at a server"),
    ),
    flag(
        "--download-java-db-only",
        Treatment::Refused("use: cleanbill db update --with java"),
    ),
    flag(
        "--download-db-only",
        Treatment::Refused("use: cleanbill db update"),
    ),
    flag(
        "--skip-version-check",
        Treatment::NoEffect("nothing asks for new versions"),
    ),
    flag(
        "--disable-telemetry",
        Treatment::NoEffect("there is no telemetry"),
    ),
    flag("--skip-check-update", Treatment::NoEffect(MISCONFIGURATION)),
    flag(
        "--skip-vex-repo-update",
        Treatment::NoEffect("VEX repositories are not used"),
    ),
    valued("--scanners", Treatment::Values(&["vuln"], SCANNERS)),
    valued("--security-checks", Treatment::Values(&["vuln"], SCANNERS)),
    valued("--image-config-scanners", Treatment::Refused(SCANNERS)),
    valued("--vuln-type", Treatment::Alias("--pkg-types")),
    valued(
        "--cache-backend",
        Treatment::Values(&["fs", "memory"], "the cache is a local file"),
    ),
    valued(
        "--cache-ttl",
        Treatment::NoEffect("see cleanbill cache prune"),
    ),
    valued(
        "--redis-ca",
        Treatment::Refused("the cache is a local file"),
    ),
    valued(
        "--redis-cert",
        Treatment::Refused("the cache is a local file"),
    ),
    valued(
        "--redis-key",
        Treatment::Refused("the cache is a local file"),
    ),
    flag(
        "--redis-tls",
        Treatment::Refused("the cache is a local file"),
    ),
    valued(
        "--podman-host",
        Treatment::Refused("use --docker-host with --source podman"),
    ),
    valued(
        "--max-image-size",
        Treatment::Refused("images are streamed; memory is bounded whatever their size"),
    ),
    flag(
        "--removed-pkgs",
        Treatment::Refused("packages that were removed are not reported"),
    ),
    valued("--ignored-licenses", Treatment::Refused(SCANNERS)),
    valued("--license-confidence-level", Treatment::Refused(SCANNERS)),
    flag("--license-full", Treatment::Refused(SCANNERS)),
    valued("--secret-config", Treatment::Refused(SCANNERS)),
    valued("--misconfig-scanners", Treatment::Refused(MISCONFIGURATION)),
    valued("--config-check", Treatment::Refused(MISCONFIGURATION)),
    valued("--config-data", Treatment::Refused(MISCONFIGURATION)),
    valued("--check-namespaces", Treatment::Refused(MISCONFIGURATION)),
    valued(
        "--checks-bundle-repository",
        Treatment::Refused(MISCONFIGURATION),
    ),
    flag(
        "--include-non-failures",
        Treatment::Refused(MISCONFIGURATION),
    ),
    flag(
        "--include-deprecated-checks",
        Treatment::Refused(MISCONFIGURATION),
    ),
    valued("--ansible-extra-vars", Treatment::Refused(MISCONFIGURATION)),
    valued("--ansible-inventory", Treatment::Refused(MISCONFIGURATION)),
    valued("--ansible-playbook", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-api-versions", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-kube-version", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-set", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-set-file", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-set-string", Treatment::Refused(MISCONFIGURATION)),
    valued("--helm-values", Treatment::Refused(MISCONFIGURATION)),
    valued(
        "--raw-config-scanners",
        Treatment::Refused(MISCONFIGURATION),
    ),
    valued("--render-cause", Treatment::Refused(MISCONFIGURATION)),
    valued("--rego-error-limit", Treatment::Refused(MISCONFIGURATION)),
    valued(
        "--config-file-schemas",
        Treatment::Refused(MISCONFIGURATION),
    ),
    flag(
        "--tf-exclude-downloaded-modules",
        Treatment::Refused(MISCONFIGURATION),
    ),
    flag("--trace-rego", Treatment::Refused(MISCONFIGURATION)),
    valued(
        "--compliance",
        Treatment::Refused("compliance reports are not made; use Trivy itself for them"),
    ),
    valued(
        "--report",
        Treatment::Refused("it belongs to compliance reports, which are not made"),
    ),
    flag(
        "--dependency-tree",
        Treatment::Refused("dependency trees are not drawn"),
    ),
    valued(
        "--exit-on-eol",
        Treatment::Refused(
            "an end of life is marked in the report; it has no exit code of its own",
        ),
    ),
    valued(
        "--ignore-policy",
        Treatment::Refused("Rego policies are not supported; use --ignorefile or --vex"),
    ),
    valued(
        "--template",
        Treatment::Refused("templates are not supported; use --format json"),
    ),
    valued(
        "--table-mode",
        Treatment::NoEffect("the table shows summary and details"),
    ),
    valued(
        "--output-plugin-arg",
        Treatment::Refused("output plugins are not supported"),
    ),
    valued(
        "--file-patterns",
        Treatment::Refused("extractors know their files by name"),
    ),
    valued(
        "--pkg-relationships",
        Treatment::Refused("packages are not filtered by relationship"),
    ),
    valued(
        "--rekor-url",
        Treatment::Refused("SBOM attestations are not fetched"),
    ),
    valued(
        "--sbom-sources",
        Treatment::Refused("SBOM attestations are not fetched"),
    ),
    valued("--server", Treatment::Refused(REMOTE)),
    valued("--token", Treatment::Refused(REMOTE)),
    valued("--token-header", Treatment::Refused(REMOTE)),
    valued("--custom-headers", Treatment::Refused(REMOTE)),
    valued(
        "--enable-modules",
        Treatment::Refused("modules are not supported"),
    ),
    valued(
        "--module-dir",
        Treatment::Refused("modules are not supported"),
    ),
    flag(
        "--insecure",
        Treatment::Refused("name the registry: --insecure-registry HOST"),
    ),
    flag(
        "--generate-default-config",
        Treatment::Refused("there is no such file"),
    ),
];

/// Translates flags of Trivy's in a `scan` call into ours.
///
/// # Errors
///
/// A flag is refused; the text says why.
pub(crate) fn translate(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    if !is_scan(&arguments) {
        return Ok(arguments);
    }
    let mut translated = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            translated.push(argument);
            translated.extend(arguments);
            break;
        }
        if argument == "--trivy-args" {
            // What follows is meant for Trivy.
            translated.push(argument);
            translated.extend(arguments.next());
            continue;
        }
        let text = argument.to_string_lossy().into_owned();
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), None),
        };
        let Some(flag) = TRIVY_FLAGS.iter().find(|flag| flag.name == name) else {
            translated.push(argument);
            continue;
        };
        let value = match (flag.takes_value, inline) {
            (true, None) => Some(
                arguments
                    .next()
                    .map(|value| value.to_string_lossy().into_owned())
                    .ok_or_else(|| format!("{name}: a value is missing"))?,
            ),
            (_, inline) => inline,
        };
        apply(flag, value.as_deref(), &mut translated)?;
    }
    Ok(translated)
}

/// Says whether the call is one of `scan`: the first word that is neither a flag nor the value of
/// a global one.
fn is_scan(arguments: &[OsString]) -> bool {
    const GLOBAL_WITH_VALUE: [&str; 3] = ["--cache-dir", "--color", "--log-format"];
    let mut words = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy());
    while let Some(word) = words.next() {
        if GLOBAL_WITH_VALUE.contains(&&*word) {
            words.next();
        } else if !word.starts_with('-') {
            return word == "scan" || word == "image";
        }
    }
    false
}

fn apply(
    flag: &TrivyFlag,
    value: Option<&str>,
    translated: &mut Vec<OsString>,
) -> Result<(), String> {
    match flag.treatment {
        Treatment::NoEffect(_) => {}
        Treatment::Alias("--source") => {
            let sources = value.unwrap_or_default().replace("remote", "registry");
            translated.push(format!("--source={sources}").into());
        }
        Treatment::Alias(ours) => translated.push(match value {
            Some(value) => format!("{ours}={value}").into(),
            None => ours.into(),
        }),
        Treatment::Values(accepted, reason) => {
            let value = value.unwrap_or_default();
            if !value.split(',').all(|part| accepted.contains(&part)) {
                return Err(format!(
                    "{} {value}: accepted is {}: {reason}",
                    flag.name,
                    accepted.join(", ")
                ));
            }
        }
        // A switch that is switched off asks for nothing.
        Treatment::Refused(_) if value == Some("false") && !flag.takes_value => {}
        Treatment::Refused(reason) => {
            return Err(format!("{} is not supported: {reason}", flag.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(call: &str) -> Result<String, String> {
        let arguments = call.split(' ').map(OsString::from).collect();
        let translated = translate(arguments)?;
        Ok(translated
            .iter()
            .map(|a| a.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn flags_work_are_dropped_or_refused() {
        for (call, expected) in [
            ("c scan --scanners vuln a", "c scan a"),
            (
                "c scan --image-src remote,docker a",
                "c scan --source=registry,docker a",
            ),
            (
                "c scan --skip-java-db-update --offline-scan=true a",
                "c scan --skip-java-db-update a",
            ),
            ("c -q scan --cacert x a", "c -q scan --ca-cert=x a"),
            ("c scan -- --scanners", "c scan -- --scanners"),
            ("c db --scanners", "c db --scanners"),
            (
                "c scan --trivy-args --scanners=secret --scanners vuln a",
                "c scan --trivy-args --scanners=secret a",
            ),
            ("c scan --insecure=false a", "c scan a"),
            (
                "c --cache-dir d scan --scanners vuln a",
                "c --cache-dir d scan a",
            ),
            (
                "c --cache-dir=d scan --scanners vuln a",
                "c --cache-dir=d scan a",
            ),
        ] {
            assert_eq!(translated(call).as_deref(), Ok(expected), "{call}");
        }
        for (call, named) in [
            ("c scan --scanners vuln,secret a", "--scanners vuln,secret"),
            ("c scan --insecure a", "--insecure-registry HOST"),
            ("c scan --template x", "--format json"),
            ("c scan a --scanners", "a value is missing"),
        ] {
            let error = translated(call).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn every_global_flag_with_a_value_is_passed_over() {
        let definition = super::super::definition();
        let mut globals = Vec::new();
        for flag in definition.get_arguments() {
            if flag.is_global_set() && flag.get_action().takes_values() {
                globals.extend(flag.get_long());
            }
        }
        for name in globals {
            let call = format!("c --{name} x scan --scanners vuln a");
            assert_eq!(translated(&call), Ok(format!("c --{name} x scan a")));
        }
    }

    #[test]
    fn no_flag_of_ours_is_in_the_table() {
        let definition = super::super::definition();
        let scan = definition.find_subcommand("scan").unwrap();
        for flag in TRIVY_FLAGS {
            let name = flag.name.trim_start_matches("--");
            assert!(
                scan.get_arguments()
                    .all(|argument| argument.get_long() != Some(name)),
                "{name}"
            );
            if let Treatment::Alias(ours) = flag.treatment {
                let ours = ours.trim_start_matches("--");
                assert!(
                    scan.get_arguments()
                        .any(|argument| argument.get_long() == Some(ours)),
                    "{ours}"
                );
            }
        }
    }

    /// What `trivy image --help` of 0.74.0 lists.
    const FLAGS_OF_TRIVY: &str = "\
        cache-backend cache-ttl redis-ca redis-cert redis-key redis-tls db-repository \
        download-db-only download-java-db-only java-db-repository no-progress skip-db-update \
        skip-java-db-update docker-host image-config-scanners image-src input max-image-size \
        platform podman-host removed-pkgs ignored-licenses license-confidence-level license-full \
        ansible-extra-vars ansible-inventory ansible-playbook checks-bundle-repository \
        config-file-schemas helm-api-versions helm-kube-version helm-set helm-set-file \
        helm-set-string helm-values include-non-failures misconfig-scanners raw-config-scanners \
        render-cause tf-exclude-downloaded-modules enable-modules module-dir pkg-relationships \
        pkg-types custom-headers server token token-header password password-stdin \
        registry-token username check-namespaces config-check config-data \
        include-deprecated-checks rego-error-limit skip-check-update trace-rego compliance \
        dependency-tree exit-code exit-on-eol format ignore-policy ignorefile list-all-pkgs \
        output output-plugin-arg report severity show-suppressed table-mode template \
        detection-priority disable-telemetry distro file-patterns offline-scan parallel \
        rekor-url sbom-sources scanners skip-dirs skip-files skip-version-check secret-config \
        ignore-status ignore-unfixed skip-vex-repo-update vex vuln-severity-source cacert \
        cache-dir config debug generate-default-config insecure quiet timeout version";

    #[test]
    fn every_flag_of_trivy_image_is_known() {
        let definition = super::super::definition();
        let scan = definition.find_subcommand("scan").unwrap();
        let mut known = vec!["version"];
        for argument in definition.get_arguments().chain(scan.get_arguments()) {
            known.extend(argument.get_long());
            known.extend(argument.get_all_aliases().unwrap_or_default());
        }
        known.extend(
            TRIVY_FLAGS
                .iter()
                .map(|flag| flag.name.trim_start_matches("--")),
        );
        let unknown: Vec<&str> = FLAGS_OF_TRIVY
            .split_whitespace()
            .filter(|name| !known.contains(name))
            .collect();
        assert_eq!(unknown, [""; 0]);
    }
}

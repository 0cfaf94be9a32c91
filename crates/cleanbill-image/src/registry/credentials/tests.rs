use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

/// A directory that stands for a home: configuration file and helpers.
struct Home {
    directory: tempfile::TempDir,
    options: CredentialOptions,
}

impl Home {
    fn new(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.json");
        fs::write(&file, config).unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let options = CredentialOptions {
            config_files: vec![file],
            helper_search_path: Some(path.into()),
            ..CredentialOptions::default()
        };
        Self { directory, options }
    }

    /// Writes a helper that can be run at once: a process that another test is just starting may
    /// hold the file open for writing for a moment, and then it cannot.
    #[expect(
        clippy::disallowed_methods,
        reason = "a credential helper is a process"
    )]
    fn with_helper(self, name: &str, script: &str) -> Self {
        let path = self
            .directory
            .path()
            .join(format!("docker-credential-{name}"));
        let ready = "if [ \"$1\" = ready ]; then exit 0; fi";
        fs::write(&path, format!("#!/bin/sh\n{ready}\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let is_busy = || {
            let started = std::process::Command::new(&path).arg("ready").status();
            started.is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy)
        };
        while is_busy() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self
    }

    fn config_file(&self) -> &Path {
        &self.options.config_files[0]
    }

    /// Prints what is found, `none`, or the error.
    fn find(&self, registry: &str, repository: &str) -> String {
        match find(&self.options, registry, repository, &ReadContext::default()) {
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
            Ok(Some(found)) => match found.credential {
                Credential::Basic { username, password } => {
                    format!("{username}/{}", password.expose())
                }
                Credential::IdentityToken(token) => format!("identity {}", token.expose()),
                Credential::RegistryToken(token) => format!("registry {}", token.expose()),
            },
        }
    }
}

#[track_caller]
fn check(config: &str, registry: &str, expected: &str) {
    assert_eq!(Home::new(config).find(registry, "a/b"), expected);
}

#[test]
fn entries_of_the_file_are_found_by_exact_host() {
    let config = r#"{"auths":{
        "reg.test":{"auth":"dTpw"},
        "reg.test:5000":{"username":"five","password":"thousand"},
        "https://index.docker.io/v1/":{"auth":"aHViOmE6Yg=="},
        "https://id.test/v1/":{"auth":"dTpw","identitytoken":"id"},
        "tok.test":{"registrytoken":"tok","auth":null},
        "empty.test":{},
        "pad.test/":{"auth":"dTpwAAA"},
        "scoped.test/a":{"auth":"bnM6MQ=="},
        "scoped.test/a/b":{"auth":"cmVwbzoy"},
        "scoped.test":{"auth":"aG9zdDoz"},
        "https://path.test/v2/a":{"auth":"dTpw"}
    },"HttpHeaders":{"X":"y"}}"#;
    check(config, "reg.test", "u/p");
    check(config, "reg.test:5000", "five/thousand");
    check(config, "reg.test:443", "none");
    check(config, "a.reg.test", "none");
    check(config, DEFAULT_REGISTRY, "hub/a:b");
    check(config, "id.test", "identity id");
    check(config, "tok.test", "registry tok");
    check(config, "empty.test", "none");
    check(config, "pad.test", "u/p");
    check(config, "scoped.test", "repo/2");
    check(config, "path.test", "u/p");
    let home = Home::new(config);
    assert_eq!(home.find("scoped.test", "a/c"), "ns/1");
    assert_eq!(home.find("scoped.test", "x"), "host/3");
}

#[test]
fn files_that_make_no_sense_are_named_without_their_secrets() {
    for config in [
        r#"{"auths":{"x":{"auth":"hunter2!"}}}"#,
        r#"{"auths":{"x":{"auth":["hunter2"]}}}"#,
        r#"{"auths":"hunter2"}"#,
        "hunter2",
    ] {
        let error = Home::new(config).find("reg.test", "");
        assert!(error.contains("config.json is malformed: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    check("", "reg.test", "none");
    check(
        r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
        "reg.test",
        "none",
    );
}

#[test]
fn later_files_are_asked_when_earlier_ones_say_nothing() {
    let mut home = Home::new("{}");
    let second = home.directory.path().join("auth.json");
    fs::write(&second, r#"{"auths":{"reg.test":{"auth":"dTpw"}}}"#).unwrap();
    home.options
        .config_files
        .insert(0, "/does/not/exist".into());
    home.options.config_files.push(second);
    assert_eq!(home.find("reg.test", ""), "u/p");
    let explicit = Credential::RegistryToken(Secret::new("given"));
    home.options
        .explicit
        .push(("reg.test".to_owned(), explicit));
    assert_eq!(home.find("reg.test", ""), "registry given");
}

const HELPER: &str = r#"read -r server
case "$server" in
    reg.test) echo '{"ServerURL":"reg.test","Username":"helped","Secret":"s"}' ;;
    https://index.docker.io/v1/) echo '{"Username":"<token>","Secret":"t"}' ;;
    broken.test) echo "the vault is locked"; exit 1 ;;
    odd.test) echo 'Secret: hunter2' ;;
    *) echo "credentials not found in native keychain"; exit 1 ;;
esac"#;

#[test]
fn a_helper_is_authoritative() {
    let config = r#"{"credsStore":"all","credHelpers":{"own.test":"own"},
        "auths":{"other.test":{"auth":"dTpw"},"own.test":{"auth":"dTpw"}}}"#;
    let home = Home::new(config)
        .with_helper("all", HELPER)
        .with_helper("own", r#"echo '{"Username":"own","Secret":"o"}'"#);
    assert_eq!(home.find("reg.test", ""), "helped/s");
    assert_eq!(home.find(DEFAULT_REGISTRY, ""), "identity t");
    assert_eq!(home.find("own.test", ""), "own/o");
    assert_eq!(home.find("other.test", ""), "none");
    let file = home.config_file().display();
    assert_eq!(
        home.find("broken.test", ""),
        format!(
            "credential helper docker-credential-all (named in {file}) failed: the vault is locked"
        )
    );
    let error = home.find("odd.test", "");
    assert!(
        error.contains("no credentials in JSON") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn helpers_cannot_hang_flood_or_be_any_program() {
    let config =
        r#"{"credHelpers":{"slow":"slow","flood":"flood","evil":"../evil","gone":"gone"}}"#;
    let mut home = Home::new(config)
        .with_helper("slow", "sleep 600 & sleep 600")
        .with_helper("flood", "exec cat /dev/zero");
    assert!(
        home.find("flood", "")
            .contains("says more than 1048576 bytes")
    );
    assert!(home.find("evil", "").contains("its name is no plain word"));
    assert!(home.find("gone", "").contains("No such file"));
    home.options.helper_timeout = Duration::from_millis(100);
    assert!(home.find("slow", "").contains("no answer within 0.1 s"));
}

#[test]
fn credentials_are_stored_beside_everything_else() {
    let home =
        Home::new(r#"{"detachKeys":"ctrl-q","auths":{"a.test":{"auth":"dTpw","email":"x"}}}"#);
    let context = ReadContext::default();
    let place = store(&home.options, "b.test", "u", &Secret::new("p:q"), &context).unwrap();
    assert_eq!(place, home.config_file().display().to_string());
    assert_eq!(home.find("b.test", ""), "u/p:q");
    assert_eq!(home.find("a.test", ""), "u/p");
    let text = fs::read_to_string(home.config_file()).unwrap();
    assert!(text.contains("\t\"detachKeys\": \"ctrl-q\"") && text.contains("\"email\": \"x\""));
    let mode = fs::metadata(home.config_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(home.directory.path()).unwrap().count(), 1);
}

#[test]
fn the_file_is_made_where_there_is_none_and_a_link_stays_one() {
    let mut home = Home::new("{}");
    let real = home.config_file().to_owned();
    let link = home.directory.path().join("link.json");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let context = ReadContext::default();
    home.options.config_files[0] = link.clone();
    store(
        &home.options,
        DEFAULT_REGISTRY,
        "u",
        &Secret::new("p"),
        &context,
    )
    .unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(
        fs::read_to_string(&real)
            .unwrap()
            .contains("https://index.docker.io/v1/")
    );

    home.options.config_files[0] = home.directory.path().join("new/dir/config.json");
    store(&home.options, "x.test", "u", &Secret::new("p"), &context).unwrap();
    assert_eq!(home.find("x.test", ""), "u/p");
    home.options.config_files.clear();
    assert!(store(&home.options, "x.test", "u", &Secret::new("p"), &context).is_err());
}

#[test]
fn a_configured_helper_keeps_what_is_stored() {
    let home = Home::new(r#"{"credsStore":"keep"}"#)
        .with_helper("keep", r#"cat > "$(dirname "$0")/kept""#);
    let context = ReadContext::default();
    let place = store(&home.options, "x.test", "u", &Secret::new("p"), &context).unwrap();
    assert_eq!(place, "docker-credential-keep");
    let kept = fs::read_to_string(home.directory.path().join("kept")).unwrap();
    assert_eq!(
        kept,
        r#"{"Secret":"p","ServerURL":"x.test","Username":"u"}"#
    );
    assert_eq!(
        fs::read_to_string(home.config_file()).unwrap(),
        r#"{"credsStore":"keep"}"#
    );
}

#[test]
fn places_come_from_the_environment() {
    let options = CredentialOptions::from_environment(|name| match name {
        "HOME" => Some("/home/x".into()),
        "XDG_RUNTIME_DIR" => Some("/run/user/1".into()),
        _ => None,
    });
    let expected = [
        "/home/x/.docker/config.json",
        "/run/user/1/containers/auth.json",
        "/home/x/.config/containers/auth.json",
    ];
    assert_eq!(options.config_files, expected.map(PathBuf::from));
    let options = CredentialOptions::from_environment(|name| {
        (name == "DOCKER_CONFIG").then(|| "/etc/docker".into())
    });
    assert_eq!(
        options.config_files,
        [PathBuf::from("/etc/docker/config.json")]
    );
}

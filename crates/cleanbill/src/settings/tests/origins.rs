//! Every setting can be given in every place, and of several places the right one counts.

use super::super::given::Given;
use super::super::kind::Dialect;
use super::super::origin::Origin;
use super::super::table::{SETTINGS, Setting};
use super::{Bench, sample, yaml};

/// One way to give a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Flag,
    Variable { older: usize },
    NamedFile { older: usize },
    Secret { older: usize },
    EnvLine { older: usize },
    EnvNamedFile { older: usize },
    Config,
    ConfigSecretFile,
}

/// Lists the ways of a setting, in order of precedence.
fn ways(setting: &Setting) -> Vec<Way> {
    let names = 0..=setting.older.len();
    let mut ways = vec![Way::Flag];
    ways.extend(names.clone().map(|older| Way::Variable { older }));
    ways.extend(names.clone().map(|older| Way::NamedFile { older }));
    ways.extend(names.clone().map(|older| Way::Secret { older }));
    ways.extend(names.clone().map(|older| Way::EnvLine { older }));
    ways.extend(names.map(|older| Way::EnvNamedFile { older }));
    ways.push(Way::Config);
    ways
}

/// Gives a setting in one way and returns how its origin is printed, without the directory.
fn give(bench: &mut Bench, setting: &Setting, way: Way) -> String {
    let (ours, of_older) = sample(setting);
    let name = |older: usize| setting.names().nth(older).unwrap().0;
    let value = |older: usize| if older == 0 { &ours } else { &of_older };
    let file = |bench: &mut Bench, name: &str, text: &str| {
        bench.write(name, format!(" {text} \n"));
        bench.path(name).display().to_string()
    };
    match way {
        Way::Flag => {
            bench.flag(format!("--{}={ours}", setting.flag));
            format!("--{}", setting.flag)
        }
        Way::Variable { older } => {
            bench.variable(name(older), value(older));
            format!("environment variable {}", name(older))
        }
        Way::NamedFile { older } => {
            let path = file(bench, &format!("named-{older}"), value(older));
            bench.variable(format!("{}_FILE", name(older)), path);
            format!("named-{older} ({}_FILE)", name(older))
        }
        Way::Secret { older } => {
            file(bench, &format!("secrets/{}", name(older)), value(older));
            format!("secrets/{}", name(older))
        }
        Way::EnvLine { older } => {
            let line = env_line(bench, name(older), value(older));
            format!(".env:{line}: {}", name(older))
        }
        Way::EnvNamedFile { older } => {
            let path = file(bench, &format!("of-env-{older}"), value(older));
            let name = format!("{}_FILE", name(older));
            let line = env_line(bench, &name, &path);
            format!("of-env-{older} (.env:{line}: {name})")
        }
        Way::Config => {
            bench.config(&yaml(setting, &ours));
            let depth = setting.key.split('.').count();
            format!("cleanbill/config.yaml:{}:", depth + 1)
        }
        Way::ConfigSecretFile => {
            std::fs::create_dir(bench.path("cleanbill")).unwrap();
            file(bench, "cleanbill/secret", &ours);
            let yaml = yaml(setting, "secret");
            let last = setting.last_name();
            bench.config(&yaml.replace(&format!("{last}: '"), &format!("{last}_file: '")));
            "cleanbill/secret (cleanbill/config.yaml:".to_owned()
        }
    }
}

fn env_line(bench: &mut Bench, name: &str, value: &str) -> usize {
    let path = bench.path(".env");
    let mut text = std::fs::read_to_string(&path).unwrap_or_default();
    text.push_str(&format!("{name}=\"{value}\"\n"));
    bench.write(".env", &text);
    text.lines().count()
}

#[track_caller]
fn check(bench: &Bench, setting: &'static Setting, origin: &str) {
    let loaded = bench.loaded();
    let one = &loaded.resolved[setting.key];
    let (ours, _) = sample(setting);
    let expected = setting
        .kind
        .parse(Given::One(ours), Dialect::Ours, setting.is_secret, None)
        .unwrap();
    assert!(
        one.value.is_same(&expected),
        "{}: {} instead of {expected}",
        setting.key,
        one.value
    );
    let found = bench.without_directory(&one.origin.to_string());
    assert!(
        found.starts_with(origin),
        "{}: from {found} instead of {origin}",
        setting.key
    );
}

#[test]
fn every_setting_can_be_given_in_every_place() {
    for setting in SETTINGS {
        for way in ways(setting) {
            let mut bench = Bench::new();
            let origin = give(&mut bench, setting, way);
            check(&bench, setting, &origin);
        }
    }
}

#[test]
fn of_several_places_the_first_counts() {
    for setting in SETTINGS {
        let ways = ways(setting);
        for first in 0..ways.len() {
            let mut bench = Bench::new();
            let origins: Vec<String> = ways[first..]
                .iter()
                .map(|way| give(&mut bench, setting, *way))
                .collect();
            check(&bench, setting, &origins[0]);
        }
    }
}

#[test]
fn secrets_can_lie_in_files_that_the_configuration_names() {
    for setting in SETTINGS.iter().filter(|setting| setting.can_lie_in_file()) {
        let mut bench = Bench::new();
        let origin = give(&mut bench, setting, Way::ConfigSecretFile);
        check(&bench, setting, &origin);
    }
}

#[test]
fn without_anything_there_are_the_defaults() {
    let loaded = Bench::new().loaded();
    for setting in SETTINGS {
        let one = &loaded.resolved[setting.key];
        assert_eq!(one.origin, Origin::Default, "{}", setting.key);
        let has_default = !setting.default_words().is_empty();
        assert_eq!(one.is_empty(), !has_default, "{}", setting.key);
    }
    assert_eq!(loaded.warnings, [""; 0]);
}

#[test]
fn an_empty_variable_file_or_line_says_nothing() {
    let mut bench = Bench::new();
    bench
        .variable("CLEANBILL_SMTP_PORT", "")
        .variable("SMTP_PORT", "")
        .write("secrets/SMTP_PORT", "\n")
        .write(".env", "SMTP_PORT=\nCLEANBILL_SMTP_PORT=''\n")
        .config("version: 1\nnotify: {smtp: {port: 2525}}\n");
    let one = &bench.loaded().resolved["notify.smtp.port"];
    assert_eq!(one.value.to_string(), "2525");
}

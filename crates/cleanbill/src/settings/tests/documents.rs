//! Flags, schema, documentation and table say the same.

use std::path::Path;

use super::super::docs::page;
use super::super::schema::json_schema;
use super::super::table::SETTINGS;
use super::{Bench, sample, yaml};

fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn committed_documents_are_those_of_the_table() {
    assert!(
        document("docs/settings.md") == page(),
        "run `cargo xtask gen`"
    );
    assert!(
        document("docs/schema/config.schema.json") == json_schema(),
        "run `cargo xtask gen`"
    );
}

#[test]
fn every_setting_has_its_flag() {
    let mut root = crate::cli::definition();
    root.build();
    let config = root.find_subcommand("config").unwrap();
    let show = config.find_subcommand("show").unwrap();
    for setting in SETTINGS {
        let argument = show
            .get_arguments()
            .find(|argument| argument.get_long() == Some(setting.flag))
            .unwrap_or_else(|| panic!("no --{}", setting.flag));
        let environment = argument.get_env().unwrap().to_str().unwrap();
        assert_eq!(environment, setting.environment());
    }
}

/// Returns what the schema says about a YAML text.
fn schema_takes(text: &str) -> bool {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
    let instance: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.is_valid(&instance)
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    for setting in SETTINGS {
        let (value, _) = sample(setting);
        // Numbers and truth values stand without quotes.
        let text = yaml(setting, &value);
        let plain = text.replace('\'', "");
        assert!(
            schema_takes(&text) || schema_takes(&plain),
            "{}: {plain}",
            setting.key
        );
        let mut bench = Bench::new();
        bench.config(&text);
        bench.loaded();
    }
    let example = page();
    let example = example.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    assert!(schema_takes(example), "{example}");
    let mut bench = Bench::new();
    bench
        .write("secret", "x")
        .config(&example.replace("/run/secrets/SMTP_PASS", "../secret"));
    std::fs::write(
        bench.path("cleanbill/web-team.url"),
        "https://hooks.example/x",
    )
    .unwrap();
    let settings = bench.loaded().settings;
    assert_eq!(settings.notify.channels.len(), 2);
    assert_eq!(settings.notify.routes.len(), 2);
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    for text in [
        "watch: {}\n",
        "version: 2\n",
        "version: 1\nwatch: {intervall: 6h}\n",
        "version: 1\nwatch: 6h\n",
        "version: 1\nscan: {severity: [SEVERE]}\n",
        "version: 1\nscan: {engine: other}\n",
        "version: 1\nnotify: {smtp: {port: 70000}}\n",
        "version: 1\nnotify: {channels: {a: {kind: slack}}}\n",
        "version: 1\nnotify: {channels: {a: {kind: nothing}}}\n",
        "version: 1\nnotify: {channels: {a: {kind: ntfy, topic: t, nothing: x}}}\n",
        "version: 1\nnotify: {routes: [{severity: [HIGH]}]}\n",
    ] {
        assert!(!schema_takes(text), "{text}");
        let mut bench = Bench::new();
        bench.config(text);
        bench.refused();
    }
}

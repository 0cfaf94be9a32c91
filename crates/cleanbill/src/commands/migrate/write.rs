//! The new configuration file.

use super::older::{Found, FoundValue, Older};
use crate::settings::SETTINGS;

/// Returns the text of the file: settings in the order of the table, each with where it stood.
pub(super) fn configuration(older: &Older) -> String {
    let mut text = String::from(
        "# Settings of the older image scanner, written by `cleanbill migrate`.\n\
         # yaml-language-server: $schema=./config.schema.json\n\
         version: 1\n",
    );
    let mut open: Vec<&str> = Vec::new();
    for setting in SETTINGS {
        let Some(found) = older.values.get(setting.key) else {
            continue;
        };
        let mut groups: Vec<&str> = setting.key.split('.').collect();
        let name = groups.pop().unwrap_or_default();
        let common = open.iter().zip(&groups).take_while(|(a, b)| a == b).count();
        for (depth, group) in groups.iter().enumerate().skip(common) {
            text.push_str(&format!("{}{group}:\n", "  ".repeat(depth)));
        }
        text.push_str(&"  ".repeat(groups.len()));
        text.push_str(&line(name, found));
        open = groups;
    }
    text
}

fn line(name: &str, found: &Found) -> String {
    // JSON is YAML, with every character that means something in quotes.
    let quoted = |path: &std::path::Path| serde_json::json!(path.display().to_string());
    let from = &found.from;
    match &found.content {
        FoundValue::Value(value) => format!("{name}: {value}  # {from}\n"),
        FoundValue::File(path) => format!("{name}_file: {}  # {from}\n", quoted(path)),
        FoundValue::Missing(path) => {
            format!("# {name}_file: {}  # in clear in {from}\n", quoted(path))
        }
    }
}

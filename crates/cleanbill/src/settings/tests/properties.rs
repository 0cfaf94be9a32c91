//! Files of settings, whatever stands in them: nothing panics, nothing secret is quoted, and what is
//! written the way that is documented is read as it was meant.

use std::path::Path;

use proptest::prelude::*;

use super::super::env_file::EnvFile;
use super::super::file;
use super::super::table::SETTINGS;

/// Pieces that readers of such files have to tell apart.
fn snippets() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "A", "SMTP_PASS", "export ", "=", ":", " ", "\t", "\n", "\r\n", "\"", "'", "\\", "#", "$",
            "- ", "{", "}", "[", "]", ",", "|\n", ">-\n", "&a ", "*a", "<<: ", "!!str ", "? ", "---\n",
            "...\n", "%YAML 1.2\n", "version: 1\n", "notify:\n", "  channels:\n", "    ops: {kind: smtp}\n",
            "\u{feff}", "\u{a0}", "\u{2028}", "\0", "漢", "~", "null", "012", "1e999",
        ])
        .prop_map(str::to_owned),
        2 => prop::sample::select(SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>())
            .prop_map(|key| format!("{}: ", key.replace('.', ": {"))),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Writes a value in double quotes so that every reader of `.env` files takes it as it is.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '"' | '\\' | '$' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_.-]{0,12}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_env_file_of_anything_is_read_or_refused_line_by_line(text in snippets()) {
        let lines_max = text.matches('\n').count() + 1;
        match EnvFile::parse(&text, Path::new("e")) {
            Ok(file) => {
                let numbers: Vec<usize> = file.lines.iter().map(|line| line.number).collect();
                prop_assert!(numbers.is_sorted() && numbers.iter().all(|line| *line <= lines_max));
                for line in &file.lines {
                    prop_assert!(!line.name.is_empty() && line.name.is_ascii());
                }
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty() && problems.len() <= lines_max);
                for problem in problems {
                    // The place and one of four sentences: nothing of what stands there.
                    let line = problem.place.strip_prefix("e:").and_then(|line| line.parse().ok());
                    prop_assert!(line.is_some_and(|line: usize| line <= lines_max), "{}", problem.place);
                    prop_assert!(problem.text.is_ascii() && problem.text.len() < 60);
                }
            }
        }
    }

    #[test]
    fn an_env_file_says_what_was_written_into_it(
        pairs in prop::collection::vec((name(), any::<String>(), any::<bool>()), 0..8)
    ) {
        let mut text = String::new();
        for (name, value, is_exported) in &pairs {
            let export = if *is_exported { "export " } else { "" };
            text.push_str(&format!("{export}{name}={} # remark\n", quoted(value)));
        }
        let file = EnvFile::parse(&text, Path::new("e")).unwrap();
        let read: Vec<_> = file.lines.into_iter().map(|line| (line.name, line.value)).collect();
        let written: Vec<_> = pairs.into_iter().map(|(name, value, _)| (name, value)).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn a_configuration_file_of_anything_is_read_or_refused(text in snippets()) {
        let mut problems = Vec::new();
        file::parse(&text, Path::new("c.yaml"), &mut problems);
        for problem in problems {
            prop_assert!(problem.place.starts_with("c.yaml"), "{}", problem.place);
            prop_assert!(!problem.text.is_empty());
        }
    }

    #[test]
    fn a_secret_in_a_configuration_file_is_never_quoted(before in snippets(), after in snippets()) {
        const SECRET: &str = "hunter2hunter2";
        let text = format!(
            "version: 1\nnotify: {{smtp: {{password: [{SECRET}], host: h}}}}\n{before}\n{after}"
        );
        let mut problems = Vec::new();
        file::parse(&text, Path::new("c.yaml"), &mut problems);
        for problem in problems {
            prop_assert!(!problem.text.contains(SECRET), "{}", problem.text);
        }
    }
}

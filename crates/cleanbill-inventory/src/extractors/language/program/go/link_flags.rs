//! The version that linker flags set. Source: spec 04 section 1.8; the flags are read as the
//! reference implementation's flag library (pflag 1.0, unknown flags allowed) reads them.

use std::collections::BTreeMap;

use super::version::Candidates;
use super::words;

/// Returns the version of the main module that `-X` flags set, or nothing.
pub(super) fn version(link_flags: &str, main_path: &str) -> String {
    let variables = words::split(link_flags).and_then(|words| parse(&words));
    let mut candidates = Candidates::new(main_path);
    for (variable, value) in variables.unwrap_or_default() {
        let variable = variable.trim_start_matches('\'');
        candidates.add(variable, value.trim_end_matches('\''));
    }
    candidates.choose()
}

/// Returns the variables that are set. `None` if the flags make no sense.
fn parse(words: &[String]) -> Option<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        if word == "--" {
            break;
        }
        if let Some(name) = word.strip_prefix("--") {
            rest = skip_long(name, rest)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            rest = take_short(letters, rest, &mut variables)?;
        }
    }
    Some(variables)
}

fn skip_long<'a>(name: &str, rest: &'a [String]) -> Option<&'a [String]> {
    if name.is_empty() || name.starts_with(['-', '=']) {
        return None;
    }
    // The only one that is known; it takes no word.
    let is_help = name == "help" || name.starts_with("help=");
    Some(if is_help || name.contains('=') {
        rest
    } else {
        without_value(rest)
    })
}

/// Reads a group of one-letter flags: `-X`, but `-extldflags` too.
fn take_short<'a>(
    letters: &str,
    after: &'a [String],
    variables: &mut BTreeMap<String, String>,
) -> Option<&'a [String]> {
    let mut letters = letters;
    let mut rest = after;
    while let Some(letter) = letters.chars().next() {
        if letters.starts_with("test.") {
            break;
        }
        let following = letters.get(letter.len_utf8()..).unwrap_or_default();
        let assigned = following
            .strip_prefix('=')
            .filter(|value| !value.is_empty());
        letters = following;
        match (letter, assigned) {
            ('X', Some(value)) => return set(value, variables).map(|()| after),
            ('X', None) if !following.is_empty() => {
                return set(following, variables).map(|()| after);
            }
            ('X', None) => {
                let (value, rest) = after.split_first()?;
                return set(value, variables).map(|()| rest);
            }
            ('h', None) => rest = after,
            // `-h=value` is a switch that is set to something else.
            ('h', Some(value)) => return is_switch(value).then_some(after),
            (_, Some(_)) => return Some(after),
            (_, None) => rest = without_value(after),
        }
    }
    Some(rest)
}

fn is_switch(value: &str) -> bool {
    const SWITCHES: [&str; 12] = [
        "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
    ];
    SWITCHES.contains(&value)
}

/// Skips the word after an unknown flag, which may be its value.
fn without_value(rest: &[String]) -> &[String] {
    match rest.split_first() {
        Some((first, after)) if !first.starts_with('-') => after,
        _ => rest,
    }
}

/// Reads `variable=value`; with more than one `=`, a line of comma-separated pairs.
fn set(text: &str, variables: &mut BTreeMap<String, String>) -> Option<()> {
    let pairs = match text.matches('=').count() {
        0 => return None,
        1 => vec![text.trim_matches('"').to_owned()],
        _ => comma_separated(text)?,
    };
    for pair in pairs {
        let (variable, value) = pair.split_once('=')?;
        variables.insert(variable.to_owned(), value.to_owned());
    }
    Some(())
}

/// Reads the first record of comma-separated values. Source: Go `encoding/csv`.
fn comma_separated(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim_start_matches(['\r', '\n']);
    let mut fields = Vec::new();
    loop {
        let field;
        (field, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some(fields),
        }
    }
}

fn plain_field(text: &str) -> Option<(String, &str)> {
    let end = text.find([',', '\n']).unwrap_or(text.len());
    let (field, rest) = text.split_at_checked(end)?;
    let field = if rest.starts_with('\n') {
        field.strip_suffix('\r').unwrap_or(field)
    } else {
        field
    };
    (!field.contains('"')).then(|| (field.to_owned(), rest))
}

/// Reads a field after its opening quote.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None if after.is_empty() || after.starts_with([',', '\n']) => {
                return Some((field, after));
            }
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(flags: &str, main_path: &str, expected: &str) {
        assert_eq!(version(flags, main_path), expected, "{flags}");
    }

    /// Source: spec 04 section 5, and flags that real projects are linked with.
    #[test]
    fn the_likeliest_variable_gives_the_version() {
        const TOOL: &str = "example.org/tool";
        for (flags, expected) in [
            ("-s -w -X main.version=1.2.3", "1.2.3"),
            ("-X=main.version=v1.2.3", "v1.2.3"),
            ("-Xmain.version=v1.2.3", "v1.2.3"),
            ("-X 'main.version=1.2.3'", "1.2.3"),
            ("-X=\"main.Version=1.2.3\"", "1.2.3"),
            (r#"-X ='example.org/tool/pkg/version/app.ver=v0.50.1'"#, ""),
            (
                "-X='example.org/tool/pkg/version/app.ver=v0.50.1'",
                "v0.50.1",
            ),
            (
                "-X example.org/tool/cmd/Any.Ver=0.50.0 -X example.org/tool/pkg/version.Ver=0.50.1",
                "0.50.0",
            ),
            (
                "-X example.org/tool/pkg/Any.Ver=0.50.0 -X example.org/tool/pkg/Common.Ver=0.50.1",
                "0.50.1",
            ),
            ("-X main.version=1.0.0 -X common.Ver=1.0.1", ""),
            ("-X a.b/x.version=1.0.0 -X a.b/y.version=1.0.1", ""),
            ("-X a.b/common.kubectlVersion=v0.26.11", ""),
            ("-X main.version=dev", ""),
            (
                "-X a.b/version.Version=v1.28.6+k3s2 -w -s -extldflags \"-static -lm -lpthread\"",
                "v1.28.6+k3s2",
            ),
            (
                "-linkmode external -X main.version=2.0.0 -buildid=",
                "2.0.0",
            ),
            ("-X main.flags=a=b,main.version=2.0.0", "2.0.0"),
            ("-X main.flags=\\\"a=b\\\",main.version=2.0.0", ""),
            ("-X main.version", ""),
            ("-X 'main.version=1.0.0", ""),
            ("-X main.other -X main.version=1.0.0", ""),
            ("-help -h -X main.version=1.0.0", "1.0.0"),
            ("-- -X main.version=1.0.0", ""),
            ("", ""),
        ] {
            check(flags, TOOL, expected);
        }
    }
}

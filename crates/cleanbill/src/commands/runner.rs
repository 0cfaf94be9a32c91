//! Keeps what a report quotes from being taken for a command by the runner of a pipeline, which
//! reads what is printed: `::name::` at the beginning of a line (GitHub), `##[name]` (GitHub, Azure)
//! and `##vso[name]` or `##teamcity[name]` anywhere (Azure, TeamCity).
//!
//! Source: actions/runner `src/Runner.Common/ActionCommand.cs`, azure-pipelines-agent
//! `src/Agent.Sdk/Util/Command.cs`, TeamCity "Service messages".

use cleanbill_report::text::clean;

/// Makes a quoted text harmless wherever a line of it may begin, also where it is wrapped.
pub(in crate::commands) fn quoted(text: &str) -> String {
    let text = markdown(clean(text).into_owned());
    let mut words = Vec::new();
    for word in text.split(' ') {
        words.push(match word.strip_prefix("::") {
            Some(rest) => format!(": :{rest}"),
            None => word.to_owned(),
        });
    }
    words.join(" ")
}

/// Makes a document in Markdown harmless, which has no heading without a space.
pub(in crate::commands) fn markdown(document: String) -> String {
    with_second_sign(document, "# ")
}

/// Makes a document in XML harmless; a reader finds the same in it.
pub(in crate::commands) fn xml(document: String) -> String {
    with_second_sign(document, "&#35;")
}

/// Makes a document in JSON harmless; a reader finds the same in it.
pub(in crate::commands) fn json(document: String) -> String {
    // Only texts have this sign.
    with_second_sign(document, "\\u0023")
}

/// Writes the second sign of what begins a command in another way.
fn with_second_sign(text: String, sign: &str) -> String {
    if !text.contains("##") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + sign.len());
    for char in text.chars() {
        if out.ends_with("##") && (char == '[' || char.is_ascii_alphabetic()) {
            out.pop();
            out.push_str(sign);
        }
        out.push(char);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_command_is_written_in_another_way() {
        let check = |text: &str, expected: &str| assert_eq!(quoted(text), expected);
        check("a ##[b]c", "a ## [b]c");
        check("###[b]", "### [b]");
        check("##vso[x] ##VSO[x]", "## vso[x] ## VSO[x]");
        check("::a:: b ::c", ": :a:: b : :c");
        check("# a ## b ##1 #[c]", "# a ## b ##1 #[c]");
    }

    #[test]
    fn a_reader_finds_the_same() {
        let text = "##[a] ##vso[b]c ###[d] ## e";
        let written = json(serde_json::to_string(text).unwrap());
        assert!(
            !written.contains("##[") && !written.contains("##v"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        assert_eq!(xml("<a>##[b]</a>".to_owned()), "<a>#&#35;[b]</a>");
    }
}

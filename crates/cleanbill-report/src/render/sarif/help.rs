//! What a code host prints below an alert.

use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::Finding;

use super::super::exploitation::Exploitation;
use super::super::words;
use super::text::{Help, plain};
use crate::escape::link::web_address;
use crate::escape::markdown::{Code, Words};

/// References before the list is cut.
const REFERENCES_MAX: usize = 10;
/// Characters of a description.
const DESCRIPTION_MAX: usize = 4_000;

/// Describes a vulnerability whoever is hit by it.
pub(super) fn of(finding: &Finding, severity: Severity, exploitation: Exploitation<'_>) -> Help {
    let details = finding.details.as_deref();
    let mut text = format!("Vulnerability {}\n", plain(&finding.vulnerability_id));
    let mut markdown = format!("# {}\n\n", Words(&finding.vulnerability_id));
    let title = words::title(finding);
    if !title.is_empty() {
        text.push_str(&format!("{}\n", plain(title)));
        markdown.push_str(&format!("**{}**\n\n", Words(title)));
    }
    text.push_str(&format!("Severity: {severity}\n"));
    markdown.push_str("| Severity | Rated by | CVSS | Published |\n|---|---|---|---|\n");
    let (score, vector) = words::cvss(finding)
        .map(|(_, cvss)| (words::score(cvss), words::vector(cvss)))
        .unwrap_or_default();
    let score = score
        .map(|score| format!("{score:.1} "))
        .unwrap_or_default();
    let published = details
        .map(|details| details.published.as_str())
        .unwrap_or_default();
    markdown.push_str(&format!(
        "| {severity} | {} | {score}{} | {} |\n\n",
        Words(&finding.severity_source),
        Code(vector),
        Words(published.get(..10).unwrap_or_default()),
    ));
    for (name, fact) in exploitation.facts() {
        text.push_str(&format!("{name}: {}\n", plain(&fact)));
        markdown.push_str(&format!("**{name}:** {}\n\n", Words(&fact)));
    }
    let description = words::description(finding);
    let description: String = description.chars().take(DESCRIPTION_MAX).collect();
    if !description.trim().is_empty() {
        text.push_str(&format!("{}\n", plain(description.trim())));
        for line in description.trim().lines() {
            markdown.push_str(&format!("{}\n", Words(line)));
        }
        markdown.push('\n');
    }
    references(finding, &mut text, &mut markdown);
    Help { text, markdown }
}

fn references(finding: &Finding, text: &mut String, markdown: &mut String) {
    let details = finding.details.as_deref();
    let references = details.map(|details| details.references.as_slice());
    let links = std::iter::once(&finding.primary_url)
        .chain(references.unwrap_or_default())
        .filter_map(|url| web_address(url))
        .take(REFERENCES_MAX);
    for link in links {
        text.push_str(&format!("{}\n", plain(link)));
        markdown.push_str(&format!("- <{link}>\n"));
    }
}

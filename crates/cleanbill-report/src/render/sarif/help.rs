//! What a code host prints below an alert.

use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::Finding;

use super::super::words;
use super::text::{Help, plain};
use crate::escape::link::web_address;
use crate::escape::markdown::{Code, Words};

/// References before the list is cut.
const REFERENCES_MAX: usize = 10;
/// Characters of a description.
const DESCRIPTION_MAX: usize = 4_000;

/// Describes a vulnerability whoever is hit by it.
pub(super) fn of(finding: &Finding, severity: Severity) -> Help {
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
        .map(|(_, cvss)| (words::score(cvss), vector(cvss)))
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

fn vector(cvss: &cleanbill_core::vulnerability::Cvss) -> &str {
    [&cvss.v40_vector, &cvss.v3_vector, &cvss.v2_vector]
        .into_iter()
        .find(|vector| !vector.is_empty())
        .map(String::as_str)
        .unwrap_or_default()
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

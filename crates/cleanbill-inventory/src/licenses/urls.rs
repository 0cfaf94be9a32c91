//! The addresses at which licences are published.
//!
//! `urls.tsv` has the addresses that the SPDX licence list names ("see also"), in the form that
//! [`key`] makes, each with its identifier. Source: Trivy 0.74.0 `NormalizeLicenseURL`.

use std::collections::HashMap;
use std::sync::LazyLock;

static BY_URL: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("urls.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect()
});

/// Returns the SPDX identifier of the licence that is published at an address.
pub(crate) fn spdx_id_by_url(url: &str) -> Option<String> {
    BY_URL.get(key(url).as_str()).map(|id| (*id).to_owned())
}

/// Makes the form in which addresses of one page are equal.
fn key(url: &str) -> String {
    let url = without_scheme(url.trim());
    let url = archived(url).map_or(url, without_scheme);
    let host_end = url.find(['/', '?', '#']).unwrap_or(url.len());
    let (host, rest) = url.split_at(host_end);
    let url = format!("{}{rest}", host.to_lowercase());
    let url = url.strip_prefix("www.").unwrap_or(&url);
    let url = url.replacen("opensource.org/licenses/", "opensource.org/license/", 1);
    let url = url.strip_suffix('/').unwrap_or(&url);
    [".txt", ".html", ".htm", ".php", ".md"]
        .iter()
        .find_map(|extension| url.strip_suffix(extension))
        .unwrap_or(url)
        .to_owned()
}

fn without_scheme(url: &str) -> &str {
    ["https://", "http://"]
        .iter()
        .find_map(|scheme| strip_prefix_in_any_case(url, scheme))
        .unwrap_or(url)
}

/// Returns what a snapshot of the Wayback Machine (`/web/<time>/<address>`) shows.
fn archived(url: &str) -> Option<&str> {
    ["web.archive.org", "wayback.archive.org"]
        .iter()
        .find_map(|host| {
            let rest = strip_prefix_in_any_case(url, host)?.strip_prefix("/web/")?;
            let (time, captured) = rest.split_once('/')?;
            let is_time = time.starts_with(|c: char| c.is_ascii_digit());
            (is_time && !captured.is_empty()).then_some(captured)
        })
}

fn strip_prefix_in_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_page_are_one_licence() {
        for (url, expected) in [
            (
                "https://www.apache.org/licenses/LICENSE-2.0",
                Some("Apache-2.0"),
            ),
            (
                " HTTP://Apache.org/licenses/LICENSE-2.0.txt ",
                Some("Apache-2.0"),
            ),
            ("https://opensource.org/licenses/MIT/", Some("MIT")),
            (
                "https://web.archive.org/web/2020/http://www.apache.org/licenses/LICENSE-2.0.html",
                Some("Apache-2.0"),
            ),
            ("https://www.apache.org/licenses/license-2.0", None),
            ("https://example.com/", None),
            ("", None),
        ] {
            assert_eq!(spdx_id_by_url(url).as_deref(), expected, "{url}");
        }
    }
}

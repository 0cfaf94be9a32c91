//! Licences by the address that a manifest or a `pom.xml` gives for them.
//!
//! Addresses at opensource.org and spdx.org carry the identifier; those of other publishers that
//! Java projects name are listed. The reference knows the addresses of the whole SPDX list.

use cleanbill_core::spdx;

/// Pages of publishers, in the form of [`key`].
const PAGES: &[(&str, &str)] = &[
    ("apache.org/licenses/LICENSE-1.0", "Apache-1.0"),
    ("apache.org/licenses/LICENSE-1.1", "Apache-1.1"),
    ("apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
    ("creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
    (
        "creativecommons.org/publicdomain/zero/1.0/legalcode",
        "CC0-1.0",
    ),
    ("eclipse.org/legal/epl-2.0", "EPL-2.0"),
    ("eclipse.org/legal/epl-v10", "EPL-1.0"),
    ("eclipse.org/legal/epl-v20", "EPL-2.0"),
    ("eclipse.org/org/documents/edl-v10", "BSD-3-Clause"),
    ("projects.eclipse.org/license/epl-2.0", "EPL-2.0"),
    ("glassfish.java.net/public/CDDL+GPL_1_1", "CDDL-1.1"),
    ("javaee.github.io/glassfish/LICENSE", "CDDL-1.1"),
    ("gnu.org/licenses/agpl", "AGPL-3.0-only"),
    ("gnu.org/licenses/gpl-3.0-standalone", "GPL-3.0-only"),
    ("gnu.org/licenses/lgpl-3.0-standalone", "LGPL-3.0-only"),
    ("gnu.org/licenses/old-licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/old-licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("json.org/license", "JSON"),
    ("mozilla.org/MPL/MPL-1.0", "MPL-1.0"),
    ("mozilla.org/MPL/MPL-1.1", "MPL-1.1"),
    ("opensource.org/license/cddl1", "CDDL-1.0"),
    ("unlicense.org", "Unlicense"),
];

/// Places below which the last part of an address is the identifier.
const LISTS: &[&str] = &["opensource.org/license/", "spdx.org/licenses/"];

/// Returns the SPDX identifier of the licence that is published at an address.
pub(crate) fn spdx_id_by_url(url: &str) -> Option<String> {
    let key = key(url);
    let listed = LISTS.iter().find_map(|list| key.strip_prefix(list));
    if let Some(id) = listed.and_then(spdx::license_id) {
        return Some(id.to_owned());
    }
    let page = PAGES.iter().find(|(page, _)| *page == key);
    page.map(|(_, id)| (*id).to_owned())
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

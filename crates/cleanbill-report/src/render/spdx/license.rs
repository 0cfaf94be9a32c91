//! Licences of packages as one expression. Names that the SPDX list does not have become
//! references to texts of this document.
//!
//! Source: SPDX 2.3 sections 7.13, 7.15 and 10.

use std::collections::BTreeMap;

use cleanbill_core::Digest;
use serde::Serialize;

use crate::render::sbom::license::{self, TEXT_PREFIX};
use crate::render::sbom::{Bom, Part};

const NO_ASSERTION: &str = "NOASSERTION";

/// Joins the licences of a component.
pub(super) fn expression(part: &Part<'_>) -> String {
    let Some((_, package)) = part.package() else {
        return NO_ASSERTION.to_owned();
    };
    let stated: Vec<&String> = package.licenses.iter().filter(|l| !l.is_empty()).collect();
    let several = stated.len() > 1;
    let terms: Vec<String> = stated
        .into_iter()
        .map(|text| match license::parse(text) {
            Some(expression) if expression.is_compound && several => {
                format!("({})", expression.text)
            }
            Some(expression) => expression.text,
            None => reference(text),
        })
        .collect();
    if terms.is_empty() {
        NO_ASSERTION.to_owned()
    } else {
        terms.join(" AND ")
    }
}

fn reference(text: &str) -> String {
    let hex = Digest::of(text.as_bytes()).to_hex();
    format!("LicenseRef-{}", hex.get(..16).unwrap_or_default())
}

/// Holds the texts that expressions refer to, by their references.
pub(super) struct ExtractedLicenses<'a>(BTreeMap<String, &'a str>);

impl<'a> ExtractedLicenses<'a> {
    pub(super) fn of(bom: &'a Bom<'_>) -> Self {
        let packages = bom.components().iter().filter_map(|c| c.part.package());
        let texts = packages.flat_map(|(_, package)| &package.licenses);
        let unknown = texts.filter(|text| !text.is_empty() && license::parse(text).is_none());
        Self(
            unknown
                .map(|text| (reference(text), text.as_str()))
                .collect(),
        )
    }

    pub(super) fn views(&self) -> Vec<View<'a>> {
        self.0
            .iter()
            .map(|(id, text)| match text.strip_prefix(TEXT_PREFIX) {
                Some(found) => View {
                    id: id.clone(),
                    name: NO_ASSERTION,
                    text: not_blank(found),
                },
                None => View {
                    id: id.clone(),
                    name: text,
                    text: format!("This package states the licence {text:?}"),
                },
            })
            .collect()
    }
}

fn not_blank(text: &str) -> String {
    if text.trim().is_empty() {
        NO_ASSERTION.to_owned()
    } else {
        text.to_owned()
    }
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    #[serde(rename = "licenseId")]
    id: String,
    name: &'a str,
    #[serde(rename = "extractedText")]
    text: String,
}

//! Links among the members of an archive.

use std::collections::HashMap;

use cleanbill_core::{Limits, path};

use crate::ImageError;
use crate::tar::{Entry, typeflag};

/// Knows which members stand for others.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// The places where a link may lead, by its own.
    targets: HashMap<String, Vec<String>>,
}

impl Links {
    /// Takes a link. A symbolic one leads from its directory, a hard one from the root; Trivy
    /// follows both from the directory, so a hard one may lead there too.
    pub(super) fn take(&mut self, name: &str, entry: &Entry) {
        let target = String::from_utf8_lossy(&entry.link);
        let from_directory = path::resolve_link(name, &target);
        let targets = match entry.typeflag {
            typeflag::HARD_LINK => vec![path::clean(&target), from_directory],
            _ => vec![from_directory],
        };
        self.targets.insert(name.to_owned(), targets);
    }

    /// Follows links from a name until a member that has content.
    ///
    /// # Errors
    ///
    /// The links lead in a circle, or too far.
    pub(super) fn resolve(
        &self,
        name: &str,
        has_content: impl Fn(&str) -> bool,
        place: &str,
        limits: &Limits,
    ) -> Result<Option<String>, ImageError> {
        let mut current = path::clean(name);
        for _ in 0..=limits.link_depth_max {
            if has_content(&current) {
                return Ok(Some(current));
            }
            let Some(targets) = self.targets.get(&current) else {
                return Ok(None);
            };
            let is_known = |target: &&String| {
                has_content(target) || self.targets.contains_key(target.as_str())
            };
            match targets.iter().find(is_known) {
                Some(target) => current.clone_from(target),
                None => return Ok(None),
            }
        }
        Err(ImageError::Malformed {
            what: format!("'{name}' in {place}"),
            reason: "links lead in a circle".to_owned(),
        })
    }
}

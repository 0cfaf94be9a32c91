//! What Java archives have turned out to be.

use std::borrow::Cow;

use cleanbill_core::inventory::{ApplicationGroup, ApplicationView, Ends, PackagesByPath};
use cleanbill_core::{Package, TextList};

use super::{Found, KIND};

/// Holds the Java archives of a layer as applications, sorted by path.
///
/// Archives that nobody has identified are no packages: they only count. There may be a hundred
/// thousand of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResolvedArchives {
    group: ApplicationGroup,
    /// The unidentified archives of each application: what its path lacks to theirs.
    unidentified: TextList,
    /// Where those of each application end.
    unidentified_ends: Ends,
}

/// Shows an archive of a layer.
#[derive(Clone, Copy)]
pub(crate) struct ResolvedArchive<'a> {
    archives: &'a ResolvedArchives,
    number: usize,
    /// The packages of it and of those inside it.
    pub(crate) application: ApplicationView<'a>,
}

/// Says which archives of an image nobody has identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnidentifiedArchives {
    /// How many there are.
    pub count: usize,
    /// The path that sorts first.
    pub example: String,
}

impl ResolvedArchives {
    pub(super) fn new() -> Self {
        Self {
            group: ApplicationGroup::new(KIND, PackagesByPath::default()),
            ..Self::default()
        }
    }

    /// Appends an archive. One of which all is known and that is nothing replaces nothing, and is
    /// left out: [`crate::merge`].
    pub(super) fn push(&mut self, path: &str, found: Found) {
        let Found {
            packages,
            unidentified,
        } = found;
        if packages.is_empty() && unidentified.is_empty() {
            return;
        }
        self.group.packages_mut().push(path, packages);
        for unidentified in &unidentified {
            // What lies in an archive has the archive's path in front.
            let rest = unidentified.strip_prefix(path).unwrap_or_default();
            self.unidentified.push(rest);
        }
        self.unidentified_ends.push(self.unidentified.len());
    }

    pub(super) fn shrink(&mut self) {
        self.group.packages_mut().shrink();
        self.unidentified.shrink();
        self.unidentified_ends.shrink();
    }

    /// Returns the applications; one without a package holds unidentified archives only.
    pub(crate) fn group(&self) -> &ApplicationGroup {
        &self.group
    }

    /// Takes the packages of all archives away; none is left.
    pub(crate) fn take_packages(&mut self) -> Vec<Package> {
        self.group.packages_mut().take_packages()
    }

    /// Returns an archive by its number.
    pub(crate) fn get(&self, number: usize) -> Option<ResolvedArchive<'_>> {
        Some(ResolvedArchive {
            archives: self,
            number,
            application: self.group.get(number)?,
        })
    }
}

impl<'a> ResolvedArchive<'a> {
    /// Iterates over the paths of the archives that nobody has identified: its own, and those of
    /// archives inside it.
    pub(crate) fn unidentified(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let Self {
            archives,
            number,
            application,
        } = *self;
        let numbers = archives.unidentified_ends.span(number);
        let rests = numbers.filter_map(|number| archives.unidentified.get(number));
        rests.map(move |rest| match rest {
            "" => Cow::Borrowed(application.path),
            rest => Cow::Owned(format!("{}{rest}", application.path)),
        })
    }
}

impl UnidentifiedArchives {
    /// Counts archives; `None` if there is none.
    pub(crate) fn of<'a>(paths: impl Iterator<Item = Cow<'a, str>>) -> Option<Self> {
        let mut count = 0;
        let mut example: Option<Cow<'_, str>> = None;
        for path in paths {
            count += 1;
            if example.as_ref().is_none_or(|example| path < *example) {
                example = Some(path);
            }
        }
        Some(Self {
            count,
            example: example?.into_owned(),
        })
    }
}

//! `status` and the files in `status.d`: one paragraph per package.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use cleanbill_core::package::RepositoryClass;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Package, Problem};
use cleanbill_version::deb::Version;

use super::control::{ParagraphEnd, Paragraphs};
use super::third_party::is_third_party;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, FileInput};
use crate::room::Room;

/// Reads a status file as a stream: what is kept is the result. Packages that were read before an
/// error are kept too.
pub(super) fn extract(
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> Result<(), ExtractError> {
    let path = file.path;
    let mut status = Status {
        packages: Vec::new(),
        needs: Vec::new(),
        places: HashMap::new(),
        hasher: RandomState::new(),
        names: NameTable::default(),
        malformed_count: 0,
        packages_max: file.limits.packages_per_layer_max,
        packages_room: Room::of_packages(file.limits),
        room: Room::new(file.limits),
    };
    let result = status.read(file);
    if status.malformed_count > 0 {
        draft.add_problem(Problem::at(
            ProblemKind::UnreadableFile,
            path,
            format!(
                "{} malformed entries were left out or cut",
                status.malformed_count
            ),
        ));
    }
    draft.add_database(path, status.finish());
    result.and_then(|()| status.room.check())
}

const FIELDS: [&str; 7] = [
    "Package",
    "Status",
    "Version",
    "Source",
    "Architecture",
    "Maintainer",
    "Depends",
];

/// Holds the packages of one file so far.
struct Status {
    packages: Vec<Package>,
    /// The numbers of the names that each package needs.
    needs: Vec<Vec<u32>>,
    /// The places of packages by the hashes of their ids, which take less room than the ids: of
    /// packages with equal name and version (of several architectures) the last counts.
    places: HashMap<u64, u32>,
    hasher: RandomState,
    /// Names that packages have or need, each once.
    names: NameTable,
    malformed_count: u64,
    packages_max: u64,
    /// What is left for packages.
    packages_room: Room,
    /// What is left for what they need: the names first, then the ids in their place.
    room: Room,
}

impl Status {
    fn read(&mut self, file: &mut FileInput<'_>) -> Result<(), ExtractError> {
        let mut paragraphs = Paragraphs::new(file, FIELDS);
        while let Some(paragraph) = paragraphs.next()? {
            self.malformed_count += u64::from(paragraph.is_damaged);
            if let Some(fields) = paragraph.fields {
                self.malformed_count += u64::from(is_cut(&fields, paragraph.end));
                self.add(fields)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, fields: [String; FIELDS.len()]) -> Result<(), ExtractError> {
        let [name, status, version, source, arch, maintainer, depends] = fields;
        if is_removed(&status) || name.is_empty() || version.is_empty() {
            return Ok(());
        }
        let Some(mut package) = versioned(name, &version, &source) else {
            self.malformed_count += 1;
            return Ok(());
        };
        package.repository_class = if is_third_party(&maintainer) {
            RepositoryClass::ThirdParty
        } else {
            RepositoryClass::Official
        };
        package.arch = arch;
        package.maintainer = maintainer;
        if self.packages.len() as u64 >= self.packages_max {
            return Err(ExtractError::LimitExceeded(format!(
                "more than {} packages (packages_per_layer_max)",
                self.packages_max
            )));
        }
        if !self.packages_room.take_package(&package) {
            return self.packages_room.check();
        }
        let needs = self.dependencies(&depends);
        self.put(package, needs);
        Ok(())
    }

    fn put(&mut self, package: Package, needs: Vec<u32>) {
        // Limits keep the count far below 2³².
        let next = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        let hash = self.hasher.hash_one(&package.id);
        let place = *self.places.entry(hash).or_insert(next);
        self.names.set_package(&package.name, place);
        let known = self.packages.get_mut(place as usize);
        match known.zip(self.needs.get_mut(place as usize)) {
            Some(known) => (*known.0, *known.1) = (package, needs),
            None => {
                self.packages.push(package);
                self.needs.push(needs);
            }
        }
    }

    /// Returns the numbers of the names that a package needs, as long as there is room.
    fn dependencies(&mut self, depends: &str) -> Vec<u32> {
        let mut numbers = Vec::new();
        for alternative in depends.split([',', '|']) {
            let name = alternative.split('(').next().unwrap_or_default().trim();
            if name.is_empty() {
                continue;
            }
            if !self.names.contains(name) && !self.room.take(name.len()) {
                break;
            }
            numbers.push(self.names.number(name));
        }
        numbers.sort_unstable();
        numbers.dedup();
        if !numbers.is_empty() && !self.room.take(numbers.len() * size_of::<u32>()) {
            numbers = Vec::new();
        }
        numbers.shrink_to_fit();
        numbers
    }

    /// Returns the packages, with the ids of what they need as long as there is room.
    fn finish(&mut self) -> Vec<Package> {
        let mut packages = std::mem::take(&mut self.packages);
        for (place, needs) in std::mem::take(&mut self.needs).into_iter().enumerate() {
            let needed = needs
                .iter()
                .filter_map(|number| self.names.package(*number));
            let needed: BTreeSet<&str> = needed
                .filter_map(|place| packages.get(place as usize))
                .map(|package| package.id.as_str())
                .collect();
            let depends_on = self.room.copy(needed);
            if let Some(package) = packages.get_mut(place) {
                package.depends_on = depends_on;
            }
        }
        packages
    }
}

/// Says whether the file ends too early, in a paragraph that has no version yet. Where an empty line
/// ends it, whoever wrote it had no more to say.
fn is_cut(fields: &[String; FIELDS.len()], end: ParagraphEnd) -> bool {
    let [name, status, version, ..] = fields;
    if !version.is_empty() || is_removed(status) {
        return false;
    }
    match end {
        ParagraphEnd::EmptyLine => false,
        ParagraphEnd::EndOfFile => !name.is_empty() && !is_not_installed(status),
        ParagraphEnd::WithinLine => !is_not_installed(status),
    }
}

fn is_removed(status: &str) -> bool {
    status
        .split_whitespace()
        .any(|word| matches!(word, "deinstall" | "purge"))
}

/// Says whether dpkg knows the package by name only: there is no version then.
fn is_not_installed(status: &str) -> bool {
    status.split_whitespace().nth(2) == Some("not-installed")
}

/// Builds a package with its versions; `None` where one cannot be parsed.
fn versioned(name: String, version_text: &str, source: &str) -> Option<Package> {
    let (src_name, src_version_text) = split_source(source);
    let version = Version::parse(version_text).ok()?;
    let src_version = match src_version_text {
        "" => version.clone(),
        text => Version::parse(text).ok()?,
    };
    Some(Package {
        id: format!("{name}@{version_text}"),
        version: version.upstream().to_owned(),
        release: version.revision().to_owned(),
        epoch: version.epoch(),
        src_name: if src_name.is_empty() {
            name.clone()
        } else {
            src_name.to_owned()
        },
        src_version: src_version.upstream().to_owned(),
        src_release: src_version.revision().to_owned(),
        src_epoch: src_version.epoch(),
        name,
        ..Package::default()
    })
}

/// Splits `name` or `name (version)`; the version reaches to the last parenthesis.
fn split_source(source: &str) -> (&str, &str) {
    let is_end = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r');
    let Some((name, rest)) = source.find(is_end).map(|at| source.split_at(at)) else {
        return (source, "");
    };
    let version = rest
        .strip_prefix(" (")
        .and_then(|rest| rest.rsplit_once(')'));
    (name, version.map_or("", |(version, _)| version.trim()))
}

/// Gives names numbers, so that each is kept once however often it is needed.
#[derive(Default)]
struct NameTable {
    numbers: HashMap<String, u32>,
    /// The place of the last package of each name.
    packages: Vec<Option<u32>>,
}

impl NameTable {
    fn contains(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // Limits keep the count far below 2³².
        let number = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        self.packages.push(None);
        number
    }

    fn set_package(&mut self, name: &str, place: u32) {
        let number = self.number(name);
        if let Some(slot) = self.packages.get_mut(number as usize) {
            *slot = Some(place);
        }
    }

    fn package(&self, number: u32) -> Option<u32> {
        *self.packages.get(number as usize)?
    }
}

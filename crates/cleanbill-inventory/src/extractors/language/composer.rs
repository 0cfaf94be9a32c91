//! PHP packages, from Composer's `vendor/composer/installed.json`.
//!
//! Source: spec 04 section 1.5; Trivy 0.74.0 `pkg/dependency/parser/php/composer`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cleanbill_core::{Limits, Package, package, path};
use serde::Deserialize;
use serde_json::Value;

use super::{package as new_package, package_id, refuse, too_many_packages};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::json::{Field, FieldKind, JsonError, Located, PartSizes, Parts};
use crate::kept::Kept;
use crate::licenses;
use crate::room::Room;

const KIND: &str = "composer-vendor";

/// Finds the packages that `installed.json` lists, wherever it lies.
pub(crate) struct ComposerVendor;

impl Extractor for ComposerVendor {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path::base_name(path) == "installed.json"
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let text = file.keep()?;
        let mut room = Room::new(file.limits);
        match parse(&text, file.limits, &mut room) {
            Ok(packages) if packages.is_empty() => {}
            Ok(packages) => draft.add_application(KIND, file.path, packages),
            Err(error) if error.is_limit() => return Err(error.into()),
            Err(error) => refuse(KIND, file.path, &error.to_string(), draft),
        }
        room.check()
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// The names of packages that were installed for development only are ignored, as in the
/// reference implementation: they are installed.
const FIELDS: &[Field] = &[
    Field {
        name: "packages",
        kind: FieldKind::Items,
    },
    Field {
        name: DEV_PACKAGES,
        kind: FieldKind::Items,
    },
];
const DEV_PACKAGES: &str = "packages-dev";
/// A package of the first list counts before one of the second.
const LISTS: [&str; 2] = ["packages", DEV_PACKAGES];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    require: BTreeMap<String, String>,
    license: Value,
}

/// Is what packages that need another know about it.
struct Known {
    version: String,
    /// The list and the place in it.
    place: (bool, usize),
}

/// Lists the packages; the first of a name counts.
fn parse(text: &Kept<'_>, limits: &Limits, room: &mut Room) -> Result<Vec<Package>, JsonError> {
    let document = Parts::strict(text, FIELDS, PartSizes::of(limits))?;
    let known = known(&document, limits)?;
    let version_of = |name: &str| known.get(name).map(|known| known.version.as_str());
    let mut packages = Vec::with_capacity(known.len());
    each(&document, &mut |entry: Located<Entry<'_>>, place| {
        let Located { value, location } = entry;
        let is_first = known
            .get(&*value.name)
            .is_some_and(|known| known.place == place);
        if is_first {
            packages.push(Package {
                locations: vec![location],
                dev: place.0,
                depends_on: value.depends_on(version_of, room),
                ..value.to_package()
            });
        }
        Ok(())
    })?;
    package::sort(&mut packages);
    Ok(packages)
}

/// Finds the version and the place of each package.
fn known(document: &Parts<'_>, limits: &Limits) -> Result<BTreeMap<String, Known>, JsonError> {
    let mut room = Room::of_graph(limits);
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    each(document, &mut |entry: Located<Entry<'_>>, place| {
        let Entry { name, version, .. } = entry.value;
        let count = known.len() as u64;
        match known.get_mut(&*name) {
            Some(known) if known.place <= place => {}
            Some(known) => {
                known.version = version.into_owned();
                known.place = place;
            }
            None if count >= limits.packages_per_layer_max => {
                return Err(too_many_packages(limits));
            }
            None if room.take(name.len() + version.len()) => {
                let version = version.into_owned();
                known.insert(name.into_owned(), Known { version, place });
            }
            None => {}
        }
        match room.exceeded() {
            Some(message) => Err(JsonError::exceeded(message)),
            None => Ok(()),
        }
    })?;
    Ok(known)
}

/// Is called for each entry, with its place.
type Visit<'a> = &'a mut dyn FnMut(Located<Entry<'_>>, (bool, usize)) -> Result<(), JsonError>;

/// Gives the entries of both lists with their places, in the order of the document.
fn each(document: &Parts<'_>, visit: Visit<'_>) -> Result<(), JsonError> {
    let mut numbers = [0, 0];
    document.each(&LISTS, &mut |part| {
        let is_dev = part.field == DEV_PACKAGES;
        let [regular, dev] = &mut numbers;
        let number = if is_dev { dev } else { regular };
        *number += 1;
        visit(part.decode()?, (is_dev, *number))
    })
}

impl Entry<'_> {
    fn id(&self) -> String {
        id_of(&self.name, &self.version)
    }

    fn to_package(&self) -> Package {
        Package {
            id: self.id(),
            licenses: self.licenses(),
            ..new_package(self.name.as_ref(), self.version.as_ref())
        }
    }

    /// Returns the ids of the required packages that are listed too, sorted. PHP itself and its
    /// extensions are none; nor, as in the reference implementation, is any name that begins as
    /// theirs do.
    fn depends_on<'a>(
        &self,
        version_of: impl Fn(&str) -> Option<&'a str>,
        room: &mut Room,
    ) -> Vec<String> {
        let names = self.require.keys();
        let packages = names.filter(|name| *name != "php" && !name.starts_with("ext"));
        let packages = packages.filter_map(|name| Some((name.as_str(), version_of(name)?)));
        let mut ids = room.join(packages, id_of);
        ids.sort();
        ids
    }

    fn licenses(&self) -> Vec<String> {
        match &self.license {
            Value::String(text) => licenses::split(text),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn id_of(name: &str, version: &str) -> String {
    package_id(KIND, name, version)
}

#[cfg(test)]
mod tests {
    use cleanbill_core::problem::ProblemKind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    const INSTALLED: &str = r#"{
    "packages": [
        {
            "name": "pear/log", "version": "1.13.3", "license": ["MIT"],
            "require": {"php": ">5.2", "pear/pear_exception": "1.0.1 || 1.0.2", "ext-json": "*",
                        "monolog/absent": "*"}
        },
        {
            "name": "pear/pear_exception", "version": "v1.0.2", "license": "BSD-2-Clause or MIT"
        },
        {"name": "pear/log", "version": "9"}
    ],
    "packages-dev": [
        {"name": "phpunit/phpunit", "version": "9.5"}, {"name": "pear/log", "version": "8"}
    ],
    "dev-package-names": ["pear/log"]
}"#;

    #[test]
    fn packages_are_listed_with_their_dependencies_and_lines() {
        let mut room = Room::new(&Limits::default());
        let text = Kept::from(INSTALLED.as_bytes());
        let packages = parse(&text, &Limits::default(), &mut room).unwrap();
        let found: Vec<_> = packages
            .iter()
            .map(|package| {
                let lines = (
                    package.locations[0].start_line,
                    package.locations[0].end_line,
                );
                (&*package.id, lines, package.dev)
            })
            .collect();
        let expected = [
            ("pear/log@1.13.3", (3, 7), false),
            ("pear/pear_exception@v1.0.2", (8, 10), false),
            ("phpunit/phpunit@9.5", (14, 14), true),
        ];
        assert_eq!(found, expected);
        assert_eq!(packages[0].depends_on, ["pear/pear_exception@v1.0.2"]);
        assert_eq!(packages[0].licenses, ["MIT"]);
        assert_eq!(packages[1].licenses, ["BSD-2-Clause", "MIT"]);
    }

    #[test]
    fn files_of_another_shape_are_counted() {
        for text in [
            r#"[{"name": "a/b", "version": "1"}]"#,
            r#"{"packages": [{"name": "a/b", "version": "1", "require": []}]}"#,
            r#"{"packages": [{"name": "a/b", "version": "1", "name": "c"}]}"#,
            r#"{"packages": [null]}"#,
            r#"{"packages": []} 1"#,
        ] {
            let path = "vendor/composer/installed.json";
            let inventory = testing::extract(&ComposerVendor, path, text.as_bytes());
            assert_eq!(testing::applications_of(&inventory), [], "{text}");
            assert_eq!(inventory.problems[0].kind, ProblemKind::IgnoredFile);
        }
    }

    #[test]
    fn a_file_without_packages_is_no_application() {
        let inventory = testing::extract(&ComposerVendor, "installed.json", b"{\"Packages\": 1}");
        assert_eq!(testing::applications_of(&inventory), []);
        assert_eq!(inventory.problems, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_bytes_are_packages_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let limits = Limits::default();
            let _ = parse(&Kept::from(&*bytes), &limits, &mut Room::new(&limits));
        }
    }
}

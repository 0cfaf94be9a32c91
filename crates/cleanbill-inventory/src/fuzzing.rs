//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.
//!
//! Files are read as the walk of a layer reads them, at the path that an image has them.

use std::sync::Arc;

use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::layer::{
    EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader, LayerSummary,
};
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest, Limits, path};

use crate::{ExtractOptions, GrownLayer, LayerInput, MergeOptions, licenses, merge};
use crate::{extract_aliases, extract_layer, read_sbom};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("inventory_apk", apk),
    ("inventory_build_info", build_info),
    ("inventory_cargo", cargo),
    ("inventory_composer", composer),
    ("inventory_conda", conda),
    ("inventory_distro", distro),
    ("inventory_dotnet", dotnet),
    ("inventory_dpkg", dpkg),
    ("inventory_java", java),
    ("inventory_julia", julia),
    ("inventory_licenses", licenses),
    ("inventory_merge", merge_layers),
    ("inventory_node", node),
    ("inventory_program", program),
    ("inventory_python", python),
    ("inventory_rpm", rpm),
    ("inventory_rpm_header", rpm_header),
    ("inventory_rpm_manifest", rpm_manifest),
    ("inventory_ruby", ruby),
    ("inventory_sbom", sbom),
    ("inventory_sbom_input", sbom_input),
];

/// How often layers are read again for links before an image counts as one without end.
const READINGS_MAX: usize = 2_000;

/// Reads the packages of apk.
pub fn apk(data: &[u8]) {
    extract("lib/apk/db/installed", data);
}

/// Reads what Red Hat's builds leave behind: a Dockerfile, and content sets.
pub fn build_info(data: &[u8]) {
    extract("root/buildinfo/Dockerfile-ubi8-8.3-227", data);
    extract("root/buildinfo/content_manifests/ubi8.json", data);
}

/// Reads a lock file of Cargo and, behind a line `-`, the manifest of the workspace and of a member.
pub fn cargo(data: &[u8]) {
    let (lock, manifest) = halves(data);
    extract_all(&[
        ("Cargo.lock", lock),
        ("Cargo.toml", manifest),
        ("crates/a/Cargo.toml", manifest),
    ]);
}

/// Reads what .NET and NuGet leave behind.
pub fn dotnet(data: &[u8]) {
    for path in [
        "app/a.deps.json",
        "packages.lock.json",
        "packages.config",
        "Directory.Packages.props",
    ] {
        extract(path, data);
    }
}

/// Reads a manifest of Julia and, behind a line `-`, the project that it belongs to.
pub fn julia(data: &[u8]) {
    let (manifest, project) = halves(data);
    extract_all(&[("Manifest.toml", manifest), ("Project.toml", project)]);
}

/// Reads the files that name a distribution, and the repositories of apk.
pub fn distro(data: &[u8]) {
    for path in [
        "etc/os-release",
        "etc/redhat-release",
        "etc/lsb-release",
        "etc/system-release",
        "etc/alpine-release",
        "etc/debian_version",
        "etc/apk/repositories",
    ] {
        extract(path, data);
    }
}

/// Reads the packages of dpkg, and what lies beside them.
pub fn dpkg(data: &[u8]) {
    for path in [
        "var/lib/dpkg/status",
        "var/lib/dpkg/status.d/base",
        "var/lib/dpkg/available",
        "var/lib/dpkg/info/base.md5sums",
        "usr/share/doc/base/copyright",
    ] {
        extract(path, data);
    }
}

/// Reads a Java archive from memory and as it passes: both say the same, or one of them says that
/// it cannot.
pub fn java(data: &[u8]) {
    const PATH: &str = "opt/a-1.0.jar";
    let held = extract(PATH, data);
    let limits = Limits {
        buffered_file_size_bytes_max: 0,
        ..Limits::default()
    };
    let passed = extract_within(&[(PATH, data)], &limits);
    for inventory in [&held, &passed] {
        let is_silent = inventory.problems.is_empty()
            && inventory.applications.is_empty()
            && inventory.java_archives.is_empty();
        assert!(data.is_empty() || !is_silent, "an archive is read or told");
    }
    let is_whole = |inventory: &LayerInventory| inventory.problems.is_empty();
    if is_whole(&held) && is_whole(&passed) {
        assert_eq!(held, passed, "both ways of reading agree");
    }
}

/// Splits and normalises names of licences. A normal name stays as it is.
pub fn licenses(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names = licenses::split(&text);
    for name in licenses::normalize_list(&names) {
        assert!(!name.is_empty(), "no licence is nameless");
    }
    for name in licenses::split_at_blanks(&text) {
        assert_eq!(name.trim(), name, "no blanks around a name");
    }
}

/// Reads a compiled program, whole and as it passes by: what passes is found too, or it is told
/// that something was not kept.
pub fn program(data: &[u8]) {
    let files = [("app/tool.exe", data)];
    let whole = extract_all(&files);
    let limits = Limits {
        buffered_file_size_bytes_max: 0,
        ..Limits::default()
    };
    let passing = extract_within(&files, &limits);
    assert!(
        whole.applications == passing.applications || !passing.problems.is_empty(),
        "nothing is overlooked in passing"
    );
}

/// Reads an rpm database of any kind. What is not read is told.
pub fn rpm(data: &[u8]) {
    let inventory = extract("var/lib/rpm/Packages", data);
    let is_silent = inventory.package_databases.is_empty() && inventory.problems.is_empty();
    assert!(
        data.is_empty() || !is_silent,
        "a database is read or reported"
    );
}

/// Reads the header of an rpm package, in the plainest database there is.
pub fn rpm_header(data: &[u8]) {
    rpm(&ndb(data));
}

/// Reads the list of packages of Azure Linux's distroless images.
pub fn rpm_manifest(data: &[u8]) {
    extract("var/lib/rpmmanifest/container-manifest-2", data);
}

/// Reads a list of software in each of its formats.
pub fn sbom(data: &[u8]) {
    for path in [
        "opt/bitnami/a/.spdx-a.spdx",
        "a.spdx.json",
        "a.spdx",
        "a.cdx",
        "a.cdx.json",
    ] {
        extract(path, data);
    }
}

/// Reads a list of software in place of an image. The same bytes list the same.
pub fn sbom_input(data: &[u8]) {
    let read = || read_sbom(data, &MergeOptions::default()).map(|document| document.inventory);
    if let Ok(inventory) = read() {
        assert_eq!(Some(inventory), read().ok(), "the same bytes list the same");
    }
}

/// Reads what Composer has installed.
pub fn composer(data: &[u8]) {
    extract("vendor/composer/installed.json", data);
}

/// Reads the metadata of a Conda package.
pub fn conda(data: &[u8]) {
    extract("opt/conda/envs/a/conda-meta/b-1-0.json", data);
}

/// Reads the manifest of an npm package. One that is read makes one package at most.
pub fn node(data: &[u8]) {
    extract_one("srv/package.json", data);
}

/// Reads the metadata of a Python package, the text of a licence beside it, and a zipped egg.
pub fn python(data: &[u8]) {
    for path in ["lib/a.egg-info", "lib/a.dist-info/METADATA", "lib/a.egg"] {
        extract_one(path, data);
    }
    extract("lib/a.dist-info/LICENSE", data);
}

/// Reads the specification of a gem.
pub fn ruby(data: &[u8]) {
    extract_one("gems/specifications/a-1.gemspec", data);
}

/// Reads a file that describes one package. What it shows depends on its bytes alone.
fn extract_one(path: &str, data: &[u8]) {
    let inventory = extract(path, data);
    let packages: Vec<_> = inventory
        .applications
        .iter()
        .flat_map(|application| application.packages)
        .collect();
    for package in &packages {
        assert!(
            !package.name.is_empty() && !package.version.is_empty(),
            "packages are named"
        );
        assert_eq!(package.file_path, path, "packages know their file");
    }
    assert!(packages.len() <= 1, "one file describes one package");
}

/// Merges layers, following links as the engine does: to an end, whatever leads where.
pub fn merge_layers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let layers = parse_layers(&text);
    let options = ExtractOptions::default();
    let read = |layer: &Layer<'_>| extract_layer(&mut layer.clone(), &options);
    let inventories: Vec<_> = layers.iter().filter_map(|layer| read(layer).ok()).collect();
    let inputs: Vec<_> = inventories.iter().zip(0_u8..).map(input).collect();
    let mut grown: Vec<GrownLayer> = Vec::new();
    loop {
        let merged = merge(&inputs, &grown, &MergeOptions::default());
        if merged.wanted.is_empty() {
            let again = merge(&inputs, &grown, &MergeOptions::default());
            assert_eq!(merged, again, "the same layers make the same image");
            break;
        }
        for request in merged.wanted {
            let is_new = grown.iter().all(|known| {
                (known.layer_index, &known.alias) != (request.layer_index, &request.alias)
            });
            assert!(is_new, "{request:?} is asked for once");
            let mut layer = layers.get(request.layer_index).cloned().unwrap_or_default();
            let aliases = std::slice::from_ref(&request.alias);
            let read = extract_aliases(&mut layer, aliases, &options);
            let mut inventories = read.expect("memory can be read");
            let inventory = inventories.pop().expect("one per alias");
            grown.push(GrownLayer {
                layer_index: request.layer_index,
                alias: request.alias,
                inventory: Arc::new(inventory),
            });
        }
        assert!(grown.len() < READINGS_MAX, "links come to an end");
    }
}

fn input((inventory, index): (&LayerInventory, u8)) -> LayerInput<'_> {
    let diff_id = DiffId(Digest::of(&[index]));
    let id = LayerId {
        digest: None,
        diff_id,
    };
    LayerInput::new(id, inventory)
}

/// Splits at the first line `-`.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(3).position(|window| window == b"\n-\n");
    match at {
        Some(at) => (
            data.get(..=at).unwrap_or(data),
            data.get(at + 3..).unwrap_or(b""),
        ),
        None => (data, b""),
    }
}

/// Reads a layer that has one file, twice.
fn extract(path: &str, content: &[u8]) -> LayerInventory {
    extract_all(&[(path, content)])
}

/// Reads a layer that has some files, twice.
fn extract_all(files: &[(&str, &[u8])]) -> LayerInventory {
    extract_within(files, &Limits::default())
}

/// Reads a layer that has some files, twice, under other limits.
fn extract_within(files: &[(&str, &[u8])], limits: &Limits) -> LayerInventory {
    let entries = files.iter().map(|(path, content)| Entry {
        path: (*path).to_owned(),
        kind: EntryKind::File,
        link_target: "",
        content,
    });
    let layer = Layer(entries.collect());
    let options = ExtractOptions {
        limits: Arc::new(Limits {
            problems_per_layer_max: 10,
            ..limits.clone()
        }),
        ..ExtractOptions::default()
    };
    let read = || extract_layer(&mut layer.clone(), &options).expect("memory can be read");
    let inventory = read();
    assert_eq!(inventory, read(), "the same bytes have the same inventory");
    assert!(inventory.problems.len() <= 11, "problems are bounded");
    inventory
}

/// A layer in memory.
#[derive(Clone, Default)]
struct Layer<'a>(Vec<Entry<'a>>);

#[derive(Clone)]
struct Entry<'a> {
    path: String,
    kind: EntryKind,
    link_target: &'a str,
    content: &'a [u8],
}

impl LayerReader for Layer<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        for entry in &self.0 {
            let header = EntryHeader {
                path: &entry.path,
                path_is_lossy: false,
                kind: entry.kind,
                size_bytes: entry.content.len() as u64,
                mode: 0o644,
                link_target: entry.link_target,
            };
            let visited = visitor.visit(&header, &mut &*entry.content);
            visited.map_err(|source| LayerError::Read {
                what: entry.path.clone(),
                source,
            })?;
        }
        Ok(LayerSummary::default())
    }
}

/// Parses layers that are parted by a line `-`. Each other line is an entry: a letter (`f`ile,
/// `d`irectory, `l`ink, `h`ard link, `w`hiteout, `o`paque directory), its path and, after a tab,
/// the target of a link or the content of a file (`apk`, `dpkg`, `release`, else none).
fn parse_layers(text: &str) -> Vec<Layer<'_>> {
    text.split("\n-\n")
        .take(6)
        .map(|lines| Layer(lines.lines().filter_map(parse_entry).take(40).collect()))
        .collect()
}

fn parse_entry(line: &str) -> Option<Entry<'_>> {
    let (letter, rest) = line.split_at_checked(1)?;
    let (path, target) = rest.split_once('\t').unwrap_or((rest, ""));
    let kind = match letter {
        "f" => EntryKind::File,
        "d" => EntryKind::Directory,
        "l" => EntryKind::Symlink,
        "h" => EntryKind::HardLink,
        "w" => EntryKind::Whiteout,
        "o" => EntryKind::OpaqueDirectory,
        _ => return None,
    };
    let content: &[u8] = match (kind, target) {
        (EntryKind::File, "apk") => b"P:musl\nV:1.2.5-r0\no:musl\n\n",
        (EntryKind::File, "dpkg") => b"Package: bash\nStatus: install ok installed\nVersion: 5.2\n",
        (EntryKind::File, "release") => b"ID=debian\nVERSION_ID=12\n",
        _ => b"",
    };
    let is_link = matches!(kind, EntryKind::Symlink | EntryKind::HardLink);
    Some(Entry {
        path: path::clean(path),
        kind,
        link_target: if is_link { target } else { "" },
        content,
    })
}

/// Puts a header into an NDB of one package. Source: rpm 4.17 `lib/backend/ndb/rpmpkg.c`.
fn ndb(header: &[u8]) -> Vec<u8> {
    const PAGE_SIZE: usize = 4096;
    let words = |words: [u32; 3]| words.into_iter().flat_map(u32::to_le_bytes);
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    let mut file = b"RpmP".to_vec();
    file.extend(words([0, 1, 1]));
    file.resize(32, 0);
    file.extend(b"Slot");
    file.extend(words([1, 4096 / 16, length.div_ceil(16).saturating_add(2)]));
    while file.len() < PAGE_SIZE {
        file.extend(b"Slot");
        file.extend(words([0; 3]));
    }
    file.extend(b"BlbS");
    file.extend(words([1, 0, length]));
    file.extend(header);
    file
}

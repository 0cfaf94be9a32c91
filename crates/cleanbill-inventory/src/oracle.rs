//! Comparison with what the reference implementation found in real images: every field of every
//! package.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::inventory::ImageInventory;
use cleanbill_core::layer::EntryKind;
use cleanbill_core::package::LayerId;
use cleanbill_core::path::{clean, resolve_link};
use cleanbill_core::{Digest, Package};
use serde_json::{Map, Value, json};

use crate::testing::FakeLayer;
use crate::{GrownLayer, LayerInput, MergeOptions, merge};

const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracle");

/// Families for which the reference implementation prints no packages.
const UNLISTED: &[&str] = &["none", "fedora", "centos-stream", "activestate"];

/// Types whose packages need more than the layers: the Java index.
const ELSEWHERE: &[&str] = &["jar"];

#[test]
fn packages_are_those_of_the_reference() {
    let mut differences = Vec::new();
    let mut count = 0;
    for (name, archive) in images() {
        let inventory = inventory_of(&archive);
        let expected = read_json(&format!("expected/{name}.json"));
        let truth = read_json(&format!("truth/{name}.json"));
        let found = match (&truth, &expected) {
            (Some(truth), _) => compare_with_truth(&inventory, truth),
            (None, Some(expected)) => compare_with_report(&inventory, expected),
            (None, None) => continue,
        };
        count += 1;
        differences.extend(
            found
                .into_iter()
                .map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(
        differences.is_empty(),
        "{count} images\n{}",
        differences.join("\n")
    );
}

fn images() -> Vec<(String, PathBuf)> {
    let directory = Path::new(ORACLE).join("images");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        eprintln!("skipped: {} is absent", directory.display());
        return Vec::new();
    };
    let mut images: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path
                .file_name()?
                .to_str()?
                .strip_suffix(".tar.gz")?
                .to_owned();
            Some((name, path))
        })
        .collect();
    images.sort();
    images
}

fn read_json(path: &str) -> Option<Value> {
    let bytes = std::fs::read(Path::new(ORACLE).join(path)).ok()?;
    Some(serde_json::from_slice(&bytes).expect("the oracle's files are JSON"))
}

fn compare_with_truth(inventory: &ImageInventory, truth: &Value) -> Vec<String> {
    let family = inventory.family().to_string();
    let mut expected: Vec<(String, String)> = truth["packages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|package| package[0] == truth["family"])
        .map(|package| (text(&package[1]), text(&package[2])))
        .collect();
    expected.sort();
    let found: Vec<(String, String)> = inventory
        .packages
        .iter()
        .map(|package| (package.name.clone(), package.installed_version()))
        .collect();
    if family == text(&truth["family"]) && found == expected {
        return Vec::new();
    }
    vec![format!("found {family} {found:?}, expected {expected:?}")]
}

fn compare_with_report(inventory: &ImageInventory, report: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let expected_os = &report["Metadata"]["OS"];
    let distro = inventory.distro.clone().unwrap_or_default();
    for (found, expected) in [
        (distro.family.to_string(), text(&expected_os["Family"])),
        (distro.name.clone(), text(&expected_os["Name"])),
        (distro.supplier.clone(), text(&expected_os["Supplier"])),
        (
            distro.extended.to_string(),
            expected_os["extended"]
                .as_bool()
                .unwrap_or(false)
                .to_string(),
        ),
    ] {
        if found != expected {
            differences.push(format!("distro {found:?}, expected {expected:?}"));
        }
    }
    let results = report["Results"].as_array().cloned().unwrap_or_default();
    differences.extend(compare_applications(inventory, &results));
    if UNLISTED.contains(&distro.family.as_str()) {
        return differences;
    }
    let os_result = results.iter().find(|result| result["Class"] == "os-pkgs");
    let expected: Vec<Value> = os_result
        .and_then(|result| result["Packages"].as_array().cloned())
        .unwrap_or_default();
    differences.extend(compare_packages(&inventory.packages, &expected));
    differences.truncate(8);
    differences
}

fn compare_applications(inventory: &ImageInventory, results: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut expected: BTreeMap<(String, String), &Value> = results
        .iter()
        .filter(|result| result["Class"] == "lang-pkgs")
        .map(|result| {
            (
                (text(&result["Type"]), text(&result["Target"])),
                &result["Packages"],
            )
        })
        .collect();
    expected.retain(|(kind, _), _| !ELSEWHERE.contains(&kind.as_str()));
    let here = inventory.applications.iter();
    for application in here.filter(|found| !ELSEWHERE.contains(&found.kind.as_str())) {
        let target = match (application.path.as_str(), application.kind.as_str()) {
            ("", "python-pkg") => "Python",
            ("", "node-pkg") => "Node.js",
            ("", "gemspec") => "Ruby",
            ("", "conda-pkg") => "Conda",
            (path, _) => path,
        };
        let key = (application.kind.clone(), target.to_owned());
        let packages = expected.remove(&key).and_then(Value::as_array);
        let found = compare_packages(&application.packages, packages.unwrap_or(&Vec::new()));
        differences.extend(found.into_iter().map(|found| format!("{key:?}: {found}")));
    }
    differences.extend(expected.keys().map(|key| format!("{key:?}: not found")));
    differences
}

fn compare_packages(found: &[Package], expected: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    let found: Vec<Value> = found.iter().map(to_json).collect();
    if found.len() != expected.len() {
        let (found, expected) = (found.len(), expected.len());
        differences.push(format!("{found} packages, expected {expected}"));
    }
    for (mut found, mut expected) in found.into_iter().zip(expected.iter().cloned()) {
        settle(&mut found, &mut expected);
        differences.extend(compare_objects(&found, &expected));
    }
    differences
}

/// Leaves out what the reference implementation decides by chance, and where we differ from it on
/// purpose.
fn settle(found: &mut Value, expected: &mut Value) {
    // .NET packages list what they need in random order, which the UID hashes.
    let is_random = ["dotnet-core", "nuget"].contains(&text(&expected["AnalyzedBy"]).as_str());
    if is_random
        && let Some(Value::Array(needed)) = expected.get_mut("DependsOn")
        && needed.len() > 1
    {
        needed.sort_by_key(text);
        forget_uid(found, expected);
    }
    // Paths are those that a container sees, wherever the archive says that they begin.
    let path = text(&expected["FilePath"]);
    if path.starts_with("../") {
        expected["FilePath"] = json!(clean(&path));
        forget_uid(found, expected);
    }
}

fn forget_uid(found: &mut Value, expected: &mut Value) {
    for package in [found, expected] {
        if let Some(Value::Object(identifier)) = package.get_mut("Identifier") {
            identifier.remove("UID");
        }
    }
}

fn compare_objects(found: &Value, expected: &Value) -> Vec<String> {
    let empty = Map::new();
    let (found, expected) = (
        found.as_object().unwrap_or(&empty),
        expected.as_object().unwrap_or(&empty),
    );
    let keys: std::collections::BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    keys.into_iter()
        .filter(|key| found.get(*key) != expected.get(*key))
        .map(|key| {
            let id = expected.get("ID").or(expected.get("Name"));
            format!(
                "{id:?} {key}: {:?}, expected {:?}",
                found.get(key),
                expected.get(key)
            )
        })
        .collect()
}

/// Writes a package as the reference implementation's report does.
fn to_json(package: &Package) -> Value {
    let purl = package
        .identifier
        .purl
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let layer = package.layer.map(|layer| {
        let digest = layer
            .digest
            .map(|digest| digest.to_string())
            .unwrap_or_default();
        json!({"Digest": digest, "DiffID": layer.diff_id.to_string()})
    });
    let build_info = package
        .build_info
        .as_ref()
        .map(|info| json!({"ContentSets": info.content_sets, "Nvr": info.nvr, "Arch": info.arch}));
    without_empty(json!({
        "ID": package.id,
        "Name": package.name,
        "Identifier": {"PURL": purl, "UID": package.identifier.uid, "BOMRef": package.identifier.bom_ref},
        "Version": package.version,
        "Release": package.release,
        "Epoch": package.epoch,
        "Arch": package.arch,
        "SrcName": package.src_name,
        "SrcVersion": package.src_version,
        "SrcRelease": package.src_release,
        "SrcEpoch": package.src_epoch,
        "Licenses": package.licenses,
        "Maintainer": package.maintainer,
        "Modularitylabel": package.modularity_label,
        "BuildInfo": build_info,
        "Repository": {"Class": package.repository_class.name()},
        "Indirect": package.indirect,
        "Relationship": package.relationship.name(),
        "DependsOn": package.depends_on,
        "Locations": package.locations.iter().map(|location| without_empty(json!({
            "StartLine": location.start_line,
            "EndLine": location.end_line,
        }))).collect::<Vec<_>>(),
        "Layer": layer,
        "FilePath": package.file_path,
        "Digest": package.digest,
        "InstalledFiles": package.installed_files,
        "AnalyzedBy": package.analyzed_by,
    }))
}

/// Drops empty texts, zeros, lists and objects, as the report does.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key, without_empty(value)))
                .filter(|(_, value)| !is_empty(value))
                .collect(),
        ),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(flag) => !flag,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads an image as the engine does: every layer, then what links made interesting.
fn inventory_of(archive: &Path) -> ImageInventory {
    let layers = read_image(archive);
    let inventories: Vec<_> = layers
        .iter()
        .map(|(_, layer)| layer.clone().inventory())
        .collect();
    let inputs: Vec<_> = layers
        .iter()
        .zip(&inventories)
        .map(|((id, _), inventory)| LayerInput::new(*id, inventory))
        .collect();
    let mut grown: Vec<GrownLayer> = Vec::new();
    loop {
        let merged = merge(&inputs, &grown, &MergeOptions::default());
        if merged.wanted.is_empty() {
            return merged.inventory;
        }
        for request in merged.wanted {
            let (_, layer) = &layers[request.layer_index];
            grown.push(GrownLayer {
                layer_index: request.layer_index,
                inventory: Arc::new(layer.clone().alias_inventory(&request.alias)),
                alias: request.alias,
            });
        }
    }
}

fn read_image(archive: &Path) -> Vec<(LayerId, FakeLayer)> {
    let mut members = BTreeMap::new();
    let mut links = Vec::new();
    let file = File::open(archive).expect("the image is readable");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in tar.entries().expect("the image is a tar") {
        let mut entry = entry.expect("the image is a tar");
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(target) = entry.link_name_bytes() {
            links.push((resolve_link(&path, &String::from_utf8_lossy(&target)), path));
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("the image is whole");
        members.insert(path, content);
    }
    for (target, path) in links {
        let content = members[&target].clone();
        members.insert(path, content);
    }
    let manifest: Value =
        serde_json::from_slice(&members["manifest.json"]).expect("the manifest is JSON");
    let paths = manifest[0]["Layers"]
        .as_array()
        .expect("a list of layers")
        .clone();
    paths
        .iter()
        .map(|path| read_layer(&members[path.as_str().expect("a path")]))
        .collect()
}

fn read_layer(blob: &[u8]) -> (LayerId, FakeLayer) {
    let is_compressed = blob.starts_with(&[0x1f, 0x8b]);
    let mut bytes = Vec::new();
    if is_compressed {
        flate2::read::MultiGzDecoder::new(blob)
            .read_to_end(&mut bytes)
            .expect("the layer is whole");
    } else {
        bytes = blob.to_vec();
    }
    let id = LayerId {
        digest: is_compressed.then(|| Digest::of(blob)),
        diff_id: cleanbill_core::DiffId(Digest::of(&bytes)),
    };
    let mut layer = FakeLayer::new();
    let mut tar = tar::Archive::new(bytes.as_slice());
    for entry in tar.entries().expect("the layer is a tar") {
        layer = read_entry(layer, &mut entry.expect("the layer is a tar"));
    }
    (id, layer)
}

fn read_entry(layer: FakeLayer, entry: &mut tar::Entry<'_, &[u8]>) -> FakeLayer {
    let path = clean(&String::from_utf8_lossy(&entry.path_bytes()));
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if name == ".wh..wh..opq" {
        return layer.opaque(directory);
    }
    if let Some(hidden) = name.strip_prefix(".wh.") {
        return layer.whiteout(&clean(&format!("{directory}/{hidden}")));
    }
    let kind = match entry.header().entry_type() {
        tar::EntryType::Regular => EntryKind::File,
        tar::EntryType::Directory => EntryKind::Directory,
        tar::EntryType::Symlink => EntryKind::Symlink,
        tar::EntryType::Link => EntryKind::HardLink,
        _ => EntryKind::Other,
    };
    let target = entry
        .link_name_bytes()
        .map(|name| String::from_utf8_lossy(&name).into_owned());
    let mut content = Vec::new();
    entry.read_to_end(&mut content).expect("the layer is whole");
    let mode = entry.header().mode().unwrap_or_default();
    layer
        .entry(&path, kind, &content, &target.unwrap_or_default())
        .mode(mode)
}

//! The Java part of the benchmark's image: jars as a build tool collects them, and an index that
//! knows some of those that do not name themselves.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_testkit::JavaIndexBuilder;
use cleanbill_testkit::zip::ZipBuilder;
use sha1::{Digest as _, Sha1};

use super::content::{ContentWriter, Random, Texture};
use super::layer::{LayerPlan, LayerWriter};

/// Changes with everything that changes the index.
const RECIPE: &str = "1";

/// Jars of the image that hold other jars, each with how many and which share of the bytes: what
/// Spring Boot makes of an application.
const FAT_JARS: [(usize, usize); 3] = [(30, 10), (45, 16), (60, 24)];

/// The shares, together.
const SHARES: usize = 100;

/// Classes of a jar have so many bytes before they are deflated.
const CLASS_SIZE: usize = 4_500;

/// Rows of the index about jars that no image has.
const CROWD: usize = 50_000;

/// The group of all of them.
pub(crate) const CROWD_GROUP: &str = "org.example";

/// Versions of each artifact among them.
const CROWD_VERSIONS: usize = 10;

/// Bytes of the jars of the whole image, and of that of `--quick`.
const SIZES_BYTES: [usize; 2] = [JARS_SIZE_BYTES, JARS_SIZE_BYTES / 20];

/// Bytes of the jars of the image.
pub(crate) const JARS_SIZE_BYTES: usize = 130_000_000;

/// Jars of the image.
pub(crate) const JAR_COUNT: usize = 117;

/// Says how a jar can be identified.
#[derive(Clone, Copy, PartialEq)]
enum Identity {
    /// It holds a `pom.properties` file.
    Stated,
    /// The index knows its digest.
    Indexed,
    /// Its manifest and file name are all there is, and the index does not know it.
    Unknown,
}

/// Is a jar before it is written.
struct Jar {
    number: usize,
    /// Bytes that it has, roughly.
    size_bytes: usize,
}

/// Writes the jars.
pub(crate) fn write<W: Write>(layer: &mut LayerWriter<W>, plan: &LayerPlan) -> io::Result<()> {
    for number in 0..JAR_COUNT {
        let jar = Jar::of_image(number, plan.size_bytes);
        layer.file(
            &format!("{}/{}", plan.directory, jar.file_name()),
            &jar.build(),
        )?;
    }
    Ok(())
}

/// Returns the directory of the index, beside that of the advisory database, writing it if it is
/// not there yet.
pub(crate) fn index(directory: &Path) -> anyhow::Result<PathBuf> {
    let directory = directory.join("java-db");
    let marker = directory.join("recipe");
    if fs::read_to_string(&marker).is_ok_and(|recipe| recipe == RECIPE) {
        return Ok(directory);
    }
    println!("building the Java index in {} (once)", directory.display());
    let mut builder = JavaIndexBuilder::new();
    for size_bytes in SIZES_BYTES {
        let jars = (0..JAR_COUNT).map(|number| Jar::of_image(number, size_bytes));
        for jar in jars.filter(|jar| jar.identity() == Identity::Indexed) {
            let sha1: [u8; 20] = Sha1::digest(jar.build()).into();
            builder = builder.jar(&jar.group(), &jar.artifact(), &jar.version(), &sha1);
        }
    }
    for number in 0..CROWD {
        let artifact = crowd_artifact(number);
        let mut sha1 = [0; 20];
        let mut random = Random::of(&format!("{artifact} {number}"));
        sha1.fill_with(|| random.next() as u8);
        let version = format!("1.{}.0", number % CROWD_VERSIONS);
        builder = builder.jar(CROWD_GROUP, &artifact, &version, &sha1);
    }
    fs::create_dir_all(&directory)?;
    builder
        .write_to(&directory)
        .context("cannot write the Java index")?;
    fs::write(marker, RECIPE)?;
    Ok(directory)
}

/// Returns the name of an artifact that the index knows and the benchmark's image does not have.
pub(crate) fn crowd_artifact(number: usize) -> String {
    format!("unheard-of-{}", number % CROWD / CROWD_VERSIONS)
}

impl Jar {
    /// Returns a jar of an image whose jars have so many bytes together.
    fn of_image(number: usize, total_bytes: usize) -> Self {
        let size_bytes = match FAT_JARS.get(number) {
            Some((_, share)) => total_bytes / SHARES * share,
            None => {
                // Half of what is left is in the largest tenth; the median has 300 KB.
                let of_full_image = match number * 37 % 100 {
                    0..25 => 60_000,
                    25..45 => 200_000,
                    45..75 => 320_000,
                    75..90 => 800_000,
                    _ => 2_200_000,
                };
                of_full_image * (total_bytes / 1_000) / (JARS_SIZE_BYTES / 1_000)
            }
        };
        Self { number, size_bytes }
    }

    /// Returns what is in a fat jar.
    fn nested(&self) -> impl Iterator<Item = Jar> {
        let (count, _) = FAT_JARS.get(self.number).copied().unwrap_or_default();
        let (first, size_bytes) = (1_000 * (self.number + 1), self.size_bytes / count.max(1));
        (0..count).map(move |number| Jar {
            number: first + number,
            size_bytes,
        })
    }

    fn identity(&self) -> Identity {
        match self.number % 10 {
            0..6 => Identity::Stated,
            6..9 => Identity::Indexed,
            _ => Identity::Unknown,
        }
    }

    fn group(&self) -> String {
        format!("org.example.group{}", self.number % 40)
    }

    fn artifact(&self) -> String {
        format!("artifact-{}", self.number)
    }

    fn version(&self) -> String {
        format!("{}.{}.1", 1 + self.number % 4, self.number % 13)
    }

    fn file_name(&self) -> String {
        format!("{}-{}.jar", self.artifact(), self.version())
    }

    fn build(&self) -> Vec<u8> {
        let (group, artifact, version) = (self.group(), self.artifact(), self.version());
        let manifest = format!(
            "Manifest-Version: 1.0\r\nCreated-By: Maven JAR Plugin 3.4.1\r\n\
             Implementation-Title: {artifact}\r\nImplementation-Version: {version}\r\n\
             Implementation-Vendor-Id: {group}\r\nBundle-License: Apache-2.0\r\n\r\n"
        );
        let mut zip = ZipBuilder::new().file("META-INF/MANIFEST.MF", manifest);
        if self.identity() == Identity::Stated {
            let place = format!("META-INF/maven/{group}/{artifact}");
            let properties = format!("artifactId={artifact}\ngroupId={group}\nversion={version}\n");
            let pom = format!(
                "<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId>\
                 <artifactId>{artifact}</artifactId><version>{version}</version>\
                 <licenses><license><name>Apache-2.0</name></license></licenses></project>\n"
            );
            zip = zip
                .file(&format!("{place}/pom.properties"), properties)
                .file(&format!("{place}/pom.xml"), pom);
        }
        let mut nested = self.nested().peekable();
        if nested.peek().is_some() {
            for jar in nested {
                // Spring Boot stores them: a class loader reads them where they lie.
                let name = format!("BOOT-INF/lib/{}", jar.file_name());
                zip = zip.stored(&name, jar.build());
            }
            return zip.build();
        }
        let mut content = ContentWriter::new(0x6a61_7200 + self.number as u64);
        let mut class = Vec::new();
        // Deflate makes two fifths of it.
        for number in 0..(self.size_bytes * 5 / 2).div_ceil(CLASS_SIZE) {
            let size = CLASS_SIZE / 3 + content.below(CLASS_SIZE * 4 / 3);
            content.write(Texture::Program, size, &mut class);
            let package = group.replace('.', "/");
            zip = zip.file(
                &format!("{package}/part{}/Class{number}.class", number / 40),
                &class,
            );
        }
        zip.build()
    }
}

//! Layers with many Java archives that do not say by themselves what they are.

use std::io::{self, Write};

use cleanbill_testkit::zip::ZipBuilder;

use super::documents;
use crate::bench::java;
use crate::bench::layer::LayerWriter;

type Layer<'a> = LayerWriter<&'a mut dyn Write>;

/// Jars of which the index names every second.
pub(super) fn unnamed(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    for number in 0..100_000 / scale {
        let artifact = if number % 2 == 0 {
            java::crowd_artifact(number)
        } else {
            format!("unknown-{number:06}")
        };
        jar(layer, number, &artifact)?;
    }
    Ok(())
}

/// One jar that only the index can name, beside many other packages.
pub(super) fn beside_package_jsons(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    documents::package_jsons(layer, scale)?;
    jar(layer, 0, &java::crowd_artifact(0))
}

fn jar(layer: &mut Layer<'_>, number: usize, artifact: &str) -> io::Result<()> {
    let manifest = format!(
        "Manifest-Version: 1.0\r\nImplementation-Title: {artifact}\r\n\
         Implementation-Version: 1.{number}\r\nImplementation-Vendor-Id: {}\r\n\r\n",
        java::CROWD_GROUP
    );
    let jar = ZipBuilder::new().file("META-INF/MANIFEST.MF", manifest);
    layer.file(&format!("opt/lib/package-{number:06}.jar"), &jar.build())
}

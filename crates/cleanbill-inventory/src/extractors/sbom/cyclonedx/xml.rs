//! CycloneDX in XML: the same document as in JSON, in other clothes.
//!
//! Source: CycloneDX 1.0 to 1.6 XML schema. The reference does not read this form.

use super::{Dependency, Document, Hash, License, LicenseChoice, Metadata, Property, RawComponent};
use crate::xml::{Element, XmlError, XmlReader};

/// What stands before the version in the name of the format.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

/// Reads a document.
///
/// # Errors
///
/// It is malformed.
pub(super) fn parse(bytes: &[u8]) -> Result<Document, XmlError> {
    let mut reader = XmlReader::new(bytes)?;
    let root = reader.root()?;
    let mut versions = root
        .namespaces()
        .filter_map(|uri| Some(uri.strip_prefix(NAMESPACE)?.to_owned()));
    let mut document = Document {
        spec_version: versions.next(),
        ..Document::default()
    };
    while let Some(element) = reader.child()? {
        match element.name() {
            "metadata" => document.metadata = metadata(&mut reader)?,
            "components" => document.components.extend(components(&mut reader)?),
            "dependencies" => document.dependencies.extend(dependencies(&mut reader)?),
            _ => reader.skip()?,
        }
    }
    Ok(document)
}

fn metadata(reader: &mut XmlReader<'_>) -> Result<Metadata, XmlError> {
    let mut metadata = Metadata::default();
    while let Some(element) = reader.child()? {
        match element.name() {
            "component" => metadata.component = Some(component(&element, reader)?),
            _ => reader.skip()?,
        }
    }
    Ok(metadata)
}

fn components(reader: &mut XmlReader<'_>) -> Result<Vec<RawComponent>, XmlError> {
    let mut components = Vec::new();
    while let Some(element) = reader.child()? {
        match element.name() {
            "component" => components.push(component(&element, reader)?),
            _ => reader.skip()?,
        }
    }
    Ok(components)
}

fn component(element: &Element<'_>, reader: &mut XmlReader<'_>) -> Result<RawComponent, XmlError> {
    let mut component = RawComponent {
        kind: attribute(element, "type"),
        bom_ref: attribute(element, "bom-ref"),
        ..RawComponent::default()
    };
    while let Some(element) = reader.child()? {
        match element.name() {
            "name" => component.name = line(reader)?,
            "group" => component.group = line(reader)?,
            "version" => component.version = line(reader)?,
            "purl" => component.purl = line(reader)?,
            "licenses" => component.licenses = licenses(reader)?,
            "hashes" => component.hashes = hashes(reader)?,
            "properties" => component.properties = properties(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(component)
}

fn licenses(reader: &mut XmlReader<'_>) -> Result<Vec<LicenseChoice>, XmlError> {
    let mut licenses = Vec::new();
    while let Some(element) = reader.child()? {
        let mut choice = LicenseChoice::default();
        match element.name() {
            "license" => choice.license = license(reader)?,
            "expression" => choice.expression = line(reader)?,
            _ => {
                reader.skip()?;
                continue;
            }
        }
        licenses.push(choice);
    }
    Ok(licenses)
}

fn license(reader: &mut XmlReader<'_>) -> Result<License, XmlError> {
    let mut license = License::default();
    while let Some(element) = reader.child()? {
        match element.name() {
            "id" => license.id = line(reader)?,
            "name" => license.name = line(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(license)
}

fn hashes(reader: &mut XmlReader<'_>) -> Result<Vec<Hash>, XmlError> {
    let mut hashes = Vec::new();
    while let Some(element) = reader.child()? {
        hashes.push(Hash {
            algorithm: attribute(&element, "alg"),
            content: line(reader)?,
        });
    }
    Ok(hashes)
}

fn properties(reader: &mut XmlReader<'_>) -> Result<Vec<Property>, XmlError> {
    let mut properties = Vec::new();
    while let Some(element) = reader.child()? {
        properties.push(Property {
            name: attribute(&element, "name"),
            value: line(reader)?,
        });
    }
    Ok(properties)
}

fn dependencies(reader: &mut XmlReader<'_>) -> Result<Vec<Dependency>, XmlError> {
    let mut dependencies = Vec::new();
    while let Some(element) = reader.child()? {
        let mut dependency = Dependency {
            parent: attribute(&element, "ref"),
            ..Dependency::default()
        };
        while let Some(child) = reader.child()? {
            dependency.children.push(attribute(&child, "ref"));
            reader.skip()?;
        }
        dependencies.push(dependency);
    }
    Ok(dependencies)
}

fn attribute(element: &Element<'_>, name: &str) -> String {
    element.attribute(name).unwrap_or_default().into_owned()
}

/// Returns the text of an element, without the blanks of the layout around it.
fn line(reader: &mut XmlReader<'_>) -> Result<String, XmlError> {
    Ok(reader.text()?.trim().to_owned())
}

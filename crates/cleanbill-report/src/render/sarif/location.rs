//! Where a result is: a file inside the image, and the package in it.

use cleanbill_core::report::ImageReport;
use cleanbill_core::vulnerability::Finding;
use serde::Serialize;

use super::text::Text;
use crate::escape::link::RelativeUri;
use crate::text::clean;

/// What paths inside the image are relative to.
pub(super) const BASE_ID: &str = "IMAGE_ROOT";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    physical_location: PhysicalLocation,
    logical_locations: Vec<LogicalLocation>,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// The first line: a package has none, and code hosts show no result without.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u8,
    start_column: u8,
    end_line: u8,
    end_column: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

impl Location {
    /// Locates a package: in its file, or, if the distribution brought it, in the image.
    pub(super) fn of_package(image: &ImageReport, finding: &Finding) -> Self {
        let name = clean(&finding.package_name).into_owned();
        let purl = finding.package_identifier.purl.as_ref();
        let qualified = purl.map_or_else(|| name.clone(), ToString::to_string);
        let message = format!("{}@{}", finding.package_name, finding.installed_version);
        Self::new(
            image,
            &finding.package_path,
            message,
            vec![
                LogicalLocation {
                    fully_qualified_name: qualified,
                    name,
                    kind: "package",
                },
                image_location(image),
            ],
        )
    }

    /// Locates a file, or the image if the path is empty.
    pub(super) fn of_path(image: &ImageReport, path: &str) -> Self {
        let message = if path.is_empty() {
            &image.artifact_name
        } else {
            path
        };
        Self::new(image, path, message.to_owned(), vec![image_location(image)])
    }

    fn new(
        image: &ImageReport,
        path: &str,
        message: String,
        logical_locations: Vec<LogicalLocation>,
    ) -> Self {
        let in_image = RelativeUri(path).to_string();
        let artifact_location = match in_image.as_str() {
            "" => ArtifactLocation {
                uri: match RelativeUri(&image.artifact_name).to_string().as_str() {
                    "" => "image".to_owned(),
                    name => name.to_owned(),
                },
                uri_base_id: None,
            },
            _ => ArtifactLocation {
                uri: in_image,
                uri_base_id: Some(BASE_ID),
            },
        };
        Self {
            physical_location: PhysicalLocation {
                artifact_location,
                region: Region {
                    start_line: 1,
                    start_column: 1,
                    end_line: 1,
                    end_column: 1,
                },
            },
            logical_locations,
            message: Text::new(message),
        }
    }
}

fn image_location(image: &ImageReport) -> LogicalLocation {
    let name = clean(&image.artifact_name).into_owned();
    LogicalLocation {
        fully_qualified_name: match image.metadata.image_id {
            Some(id) => format!("{name}@{id}"),
            None => name.clone(),
        },
        name,
        kind: "image",
    }
}

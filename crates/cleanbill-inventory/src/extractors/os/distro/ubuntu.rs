//! Ubuntu: the release, and whether extended security maintenance is on.

use serde::Deserialize;

use super::Statement;
use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

/// Takes the release from `lsb-release` once the file has named Ubuntu. Quotes stay, as in the
/// reference implementation.
pub(super) fn lsb_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    let mut lines = Lines::new(file);
    let mut is_ubuntu = false;
    while let Some(line) = lines.next()? {
        let line = text(line);
        if line == "DISTRIB_ID=Ubuntu" {
            is_ubuntu = true;
        } else if let Some(release) = line.strip_prefix("DISTRIB_RELEASE=")
            && is_ubuntu
        {
            return Ok(Some(Statement::new("ubuntu", release.trim())));
        }
    }
    Ok(None)
}

/// Looks for the enabled service `esm-infra` in the status of Ubuntu's subscription client.
pub(super) fn extended_maintenance(
    file: &mut FileInput<'_>,
) -> Result<Option<Statement>, ExtractError> {
    let content = file.read_small()?;
    let mut values = serde_json::Deserializer::from_slice(&content).into_iter::<Status>();
    let status = match values.next() {
        Some(Ok(status)) => status,
        Some(Err(error)) => return Err(ExtractError::Malformed(error.to_string())),
        None => return Err(ExtractError::Malformed("the file is empty".to_owned())),
    };
    let services = status.services.unwrap_or_default();
    let is_enabled = services.iter().any(|service| {
        service.name.as_deref() == Some("esm-infra") && service.status.as_deref() == Some("enabled")
    });
    Ok(is_enabled.then(|| {
        let mut statement = Statement::new("ubuntu", "");
        statement.distro.extended = true;
        statement
    }))
}

#[derive(Deserialize)]
struct Status {
    services: Option<Vec<Service>>,
}

#[derive(Deserialize)]
struct Service {
    name: Option<String>,
    status: Option<String>,
}

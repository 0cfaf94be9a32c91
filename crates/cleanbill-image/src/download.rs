//! Fetching a file by its address, with the settings that registries are reached with.

use std::io::Read;

use url::Url;

use crate::ReadContext;
use crate::http::{HttpClient, HttpError, HttpOptions, Request, display_url};

/// Says why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address makes no sense.
    #[error("'{address}' is no address: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is not the file.
    #[error("{url} answered {status}")]
    Answer {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: String,
    },
    /// The answer cannot be read.
    #[error("cannot read the answer")]
    Body(#[source] std::io::Error),
}

/// Opens a file by its address: `https`, or `http` where that is allowed.
///
/// # Errors
///
/// There is no such file, no connection, or none is permitted.
pub fn download(
    address: &str,
    options: HttpOptions,
    context: &ReadContext,
) -> Result<Box<dyn Read + Send>, DownloadError> {
    let url: Url = address
        .parse()
        .map_err(|error: url::ParseError| DownloadError::Address {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
    let client = HttpClient::new(options)?;
    let response = client.send(&Request::get(url.clone(), &url), context)?;
    if !response.status().is_success() {
        return Err(DownloadError::Answer {
            url: display_url(response.url()),
            status: response.status().to_string(),
        });
    }
    let body = response.into_reader(context).map_err(DownloadError::Body)?;
    Ok(Box::new(body))
}

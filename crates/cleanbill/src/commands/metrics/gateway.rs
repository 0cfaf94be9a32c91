//! A client of the Pushgateway, for `metrics push` and `watch`.
//!
//! Source: the README of prometheus/pushgateway, "API" and "URL".

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cleanbill_image::http::{
    ApiAnswer, ApiClient, ApiCredential, ApiMethod, ApiRequest, HttpError,
};
use cleanbill_image::{HttpOptions, ReadContext};

use crate::api;

/// Says what a push does with metrics of the group that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything in the group is replaced.
    Replace,
    /// Metrics of the same names are replaced.
    Add,
}

/// Identifies what is pushed together and replaced together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group<'a> {
    job: &'a str,
    labels: Vec<(&'static str, &'a str)>,
}

impl<'a> Group<'a> {
    /// Names the group of a job, which must not be empty.
    pub(crate) fn of_job(job: &'a str) -> Self {
        Self {
            job,
            labels: Vec::new(),
        }
    }

    /// Adds a label, if there is a value.
    pub(crate) fn with(mut self, label: &'static str, value: Option<&'a str>) -> Self {
        self.labels.extend(value.map(|value| (label, value)));
        self
    }

    /// Returns the parts of the path. A value that a path would change (it is empty, has a slash,
    /// or is a step) is written in base64.
    fn segments(&self) -> Vec<String> {
        let job = std::iter::once(("job", self.job));
        let pairs = job.chain(self.labels.iter().copied());
        let mut segments = vec!["metrics".to_owned()];
        for (label, value) in pairs {
            let is_changed = value.contains('/') || matches!(value, "" | "." | "..");
            if !is_changed {
                segments.extend([label.to_owned(), value.to_owned()]);
                continue;
            }
            let encoded = match value {
                // Nothing at all would be lost between two slashes.
                "" => "=".to_owned(),
                value => URL_SAFE_NO_PAD.encode(value),
            };
            segments.extend([format!("{label}@base64"), encoded]);
        }
        segments
    }
}

/// Says why a group was not pushed or deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is not that of success.
    #[error("{place} answered {status}{text}")]
    Refused {
        /// The gateway.
        place: String,
        /// The status.
        status: u16,
        /// What it says, with what goes in front of it; may be empty.
        text: String,
    },
    /// The answer is a success, but of something else: a login page, a proxy.
    #[error("{place} answered {status}, but not as a Pushgateway does{text}")]
    Foreign {
        /// Who answered.
        place: String,
        /// The status.
        status: u16,
        /// What it says, with what goes in front of it.
        text: String,
    },
    /// It wants us to go elsewhere.
    #[error("{place} answered {status}: it wants to redirect, which is not followed")]
    Redirect {
        /// Who answered.
        place: String,
        /// The status.
        status: u16,
    },
}

/// Pushes to one gateway.
#[derive(Clone, Debug)]
pub(crate) struct Pushgateway {
    client: ApiClient,
}

impl Pushgateway {
    /// Checks the address, with or without a scheme; nothing is opened yet.
    ///
    /// # Errors
    ///
    /// It is no address, or a credential would be sent in plain text.
    pub(crate) fn open(
        options: HttpOptions,
        address: &str,
        credential: ApiCredential,
        may_be_plain: bool,
    ) -> Result<Self, HttpError> {
        let address = match address.trim() {
            url if url.contains("://") => url.to_owned(),
            host => format!("http://{host}"),
        };
        let client = ApiClient::new(options, &address, credential, may_be_plain)?;
        Ok(Self { client })
    }

    /// Returns the scheme, host and port.
    pub(crate) fn place(&self) -> String {
        self.client.place()
    }

    /// Returns the address of a group.
    pub(crate) fn url(&self, group: &Group<'_>) -> String {
        let segments = group.segments();
        self.client
            .url(segments.iter().map(String::as_str))
            .to_string()
    }

    /// Pushes metrics (Prometheus's text format 0.0.4), again and again until the deadline where
    /// that may help.
    ///
    /// # Errors
    ///
    /// They did not arrive.
    pub(crate) fn push(
        &self,
        group: &Group<'_>,
        text: String,
        mode: Mode,
        timeout: Duration,
        context: &ReadContext,
    ) -> Result<(), PushError> {
        let method = match mode {
            Mode::Replace => ApiMethod::Put,
            Mode::Add => ApiMethod::Post,
        };
        self.send(method, group, text, timeout, context)
    }

    /// Deletes a group; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// Nobody knows whether it is gone.
    pub(crate) fn delete(
        &self,
        group: &Group<'_>,
        timeout: Duration,
        context: &ReadContext,
    ) -> Result<(), PushError> {
        self.send(ApiMethod::Delete, group, String::new(), timeout, context)
    }

    fn send(
        &self,
        method: ApiMethod,
        group: &Group<'_>,
        text: String,
        timeout: Duration,
        context: &ReadContext,
    ) -> Result<(), PushError> {
        let segments = group.segments();
        let content_type = "text/plain; version=0.0.4; charset=utf-8";
        let request = ApiRequest {
            method,
            url: self.client.url(segments.iter().map(String::as_str)),
            headers: vec![("content-type", content_type.to_owned())],
            body: text.into_bytes(),
            // The same metrics twice are the same metrics.
            is_repeatable: true,
        };
        let deadline = Instant::now() + timeout;
        let answer = self.client.send(&request, deadline, context)?;
        self.judge(&answer)
    }

    fn judge(&self, answer: &ApiAnswer) -> Result<(), PushError> {
        let (place, status) = (self.place(), answer.status);
        match status {
            // 200 where it checked the metrics, 202 where it did not or deleted; never with a text.
            200 | 202 if answer.body.trim().is_empty() => Ok(()),
            200..=299 => Err(PushError::Foreign {
                place,
                status,
                text: api::said(answer),
            }),
            300..=399 => Err(PushError::Redirect { place, status }),
            _ => Err(PushError::Refused {
                place,
                status,
                text: api::said(answer),
            }),
        }
    }
}

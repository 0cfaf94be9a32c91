//! What channels that post to an address have in common.

use cleanbill_core::error_chain;
use cleanbill_image::ReadContext;
use cleanbill_image::http::{PostAnswer, PostClient};
use jiff::Timestamp;

use super::{Channel, ChannelError, ChannelInfo, DeliveryError, Receipt, Surroundings, one_line};
use crate::notify::message::Notification;
use crate::notify::outline::Rendered;
use crate::notify::split::split;

/// Characters of an answer that errors and receipts show.
const ANSWER_CHARS_MAX: usize = 200;

/// Bytes of a secret that is hidden wherever it stands; a shorter one only as a whole value.
const SECRET_LENGTH_MIN: usize = 4;

/// Knows one service: what it takes, and what it answers.
pub(in crate::notify) trait Service: std::fmt::Debug + Send + Sync {
    /// Returns the body, within the limits of the service.
    fn render(&self, message: &Notification) -> Rendered;

    /// Returns how many messages one is split into at most. Nobody reads more.
    fn parts_max(&self) -> u32 {
        5
    }

    /// Returns headers beside the content type, for a body that is sent now.
    fn headers(
        &self,
        _message: &Notification,
        _body: &str,
        _now: Timestamp,
    ) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Returns what must not be shown if an answer repeats it.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Says whether the body of an answer with a status of success is one of the service's. A
    /// proxy or a login page in between may answer too, and that is no delivery.
    fn is_acknowledged(&self, answer: &str) -> bool;
}

/// Posts what a service takes.
#[derive(Debug)]
pub(in crate::notify) struct HttpChannel<S> {
    info: &'static ChannelInfo,
    client: PostClient,
    context: ReadContext,
    service: S,
}

impl<S: Service + 'static> HttpChannel<S> {
    /// Checks the address.
    pub(in crate::notify) fn open(
        info: &'static ChannelInfo,
        address: &str,
        may_be_plain: bool,
        surroundings: &Surroundings,
        service: S,
    ) -> Result<Box<dyn Channel>, ChannelError> {
        let client = PostClient::new(surroundings.http.clone(), address, may_be_plain).map_err(
            |source| ChannelError::Address {
                channel: info.name,
                source,
            },
        )?;
        Ok(Box::new(Self {
            info,
            client,
            context: surroundings.context.clone(),
            service,
        }))
    }
}

impl<S: Service> Channel for HttpChannel<S> {
    fn info(&self) -> &'static ChannelInfo {
        self.info
    }

    fn split(&self, message: Notification) -> Vec<Notification> {
        let parts_max = self.service.parts_max();
        split(message, parts_max, |part| self.service.render(part).shown)
    }

    fn preview(&self, message: &Notification) -> Result<String, DeliveryError> {
        Ok(self.redact(&self.service.render(message).body))
    }

    fn deliver(&self, message: &Notification, now: Timestamp) -> Result<Receipt, DeliveryError> {
        let body = self.service.render(message).body;
        let headers = self.service.headers(message, &body, now);
        let mut pairs = vec![("content-type", "application/json")];
        pairs.extend(
            headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let answer = self
            .client
            .post(&pairs, body.into_bytes(), &self.context)
            .map_err(|error| DeliveryError {
                is_permanent: !PostClient::is_temporary(&error),
                retry_after: None,
                text: error_chain(&error),
            })?;
        self.judge(&answer)
    }
}

impl<S: Service> HttpChannel<S> {
    fn judge(&self, answer: &PostAnswer) -> Result<Receipt, DeliveryError> {
        let PostAnswer { status, body, .. } = answer;
        let text = one_line(&self.redact(body), ANSWER_CHARS_MAX);
        let place = self.client.place();
        match status {
            200..=299 if self.service.is_acknowledged(body) => Ok(Receipt {
                text: format!("{status} {text}").trim_end().to_owned(),
            }),
            200..=299 => Err(DeliveryError::temporary(format!(
                "{place} answered {status} but not as {} does: {text}",
                self.info.title
            ))),
            300..=399 => Err(DeliveryError::permanent(format!(
                "{place} answered {status}: it wants to redirect, which is not followed"
            ))),
            _ => Err(DeliveryError {
                is_permanent: !matches!(status, 408 | 425 | 429 | 500..=599),
                retry_after: answer.retry_after,
                text: match text.as_str() {
                    "" => format!("{place} answered {status}"),
                    text => format!("{place} answered {status}: {text}"),
                },
            }),
        }
    }

    /// Hides secrets in what people see: a body may hold one, and so may an answer that repeats what
    /// was asked for.
    fn redact(&self, text: &str) -> String {
        let secrets = self
            .service
            .secrets()
            .into_iter()
            .filter(|secret| !secret.is_empty());
        let hidden = secrets.fold(text.to_owned(), |text, secret| match secret.len() {
            // Every text has one or two letters in it.
            ..SECRET_LENGTH_MIN => text.replace(&format!("\"{secret}\""), "\"(redacted)\""),
            _ => text.replace(secret, "(redacted)"),
        });
        self.client.redact(&hidden)
    }
}

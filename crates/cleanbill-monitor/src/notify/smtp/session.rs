//! The conversation with a mail server.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use cleanbill_core::error_chain;
use cleanbill_image::{ReadContext, Secret};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use crate::notify::channel::{
    DeliveryError, Receipt, SmtpEncryption, SmtpMechanism, SmtpSettings, Surroundings, one_line,
};

/// Characters of what a server says that errors and receipts show.
const ANSWER_CHARS_MAX: usize = 200;

/// The whole conversation may take so many times as long as one answer. It is over before the claim
/// of the message ends, and a mail that is taken after all has the same Message-ID the next time.
const DEADLINE_FACTOR: u32 = 5;

/// A mail server and how it is spoken to.
pub(super) struct Server {
    host: String,
    port: u16,
    encryption: SmtpEncryption,
    tls: Option<TlsParameters>,
    hello_name: ClientId,
    user: String,
    password: Secret,
    mechanisms: &'static [Mechanism],
    timeout: Duration,
    is_offline: bool,
    context: ReadContext,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(
        settings: &SmtpSettings,
        host: &str,
        tls: Option<TlsParameters>,
        surroundings: &Surroundings,
    ) -> Self {
        let hello_name = match settings.hello_name.trim() {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Self {
            host: host.to_owned(),
            port: settings.port,
            encryption: settings.encryption,
            tls,
            hello_name,
            user: settings.user.clone(),
            password: settings.password.clone(),
            mechanisms: match settings.mechanism {
                SmtpMechanism::Automatic => &[Mechanism::Plain, Mechanism::Login],
                SmtpMechanism::Plain => &[Mechanism::Plain],
                SmtpMechanism::Login => &[Mechanism::Login],
                SmtpMechanism::Xoauth2 => &[Mechanism::Xoauth2],
            },
            timeout: surroundings.http.read_timeout,
            is_offline: surroundings.http.offline,
            context: surroundings.context.clone(),
        }
    }

    /// Hands a mail over. With several recipients it is delivered if one of them is accepted; the
    /// receipt names the others.
    ///
    /// Timeouts of a connection are for one read: a server that says a word now and then would keep
    /// everything behind it waiting. So the conversation has a thread, which is left behind when
    /// the time is over.
    pub(super) fn deliver(
        self: &Arc<Self>,
        from: &Address,
        recipients: Vec<Address>,
        mail: Vec<u8>,
    ) -> Result<Receipt, DeliveryError> {
        if self.is_offline {
            return Err(DeliveryError::temporary(format!(
                "{} was not asked: offline",
                self.host
            )));
        }
        self.context
            .check()
            .map_err(|error| DeliveryError::temporary(error.to_string()))?;
        let time = self.timeout.saturating_mul(DEADLINE_FACTOR);
        let (server, from) = (Arc::clone(self), from.clone());
        let (sender, outcome) = channel();
        let converse = move || {
            let until = Instant::now() + time;
            // Nobody listens any more if it took too long.
            let _ = sender.send(server.converse(until, &from, &recipients, &mail));
        };
        std::thread::Builder::new()
            .name("smtp".to_owned())
            .spawn(converse)
            .map_err(|error| DeliveryError::temporary(format!("no thread: {error}")))?;
        outcome.recv_timeout(time).unwrap_or_else(|_| {
            Err(DeliveryError::temporary(format!(
                "{} takes longer than {} s",
                self.host,
                time.as_secs_f64()
            )))
        })
    }

    fn converse(
        &self,
        until: Instant,
        from: &Address,
        recipients: &[Address],
        mail: &[u8],
    ) -> Result<Receipt, DeliveryError> {
        let mut connection = self.connect(until)?;
        let outcome = self.hand_over(&mut connection, until, from, recipients, mail);
        // Says good-bye; the server has said what there is to say.
        connection.abort();
        outcome
    }

    /// Lets the next answer take no longer than there is time.
    fn hurry(&self, connection: &mut SmtpConnection, until: Instant) -> Result<(), DeliveryError> {
        let left = until.saturating_duration_since(Instant::now());
        let failed = |text: String| DeliveryError::temporary(format!("{}: {text}", self.host));
        if left.is_zero() {
            connection.abort();
            return Err(failed("no time is left".to_owned()));
        }
        connection
            .set_timeout(Some(left.min(self.timeout)))
            .map_err(|error| failed(error.to_string()))
    }

    fn connect(&self, until: Instant) -> Result<SmtpConnection, DeliveryError> {
        let wrapper = match self.encryption {
            SmtpEncryption::Tls => self.tls.as_ref(),
            SmtpEncryption::None | SmtpEncryption::StartTls => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            SmtpConnection::connect(address, Some(self.timeout), &self.hello_name, wrapper, None)
                .map_err(|error| self.failed("cannot connect to", &error))?;
        if let (SmtpEncryption::StartTls, Some(tls)) = (self.encryption, &self.tls) {
            connection
                .starttls(tls, &self.hello_name)
                .map_err(|error| self.failed("no encrypted connection to", &error))?;
        }
        // Belt and braces: nothing is said on a connection that is not what was asked for.
        if self.encryption != SmtpEncryption::None && !connection.is_encrypted() {
            connection.abort();
            return Err(DeliveryError::temporary(format!(
                "the connection to {} is not encrypted",
                self.host
            )));
        }
        if !self.user.is_empty() {
            self.hurry(&mut connection, until)?;
            let credentials =
                Credentials::new(self.user.clone(), self.password.expose().to_owned());
            connection
                .auth(self.mechanisms, &credentials)
                .map_err(|error| self.failed("cannot log in to", &error))?;
        }
        Ok(connection)
    }

    fn hand_over(
        &self,
        connection: &mut SmtpConnection,
        until: Instant,
        from: &Address,
        recipients: &[Address],
        mail: &[u8],
    ) -> Result<Receipt, DeliveryError> {
        let refused = |error: &Error| self.failed("the mail was refused by", error);
        self.hurry(connection, until)?;
        connection
            .command(Mail::new(Some(from.clone()), Vec::new()))
            .map_err(|error| refused(&error))?;
        let mut refusals = Vec::new();
        for recipient in recipients {
            self.hurry(connection, until)?;
            if let Err(error) = connection.command(Rcpt::new(recipient.clone(), Vec::new())) {
                refusals.push((recipient, refused(&error)));
            }
        }
        if refusals.len() == recipients.len() {
            return Err(worst(refusals));
        }
        self.hurry(connection, until)?;
        connection.command(Data).map_err(|error| refused(&error))?;
        let response = connection.message(mail).map_err(|error| refused(&error))?;
        let lines: Vec<&str> = response.message().collect();
        let mut text = one_line(
            &format!("{} {}", response.code(), lines.join(" ")),
            ANSWER_CHARS_MAX,
        );
        for (recipient, error) in refusals {
            text.push_str(&format!("; not to {recipient}: {error}"));
        }
        Ok(Receipt { text })
    }

    /// Sorts a failure. What a server refuses for good is permanent; whatever else stands in the
    /// way, a missing STARTTLS or an expired certificate included, somebody may mend.
    fn failed(&self, what: &str, error: &Error) -> DeliveryError {
        DeliveryError {
            is_permanent: error.is_permanent(),
            retry_after: None,
            text: one_line(
                &format!("{what} {}: {}", self.host, describe(error)),
                ANSWER_CHARS_MAX * 2,
            ),
        }
    }
}

/// Describes an error; the library's own text repeats its cause.
fn describe(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) if error.status().is_none() => error_chain(source),
        _ => error.to_string(),
    }
}

/// Chooses among refusals the one that leaves hope: if one recipient may be accepted later, it
/// is worth another attempt.
fn worst(refusals: Vec<(&Address, DeliveryError)>) -> DeliveryError {
    let mut errors: Vec<DeliveryError> = refusals.into_iter().map(|(_, error)| error).collect();
    errors.sort_by_key(|error| error.is_permanent);
    let mut errors = errors.into_iter();
    errors
        .next()
        .unwrap_or_else(|| DeliveryError::permanent("there is no recipient"))
}

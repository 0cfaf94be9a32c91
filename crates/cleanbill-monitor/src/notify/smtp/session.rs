//! The conversation with a mail server.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use cleanbill_core::error_chain;
use cleanbill_image::{ReadContext, Secret, block_on};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::{sleep, timeout};

use crate::notify::channel::{
    DeliveryError, Receipt, SmtpEncryption, SmtpMechanism, SmtpSettings, Surroundings, one_line,
};

/// Characters of what a server says that errors and receipts show.
const ANSWER_CHARS_MAX: usize = 200;

/// The whole conversation may take so many times as long as one answer. It is over before the claim
/// of the message ends, and a mail that is taken after all has the same Message-ID the next time.
const DEADLINE_FACTOR: u32 = 5;

/// How often it is looked whether the program is to end.
const STOP_POLL: Duration = Duration::from_millis(100);

/// How long a server that has the mail may take to say so when the program is to end.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long the server may take to answer the good-bye: nothing depends on it.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

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
    pub(super) fn deliver(
        &self,
        from: &Address,
        recipients: &[Address],
        mail: &[u8],
    ) -> Result<Receipt, DeliveryError> {
        if self.is_offline {
            return Err(DeliveryError::temporary(format!(
                "{} was not asked: offline",
                self.host
            )));
        }
        let failed = |error: io::Error| DeliveryError::temporary(error.to_string());
        self.context.check().map_err(failed)?;
        // It is not stopped with the program in the middle: see `stopped`.
        let begun = ReadContext::default();
        let is_handed_over = Cell::new(false);
        let delivery = async {
            tokio::select! {
                biased;
                outcome = self.converse(from, recipients, mail, &is_handed_over) => outcome,
                () = self.stopped(&is_handed_over) => {
                    Err(DeliveryError::temporary(format!("stopped while {} was asked", self.host)))
                }
            }
        };
        block_on(&begun, delivery).map_err(failed)?
    }

    /// Waits until the program is to end. A mail that the server has by then may be a delivery
    /// already and would be made again: its answer is waited for a little longer.
    async fn stopped(&self, is_handed_over: &Cell<bool>) {
        while self.context.check().is_ok() {
            sleep(STOP_POLL).await;
        }
        if is_handed_over.get() {
            sleep(STOP_GRACE).await;
        }
    }

    /// Converses until the time is over: a server that answers every question just in time would
    /// keep everything behind it waiting. What is not over by then is dropped, and the connection
    /// with it.
    async fn converse(
        &self,
        from: &Address,
        recipients: &[Address],
        mail: &[u8],
        is_handed_over: &Cell<bool>,
    ) -> Result<Receipt, DeliveryError> {
        let mut open = None;
        let handed_over = async {
            let connection = open.insert(self.connect().await?);
            self.hand_over(connection, from, recipients, mail, is_handed_over)
                .await
        };
        let time = self.timeout.saturating_mul(DEADLINE_FACTOR);
        let Ok(outcome) = timeout(time, handed_over).await else {
            return Err(self.too_slow(time));
        };
        if let Some(mut connection) = open {
            // The server has said what there is to say.
            let _ = timeout(GOODBYE_MAX, connection.abort()).await;
        }
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        let wrapper = match self.encryption {
            SmtpEncryption::Tls => self.tls.clone(),
            SmtpEncryption::None | SmtpEncryption::StartTls => None,
        };
        let address = (self.host.as_str(), self.port);
        let (hello_name, patience) = (&self.hello_name, Some(self.timeout));
        let connect =
            AsyncSmtpConnection::connect_tokio1(address, patience, hello_name, wrapper, None);
        let mut connection = self.answer("cannot connect to", connect).await?;
        if let (SmtpEncryption::StartTls, Some(tls)) = (self.encryption, &self.tls) {
            let encrypt = connection.starttls(tls.clone(), hello_name);
            self.answer("no encrypted connection to", encrypt).await?;
        }
        // Belt and braces: nothing is said on a connection that is not what was asked for.
        if self.encryption != SmtpEncryption::None && !connection.is_encrypted() {
            return Err(DeliveryError::temporary(format!(
                "the connection to {} is not encrypted",
                self.host
            )));
        }
        if !self.user.is_empty() {
            let credentials =
                Credentials::new(self.user.clone(), self.password.expose().to_owned());
            let log_in = connection.auth(self.mechanisms, &credentials);
            self.answer("cannot log in to", log_in).await?;
        }
        Ok(connection)
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        from: &Address,
        recipients: &[Address],
        mail: &[u8],
        is_handed_over: &Cell<bool>,
    ) -> Result<Receipt, DeliveryError> {
        const REFUSED: &str = "the mail was refused by";
        let sender = Mail::new(Some(from.clone()), Vec::new());
        self.answer(REFUSED, connection.command(sender)).await?;
        let mut refusals = Vec::new();
        for recipient in recipients {
            let command = connection.command(Rcpt::new(recipient.clone(), Vec::new()));
            match timeout(self.timeout, command).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) if error.is_permanent() || error.is_transient() => {
                    refusals.push((recipient, self.failed(REFUSED, &error)));
                }
                Ok(Err(error)) => return Err(self.failed(REFUSED, &error)),
                // A late answer would be taken for that to the next command.
                Err(_) => return Err(self.too_slow(self.timeout)),
            }
        }
        if refusals.len() == recipients.len() {
            return Err(worst(refusals));
        }
        self.answer(REFUSED, connection.command(Data)).await?;
        is_handed_over.set(true);
        let response = self.answer(REFUSED, connection.message(mail)).await?;
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

    /// Waits for an answer, for as long as one may take.
    async fn answer<T>(
        &self,
        what: &str,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, DeliveryError> {
        match timeout(self.timeout, answer).await {
            Ok(answered) => answered.map_err(|error| self.failed(what, &error)),
            Err(_) => Err(self.too_slow(self.timeout)),
        }
    }

    fn too_slow(&self, time: Duration) -> DeliveryError {
        DeliveryError::temporary(format!(
            "{} did not answer in time: it takes longer than {} s",
            self.host,
            time.as_secs_f64()
        ))
    }

    /// Sorts a failure. What a server refuses for good is permanent; whatever else stands in the
    /// way, a missing STARTTLS or an expired certificate included, somebody may mend.
    fn failed(&self, what: &str, error: &Error) -> DeliveryError {
        DeliveryError {
            is_permanent: error.is_permanent(),
            retry_after: None,
            text: one_line(
                &format!(
                    "{what} {}: {}{}",
                    self.host,
                    describe(error),
                    self.remedy(error)
                ),
                ANSWER_CHARS_MAX * 2,
            ),
        }
    }

    /// Says what to set where server and settings do not agree on when encryption begins. The library
    /// has no kinds for that, but its words.
    fn remedy(&self, error: &Error) -> &'static str {
        let text = describe(error);
        match self.encryption {
            SmtpEncryption::StartTls if text.contains("STARTTLS is not supported") => {
                "; set starttls: false if the server encrypts from the first byte, tls: false to \
                 send in plain text"
            }
            SmtpEncryption::Tls if text.contains("InvalidContentType") => {
                "; the server does not encrypt from the first byte: set starttls: true, or \
                 tls: false to send in plain text"
            }
            _ => "",
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

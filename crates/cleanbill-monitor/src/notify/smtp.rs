//! E-mail over SMTP: one connection for each delivery, encrypted as the settings say or not at
//! all made.

mod envelope;
mod session;
#[cfg(test)]
mod tests;

use cleanbill_image::http::trusted_certificates;
use jiff::Timestamp;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, DeliveryError, Receipt, SmtpEncryption,
    SmtpSettings, Surroundings, require,
};
use super::mail::mail;
use super::message::Notification;
use session::Server;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "smtp",
    title: "E-mail",
    open,
};

/// Recipients of one channel. More are a mailing list.
const RECIPIENTS_MAX: usize = 50;

#[derive(Debug)]
struct Smtp {
    server: Server,
    from: Mailbox,
    to: Vec<Mailbox>,
}

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Smtp(settings) = settings else {
        return None;
    };
    let opened = open_settings(settings, surroundings);
    Some(opened.map(|smtp| Box::new(smtp) as Box<dyn Channel>))
}

fn open_settings(
    settings: &SmtpSettings,
    surroundings: &Surroundings,
) -> Result<Smtp, ChannelError> {
    let host = require(&INFO, "host", &settings.host)?;
    let to: Vec<Mailbox> = settings
        .to
        .iter()
        .flat_map(|entry| entry.split(','))
        .filter(|entry| !entry.trim().is_empty())
        .map(|entry| mailbox("to", entry))
        .collect::<Result<_, _>>()?;
    if to.is_empty() {
        require(&INFO, "to", "")?;
    }
    if to.len() > RECIPIENTS_MAX {
        return Err(invalid(
            "to",
            format!("has more than {RECIPIENTS_MAX} addresses"),
        ));
    }
    let hello_name = settings.hello_name.trim();
    if !hello_name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("hello_name", "is no name of a host".to_owned()));
    }
    let tls = match settings.encryption {
        SmtpEncryption::None => None,
        SmtpEncryption::StartTls | SmtpEncryption::Tls => Some(tls_parameters(host, surroundings)?),
    };
    Ok(Smtp {
        from: mailbox("from", &settings.from)?,
        to,
        server: Server::new(settings, host, tls, surroundings),
    })
}

fn invalid(setting: &'static str, reason: String) -> ChannelError {
    ChannelError::Invalid {
        channel: INFO.name,
        setting,
        reason,
    }
}

fn mailbox(setting: &'static str, text: &str) -> Result<Mailbox, ChannelError> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let shown = super::words::clip(text, 120);
        invalid(setting, format!("has '{shown}', which is no mail address"))
    })
}

/// Trusts exactly whom every other connection trusts.
fn tls_parameters(host: &str, surroundings: &Surroundings) -> Result<TlsParameters, ChannelError> {
    let failed = |source| ChannelError::Tls {
        channel: INFO.name,
        source,
    };
    let refused = |error: lettre::transport::smtp::Error| {
        invalid("host", format!("cannot be spoken to with TLS: {error}"))
    };
    let (system, own) = trusted_certificates(&surroundings.http.ca_files).map_err(failed)?;
    let store = match system {
        Some(_) => CertificateStore::None,
        None => CertificateStore::WebpkiRoots,
    };
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(store);
    for certificate in system.into_iter().flatten().chain(own) {
        let certificate = Certificate::from_der(certificate.to_vec()).map_err(refused)?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(refused)
}

impl Smtp {
    fn message(&self, message: &Notification) -> Result<Vec<u8>, DeliveryError> {
        envelope::build(&self.from, &self.to, &mail(message), message)
    }

    /// Returns whom this message is for: one of the recipients, or all.
    fn recipients(&self, message: &Notification) -> Result<Vec<Address>, DeliveryError> {
        let all = self.to.iter().map(|mailbox| mailbox.email.clone());
        if message.recipient.is_empty() {
            return Ok(all.collect());
        }
        let meant: Vec<Address> = all
            .filter(|address| address.to_string() == message.recipient)
            .take(1)
            .collect();
        if meant.is_empty() {
            return Err(DeliveryError::permanent(
                "the recipient is not in the settings any more",
            ));
        }
        Ok(meant)
    }
}

impl Channel for Smtp {
    fn info(&self) -> &'static ChannelInfo {
        &INFO
    }

    /// Each recipient gets a delivery of its own, so that a mailbox that is full neither keeps
    /// the others waiting nor makes them get it twice. It is one mail all the same: every copy
    /// has the same Message-ID and names all recipients.
    fn split(&self, message: Notification) -> Vec<Notification> {
        if self.to.len() < 2 {
            return vec![message];
        }
        let mut addresses: Vec<String> = Vec::new();
        for mailbox in &self.to {
            let address = mailbox.email.to_string();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
            .into_iter()
            .map(|recipient| Notification {
                recipient,
                ..message.clone()
            })
            .collect()
    }

    fn preview(&self, message: &Notification) -> Result<String, DeliveryError> {
        let parts = mail(message);
        let to: Vec<String> = self.to.iter().map(ToString::to_string).collect();
        Ok(format!(
            "From: {}\nTo: {}\nSubject: {}\n\n{}",
            self.from,
            to.join(", "),
            parts.subject,
            parts.text
        ))
    }

    fn deliver(&self, message: &Notification, _now: Timestamp) -> Result<Receipt, DeliveryError> {
        let recipients = self.recipients(message)?;
        let mail = self.message(message)?;
        self.server.deliver(&self.from.email, &recipients, &mail)
    }
}

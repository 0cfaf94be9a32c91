//! Mail, for real: a server with TLS and authentication takes it, and a mail program's library
//! reads it from the mailbox.
//!
//! Needs `CLEANBILL_TEST_SMTP=user:password@host` (STARTTLS on port 5987, TLS on 5965, IMAP on
//! 5993; the user's name is an address of the server), the certificate of its authority in
//! `CLEANBILL_TEST_SMTP_CA`, and Python. Without them the tests are skipped, unless
//! `CLEANBILL_TEST_REQUIRE_SERVICES=1` says that they must run.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may")]

use std::process::Command;
use std::time::Duration;

use cleanbill_core::Severity;
use cleanbill_core::change::{Cause, Change, ChangeKind, FindingKey, KnownFinding};
use cleanbill_image::{HttpOptions, Secret};
use cleanbill_monitor::notify::{
    ChannelSettings, ComposeSettings, Cycle, DeliveryError, ImageFacts, Notification, Receipt,
    SmtpEncryption, SmtpMechanism, SmtpSettings, Surroundings, compose, open_channel,
};
use jiff::Timestamp;
use serde_json::Value;

const STARTTLS_PORT: u16 = 5987;
const TLS_PORT: u16 = 5965;

/// Reads mails of the mailbox that have an id, as a mail program does.
const READER: &str = include_str!("smtp_service/read_mails.py");

struct Server {
    user: String,
    password: String,
    host: String,
    authority: String,
}

/// Returns the server, or `None` if the test is to be skipped.
fn server() -> Option<Server> {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let found = variable("CLEANBILL_TEST_SMTP").zip(variable("CLEANBILL_TEST_SMTP_CA"));
    let Some((address, authority)) = found else {
        let is_required = std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(
            !is_required,
            "CLEANBILL_TEST_SMTP and CLEANBILL_TEST_SMTP_CA must be set"
        );
        eprintln!("skipped: CLEANBILL_TEST_SMTP or CLEANBILL_TEST_SMTP_CA is not set");
        return None;
    };
    let (login, host) = address.rsplit_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    Some(Server {
        user: user.to_owned(),
        password: password.to_owned(),
        host: host.to_owned(),
        authority,
    })
}

impl Server {
    fn settings(&self, port: u16, encryption: SmtpEncryption) -> SmtpSettings {
        SmtpSettings {
            host: self.host.clone(),
            port,
            encryption,
            user: self.user.clone(),
            password: Secret::new(&*self.password),
            from: "Scanner <scanner@example.com>".to_owned(),
            to: vec![self.user.clone()],
            ..SmtpSettings::default()
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            http: HttpOptions {
                ca_files: vec![self.authority.clone().into()],
                read_timeout: Duration::from_secs(5),
                ..HttpOptions::default()
            },
            ..Surroundings::default()
        }
    }

    fn deliver(
        &self,
        settings: SmtpSettings,
        message: &Notification,
    ) -> Result<Vec<Receipt>, DeliveryError> {
        let settings = ChannelSettings::Smtp(settings);
        let channel = open_channel(&settings, &self.surroundings()).unwrap();
        let parts = channel.split(message.clone());
        parts
            .iter()
            .map(|part| channel.deliver(part, Timestamp::now()))
            .collect()
    }

    /// Returns the mails whose subject holds a text; waits until there are enough.
    fn mails(&self, subject: &str, count: usize) -> Vec<Value> {
        #[expect(clippy::disallowed_methods, reason = "the reader is another program")]
        let output = Command::new(
            std::env::var("CLEANBILL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned()),
        )
        .args([
            "-c",
            READER,
            &self.host,
            &self.user,
            &self.password,
            &self.authority,
        ])
        .args([subject, &count.to_string()])
        .output()
        .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Makes a message that no other run of the test has made.
fn message(name: &str, text: &str, references: &[String]) -> Notification {
    let run = Timestamp::now().as_nanosecond();
    let finding = KnownFinding {
        key: FindingKey {
            vulnerability_id: "CVE-2024-3094".to_owned(),
            package_name: text.to_owned(),
            ..FindingKey::default()
        },
        installed_version: "5.6.0".to_owned(),
        fixed_version: "5.6.1".to_owned(),
        severity: Severity::Critical,
        title: text.to_owned(),
        primary_url: "https://avd.aquasec.com/nvd/cve-2024-3094".to_owned(),
        ..KnownFinding::default()
    };
    let changes = [Change {
        image: text.to_owned(),
        kind: ChangeKind::New,
        cause: Cause::FirstSeen,
        finding: Some(finding),
    }];
    let settings = ComposeSettings {
        host: "docker-07".to_owned(),
        subject_prefix: format!("[{name} {run}]"),
        ..ComposeSettings::default()
    };
    compose(&Cycle {
        id: &format!("{name}-{run}"),
        time: "2026-11-22T06:30:00Z".parse().unwrap(),
        since: None,
        changes: &changes,
        images: &[ImageFacts {
            name: text.to_owned(),
            ..ImageFacts::default()
        }],
        database_updated_at: None,
        references,
        settings: &settings,
    })
    .unwrap()
}

fn text<'a>(mail: &'a Value, name: &str) -> &'a str {
    mail[name].as_str().unwrap()
}

#[test]
fn a_mail_arrives_over_starttls_and_over_tls() {
    let Some(server) = server() else { return };
    let message = message("both", "größer: 漢字 liblzma5", &[]);
    let starttls = server.settings(STARTTLS_PORT, SmtpEncryption::StartTls);
    let tls = SmtpSettings {
        mechanism: SmtpMechanism::Login,
        ..server.settings(TLS_PORT, SmtpEncryption::Tls)
    };
    let receipts = server.deliver(starttls, &message).unwrap();
    assert!(receipts[0].text.starts_with("250 "), "{receipts:?}");
    server.deliver(tls, &message).unwrap();
    let mails = server.mails(&message.subject_prefix, 2);
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(mail["defects"], 0);
        assert_eq!(
            text(mail, "subject"),
            format!(
                "{} Scan report: 1 image; new=1, resolved=0, errors=0",
                message.subject_prefix
            )
        );
        assert_eq!(text(mail, "from"), "Scanner <scanner@example.com>");
        assert_eq!(text(mail, "date"), "Sun, 22 Nov 2026 06:30:00 +0000");
        for part in ["text", "html"] {
            assert!(text(mail, part).contains("größer: 漢字 liblzma5"), "{mail}");
            assert!(text(mail, part).contains("5.6.1"), "{mail}");
        }
        assert!(!text(mail, "text").contains('<'), "{mail}");
    }
    // A copy is recognised.
    assert_eq!(mails[0]["message_id"], mails[1]["message_id"]);
}

#[test]
fn a_follow_up_lies_in_the_thread_of_what_it_follows() {
    let Some(server) = server() else { return };
    let first = message("first", "a", &[]);
    let second = message("second", "a", std::slice::from_ref(&first.id));
    for message in [&first, &second] {
        let settings = server.settings(STARTTLS_PORT, SmtpEncryption::StartTls);
        server.deliver(settings, message).unwrap();
    }
    let announced = &server.mails(&first.subject_prefix, 1)[0];
    let followed = &server.mails(&second.subject_prefix, 1)[0];
    assert_eq!(followed["in_reply_to"], announced["message_id"]);
    assert_eq!(followed["references"], announced["message_id"]);
}

#[test]
fn hostile_texts_stay_texts() {
    let Some(server) = server() else { return };
    let hostile = "x\r\n.\r\nRCPT TO:<dev@example.com>\r\n\r\n<script>alert(1)</script>\u{1b}[2J";
    let mut message = message("hostile", hostile, &[]);
    message
        .subject_prefix
        .push_str("\r\nBcc: dev@example.com\r\n\r\nbody");
    let settings = server.settings(STARTTLS_PORT, SmtpEncryption::StartTls);
    server.deliver(settings, &message).unwrap();
    let subject = message.subject_prefix.split('\r').next().unwrap();
    let mail = &server.mails(subject, 1)[0];
    assert!(
        text(mail, "subject").contains("Bcc: dev@example.com"),
        "{mail}"
    );
    assert_eq!(mail["bcc"], Value::Null);
    assert_eq!(mail["defects"], 0);
    assert!(!text(mail, "html").contains("<script"));
    assert!(text(mail, "text").contains("x . RCPT TO:"), "{mail}");
}

#[test]
fn several_recipients_get_one_mail_each_or_are_told_apart() {
    let Some(server) = server() else { return };
    let message = message("several", "a", &[]);
    let settings = |to: &str| SmtpSettings {
        to: vec![format!("{}, {to}", server.user)],
        ..server.settings(STARTTLS_PORT, SmtpEncryption::StartTls)
    };
    let receipts = server
        .deliver(settings("dev@example.com"), &message)
        .unwrap();
    assert_eq!(receipts.len(), 2);
    let mails = server.mails(&message.subject_prefix, 1);
    assert_eq!(mails.len(), 1);
    assert!(text(&mails[0], "to").contains("dev@example.com"));
    let error = server
        .deliver(settings("nobody@example.com"), &message)
        .unwrap_err();
    assert!(error.is_permanent, "{error}");
}

#[test]
fn what_is_not_as_it_should_be_gets_nothing() {
    let Some(server) = server() else { return };
    let message = message("refused", "a", &[]);
    let wrong_password = SmtpSettings {
        password: Secret::new("wrong"),
        ..server.settings(STARTTLS_PORT, SmtpEncryption::StartTls)
    };
    let error = server.deliver(wrong_password, &message).unwrap_err();
    assert!(error.is_permanent, "{error}");
    assert!(!error.text.contains("wrong"), "{error}");

    let in_plain_text = server.settings(STARTTLS_PORT, SmtpEncryption::None);
    let error = server.deliver(in_plain_text, &message).unwrap_err();
    assert!(error.text.starts_with("cannot log in to"), "{error}");

    // Plain text to a port that speaks TLS, and TLS to one that does not yet.
    for (port, encryption) in [
        (TLS_PORT, SmtpEncryption::StartTls),
        (STARTTLS_PORT, SmtpEncryption::Tls),
    ] {
        let settings = server.settings(port, encryption);
        let error = server.deliver(settings, &message).unwrap_err();
        assert!(!error.is_permanent, "{error}");
    }

    let untrusted = ChannelSettings::Smtp(server.settings(TLS_PORT, SmtpEncryption::Tls));
    let channel = open_channel(&untrusted, &Surroundings::default()).unwrap();
    let error = channel.deliver(&message, Timestamp::now()).unwrap_err();
    assert!(error.text.contains("invalid peer certificate"), "{error}");
    assert!(!error.is_permanent);
    assert_eq!(
        server.mails(&message.subject_prefix, 0),
        Vec::<Value>::new()
    );
}

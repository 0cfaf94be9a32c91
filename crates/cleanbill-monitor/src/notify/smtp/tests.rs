use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cleanbill_image::{HttpOptions, Secret};
use cleanbill_testkit::smtp_script::{SmtpScript, SmtpServer};

use super::Smtp;
use crate::notify::channel::{
    Channel as _, DeliveryError, Receipt, SmtpEncryption, SmtpMechanism, SmtpSettings, Surroundings,
};
use crate::notify::message::Notification;
use crate::notify::samples::{self, time};

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        encryption: SmtpEncryption::None,
        to: vec!["ops@example.com".to_owned()],
        ..SmtpSettings::default()
    }
}

fn open(settings: &SmtpSettings) -> Smtp {
    open_impatient(settings, Duration::from_secs(20))
}

fn open_impatient(settings: &SmtpSettings, read_timeout: Duration) -> Smtp {
    let surroundings = Surroundings {
        http: HttpOptions {
            read_timeout,
            ..HttpOptions::default()
        },
        ..Surroundings::default()
    };
    super::open_settings(settings, &surroundings).unwrap()
}

fn deliver(settings: &SmtpSettings, message: &Notification) -> Result<Receipt, DeliveryError> {
    open(settings).deliver(message, time("2026-11-22T06:30:00Z"))
}

fn mail_of(message: &Notification) -> String {
    let bytes = open(&settings(25)).message(message).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_mail_is_handed_over() {
    let server = SmtpServer::start(Vec::new());
    let receipt = deliver(&settings(server.port), &samples::changes()).unwrap();
    assert_eq!(receipt.text, "250 2.0.0 taken");
    let said = server.conversation();
    assert_eq!(
        said[..4],
        [
            "EHLO [127.0.0.1]",
            "MAIL FROM:<scanner@localhost>",
            "RCPT TO:<ops@example.com>",
            "DATA",
        ]
    );
}

/// Checks how a failure is sorted and told.
#[track_caller]
fn check(script: SmtpScript, is_permanent: bool, expected: &str) {
    let server = SmtpServer::start(script);
    let settings = SmtpSettings {
        user: "alice".to_owned(),
        password: Secret::new("hunter2"),
        ..settings(server.port)
    };
    let error = deliver(&settings, &samples::test()).unwrap_err();
    assert_eq!(
        (error.is_permanent, error.text.as_str()),
        (is_permanent, expected)
    );
}

#[test]
fn failures_are_told_apart() {
    check(
        vec![("CONNECT", "421 4.3.2 not now")],
        false,
        "cannot connect to 127.0.0.1: transient error (421): 4.3.2 not now",
    );
    check(
        vec![("AUTH", "535 5.7.8 wrong password")],
        true,
        "cannot log in to 127.0.0.1: permanent error (535): 5.7.8 wrong password",
    );
    check(
        vec![("EHLO", "250 script")],
        false,
        "cannot log in to 127.0.0.1: No compatible authentication mechanism was found",
    );
    check(
        vec![("RCPT", "450 4.2.0 greylisted")],
        false,
        "the mail was refused by 127.0.0.1: transient error (450): 4.2.0 greylisted",
    );
    check(
        vec![("RCPT", "550 5.1.1 nobody here")],
        true,
        "the mail was refused by 127.0.0.1: permanent error (550): 5.1.1 nobody here",
    );
    check(
        vec![("DATA", "452 4.3.1 disk full")],
        false,
        "the mail was refused by 127.0.0.1: transient error (452): 4.3.1 disk full",
    );
    check(
        vec![(".", "554 5.6.0 spam")],
        true,
        "the mail was refused by 127.0.0.1: permanent error (554): 5.6.0 spam",
    );
    check(
        vec![("MAIL", "")],
        false,
        "the mail was refused by 127.0.0.1: incomplete response",
    );
    check(
        vec![("CONNECT", "HTTP/1.1 400 Bad Request")],
        false,
        "cannot connect to 127.0.0.1: error Tag at: HTTP/1.1 400 Bad Request",
    );
}

#[test]
fn a_server_that_is_silent_is_left() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let smtp = open_impatient(&settings(port), Duration::from_millis(300));
    let error = smtp.deliver(&samples::test(), time("2026-11-22T06:30:00Z"));
    assert!(!error.unwrap_err().is_permanent);
}

#[test]
fn what_is_not_handed_over_ends_with_the_program() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let surroundings = Surroundings::default();
    let smtp = super::open_settings(&settings(port), &surroundings).unwrap();
    let cancelled = Arc::clone(&surroundings.context.cancelled);
    let stopper = std::thread::spawn(move || {
        // It is connected, and asked nothing more.
        let connection = listener.accept().unwrap();
        cancelled.store(true, Ordering::Relaxed);
        connection
    });
    let begun = Instant::now();
    let error = smtp
        .deliver(&samples::test(), time("2026-11-22T06:30:00Z"))
        .unwrap_err();
    assert_eq!(
        (error.is_permanent, error.text.as_str()),
        (false, "stopped while 127.0.0.1 was asked")
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(stopper.join().unwrap());
}

#[test]
fn a_server_that_does_not_encrypt_from_the_first_byte_is_named() {
    let server = SmtpServer::start(Vec::new());
    let settings = SmtpSettings {
        encryption: SmtpEncryption::Tls,
        ..settings(server.port)
    };
    let error = deliver(&settings, &samples::test()).unwrap_err();
    assert!(
        error
            .text
            .ends_with("set starttls: true, or tls: false to send in plain text"),
        "{}",
        error.text
    );
}

/// It speaks often enough for every single timeout, and never comes to an end.
#[test]
fn a_server_that_talks_for_ever_is_left() {
    let (port, server) = babbler("220 hello\r\n", "250 fine\r\n", Duration::from_millis(150));
    let everybody = (0..50).map(|number| format!("{number}@example.com"));
    let settings = SmtpSettings {
        to: everybody.collect(),
        ..settings(port)
    };
    let smtp = open_impatient(&settings, Duration::from_millis(300));
    let error = smtp
        .deliver(&samples::test(), time("2026-11-22T06:30:00Z"))
        .unwrap_err();
    assert_eq!(
        (error.is_permanent, error.text.as_str()),
        (
            false,
            "127.0.0.1 did not answer in time: it takes longer than 1.5 s"
        )
    );
    server.join().unwrap();
}

#[test]
fn an_answer_that_never_ends_is_not_waited_for() {
    for part in ["220-wait\r\n", "wait"] {
        let (port, server) = babbler(part, part, Duration::from_millis(10));
        let smtp = open_impatient(&settings(port), Duration::from_millis(300));
        let error = smtp
            .deliver(&samples::test(), time("2026-11-22T06:30:00Z"))
            .unwrap_err();
        assert_eq!(
            error.text,
            "127.0.0.1 did not answer in time: it takes longer than 0.3 s"
        );
        server.join().unwrap();
    }
}

/// A server that does not listen and speaks for as long as the connection is there.
fn babbler(
    first: &'static str,
    then: &'static str,
    pause: Duration,
) -> (u16, std::thread::JoinHandle<()>) {
    use std::io::Write as _;

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = first;
        while stream.write_all(text.as_bytes()).is_ok() {
            text = then;
            std::thread::sleep(pause);
        }
    });
    (port, server)
}

#[test]
fn nothing_is_said_in_plain_text_where_encryption_was_asked_for() {
    let server = SmtpServer::start(Vec::new());
    let settings = SmtpSettings {
        encryption: SmtpEncryption::StartTls,
        user: "alice".to_owned(),
        password: Secret::new("hunter2"),
        ..settings(server.port)
    };
    let error = deliver(&settings, &samples::test()).unwrap_err();
    assert_eq!(
        error.text,
        "no encrypted connection to 127.0.0.1: STARTTLS is not supported on this server; set \
         starttls: false if the server encrypts from the first byte, tls: false to send in plain \
         text"
    );
    assert!(!error.is_permanent);
    let said = server.conversation();
    assert!(
        said.iter()
            .all(|line| line.starts_with("EHLO") || line == "QUIT"),
        "{said:?}"
    );
}

#[test]
fn a_server_that_breaks_the_handshake_gets_nothing() {
    let server = SmtpServer::start(vec![
        ("EHLO", "250-script\n250 STARTTLS"),
        ("STARTTLS", "220 go ahead\n250 I meant no"),
    ]);
    let settings = SmtpSettings {
        encryption: SmtpEncryption::StartTls,
        ..settings(server.port)
    };
    assert!(
        !deliver(&settings, &samples::test())
            .unwrap_err()
            .is_permanent
    );
    let said = server.conversation();
    assert!(
        !said.iter().any(|line| line.starts_with("MAIL")),
        "{said:?}"
    );
}

#[track_caller]
fn check_login(mechanism: SmtpMechanism, script: SmtpScript, expected: &[&str]) {
    let server = SmtpServer::start(script);
    let settings = SmtpSettings {
        user: "alice".to_owned(),
        password: Secret::new("secret"),
        mechanism,
        ..settings(server.port)
    };
    deliver(&settings, &samples::test()).unwrap();
    let said = server.conversation();
    assert_eq!(said[1..=expected.len()], *expected);
}

#[test]
fn every_mechanism_logs_in() {
    let login = || {
        vec![
            ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
            ("YWxpY2U=", "334 UGFzc3dvcmQ6"),
            ("c2VjcmV0", "235 2.7.0 welcome"),
        ]
    };
    let plain = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";
    check_login(SmtpMechanism::Automatic, Vec::new(), &[plain]);
    check_login(SmtpMechanism::Plain, Vec::new(), &[plain]);
    check_login(
        SmtpMechanism::Login,
        login(),
        &["AUTH LOGIN", "YWxpY2U=", "c2VjcmV0"],
    );
    let mut only_login = login();
    only_login.push(("EHLO", "250-script\n250 AUTH LOGIN"));
    check_login(
        SmtpMechanism::Automatic,
        only_login,
        &["AUTH LOGIN", "YWxpY2U=", "c2VjcmV0"],
    );
    check_login(
        SmtpMechanism::Xoauth2,
        Vec::new(),
        &["AUTH XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciBzZWNyZXQBAQ=="],
    );
}

#[test]
fn each_recipient_is_a_delivery_of_its_own() {
    let smtp = open(&SmtpSettings {
        to: vec![
            "Ops <ops@example.com>, dev@example.com".to_owned(),
            "ops@example.com".to_owned(),
        ],
        ..settings(25)
    });
    let parts = smtp.split(samples::test());
    let keys: Vec<String> = parts.iter().map(Notification::key).collect();
    assert_eq!(keys, ["test-1/ops@example.com", "test-1/dev@example.com"]);
    let mails: Vec<Vec<u8>> = parts
        .iter()
        .map(|part| smtp.message(part).unwrap())
        .collect();
    assert_eq!(mails[0], mails[1]);
    assert_eq!(smtp.recipients(&parts[1]).unwrap().len(), 1);
    let gone = Notification {
        recipient: "gone@example.com".to_owned(),
        ..samples::test()
    };
    assert!(smtp.recipients(&gone).unwrap_err().is_permanent);
}

#[test]
fn some_recipients_may_be_refused() {
    let server = SmtpServer::start(vec![("RCPT TO:<gone@", "550 5.1.1 nobody here")]);
    let settings = SmtpSettings {
        to: vec!["gone@example.com, ops@example.com".to_owned()],
        ..settings(server.port)
    };
    let receipt = deliver(&settings, &samples::test()).unwrap();
    assert!(
        receipt.text.contains("; not to gone@example.com: "),
        "{}",
        receipt.text
    );
}

#[test]
fn the_same_message_is_the_same_mail() {
    let mail = mail_of(&samples::changes());
    assert_eq!(mail, mail_of(&samples::changes()));
    let header = |name: &str| {
        let start = format!("{name}: ");
        mail.lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_default()
    };
    assert_eq!(
        header("Message-ID"),
        "<db8f1de79ec1ce793a48cf5f43716a73@localhost>"
    );
    assert_eq!(header("In-Reply-To"), header("References"));
    assert!(header("In-Reply-To").ends_with("@localhost>"));
    assert_ne!(header("In-Reply-To"), header("Message-ID"));
    assert_eq!(header("Date"), "Sun, 22 Nov 2026 06:30:00 +0000");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
}

#[test]
fn hostile_texts_add_no_header_and_no_line_that_is_too_long() {
    let mail = mail_of(&samples::hostile());
    assert!(mail.is_ascii());
    assert!(mail.split("\r\n").all(|line| line.len() <= 998));
    let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = headers
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    let known = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "X-Auto-Response-Suppress",
        "In-Reply-To",
        "References",
        "Content-Type",
    ];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
}

//! The table of settings.
//!
//! A row is all it takes to add one, beside its place in [`WatchSettings`](super::watch_settings):
//! its flag, its names in the environment, in `.env` and as secret file, its key in the
//! configuration file, schema and documentation follow from the row. The order is that of the
//! documentation.
//!
//! Source of the older names: DESIGN section 5.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::default::{self, DefaultValue};
use super::kind::Kind;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its key in the configuration file, from the top: `watch.interval`.
    pub(crate) key: &'static str,
    /// Its flag, without dashes.
    pub(crate) flag: &'static str,
    /// Another name of the flag, from the older tools.
    pub(crate) flag_alias: Option<&'static str>,
    /// One letter or digit for the flag.
    pub(crate) short: Option<char>,
    /// The flag is one of every command, and defined there.
    pub(crate) is_global: bool,
    /// Names of the older tools: in the environment, in `.env` and as secret file.
    pub(crate) older: &'static [&'static str],
    /// What it may hold.
    pub(crate) kind: Kind,
    /// What it holds if nobody says anything.
    pub(crate) default: DefaultValue,
    /// It is never shown, and can be read from a file that the configuration file names.
    pub(crate) is_secret: bool,
    /// A change takes effect only when the program is started again.
    pub(crate) needs_restart: bool,
    /// The commands that read it.
    pub(crate) commands: &'static [&'static str],
    /// What it does; a sentence without its full stop.
    pub(crate) help: &'static str,
}

impl Setting {
    const fn new(
        key: &'static str,
        flag: &'static str,
        kind: Kind,
        default: DefaultValue,
        help: &'static str,
    ) -> Self {
        Self {
            key,
            flag,
            flag_alias: None,
            short: None,
            is_global: false,
            older: &[],
            kind,
            default,
            is_secret: false,
            needs_restart: false,
            commands: &["watch"],
            help,
        }
    }

    const fn older(mut self, names: &'static [&'static str]) -> Self {
        self.older = names;
        self
    }

    const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    const fn alias(mut self, alias: &'static str) -> Self {
        self.flag_alias = Some(alias);
        self
    }

    const fn global(mut self) -> Self {
        self.is_global = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    const fn restart(mut self) -> Self {
        self.needs_restart = true;
        self
    }

    const fn commands(mut self, commands: &'static [&'static str]) -> Self {
        self.commands = commands;
        self
    }

    /// Returns its own name in the environment, which is that of the flag.
    pub(crate) fn environment(&self) -> &'static str {
        static NAMES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
            let name = |flag: &str| format!("CLEANBILL_{}", flag.to_uppercase().replace('-', "_"));
            let flags = SETTINGS.iter().map(|setting| setting.flag);
            flags.map(|flag| (flag, name(flag))).collect()
        });
        NAMES.get(self.flag).map_or(self.flag, String::as_str)
    }

    /// Returns every name that it has in the environment, in order of precedence, and whether it
    /// is one of the older tools.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let older = self.older.iter().map(|name| (*name, true));
        std::iter::once((self.environment(), false)).chain(older)
    }

    /// Says whether the configuration file may name a file that holds the value: secrets, and what
    /// belongs to a channel and was a secret file of the older tool.
    pub(crate) fn can_lie_in_file(&self) -> bool {
        self.is_secret || self.key.starts_with("notify.smtp.")
    }

    /// Returns the default in words; empty if there is none.
    pub(crate) fn default_words(&self) -> &'static str {
        match self.default {
            DefaultValue::Unset => "",
            DefaultValue::Text(text) => text,
            DefaultValue::Found { words, .. } => words,
        }
    }

    /// Says whether it is true unless told otherwise.
    pub(crate) fn is_on_by_default(&self) -> bool {
        self.default_words() == "true"
    }

    /// Returns the key without the group that it stands in.
    pub(crate) fn last_name(&self) -> &'static str {
        self.key.rsplit('.').next().unwrap_or(self.key)
    }
}

/// Returns the setting of a key.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

use DefaultValue::{Found, Text, Unset};

const NOTIFY: &[&str] = &["watch", "notify"];

/// Every setting, in the order of the documentation. A default may depend on settings above it.
#[rustfmt::skip]
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("watch.interval", "interval", Kind::Schedule, Text("24h"),
        "Pause between the end of a pass over all images and the next (24h, 90m, seconds), or a cron expression")
        .older(&["SCAN_INTERVAL_SECONDS"]),
    Setting::new("watch.time_zone", "time-zone", Kind::TimeZone,
        Found { find: default::time_zone, words: "that of the system" },
        "Time zone of cron expressions, digests and quiet hours"),
    Setting::new("watch.jitter", "jitter", Kind::Duration, Unset,
        "Longest random delay before a pass, so that many hosts do not begin at once [default: a twentieth of the pause, at most 5m]"),
    Setting::new("watch.once", "once", Kind::Boolean, Text("false"),
        "Make one pass, then exit with its verdict")
        .older(&["SCAN_ONCE"]).short('1').restart(),
    Setting::new("watch.fail_on", "fail-on", Kind::Thresholds, Unset,
        "With --once, exit with 1 if there are more findings than allowed: critical=0,high=5"),
    Setting::new("watch.images", "image", Kind::Texts, Unset,
        "Watch these images only (repeatable) [default: every image of the engine that has a tag]")
        .older(&["SCAN_IMAGES"]),
    Setting::new("watch.ignore_list", "ignore-list", Kind::Path, Text("/ignore-images.txt"),
        "File of images to leave out: a name or pattern in each line, text after # is dropped")
        .older(&["IGNORE_FILE"]),
    Setting::new("watch.ignore_images", "ignore-image", Kind::ImagePatterns, Unset,
        "Images to leave out, names or patterns, if there is no such file (repeatable)")
        .older(&["IGNORE_IMAGES"]),
    Setting::new("watch.running_only", "running-only", Kind::Boolean, Text("false"),
        "Watch only images that a container runs"),

    Setting::new("baseline.directory", "snapshot-dir", Kind::Path, Text("/snapshots"),
        "Directory of the baselines, one file per image")
        .older(&["SNAPSHOT_DIR"]).commands(&["watch", "baseline", "notify"]),
    Setting::new("baseline.write", "save-snapshot", Kind::Boolean, Text("false"),
        "Write baselines after each pass")
        .older(&["SNAPSHOT_WRITE"]),

    Setting::new("scan.severity", "severity", Kind::Severities, Text("HIGH,CRITICAL"),
        "Severities that count")
        .older(&["TRIVY_SEVERITY"]).short('s').commands(&["watch", "baseline", "notify"]),
    Setting::new("scan.ignore_unfixed", "ignore-unfixed", Kind::Boolean, Text("false"),
        "Count only what a fix exists for"),
    Setting::new("scan.ignore_status", "ignore-status", Kind::FixStatuses, Unset,
        "States of a fix that do not count: affected, will_not_fix, end_of_life and others"),
    Setting::new("scan.exceptions", "exceptions", Kind::Paths, Unset,
        "Files of exceptions: accepted findings with reason, owner and end (repeatable)"),
    Setting::new("scan.warn_before", "warn-before", Kind::Duration, Text("7d"),
        "Announce exceptions so long before they expire"),
    Setting::new("scan.ignore_files", "ignorefile", Kind::Paths, Unset,
        "Files of accepted vulnerabilities: .trivyignore, its YAML form, .grype.yaml, osv-scanner.toml (repeatable)"),
    Setting::new("scan.vex", "vex", Kind::Paths, Unset,
        "VEX documents whose statements take findings out (repeatable)"),
    Setting::new("scan.package_types", "pkg-types", Kind::Choices(&["os", "library"]), Text("os,library"),
        "Kinds of packages: os, library"),
    Setting::new("scan.severity_source", "vuln-severity-source", Kind::SeveritySources, Text("auto"),
        "Sources of severities, in order of precedence"),
    Setting::new("scan.detection_priority", "detection-priority", Kind::Choice(&["precise", "comprehensive"]), Text("precise"),
        "Whether files that OS packages own are reported again as language packages"),
    Setting::new("scan.skip_dirs", "skip-dirs", Kind::Texts, Unset,
        "Directories to leave out, with patterns (repeatable)"),
    Setting::new("scan.skip_files", "skip-files", Kind::Texts, Unset,
        "Files to leave out, with patterns (repeatable)"),
    Setting::new("scan.parallel", "parallel", Kind::Number { min: 1, max: 256 }, Unset,
        "Layers that are read at a time [default: the number of processors]"),
    Setting::new("scan.timeout", "timeout", Kind::Duration, Unset,
        "Give an image up after so long [default: never]"),
    Setting::new("scan.engine", "engine", Kind::Choice(&["native", "trivy"]), Text("native"),
        "Engine that finds vulnerabilities; trivy runs an installed Trivy, and is taken if there are flags for it"),
    Setting::new("scan.trivy_path", "trivy-path", Kind::Program, Unset,
        "Trivy's program [default: trivy on the search path]"),
    Setting::new("scan.trivy_args", "trivy-args", Kind::Arguments, Unset,
        "More flags for Trivy, as in a shell")
        .older(&["TRIVY_EXTRA_ARGS"]).alias("extra-trivy-args"),

    Setting::new("docker.host", "docker-host", Kind::EngineUrl, Unset,
        "Address of the engine [default: the current Docker context, else the first socket that answers]")
        .older(&["DOCKER_HOST"]).restart(),
    Setting::new("network.ca_cert", "ca-cert", Kind::Paths, Unset,
        "Files with certificates of authorities to trust besides the system's (PEM; repeatable)")
        .commands(NOTIFY),
    Setting::new("network.insecure_registries", "insecure-registry", Kind::Texts, Unset,
        "Registries that may be reached by plain HTTP or with an unverified certificate (repeatable)"),

    Setting::new("cache.directory", "cache-dir", Kind::Path,
        Found { find: default::cache_directory, words: "`$XDG_CACHE_HOME/cleanbill`" },
        "Directory of the layer cache and the databases").global().restart(),
    Setting::new("state.directory", "state-dir", Kind::Path,
        Found { find: default::state_directory, words: "`$XDG_STATE_HOME/cleanbill`" },
        "Directory of what is remembered: images, findings, history, messages").restart()
        .commands(&["watch", "status", "history", "affected", "health", "baseline", "exceptions", "notify"]),

    Setting::new("database.path", "db-path", Kind::Path, Unset,
        "Directory of the advisory database: with trivy.db, or a Trivy cache directory [default: db in the cache directory]")
        .older(&["TRIVY_CACHE_DIR"]),
    Setting::new("database.repositories", "db-repository", Kind::Texts,
        Text("mirror.gcr.io/aquasec/trivy-db:2,ghcr.io/aquasecurity/trivy-db:2"),
        "Repositories of the advisory database, tried in order (repeatable)"),
    Setting::new("database.java_repositories", "java-db-repository", Kind::Texts,
        Text("mirror.gcr.io/aquasec/trivy-java-db:1,ghcr.io/aquasecurity/trivy-java-db:1"),
        "Repositories of the Java index, tried in order (repeatable)"),
    Setting::new("database.extras", "db-extras", Kind::Choices(&["epss", "kev"]), Unset,
        "Fetch with the advisory database: epss (how likely vulnerabilities are exploited), kev (which are)"),
    Setting::new("database.epss_url", "epss-url", Kind::Url, Unset,
        "Address of the EPSS scores [default: that of FIRST's publisher]"),
    Setting::new("database.kev_url", "kev-url", Kind::Url, Unset,
        "Address of the KEV catalogue [default: that of CISA]"),
    Setting::new("database.skip_update", "skip-db-update", Kind::Boolean, Text("false"),
        "Use the advisory database that is there, however old"),
    Setting::new("database.skip_java_update", "skip-java-db-update", Kind::Boolean, Text("false"),
        "Use the Java index that is there, however old"),
    Setting::new("database.max_age", "max-db-age", Kind::Duration, Unset,
        "An older advisory database is no database: nothing is judged with it [default: any age]"),
    Setting::new("database.offline", "offline", Kind::Boolean, Text("false"),
        "Open no connection to any network").commands(NOTIFY),

    Setting::new("log.directory", "log-dir", Kind::Path,
        Found { find: default::log_directory, words: "`/var/log/security-scans` if it is there, else `logs` in the state directory" },
        "Directory of the log and the report of each scan, and of scan-summary.log")
        .older(&["LOG_DIR"]),

    Setting::new("retention.logs_age", "keep-logs", Kind::Duration, Text("90d"),
        "Age at which logs and reports of scans are removed"),
    Setting::new("retention.logs_size", "max-logs-size", Kind::Size, Text("1GB"),
        "Size that logs and reports may have together; the oldest are removed first"),
    Setting::new("retention.history_age", "keep-history", Kind::Duration, Text("400d"),
        "Age at which scans and changes are forgotten"),
    Setting::new("retention.history_size", "max-history-size", Kind::Size, Text("1GB"),
        "Size that the history may have"),
    Setting::new("retention.cache_age", "keep-cache", Kind::Duration, Text("90d"),
        "Age at which inventories of layers that were not used are removed"),
    Setting::new("retention.cache_size", "max-cache-size", Kind::Size, Text("5GB"),
        "Size that the cache of layer inventories may have"),

    Setting::new("metrics.listen", "metrics-listen", Kind::Listen, Text("127.0.0.1:9871"),
        "Address of /metrics, /healthz and /readyz: off, a port of this host, or an address with a port").restart(),
    Setting::new("metrics.token", "metrics-token", Kind::Text, Unset,
        "Token that /metrics asks for (Authorization: Bearer); without one everybody who reaches the address may read").secret().restart(),
    Setting::new("metrics.images_max", "metrics-images-max", Kind::Number { min: 0, max: 10_000 }, Text("0"),
        "Images that have metrics of their own, the first by name; their names can then be read").restart(),
    Setting::new("metrics.pushgateway", "pushgateway", Kind::Server, Unset,
        "Pushgateway that metrics are pushed to after each pass")
        .older(&["PROMETHEUS_PUSHGATEWAY"]).restart(),

    Setting::new("notify.digest", "digest", Kind::Choice(&["off", "daily"]), Text("off"),
        "Collect what changes and send it once a day"),
    Setting::new("notify.digest_at", "digest-at", Kind::TimeOfDay, Text("08:00"),
        "Time of the digest"),
    Setting::new("notify.quiet_hours", "quiet-hours", Kind::QuietHours, Text("off"),
        "Hours in which messages are held back, such as 22:00-07:00"),
    Setting::new("notify.heartbeat", "heartbeat", Kind::Period, Text("weekly"),
        "How often a message says that all is quiet: off, daily, weekly, or a duration"),
    Setting::new("notify.messages_per_hour", "messages-per-hour", Kind::Number { min: 1, max: 3_600 }, Text("12"),
        "Messages an hour that a channel gets at most; what is beyond is held and sent together"),
    Setting::new("notify.list_max", "list-max", Kind::Number { min: 1, max: 500 }, Text("30"),
        "Vulnerabilities that a message lists; the rest is counted").commands(NOTIFY),
    Setting::new("notify.report_url", "report-url", Kind::Url, Unset,
        "Address of the full report, for messages [default: the path of the log]").commands(NOTIFY),
    Setting::new("notify.host_name", "host-name", Kind::Text,
        Found { find: default::host_name, words: "that of the system" },
        "Name of this host in messages").commands(NOTIFY),

    Setting::new("notify.smtp.host", "smtp-host", Kind::Text, Unset,
        "Mail server; mail is sent if it and a recipient are set")
        .older(&["SMTP_HOST"]).commands(NOTIFY),
    Setting::new("notify.smtp.port", "smtp-port", Kind::Number { min: 1, max: 65_535 }, Text("587"),
        "Port of the mail server")
        .older(&["SMTP_PORT"]).commands(NOTIFY),
    Setting::new("notify.smtp.user", "smtp-user", Kind::Text, Unset,
        "User at the mail server; without one there is no authentication")
        .older(&["SMTP_USER"]).commands(NOTIFY),
    Setting::new("notify.smtp.password", "smtp-pass", Kind::Text, Unset,
        "Password or token at the mail server")
        .older(&["SMTP_PASS"]).secret().commands(NOTIFY),
    Setting::new("notify.smtp.auth", "smtp-auth", Kind::Choice(&["auto", "plain", "login", "xoauth2"]), Text("auto"),
        "Way of authentication; auto takes what the server offers")
        .commands(NOTIFY),
    Setting::new("notify.smtp.from", "smtp-from", Kind::MailAddress, Text("scanner@localhost"),
        "Sender")
        .older(&["SMTP_FROM"]).commands(NOTIFY),
    Setting::new("notify.smtp.to", "smtp-to", Kind::MailAddresses, Unset,
        "Recipients (repeatable)")
        .older(&["SMTP_TO"]).commands(NOTIFY),
    Setting::new("notify.smtp.tls", "smtp-tls", Kind::Boolean, Text("true"),
        "Encrypt; there is no falling back to plain text")
        .older(&["SMTP_TLS"]).commands(NOTIFY),
    Setting::new("notify.smtp.starttls", "smtp-starttls", Kind::Boolean, Text("true"),
        "Encrypt by STARTTLS; false: from the first byte")
        .older(&["SMTP_STARTTLS"]).commands(NOTIFY),
    Setting::new("notify.smtp.ca_cert", "smtp-ca-cert", Kind::Path, Unset,
        "File with the certificate of the authority that the mail server's is signed by (PEM)")
        .commands(NOTIFY),
    Setting::new("notify.smtp.hello_name", "smtp-hello-name", Kind::Text, Unset,
        "Name that is given to the mail server in EHLO [default: the host's]")
        .commands(NOTIFY),
    Setting::new("notify.smtp.subject_prefix", "smtp-subject-prefix", Kind::Text, Text("[Image Scanner]"),
        "What subjects begin with")
        .older(&["SMTP_SUBJECT_PREFIX"]).commands(NOTIFY),

    Setting::new("notify.slack.webhook_url", "slack-webhook-url", Kind::Url, Unset,
        "Incoming webhook of Slack")
        .older(&["SLACK_WEBHOOK_URL"]).secret().commands(NOTIFY),
    Setting::new("notify.webhook.url", "webhook-url", Kind::Url, Unset,
        "Address that JSON is posted to").secret().commands(NOTIFY),
    Setting::new("notify.webhook.signing_key", "webhook-signing-key", Kind::Text, Unset,
        "Key of the signature (HMAC-SHA256) of what is posted").secret().commands(NOTIFY),
    Setting::new("notify.webhook.authorization", "webhook-authorization", Kind::Text, Unset,
        "Authorization header of what is posted").secret().commands(NOTIFY),
    Setting::new("notify.teams.webhook_url", "teams-webhook-url", Kind::Url, Unset,
        "Webhook of Microsoft Teams").secret().commands(NOTIFY),
    Setting::new("notify.discord.webhook_url", "discord-webhook-url", Kind::Url, Unset,
        "Webhook of Discord").secret().commands(NOTIFY),
    Setting::new("notify.mattermost.webhook_url", "mattermost-webhook-url", Kind::Url, Unset,
        "Incoming webhook of Mattermost").secret().commands(NOTIFY),
    Setting::new("notify.ntfy.url", "ntfy-url", Kind::Url, Text("https://ntfy.sh"),
        "Server of ntfy").commands(NOTIFY),
    Setting::new("notify.ntfy.topic", "ntfy-topic", Kind::Text, Unset,
        "Topic at ntfy; whoever knows it can read it").secret().commands(NOTIFY),
    Setting::new("notify.ntfy.token", "ntfy-token", Kind::Text, Unset,
        "Access token at ntfy").secret().commands(NOTIFY),
    Setting::new("notify.gotify.url", "gotify-url", Kind::Url, Unset,
        "Server of Gotify").commands(NOTIFY),
    Setting::new("notify.gotify.token", "gotify-token", Kind::Text, Unset,
        "Token of the application at Gotify").secret().commands(NOTIFY),
];

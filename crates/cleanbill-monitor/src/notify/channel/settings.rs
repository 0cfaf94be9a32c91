//! Settings of each kind of channel.

use cleanbill_image::Secret;

/// Holds the settings of one channel.
#[derive(Clone, Debug)]
pub enum ChannelSettings {
    /// E-mail.
    Smtp(SmtpSettings),
    /// Slack.
    Slack(SlackSettings),
    /// A generic webhook.
    Webhook(WebhookSettings),
    /// Microsoft Teams.
    Teams(TeamsSettings),
    /// Discord.
    Discord(DiscordSettings),
    /// Mattermost.
    Mattermost(MattermostSettings),
    /// ntfy.
    Ntfy(NtfySettings),
    /// Gotify.
    Gotify(GotifySettings),
}

/// Says where mail goes and how.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Whether and how the connection is encrypted.
    pub encryption: SmtpEncryption,
    /// Who logs in; empty for nobody.
    pub user: String,
    /// The password, or the token where the mechanism is XOAUTH2.
    pub password: Secret,
    /// How to log in.
    pub mechanism: SmtpMechanism,
    /// Who the mail comes from: `scanner@localhost` or `Scanner <scanner@localhost>`.
    pub from: String,
    /// Who gets it; each entry may hold several addresses, separated by commas.
    pub to: Vec<String>,
    /// How this host introduces itself to the server; empty for `[127.0.0.1]`. Many servers
    /// refuse names that do not exist, such as those of containers.
    pub hello_name: String,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            encryption: SmtpEncryption::default(),
            user: String::new(),
            password: Secret::default(),
            mechanism: SmtpMechanism::default(),
            from: "scanner@localhost".to_owned(),
            to: Vec::new(),
            hello_name: String::new(),
        }
    }
}

/// Says whether and how a connection to a mail server is encrypted. None of these falls back to
/// another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpEncryption {
    /// Not at all.
    None,
    /// Begun in plain text and encrypted before anything is said; a server that does not offer
    /// that gets nothing.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
}

impl SmtpEncryption {
    /// Reads the two settings of the older script, SMTP_TLS and SMTP_STARTTLS.
    pub fn from_flags(tls: bool, starttls: bool) -> Self {
        match (tls, starttls) {
            (false, _) => SmtpEncryption::None,
            (true, true) => SmtpEncryption::StartTls,
            (true, false) => SmtpEncryption::Tls,
        }
    }
}

/// Says how to log in to a mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpMechanism {
    /// PLAIN, or LOGIN where the server offers nothing else.
    #[default]
    Automatic,
    /// PLAIN.
    Plain,
    /// LOGIN.
    Login,
    /// XOAUTH2; the password is an access token.
    Xoauth2,
}

/// Says where messages to Slack go.
#[derive(Clone, Debug, Default)]
pub struct SlackSettings {
    /// The address of the incoming webhook; whoever knows it can post.
    pub webhook_url: Secret,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

/// Says where messages go as JSON.
#[derive(Clone, Debug, Default)]
pub struct WebhookSettings {
    /// The address.
    pub url: Secret,
    /// Signs what is sent; empty for no signature.
    pub signing_secret: Secret,
    /// Headers that the receiver wants, name and value.
    pub headers: Vec<(String, Secret)>,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

/// Says where messages to Microsoft Teams go.
#[derive(Clone, Debug, Default)]
pub struct TeamsSettings {
    /// The address of the workflow or incoming webhook; whoever knows it can post.
    pub webhook_url: Secret,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

/// Says where messages to Discord go.
#[derive(Clone, Debug, Default)]
pub struct DiscordSettings {
    /// The address of the webhook; whoever knows it can post.
    pub webhook_url: Secret,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

/// Says where messages to Mattermost go.
#[derive(Clone, Debug, Default)]
pub struct MattermostSettings {
    /// The address of the incoming webhook; whoever knows it can post.
    pub webhook_url: Secret,
    /// Another channel than that of the webhook; empty for that one.
    pub channel: String,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

/// Says where messages to ntfy go.
#[derive(Clone, Debug)]
pub struct NtfySettings {
    /// The server's address.
    pub server: String,
    /// The topic. On a public server whoever knows it can read along.
    pub topic: Secret,
    /// The access token; empty for none.
    pub token: Secret,
    /// Who logs in, where there is no token; empty for nobody.
    pub user: String,
    /// The password of the user.
    pub password: Secret,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

impl Default for NtfySettings {
    fn default() -> Self {
        Self {
            server: "https://ntfy.sh".to_owned(),
            topic: Secret::default(),
            token: Secret::default(),
            user: String::new(),
            password: Secret::default(),
            allow_plain_http: false,
        }
    }
}

/// Says where messages to Gotify go.
#[derive(Clone, Debug, Default)]
pub struct GotifySettings {
    /// The server's address.
    pub server: String,
    /// The token of the application.
    pub token: Secret,
    /// The address may be one of `http://`.
    pub allow_plain_http: bool,
}

//! `cleanbill notify CHANNEL --scan-results FILE`: what saved reports say, as one message.

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_image::Secret;
use cleanbill_monitor::notify::{SummaryOptions, summary};
use jiff::Timestamp;

use super::super::{Setting, print, report};
use super::changes::changes;
use super::sending::{Outcome, choose, composing, kind};
use crate::channels;
use crate::ci_run::CiRun;
use crate::cli::{Occasion, SummaryArgs};
use crate::commands::judging::{Judgement, judge};
use crate::commands::status::settings;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Call, ChannelSettings, ChannelTarget};
use crate::stop;

/// The flag that names the address of the generic webhook, and of whichever channel is told here.
const WEBHOOK_URL: &str = "notify.webhook.url";

pub(super) fn run(setting: &Setting, arguments: SummaryArgs) -> Result<Exit, CommandError> {
    stop::after(arguments.patience.timeout);
    let name = arguments.channel.unwrap_or_default();
    let call = with_address(arguments.settings.call, &name)?;
    let mut settings = settings(setting, call)?;
    let wanted = kind(&name);
    let is_meant =
        |channel: &ChannelSettings| channel.name == name || Some(channel.name.as_str()) == wanted;
    let channels = &mut settings.notify.channels;
    // What is wrong with another channel is nothing to this call.
    if channels.iter().any(is_meant) {
        channels.retain(is_meant);
    } else if let Some(stand_in) = wanted.filter(|_| arguments.dry_run).and_then(stand_in) {
        *channels = vec![stand_in];
    }
    let open = channels::open(&settings, &setting.environment, &stop::flag())?;
    let (name, channel) = choose(&open, &name)?;
    let mut saved = report::read_all(&arguments.scan_results)?;
    let judgement = judge(&arguments.judging, &mut saved, None)?;
    let id = uuid::Uuid::now_v7().to_string();
    let mut composing = composing(&settings, name);
    if composing.report.is_empty() {
        composing.report = CiRun::url(&setting.environment).unwrap_or_default();
    }
    let options = SummaryOptions {
        id: &id,
        time: Timestamp::now(),
        settings: &composing,
    };
    let report = &saved.report;
    let message = match arguments.only_on {
        Occasion::Always => Some(summary(report, &options)),
        Occasion::Failure => {
            has_failed(report, judgement.as_ref()).then(|| summary(report, &options))
        }
        Occasion::Change => changes(report, &settings, &options)?,
    };
    let Some(message) = message else {
        return print(b"Nothing to tell.\n");
    };
    let mut outcome = Outcome::new(arguments.dry_run);
    outcome.send(name, channel, message);
    outcome.print()
}

/// Returns a channel without an address, for those who want to see what one would get before there is
/// one. Only kinds that need nothing else have one.
fn stand_in(kind: &str) -> Option<ChannelSettings> {
    let webhook_url = Secret::new("https://example.invalid/");
    let target = match kind {
        "slack" => ChannelTarget::Slack { webhook_url },
        "teams" => ChannelTarget::Teams { webhook_url },
        "discord" => ChannelTarget::Discord { webhook_url },
        "mattermost" => ChannelTarget::Mattermost { webhook_url },
        "webhook" => ChannelTarget::Webhook {
            url: webhook_url,
            signing_key: None,
            authorization: None,
        },
        _ => return None,
    };
    Some(ChannelSettings {
        name: kind.to_owned(),
        target,
    })
}

/// Lets `--webhook-url` mean the address of the channel that is told.
fn with_address(mut call: Call, name: &str) -> Result<Call, CommandError> {
    let field = match kind(name) {
        Some("webhook") => return Ok(call),
        Some("slack") => "notify.slack.webhook_url",
        Some("teams") => "notify.teams.webhook_url",
        Some("discord") => "notify.discord.webhook_url",
        Some("mattermost") => "notify.mattermost.webhook_url",
        Some("ntfy") => "notify.ntfy.url",
        Some("gotify") => "notify.gotify.url",
        _ if !call.flags.contains_key(WEBHOOK_URL) => return Ok(call),
        _ => {
            return Err(CommandError::usage_text(format!(
                "--webhook-url: '{name}' is no kind of channel that has an address"
            )));
        }
    };
    if let Some(address) = call.flags.remove(WEBHOOK_URL) {
        call.flags.insert(field, address);
    }
    Ok(call)
}

/// Says whether something failed: the gate if there is one.
fn has_failed(report: &ScanReport, judgement: Option<&Judgement>) -> bool {
    match judgement {
        Some(judgement) => judgement.has_failed(),
        None => report.images.iter().any(is_failure),
    }
}

fn is_failure(image: &ImageReport) -> bool {
    image.status != AssessmentStatus::Complete || image.findings().next().is_some()
}
